#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "host/clock.h"

namespace hygie::mail {

inline constexpr Micros kClamdBudget = std::chrono::seconds(5);

/// After a failure it is left alone for so long: a scanner that hangs must not hold up the mail.
inline constexpr Micros kClamdRest = std::chrono::seconds(30);

/// Asks clamd, the scanner of ClamAV, at its local socket (INSTREAM) about a whole message: the
/// name of what it knows, or nothing. Code::Unavailable when it does not answer within the budget.
Result<std::optional<std::string>> ask_clamd(const std::string& socket, std::string_view message,
                                             Micros budget = kClamdBudget);

/// clamd at one socket, asked only while it answers. Thread-safe.
class Clamd {
  public:
    /// No socket: nobody is asked.
    explicit Clamd(std::string socket = {}) : socket_(std::move(socket)) {}
    /// The name of what it knows in the message; nothing when it knows nothing, or does not answer.
    std::optional<std::string> look(std::string_view message, Clock& clock);

  private:
    std::string socket_;
    std::atomic<std::int64_t> rests_until_us_ = 0;
};

}  // namespace hygie::mail
