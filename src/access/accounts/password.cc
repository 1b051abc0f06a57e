#include "access/accounts/password.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "access/accounts/otp.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "crypto/sodium.h"

namespace hygie::access {
namespace {

constexpr std::size_t kDistinctMin = 5;
constexpr std::size_t kFirstPasswordGroups = 4;
/// A login shorter than this may stand in a password by chance.
constexpr std::size_t kLoginMin = 4;
/// What guessing starts with, among those that are long enough.
constexpr auto kCommon = std::to_array<std::string_view>(
    {"motdepasse", "password", "azerty", "qwerty", "123456", "abcdef", "bonjour", "soleil",
     "docteur", "medecin", "infirmier", "hopital", "cabinet", "clinique", "sante", "hygie"});

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// What remains when digits and signs are taken from a password made of a common word.
bool is_common(const std::string& password) {
    std::string letters = password;
    std::erase_if(letters, [](char c) { return c < 'a' || c > 'z'; });
    return std::ranges::any_of(kCommon, [&](std::string_view word) {
        return letters == word || (password.starts_with(word) && word.size() * 2 > password.size());
    });
}

}  // namespace

Status check_password(const Sensitive<std::string>& password, std::string_view login) {
    const std::string& text = password.reveal();
    if (text.size() < kPasswordBytesMin || text.size() > kPasswordBytesMax || !is_utf8(text))
        return fail(
            Code::BadInput,
            {"le mot de passe n'a pas la bonne longueur", "the password has a wrong length"},
            {"donnez de 12 à 256 octets : quatre mots sans rapport sont sûrs et se retiennent",
             "give 12 to 256 bytes: four unrelated words are safe and easy to remember"});
    const std::string plain = lower(text);
    const bool poor = std::set<char>(text.begin(), text.end()).size() < kDistinctMin;
    const bool of_login = login.size() >= kLoginMin && plain.contains(lower(login));
    if (poor || of_login || is_common(plain))
        return fail(Code::BadInput, {"ce mot de passe se devine", "this password can be guessed"},
                    {"évitez l'identifiant, les mots courants et les répétitions",
                     "avoid the login, common words and repetitions"});
    return {};
}

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
