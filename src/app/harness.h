#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/run.h"

/// For tests only: runs a command line in this process and keeps what it printed.
namespace hygie::app {

/// The real programs, with an environment that the test decides.
class FixedProcess : public Process {
  public:
    Result<RunOutcome> run(const std::vector<std::string>& argv, ByteView input,
                           RunLimits limits) override {
        return real_process().run(argv, input, limits);
    }
    std::string host_name() override { return "essai"; }
    std::string user_name() override { return "essai"; }
    std::string environment(const std::string& name) override {
        const auto found = variables.find(name);
        return found == variables.end() ? "" : found->second;
    }

    std::map<std::string, std::string> variables;
};

/// What a command line did.
struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

/// The doors and streams of a test; change a field before run() to simulate what the test is about.
struct Harness {
    std::vector<Command> commands = all_commands();
    FixedProcess process;
    std::istringstream in;
    bool err_is_terminal = false;
    Disk* disk = &real_disk();
    Clock* clock = &real_clock();
    Fetch* fetch = &real_fetch();
    /// What a serving command does once it is ready, instead of waiting for a signal.
    std::function<void()> when_ready = [] {};

    Ran run(const std::vector<std::string>& args) {
        std::ostringstream out, err;
        const int code = app::run(commands, args,
                                  {.disk = *disk,
                                   .clock = *clock,
                                   .random = real_random(),
                                   .process = process,
                                   .fetch = *fetch,
                                   .in = in,
                                   .out = out,
                                   .err = err,
                                   .err_is_terminal = err_is_terminal,
                                   .wait_for_stop = when_ready});
        return {code, out.str(), err.str()};
    }
};

}  // namespace hygie::app
