#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "host/clock.h"
#include "host/random.h"

namespace hygie::access {

/// What a person allowed a program at the sign-in page (OAuth 2.0 authorisation code, RFC 6749
/// §4.1, bound to the program by PKCE, RFC 7636).
struct Grant {
    ActorId login;
    std::string auth;
    ActorId client;
    std::string redirect;
    std::string challenge;  ///< base64url of SHA-256 of the verifier: method S256
    std::vector<std::string> scopes;
    std::string nonce;
};

/// Authorisation codes: one minute, one use. In memory alone: a restart asks people to sign in
/// again. A code shown twice was stolen, so what its first use gave has to end. Thread-safe.
class Codes {
  public:
    static constexpr Micros kCodeLife = std::chrono::minutes(1);
    static constexpr std::size_t kCodesMax = 10'000;

    Codes(Clock& clock, Random& random) : clock_(clock), random_(random) {}

    /// Code::Full when too many wait to be used.
    Result<std::string> make(Grant grant);

    struct Spent {
        Grant grant;
        std::string stolen_session;  ///< replay: the session to revoke; there is no grant then
        std::string stolen_chain;    ///< … and the refresh tokens to end with it, if any
    };
    /// Code::Denied for a code that is unknown, old, of another program or address, or whose
    /// verifier does not fit: it is spent all the same.
    Result<Spent> spend(std::string_view code, const ActorId& client, std::string_view redirect,
                        std::string_view verifier);
    /// Remembers what a spent code gave. False when the code was replayed meanwhile: what it gave
    /// has to end.
    bool gave(std::string_view code, std::string session);
    /// The same of a chain of refresh tokens that goes on from that session.
    bool gave_chain(std::string_view code, std::string chain);

  private:
    struct Entry {
        Grant grant;
        WallTime end;
        bool spent = false;
        bool replayed = false;
        std::string session;
        std::string chain;
    };
    void forget_old(WallTime now);

    Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    std::map<crypto::Hash, Entry> entries_;
};

/// The only method accepted: base64url(SHA-256(verifier)) (RFC 7636 §4.2).
bool is_challenge(std::string_view text);
bool is_verifier(std::string_view text);
std::string challenge_of(std::string_view verifier);

}  // namespace hygie::access
