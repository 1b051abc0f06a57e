#pragma once

#include <memory>
#include <optional>
#include <string>

#include "access/accounts/accounts.h"
#include "access/accounts/throttle.h"
#include "crypto/keyring.h"

namespace hygie::access {

/// What somebody at the sign-in page gave.
struct Credentials {
    std::string login{};
    Sensitive<std::string> password{};
    std::string code{};    ///< of the second factor, or a recovery code; empty when none
    std::string peer{};    ///< IP address
    std::string device{};  ///< what former successes left on this device, empty when nothing
    std::optional<PasskeyAssertion> passkey{};  ///< instead of the code, or of all the rest
    RelyingParty party{};                       ///< of the passkey
    std::string challenge{};  ///< that the passkey signed; the caller knows that it is ours
};

/// Who came in.
struct SignedIn {
    std::shared_ptr<const Account> account;
    std::string auth;    ///< "pwd", "otp" with a code, "passkey" alone or "pwd passkey" together
    std::string device;  ///< to keep on the device: guesses made elsewhere do not slow it. Holds
                         ///< the few people who use it, separated by dots
};

/// Why nobody did. The person is told the same for all but Wait, and Frozen: that one is told to
/// whoever proved to be the person.
struct SignInRefusal {
    enum class Why : std::uint8_t { Unknown, Closed, Password, Code, Wait, Passkey, Frozen };
    Why why = Why::Unknown;
    ActorId account;       ///< when there is one of that name
    Micros wait{};         ///< of Wait: when to try again
    bool worth_a_trace{};  ///< false for the repeats of a Wait: they would fill the ledger
};

/// Judges passwords, codes and passkeys. Costs the same time whether or not the account exists. One
/// guess at a time, because each takes much memory. Thread-safe; blocks for the time of a hash.
class SignIn {
  public:
    SignIn(const SealedFile::Doors& doors, Accounts& accounts, const crypto::Secret32& key,
           crypto::PassphraseCost cost = crypto::kInteractiveCost);
    ~SignIn();

    std::expected<SignedIn, SignInRefusal> judge(const Credentials& given);
    /// Whether this device was used by this person before; costs next to nothing. Callers let such
    /// people pass a queue of guesses.
    bool knows_device(std::string_view login, std::string_view device);
    PasskeyChallenges& challenges();
    /// By what an authenticator knows a person: it tells nothing about the login.
    Bytes passkey_handle(const ActorId& login);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hygie::access
