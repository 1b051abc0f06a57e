#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/jwt.h"

/// What an OpenID Connect provider says, judged (OpenID Connect Core 1.0 §3.1.3.7, Discovery 1.0
/// §4.3): pure, the caller brings the texts.
namespace hygie::access {

inline constexpr std::size_t kDiscoveryBytesMax = 256 << 10;
/// Identity tokens and clocks may differ so much.
inline constexpr Micros kProviderSkew = std::chrono::seconds(60);

/// Encrypted, or of this machine for those who test.
bool is_provider_address(std::string_view text);

/// Where a provider answers.
struct Provider {
    std::string issuer, authorization, token, jwks, userinfo;
    bool names_itself = false;  ///< adds `iss` to its answers (RFC 9207): then it must be there
};
/// Code::Forged when it speaks for another issuer, Code::BadInput when an address is missing or
/// neither https nor on this machine.
Result<Provider> parse_discovery(std::string_view text, std::string_view issuer);

/// Who a provider says somebody is.
struct Identity {
    std::string issuer;
    std::vector<std::string> subjects;  ///< `sub`, then the national number when there is one
    std::string profession;             ///< TRE-G15 code, empty when not said
    std::string organisation;           ///< FINESS number of the activity, empty when not said
    std::string name;
};

/// Code::Forged for a token of another signer, issuer, audience or sign-in, Code::Stale for one out
/// of time.
Result<Identity> judge_id_token(const Jwt& jwt, const std::vector<PublicKey>& keys,
                                const Provider& provider, std::string_view client,
                                std::string_view nonce, WallTime now);

/// Adds what the userinfo answer says, Pro Santé Connect's claims among it: SubjectNameID, and of
/// the exercise and activity the person chose the profession and place. Code::Forged when it speaks
/// of somebody else.
Status add_userinfo(Identity& identity, std::string_view text);

}  // namespace hygie::access
