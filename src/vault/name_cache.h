#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "vault/record.h"

namespace hygie::vault {

/// Numbers kept of all names together, 1 MB of them; beyond, all is forgotten and looked up again.
inline constexpr std::size_t kNamedKept = 1 << 17;
/// A name occupies as much as so many numbers, also one that leads nowhere.
inline constexpr std::size_t kNameCost = 16;

/// Which records blind names led to lately: the day's agenda is asked for all day. What is kept
/// never lags behind a commit: that forgets the names that it touches, and whoever was reading
/// them meanwhile keeps nothing. Thread-safe.
class NameCache {
  public:
    using Numbers = std::vector<CompartmentNumber>;
    struct Kept {
        std::optional<Numbers> numbers;  ///< none: not here
        std::uint64_t as_of = 0;         ///< for keep(): from before the rows are read
    };
    Kept find(std::int64_t name);
    void keep(std::int64_t name, std::uint64_t as_of, const Numbers& numbers);
    /// After a commit that changed the rows of these names.
    void forget(const std::vector<std::int64_t>& names);

  private:
    std::mutex mutex_;
    std::unordered_map<std::int64_t, Numbers> kept_;
    std::size_t count_ = 0;      ///< of numbers, names included
    std::uint64_t commits_ = 0;  ///< that changed names
};

}  // namespace hygie::vault
