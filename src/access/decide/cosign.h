#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "access/decide/break_glass.h"
#include "host/random.h"

/// Break-glass by two people: who has no second factor at hand asks, and a colleague who could open
/// the record by break-glass, too, signs in a session of their own.
namespace hygie::access {

/// A break-glass that waits for a colleague.
struct CosignWish {
    Actor by;
    std::string patient;
    Motive motive;
    event::Event act;  ///< the entry of the break-glass as its asker would have made it
    WallTime until{};  ///< nobody signs it from then on
};
inline constexpr Micros kCosignWait = std::chrono::minutes(10);
inline constexpr std::size_t kCosignWishesMax = 10'000;

/// Whether `colleague` may sign `wish`: another human of a profession that may break the glass,
/// with a second factor. Code::Denied, Code::Stale: each says what to do.
Status check_cosigner(const Policy& policy, const Actor& colleague, const CosignWish& wish);

/// Those that wait, in memory: a restart forgets them, and they are asked for again. Thread-safe.
class CosignWishes {
  public:
    /// The code by which a colleague finds it: eight letters and digits, told from mouth to mouth.
    /// An earlier wish of the same person for the same patient is void. Code::Full.
    Result<std::string> add(CosignWish wish, Random& random, WallTime now);
    /// None when there is no such code, or no longer.
    std::optional<CosignWish> find(std::string_view code, WallTime now);
    /// Once: none for whoever comes second.
    std::optional<CosignWish> take(std::string_view code, WallTime now);

  private:
    void forget_old(WallTime now);

    std::mutex mutex_;
    std::map<std::string, CosignWish, std::less<>> wishes_;
};

}  // namespace hygie::access
