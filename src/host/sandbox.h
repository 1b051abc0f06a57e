#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "host/unique_fd.h"

namespace hygie {

struct SandboxLimits {
    std::size_t memory_bytes_max = 512U << 20;  ///< address space beyond that of the parent
    Micros deadline = std::chrono::seconds(2);  ///< for one answer
    std::size_t answer_bytes_max = 16U << 20;
    /// After so many answers a fresh child takes over, so that nothing hostile stays.
    unsigned answers_max = 64;
};

/// A child process that may compute and nothing else: no file, no socket, no program, no signal to
/// others (seccomp allows reading its question, writing its answer and memory). What reads hostile
/// bytes with large libraries runs there. One thread at a time.
class Sandbox {
  public:
    /// `work` runs in the child. It must not rely on a thread, and what it loads lazily from disk
    /// must have been loaded before.
    using Work = std::function<Bytes(ByteView)>;
    Sandbox(Work work, SandboxLimits limits);
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// Code::Unavailable when the child died or outlived the deadline (it is then killed by pid);
    /// Code::Full when it answered too much. The next question meets a fresh child.
    Result<Bytes> ask(ByteView question);

    /// The two halves of `ask`, so that the caller may do something else meanwhile: each `put` that
    /// went well is followed by one `answer`. The deadline runs from `put`.
    Status put(ByteView question);
    Result<Bytes> answer();

  private:
    Status start();
    void stop();
    [[noreturn]] void serve(int in, int out);

    Work work_;
    SandboxLimits limits_;
    pid_t child_ = -1;
    UniqueFd to_child_;
    UniqueFd from_child_;
    unsigned answers_ = 0;
    bool is_asked_ = false;
    std::chrono::steady_clock::time_point deadline_;
};

}  // namespace hygie
