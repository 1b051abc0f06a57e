#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/sessions.h"

namespace hygie::access {

/// How long a program may go on without its person: on their own telephone a patient, at work
/// nobody beyond the working day.
inline constexpr Micros kRefreshPatient = std::chrono::days(90);
inline constexpr Micros kRefreshStaff = kStaffSession;
inline constexpr std::size_t kRefreshesMax = 100'000;

/// What a refresh token gives again: no more than what was allowed at the sign-in page.
struct Refresh {
    ActorId login;
    std::string auth;
    ActorId client;
    std::vector<std::string> scopes;
    WallTime end{};
};

/// Refresh tokens (RFC 6749 §6, RFC 9700 §4.14): one after the other in a chain, each good once.
/// One that comes back after its use was stolen, from us or from the thief: the chain ends with all
/// it gave. A chain also ends with its account, and as soon as the session that it gave last was
/// revoked. `dir`/refreshes is sealed and knows hashes alone. Thread-safe.
class Refreshes {
  public:
    static Result<std::unique_ptr<Refreshes>> open(const SealedFile::Doors& doors,
                                                   const std::string& dir,
                                                   const crypto::Secret32& key, Accounts& accounts,
                                                   Sessions& sessions);
    ~Refreshes();

    /// The first of a chain, beside a session that was confirmed.
    Result<Sensitive<std::string>> begin(const Refresh& grant, const Session& session);

    struct Look {
        Refresh grant;               ///< of nobody when it gives nothing
        std::string stolen_session;  ///< it was used before: the session that ended with its chain
        ActorId login;               ///< whose chain that was
    };
    /// What it would give; it is not used up. Code::Denied when it never was, has ended, or belongs
    /// to another program: that ends it, too.
    Result<Look> look(std::string_view token, const ActorId& client);
    /// Uses it up, for a session that was confirmed, and ends the one before. Code::Denied when
    /// somebody else used it meanwhile: the chain ends.
    Result<Sensitive<std::string>> turn(std::string_view token, const Session& session);

    /// What stays of a token when the next one comes: the name of its chain.
    static std::string chain_of(std::string_view token);
    /// Ends a chain by that name, and the session that it gave last. One that has ended is no
    /// error.
    Status end(std::string_view chain);

    /// Ends the chain and its session. Unknown tokens are no error.
    struct Ended {
        ActorId login;  ///< empty when there was none
        std::string session;
    };
    Result<Ended> revoke(std::string_view token);
    std::size_t size();

  private:
    struct State;
    explicit Refreshes(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::access
