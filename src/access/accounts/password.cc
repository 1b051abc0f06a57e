#include "access/accounts/password.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/accounts/otp.h"
#include "crypto/sha256.h"
#include "crypto/sodium.h"

namespace hygie::access {
namespace {

constexpr std::size_t kFirstPasswordGroups = 4;

}  // namespace

Sensitive<std::string> make_password(Random& random) {
    return Sensitive<std::string>(make_readable_secret(random, kFirstPasswordGroups));
}

Result<std::string> hash_password(const Sensitive<std::string>& password,
                                  crypto::PassphraseCost cost) {
    crypto::detail::sodium_ready();
    const std::string& text = password.reveal();
    std::array<char, crypto_pwhash_STRBYTES> out{};
    if (crypto_pwhash_str_alg(out.data(), text.data(), text.size(), cost.passes,
                              static_cast<std::size_t>(cost.memory_bytes),
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail(Code::Unavailable,
                    {"pas assez de mémoire pour protéger le mot de passe",
                     "not enough memory to protect the password"},
                    {"libérez de la mémoire et recommencez", "free some memory and try again"});
    return std::string(out.data());
}

std::string unfitting_hash(Random& random, crypto::PassphraseCost cost) {
    constexpr int kUnpadded = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    constexpr std::uint64_t kKiB = 1024;
    const auto salt = random.bytes<crypto_pwhash_argon2id_SALTBYTES>();
    const auto digest = random.bytes<sizeof(crypto::Hash)>();
    std::array<char, sodium_base64_ENCODED_LEN(salt.size(), kUnpadded)> salt_text{};
    std::array<char, sodium_base64_ENCODED_LEN(digest.size(), kUnpadded)> digest_text{};
    sodium_bin2base64(salt_text.data(), salt_text.size(), salt.data(), salt.size(), kUnpadded);
    sodium_bin2base64(digest_text.data(), digest_text.size(), digest.data(), digest.size(),
                      kUnpadded);
    return fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", cost.memory_bytes / kKiB, cost.passes,
                       salt_text.data(), digest_text.data());
}

bool password_fits(const Sensitive<std::string>& password, const std::string& hash) {
    crypto::detail::sodium_ready();
    if (!hash.starts_with("$argon2id$") || hash.size() >= crypto_pwhash_STRBYTES) return false;
    std::array<char, crypto_pwhash_STRBYTES> stored{};
    std::ranges::copy(hash, stored.begin());
    const std::string& text = password.reveal();
    return crypto_pwhash_str_verify(stored.data(), text.data(), text.size()) == 0;
}

}  // namespace hygie::access
