#include "access/accounts/otp.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/check.h"
#include "base/escape.h"
#include "crypto/sha256.h"

namespace hygie::access {
namespace {

constexpr std::int64_t kStepSeconds = 30;
constexpr std::uint32_t kCodeCount = 1'000'000;
constexpr std::size_t kCodeDigits = 6;
/// Neither 0 and O nor 1, I and L: codes are read on paper.
constexpr std::string_view kReadableAlphabet = "23456789abcdefghijkmnpqrstuvwxyz";
static_assert(kReadableAlphabet.size() == 32);
constexpr std::size_t kGroupSymbols = 4, kRecoveryGroups = 3;

std::string to_base32(ByteView bytes) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    unsigned held = 0, bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = (held << 8 | byte) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) text += kAlphabet[held >> (bits - 5) & 31];
    }
    if (bits > 0) text += kAlphabet[held << (5 - bits) & 31];
    return text;
}

}  // namespace

std::string otp_code(ByteView secret, std::uint64_t step) {
    std::array<std::uint8_t, 8> counter;
    store_be(counter.data(), step);
    std::array<std::uint8_t, 20> mac;
    unsigned size = 0;
    HYGIE_CHECK(HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(),
                     counter.size(), mac.data(), &size) != nullptr &&
                    size == mac.size(),
                "a second factor cannot be computed");
    const std::size_t offset = mac.back() & 15U;  // RFC 4226 §5.3
    const std::uint32_t value = load_be<std::uint32_t>(mac.data() + offset) & 0x7fff'ffff;
    return fmt::format("{:06}", value % kCodeCount);
}

std::uint64_t otp_step(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds) / kStepSeconds);
}

std::optional<std::uint64_t> match_otp(ByteView secret, std::string_view code, WallTime now,
                                       std::uint64_t last) {
    std::string digits(code);
    std::erase(digits, ' ');
    // Without a secret there is no code: that of the empty one is known to everybody.
    if (secret.empty() || digits.size() != kCodeDigits) return std::nullopt;
    const std::uint64_t present = otp_step(now);
    std::optional<std::uint64_t> found;
    for (std::uint64_t step = present > 0 ? present - 1 : 0; step <= present + 1; ++step) {
        const bool fits = equal_constant_time(as_bytes(otp_code(secret, step)), as_bytes(digits));
        if (fits && step > last) found = step;
    }
    return found;
}

std::string otp_address(ByteView secret, std::string_view issuer, std::string_view login) {
    return fmt::format(
        "otpauth://totp/{0}:{1}?secret={2}&issuer={0}&algorithm=SHA1&digits=6&period={3}",
        percent_encoded(issuer), percent_encoded(login), to_base32(secret), kStepSeconds);
}

std::string make_readable_secret(Random& random, std::size_t groups) {
    std::string secret;
    for (std::size_t group = 0; group < groups; ++group) {
        if (group > 0) secret += '-';
        const std::array<std::uint8_t, kGroupSymbols> bytes = random.bytes<kGroupSymbols>();
        for (const std::uint8_t byte : bytes) secret += kReadableAlphabet[byte & 31U];
    }
    return secret;
}

std::vector<std::string> make_recovery_codes(Random& random) {
    std::vector<std::string> codes;
    for (std::size_t i = 0; i < kRecoveryCodes; ++i)
        codes.push_back(make_readable_secret(random, kRecoveryGroups));
    return codes;
}

std::string recovery_hash(std::string_view code) {
    std::string plain;
    for (const char c : code)
        if (c != ' ' && c != '-')
            plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return to_hex(crypto::sha256(as_bytes(plain)));
}

}  // namespace hygie::access
