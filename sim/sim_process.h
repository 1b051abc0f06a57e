#pragma once

#include <functional>
#include <map>

#include "host/process.h"

namespace hygie::sim {

/// Programs and surroundings by script: `on_run` answers for every program.
struct SimProcess final : Process {
    std::function<Result<RunOutcome>(const std::vector<std::string>& argv, ByteView input)> on_run;
    std::map<std::string, std::string> variables;
    std::string host = "cabinet-1";
    std::string user = "hygie";

    Result<RunOutcome> run(const std::vector<std::string>& argv, ByteView input,
                           RunLimits) override {
        if (on_run) return on_run(argv, input);
        return fail(Code::NotFound, {"aucun programme simulé", "no simulated program"});
    }
    std::string host_name() override { return host; }
    std::string user_name() override { return user; }
    std::string environment(const std::string& name) override {
        const auto found = variables.find(name);
        return found == variables.end() ? "" : found->second;
    }
};

}  // namespace hygie::sim
