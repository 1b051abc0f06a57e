#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace hygie::files {

/// Free and whole room of a file system, in bytes.
struct Room {
    std::uint64_t free = 0;
    std::uint64_t total = 0;
};

/// Who may still fill the store. A pre-image is never dropped to make room: when room is short the
/// one who used most of it is refused first, then everybody who would change something. Reading
/// asks nobody. Thread-safe.
class Admission {
  public:
    static constexpr std::uint64_t kReserveMin = std::uint64_t{32} << 20;
    static constexpr std::uint64_t kReservePermille = 10;
    /// Below so many reserves the greediest actor is refused.
    static constexpr std::uint64_t kShort = 4;
    static constexpr std::chrono::minutes kWindow{60};
    static constexpr std::size_t kActorsMax = 4096;

    using Time = std::chrono::steady_clock::time_point;

    /// Whether these bytes may be kept on behalf of this actor; counts them when they may.
    bool admit(const std::string& actor, std::uint64_t bytes, Room room, Time now);

  private:
    struct Use {
        std::uint64_t bytes = 0;
        Time since{};
    };

    std::mutex mutex_;
    std::unordered_map<std::string, Use> uses_;
};

}  // namespace hygie::files
