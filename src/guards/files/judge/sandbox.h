#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>

#include "guards/files/judge/examiner.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Runs the parsers of hostile formats in a process that can only compute: no file (Landlock), no
/// call but reading its socket and memory (seccomp), no identity of root. What it is asked reaches
/// it as bytes in shared memory; what it answers is a Finding, numbers only. When it dies over a
/// file another one takes its place, and that file stays without a finding.
class SandboxedExaminer final : public Examiner {
  public:
    /// Forks: call it while the process has one thread.
    static Result<std::unique_ptr<SandboxedExaminer>> start();
    ~SandboxedExaminer() override;

    /// Thread-safe; one at a time.
    Result<Finding> examine(const Content* before, const Content& after) override;
    /// Workers that died over a file.
    unsigned deaths() const { return deaths_; }

    static constexpr int kAnswerSecondsMax = 5;

  private:
    SandboxedExaminer() = default;

    std::mutex mutex_;
    UniqueFd socket_;
    std::uint8_t* shared_ = nullptr;
    pid_t keeper_ = 0;
    std::uint64_t asked_ = 0;  ///< how many questions
    unsigned deaths_ = 0;
};

/// Takes everything away from this process that parsing does not need. Opening a path is refused,
/// because libraries look for time zones and character sets; every other breach ends it.
Status enter_sandbox();

}  // namespace hygie::files
