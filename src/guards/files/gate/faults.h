#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// The first touch of a page that a process could not reach yet, or might not write to until now.
struct Fault {
    pid_t pid = 0;
    std::uint64_t address = 0;
};

/// The page faults of one process and of whatever it starts from here on, told as they happen
/// (perf_event_open(2)): who changes a file through a mapping calls nobody, and raises nothing
/// else.
class Faults {
  public:
    /// Fails when the kernel tells none of them.
    static Result<Faults> of(pid_t pid);

    /// To be waited for (poll(2)): one for each processor of each thread that has not ended.
    std::vector<int> descriptors() const;
    /// Appends what waits. Never blocks. What did not fit meanwhile is not told.
    void read(std::vector<Fault>& out);
    /// Everybody has ended, and all is told.
    bool is_over() const { return rings_.empty(); }

  private:
    /// What the kernel writes faults into: a page that tells how far, and one that it fills.
    class Ring {
      public:
        static Result<Ring> open(pid_t thread, int processor);
        Ring(Ring&& other) noexcept;
        Ring& operator=(Ring&&) = delete;
        ~Ring();

        int fd() const { return fd_.get(); }
        void read(std::vector<Fault>& out);

      private:
        Ring(UniqueFd fd, void* pages) : fd_(std::move(fd)), pages_(pages) {}
        void copy(std::uint64_t at, std::span<std::uint8_t> out) const;

        UniqueFd fd_;
        void* pages_ = nullptr;
    };

    std::vector<bool> ended() const;

    std::vector<Ring> rings_;
};

}  // namespace hygie::files
