#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "app/line/commands.h"
#include "app/line/run.h"
#include "sim/sim_process.h"

/// For tests only: runs a command line in this process and keeps what it printed.
namespace hygie::app {

/// What a command line did.
struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

/// The doors and streams of a test; change a field before run() to simulate what the test is about.
struct Harness {
    std::vector<Command> commands = all_commands();
    sim::SimProcess process;  ///< `variables` is the environment
    std::istringstream in;
    bool err_is_terminal = false;
    Disk* disk = &real_disk();
    Clock* clock = &real_clock();
    Fetch* fetch = &real_fetch();
    /// What happens once a serving command is ready, instead of waiting for a signal; it is given
    /// what the command printed so far.
    std::function<void(const std::string& printed)> when_ready = [](const std::string&) {};
    /// What the person types when asked for a secret, each time.
    std::string secret = "correct horse battery staple";

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
                                   .wait_for_stop = [&] { when_ready(out.str()); },
                                   .ask_secret =
                                       [this](const std::string&) {
                                           return Result<Sensitive<std::string>>(Sensitive(secret));
                                       }});
        return {code, out.str(), err.str()};
    }
};

}  // namespace hygie::app
