#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace hygie::access {

/// Slows who guesses, by name of what is guessed at or from where. The first kFreeTries failures
/// cost nothing; each further one doubles the wait, up to kWaitMax: nobody is ever locked out, and
/// a year of guessing at one name is about 35,000 guesses. Pure but for its memory, which is
/// bounded: when it is full, the quietest name is forgotten. One thread at a time.
class Throttle {
  public:
    static constexpr unsigned kFreeTries = 5;
    static constexpr Micros kWaitFirst = std::chrono::seconds(2);
    static constexpr Micros kWaitMax = std::chrono::minutes(15);
    static constexpr Micros kForgetAfter = std::chrono::hours(24);
    static constexpr std::size_t kNamesMax = 65'536;

    /// How long this name still has to wait; zero when it may try.
    Micros wait(std::string_view name, SteadyTime now) const;
    /// The wait that begins now.
    Micros failed(std::string_view name, SteadyTime now);
    void succeeded(std::string_view name);
    std::size_t size() const { return marks_.size(); }

  private:
    struct Mark {
        unsigned failures = 0;
        SteadyTime last{};
    };
    static Micros wait_of(unsigned failures);
    void make_room(SteadyTime now);

    std::map<std::string, Mark, std::less<>> marks_;
};

}  // namespace hygie::access
