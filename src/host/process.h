#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace hygie {

struct RunLimits {
    Micros timeout = std::chrono::seconds(60);
    std::size_t output_bytes_max = 16 << 20;
};

struct RunOutcome {
    int exit_code = 0;  ///< 128 + signal when killed by one
    Bytes out;
    Bytes err;
};

/// The door to other programs and to who we are.
class Process {
  public:
    virtual ~Process() = default;
    /// Runs a program found in PATH to its end, with `input` on stdin. No shell. Code::NotFound
    /// when it is absent, Code::Unavailable when it outlives the timeout (it is then killed by
    /// pid), Code::Full when it prints too much.
    virtual Result<RunOutcome> run(const std::vector<std::string>& argv, ByteView input,
                                   RunLimits limits) = 0;
    virtual std::string host_name() = 0;
    /// Login name of the real user id, or its number.
    virtual std::string user_name() = 0;
    /// Value of an environment variable, empty when unset.
    virtual std::string environment(const std::string& name) = 0;
};

Process& real_process();

}  // namespace hygie
