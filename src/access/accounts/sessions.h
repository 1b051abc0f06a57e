#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/accounts.h"
#include "base/sensitive.h"

namespace hygie::access {

/// How long a sign-in lasts: a person's working day, a patient's or a program's hour.
inline constexpr Micros kStaffSession = std::chrono::hours(10);
inline constexpr Micros kShortSession = std::chrono::hours(1);
/// A program that proves itself by a key asks again as often as it likes (SMART Backend Services:
/// 300 seconds at most).
inline constexpr Micros kBackendSession = std::chrono::minutes(5);
/// The longest that any of them may last.
inline constexpr Micros kSessionMax = std::chrono::days(90);
inline constexpr std::size_t kSessionsMax = 100'000;

/// What is known of a live session.
struct Session {
    std::string id;  ///< random, no secret: traces name it
    std::shared_ptr<const Actor> actor;
    ActorId client;  ///< the program by which a person signed in; empty when none
    WallTime since{};
    WallTime end{};
    std::uint64_t epoch = 0;  ///< of the account when it began
};

/// Bearer tokens: 32 random bytes in base64url. Only their SHA-256 is stored, in `dir`/sessions,
/// sealed; they outlive a restart. A session ends with its time, its revocation or its account, at
/// once and in every process. Thread-safe.
class Sessions {
  public:
    static Result<std::unique_ptr<Sessions>> open(const SealedFile::Doors& doors,
                                                  const std::string& dir,
                                                  const crypto::Secret32& key, Accounts& accounts);
    ~Sessions();

    struct Wish {
        ActorId login;
        std::string auth;  ///< how it was proven: "pwd", "otp", "key"…
        ActorId client;
        std::vector<std::string> scopes;
        Micros lasts = kShortSession;
    };
    struct Opened {
        Sensitive<std::string> token;
        Session session;
    };
    /// Two steps, so that a trace can stand between: the token works from confirm() on only.
    Result<Opened> prepare(const Wish& wish);
    /// Durable on return. Code::Denied when the account closed meanwhile.
    Status confirm(const Opened& opened);

    /// Who holds a token: one hash and one look-up. Null when it never was, has ended or was
    /// revoked, or its account is closed.
    std::shared_ptr<const Session> find(std::string_view token);

    /// The live session of this id; null when it ended or was revoked.
    std::shared_ptr<const Session> find_id(std::string_view id);
    bool is_open(std::string_view id) { return find_id(id) != nullptr; }

    /// Effective and durable on return. Unknown tokens and ids are no error.
    Status revoke(std::string_view token);
    Status revoke_session(std::string_view id);
    Status revoke_account(const ActorId& login);
    std::size_t size();

  private:
    struct State;
    explicit Sessions(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::access
