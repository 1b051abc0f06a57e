#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "host/clock.h"
#include "host/random.h"

/// Passkeys (Web Authentication Level 2, w3.org/TR/webauthn-2): pure judgements over what a browser
/// hands over. Keys are verified by OpenSSL; attestation is not asked for, so none is believed.
namespace hygie::access {

inline constexpr std::size_t kPasskeysMax = 16;  ///< of one account
inline constexpr std::size_t kPasskeyIdBytesMax = 1023;
inline constexpr std::size_t kPasskeyKeyBytesMax = 1024;
inline constexpr std::size_t kClientDataBytesMax = 4096;
inline constexpr std::size_t kAuthenticatorDataBytesMax = 4096;

/// COSE algorithms (RFC 9053) that a passkey may use, no others.
enum class PasskeyAlg : std::uint8_t { ES256 = 1, EdDSA = 2, RS256 = 3 };
/// -7, -8, -257.
std::int64_t cose_number(PasskeyAlg alg);
Result<PasskeyAlg> passkey_alg(std::string_view cose_number);

/// A key that only one authenticator holds.
struct Passkey {
    Bytes id;   ///< the credential's
    Bytes key;  ///< SubjectPublicKeyInfo, DER
    PasskeyAlg alg = PasskeyAlg::ES256;
    std::uint32_t counter = 0;  ///< the last one signed; 0 when the authenticator does not count
    WallTime since{};
    bool operator==(const Passkey&) const = default;
};

/// Who we are to a browser.
struct RelyingParty {
    std::string origin;  ///< "https://hygie.example:8443"
    std::string id;      ///< "hygie.example"
};
/// Of an address. The id is empty when its host is no name: browsers have no passkeys there.
RelyingParty relying_party(std::string_view url);

/// What navigator.credentials.create() gave.
struct PasskeyCreation {
    Bytes client_data;         ///< JSON
    Bytes authenticator_data;  ///< §6.1
    Bytes key;                 ///< getPublicKey()
    PasskeyAlg alg = PasskeyAlg::ES256;
};
/// The new passkey. Code::Forged for another site, ceremony or challenge, or nobody present;
/// Code::BadInput for a key that is weak or does not suit its algorithm.
Result<Passkey> check_creation(const PasskeyCreation& given, const RelyingParty& party,
                               std::string_view challenge, WallTime now);

/// What navigator.credentials.get() gave.
struct PasskeyAssertion {
    Bytes id, client_data, authenticator_data, signature;
    Bytes handle;  ///< of the person; empty when the authenticator keeps none
};
struct Asserted {
    bool verified = false;  ///< the authenticator knew the person (a finger, a PIN), and not only
                            ///< that somebody is there
    std::uint32_t counter = 0;
};
/// Whether the passkey signed this challenge, here and now. Code::Forged otherwise, and for a
/// counter that did not go up: two authenticators then hold the key.
Result<Asserted> check_assertion(const PasskeyAssertion& given, const Passkey& passkey,
                                 const RelyingParty& party, std::string_view challenge);

/// Challenges that need no memory until they are answered: the time and a keyed hash of it and of
/// what they are bound to. Each serves once, within kLife. Thread-safe.
class PasskeyChallenges {
  public:
    static constexpr Micros kLife = std::chrono::minutes(10);
    static constexpr std::size_t kSpentMax = 65'536;

    PasskeyChallenges(Clock& clock, Random& random)
        : clock_(clock), key_(random.bytes<sizeof(crypto::Hash)>()) {}

    /// base64url. `bound` is what only the right page of the right browser holds, new each time.
    std::string make(std::string_view bound);
    bool fits(std::string_view challenge, std::string_view bound);
    /// Once, after all else was right: only signed answers take memory. False for a replay.
    bool spend(std::string_view challenge);

  private:
    crypto::Hash mac(std::uint64_t time, std::string_view bound) const;

    Clock& clock_;
    crypto::Secret32 key_;
    std::mutex mutex_;
    std::map<std::string, WallTime, std::less<>> spent_;
};

}  // namespace hygie::access
