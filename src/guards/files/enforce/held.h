#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/result.h"
#include "guards/files/acts/actor.h"
#include "guards/files/acts/urgent_mutex.h"

namespace hygie::files {

/// Who stands still for a moment (Enforcer::hold), in a file mapped into memory (FORMAT_JUDGE.md,
/// "held"): a guard that is killed meanwhile leaves them standing, so its deadman, or the next
/// guard, lets them go. Thread-safe.
class HeldBook {
  public:
    static constexpr std::size_t kSlots = 128;

    static Result<HeldBook> open(const std::string& path);
    HeldBook(HeldBook&& other) noexcept;
    HeldBook& operator=(HeldBook&&) = delete;
    ~HeldBook();

    /// Before it is stopped. False when there is no room: then it must not be. `started` 0: not
    /// known yet.
    bool add(const ProcessId& process);
    /// It goes on, or is stopped for good.
    void remove(const ProcessId& process);
    /// Lets go whoever is in it and still the same, and forgets them. Only when no other guard is
    /// alive.
    void release_all();

  private:
    struct Slot {
        std::uint64_t started;
        std::int32_t pid;  ///< 0: free
        std::uint32_t reserved;
    };
    explicit HeldBook(Slot* slots) : slots_(slots) {}

    Slot* slots_;
    UrgentMutex mutex_;
};

}  // namespace hygie::files
