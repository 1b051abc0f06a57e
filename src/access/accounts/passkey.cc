#include "access/accounts/passkey.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/strict_json.h"
#include "crypto/freed.h"

namespace hygie::access {
namespace {

using Json = nlohmann::json;
using Key = std::unique_ptr<EVP_PKEY, crypto::Freed<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, crypto::Freed<EVP_MD_CTX_free>>;

struct AlgName {
    PasskeyAlg alg;
    std::int64_t cose;
    std::string_view spelled;
};
constexpr auto kAlgs = std::to_array<AlgName>({{PasskeyAlg::ES256, -7, "-7"},
                                               {PasskeyAlg::EdDSA, -8, "-8"},
                                               {PasskeyAlg::RS256, -257, "-257"}});
constexpr int kRsaBitsMin = 2048;

// Authenticator data, §6.1.
constexpr std::size_t kFlagsAt = sizeof(crypto::Hash), kCounterAt = kFlagsAt + 1;
constexpr std::size_t kHeadBytes = kCounterAt + 4;
constexpr std::size_t kAaguidBytes = 16, kIdLengthBytes = 2;
constexpr unsigned kUserPresent = 1, kUserVerified = 4, kBackupEligible = 8, kBackedUp = 16,
                   kHasKey = 64, kHasExtensions = 128;

std::unexpected<Error> forged() {
    return fail(Code::Forged,
                {"cette clé d'accès ne répond pas à notre question, ici et maintenant",
                 "this passkey does not answer our question, here and now"},
                {"recommencez depuis la page de connexion", "start again at the sign-in page"});
}

std::unexpected<Error> bad_key() {
    return fail(Code::BadInput, {"clé d'accès refusée", "passkey refused"},
                {"utilisez une clé ES256, EdDSA, ou RS256 d'au moins 2048 bits",
                 "use an ES256 or EdDSA key, or RS256 of at least 2048 bits"});
}

struct Head {
    unsigned flags = 0;
    std::uint32_t counter = 0;
};

/// What both ceremonies check of the authenticator data (§7.1 steps 13–16, §7.2 steps 15–18).
Result<Head> check_head(ByteView data, const RelyingParty& party) {
    if (data.size() < kHeadBytes || data.size() > kAuthenticatorDataBytesMax || party.id.empty())
        return forged();
    const crypto::Hash ours = crypto::sha256(as_bytes(party.id));
    if (!std::ranges::equal(data.first(ours.size()), ours)) return forged();
    const Head head{data[kFlagsAt], load_be<std::uint32_t>(data.data() + kCounterAt)};
    if (!(head.flags & kUserPresent)) return forged();
    // What cannot be backed up is not backed up (Level 3 §6.1.3).
    if ((head.flags & kBackedUp) && !(head.flags & kBackupEligible)) return forged();
    return head;
}

/// The browser's own account of what was asked, by whom (§5.8.1).
Status check_client_data(ByteView bytes, std::string_view type, const RelyingParty& party,
                         std::string_view challenge) {
    const std::string_view text = as_text(bytes);
    if (text.size() > kClientDataBytesMax || !is_strict_object(text)) return forged();
    const Json json = Json::parse(text, nullptr, false);
    const auto foreign = json.find("crossOrigin");
    const bool framed =
        (foreign != json.end() && *foreign != Json(false)) || json.contains("topOrigin");
    const std::string answered = text_member(json, "challenge");
    const bool ours = text_member(json, "type") == type && !challenge.empty() && !framed &&
                      text_member(json, "origin") == party.origin &&
                      equal_constant_time(as_bytes(answered), as_bytes(challenge));
    if (!ours) return forged();
    return {};
}

Key load_key(ByteView der) {
    const unsigned char* at = der.data();
    Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (at != der.data() + der.size()) key.reset();
    return key;
}

bool is_p256(EVP_PKEY* key) {
    std::array<char, 32> name{};
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) == 1 &&
           std::string_view(name.data()) == "prime256v1";
}

bool suits(EVP_PKEY* key, PasskeyAlg alg) {
    switch (alg) {
        case PasskeyAlg::ES256:
            return is_p256(key);
        case PasskeyAlg::EdDSA:
            return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
        case PasskeyAlg::RS256:
            return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
                   EVP_PKEY_get_bits(key) >= kRsaBitsMin;
    }
    return false;
}

bool signed_by(const Passkey& passkey, ByteView message, ByteView signature) {
    const Key key = load_key(passkey.key);
    if (!key || !suits(key.get(), passkey.alg)) return false;
    const Digest digest(EVP_MD_CTX_new());
    const EVP_MD* const hash = passkey.alg == PasskeyAlg::EdDSA ? nullptr : EVP_sha256();
    return digest && EVP_DigestVerifyInit(digest.get(), nullptr, hash, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(digest.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace

std::int64_t cose_number(PasskeyAlg alg) {
    return std::ranges::find(kAlgs, alg, &AlgName::alg)->cose;
}

Result<PasskeyAlg> passkey_alg(std::string_view cose_number) {
    const auto known = std::ranges::find(kAlgs, cose_number, &AlgName::spelled);
    if (known == kAlgs.end()) return bad_key();
    return known->alg;
}

RelyingParty relying_party(std::string_view url) {
    constexpr std::string_view kScheme = "https://";
    RelyingParty party{std::string(url), {}};
    if (!url.starts_with(kScheme)) return party;
    const std::string_view host =
        url.substr(kScheme.size(), url.find(':', kScheme.size()) - kScheme.size());
    const bool is_number =
        host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_number) party.id = host;
    return party;
}

Result<Passkey> check_creation(const PasskeyCreation& given, const RelyingParty& party,
                               std::string_view challenge, WallTime now) {
    TRY_STATUS(check_client_data(given.client_data, "webauthn.create", party, challenge));
    const ByteView data = given.authenticator_data;
    const Head head = TRY(check_head(data, party));
    const std::size_t id_at = kHeadBytes + kAaguidBytes + kIdLengthBytes;
    if (!(head.flags & kHasKey) || data.size() < id_at) return forged();
    const std::size_t id_size = load_be<std::uint16_t>(data.data() + id_at - kIdLengthBytes);
    if (id_size == 0 || id_size > kPasskeyIdBytesMax || data.size() < id_at + id_size)
        return forged();
    const Key key = given.key.size() <= kPasskeyKeyBytesMax ? load_key(given.key) : nullptr;
    if (!key || !suits(key.get(), given.alg)) return bad_key();
    return Passkey{to_bytes(data.subspan(id_at, id_size)), given.key, given.alg, head.counter, now};
}

Result<Asserted> check_assertion(const PasskeyAssertion& given, const Passkey& passkey,
                                 const RelyingParty& party, std::string_view challenge) {
    TRY_STATUS(check_client_data(given.client_data, "webauthn.get", party, challenge));
    const ByteView data = given.authenticator_data;
    const Head head = TRY(check_head(data, party));
    if (data.size() > kHeadBytes && !(head.flags & (kHasExtensions | kHasKey))) return forged();
    Bytes message = to_bytes(data);
    append(message, crypto::sha256(given.client_data));
    if (given.id != passkey.id || !signed_by(passkey, message, given.signature)) return forged();
    const bool counts = head.counter != 0 || passkey.counter != 0;
    if (counts && head.counter <= passkey.counter) return forged();
    return Asserted{(head.flags & kUserVerified) != 0, head.counter};
}

crypto::Hash PasskeyChallenges::mac(std::uint64_t time, std::string_view bound) const {
    std::array<std::uint8_t, 8> bytes;
    store_be(bytes.data(), time);
    return crypto::hmac_sha256(key_.view(), {ByteView(bytes), as_bytes(bound)});
}

std::string PasskeyChallenges::make(std::string_view bound) {
    const auto time = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    Bytes bytes(sizeof time);
    store_be(bytes.data(), time);
    append(bytes, mac(time, bound));
    return to_base64url(bytes);
}

bool PasskeyChallenges::fits(std::string_view challenge, std::string_view bound) {
    const Result<Bytes> bytes = from_base64url(challenge);
    if (!bytes || bytes->size() != 8 + sizeof(crypto::Hash)) return false;
    const auto time = load_be<std::uint64_t>(bytes->data());
    if (!equal_constant_time(ByteView(*bytes).subspan(8), mac(time, bound))) return false;
    const WallTime made{Micros(static_cast<std::int64_t>(time))};
    const WallTime now = clock_.now();
    return made <= now && now < made + kLife;
}

bool PasskeyChallenges::spend(std::string_view challenge) {
    const WallTime now = clock_.now();
    const std::scoped_lock lock(mutex_);
    if (spent_.size() >= kSpentMax)
        std::erase_if(spent_, [&](const auto& one) { return one.second <= now; });
    return spent_.size() < kSpentMax && spent_.emplace(challenge, now + kLife).second;
}

}  // namespace hygie::access
