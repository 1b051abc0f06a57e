#include "guards/mail/facts/numbers.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "crypto/sha256.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kNumbersMax = 50;

struct Country {
    std::string_view code;
    std::size_t size;
};
/// Lengths of IBANs (SWIFT IBAN registry, release 97).
constexpr std::array kCountries = std::to_array<Country>({
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27},
    {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24},
    {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
});

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

/// Bytes of a separator inside a number at `at`: blank, dot, hyphen, no-break space; 0 for none.
std::size_t separator_at(std::string_view text, std::size_t at) {
    if (at >= text.size()) return 0;
    const char c = text[at];
    if (c == ' ' || c == '.' || c == '-' || c == '\t' || c == '\n' || c == '\r') return 1;
    if (text.substr(at).starts_with("\xC2\xA0")) return 2;
    if (text.substr(at).starts_with("\xE2\x80\xAF") || text.substr(at).starts_with("\xE2\x80\x89"))
        return 3;
    return 0;
}

/// ISO 7064 mod 97-10.
bool iban_checks(std::string_view iban) {
    unsigned rest = 0;
    const auto feed = [&](char c) {
        rest = is_digit(c) ? (rest * 10 + static_cast<unsigned>(c - '0')) % 97
                           : (rest * 100 + static_cast<unsigned>(c - 'A' + 10)) % 97;
    };
    for (const char c : iban.substr(4)) feed(c);
    for (const char c : iban.substr(0, 4)) feed(c);
    return rest == 1;
}

/// Reads `size` letters and digits from `at`, separators skipped; moves `at` behind them.
std::string take_alnum(std::string_view text, std::size_t& at, std::size_t size) {
    std::string out;
    while (out.size() < size && at < text.size()) {
        if (is_digit(text[at]) || is_letter(text[at])) {
            out.push_back(upper(text[at++]));
            continue;
        }
        // One separator, or a few: "FR76  3000 …" over two lines.
        std::size_t skipped = 0;
        while (const std::size_t more = separator_at(text, at)) {
            at += more;
            if (++skipped > 3) return out;
        }
        if (skipped == 0) return out;
    }
    return out;
}

constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

bool base58_checks(std::string_view text) {
    std::array<std::uint8_t, 25> bytes{};
    for (const char c : text) {
        auto carry = static_cast<unsigned>(kBase58.find(c));
        for (std::size_t i = bytes.size(); i-- > 0;) {
            carry += 58U * bytes[i];
            bytes[i] = static_cast<std::uint8_t>(carry & 0xFFU);
            carry >>= 8U;
        }
        if (carry != 0) return false;
    }
    const auto once = crypto::sha256(ByteView(bytes).first(21));
    const auto twice = crypto::sha256(ByteView(once));
    return std::equal(twice.begin(), twice.begin() + 4, bytes.begin() + 21);
}

/// BIP 173 and BIP 350.
bool bech32_checks(std::string_view text) {
    static constexpr std::string_view kCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                                0x3d4233dd, 0x2a1462b3};
    std::uint32_t sum = 1;
    const auto feed = [&](std::uint32_t value) {
        const std::uint32_t top = sum >> 25U;
        sum = ((sum & 0x1ffffffU) << 5U) ^ value;
        for (std::size_t i = 0; i < 5; ++i)
            if ((top >> i) & 1U) sum ^= kGenerator[i];
    };
    for (const std::uint32_t c : {0x62U, 0x63U}) feed(c >> 5U);  // "bc"
    feed(0);
    for (const std::uint32_t c : {0x62U, 0x63U}) feed(c & 31U);
    for (const char c : text.substr(3)) {
        const std::size_t value = kCharset.find(c);
        if (value == std::string_view::npos) return false;
        feed(static_cast<std::uint32_t>(value));
    }
    return sum == 1 || sum == 0x2bc830a3U;
}

bool is_wallet(std::string_view word) {
    if (word.size() >= 26 && word.size() <= 35 && (word[0] == '1' || word[0] == '3'))
        return std::ranges::all_of(
                   word, [](char c) { return kBase58.find(c) != std::string_view::npos; }) &&
               base58_checks(word);
    if (word.size() == 34 && word[0] == 'T')  // Tron, which carries most USDT
        return std::ranges::all_of(
                   word, [](char c) { return kBase58.find(c) != std::string_view::npos; }) &&
               base58_checks(word);
    if (word.size() >= 42 && word.size() <= 62 && lower(word).starts_with("bc1"))
        return bech32_checks(lower(word));
    return word.size() == 42 && word.starts_with("0x") &&
           std::ranges::all_of(word.substr(2), [](char c) {
               return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F');
           });
}

/// The shape of a Bitcoin address: mixed digits and letters of both cases, none that are alike.
bool looks_like_wallet(std::string_view word) {
    return word.size() >= 26 && word.size() <= 35 && (word[0] == '1' || word[0] == '3') &&
           std::ranges::all_of(word,
                               [](char c) { return kBase58.find(c) != std::string_view::npos; }) &&
           std::ranges::count_if(word, is_digit) >= 3 &&
           std::ranges::any_of(word, [](char c) { return c >= 'a' && c <= 'z'; }) &&
           std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool only_phone_signs(std::string_view between) {
    return std::ranges::all_of(between, [](char c) {
        return is_digit(c) || c == ' ' || c == '+' || c == '-' || c == '.' || c == '(' ||
               c == ')' || c == '/' || static_cast<unsigned char>(c) >= 0x80;
    });
}

/// Whether digits are dialled somewhere: long enough, and written like a number to call.
bool is_dialable(const std::string& digits, std::size_t groups, bool plus) {
    if (digits.size() < 9 || digits.size() > 15 || groups > 8) return false;
    if (plus) return true;
    if (digits.size() == 10 && digits.front() == '0') return true;  // France and others
    if (digits.size() == 10 && digits.front() > '1' && groups >= 2) return true;  // North America
    if (digits.size() == 11 && digits.front() == '1' && groups >= 2) return true;
    if (digits.starts_with("00")) return true;
    // Spain and Portugal dial nine digits and no zero.
    if (digits.size() == 9 && contains("236789", digits.substr(0, 1)) && groups >= 3) return true;
    return digits.front() == '0' && groups >= 2;
}

/// Where a date that begins at `at` ends ("25 11 2026", "2026 11 25"), or `at`: with the hour that
/// follows it, it would be a number to call.
std::size_t end_of_date(std::string_view folded, std::size_t at) {
    std::array<std::string_view, 3> parts;
    std::size_t end = at;
    for (std::string_view& part : parts) {
        const std::size_t from = std::min(end == at ? at : end + 1, folded.size());
        end = from;
        while (end < folded.size() && is_digit(folded[end])) ++end;
        part = folded.substr(from, end - from);
    }
    const auto is_year = [](std::string_view one) {
        return one.size() == 4 && (one.starts_with("19") || one.starts_with("20"));
    };
    const auto is_small = [](std::string_view one) {
        return one.size() == 2 && one <= "31" && one >= "01";
    };
    const bool dated = is_small(parts[1]) && ((is_small(parts[0]) && is_year(parts[2])) ||
                                              (is_year(parts[0]) && is_small(parts[2])));
    return dated ? end : at;
}

bool is_near(std::size_t at, const std::vector<std::size_t>& places) {
    constexpr std::size_t kBefore = 160;
    constexpr std::size_t kAfter = 80;
    return std::ranges::any_of(places, [&](std::size_t place) {
        return place <= at ? at - place <= kBefore : place - at <= kAfter;
    });
}

}  // namespace

std::vector<Iban> find_ibans(std::string_view text, std::string_view where) {
    std::vector<Iban> out;
    for (std::size_t at = 0; at + 15 <= text.size() && out.size() < kNumbersMax; ++at) {
        if (!is_letter(text[at]) || !is_letter(text[at + 1]) || !is_digit(text[at + 2])) continue;
        if (at > 0 && (is_letter(text[at - 1]) || is_digit(text[at - 1]))) continue;
        const std::array<char, 2> code = {upper(text[at]), upper(text[at + 1])};
        const auto* const country = std::ranges::lower_bound(
            kCountries, std::string_view(code.data(), 2), {}, &Country::code);
        if (country == kCountries.end() || country->code != std::string_view(code.data(), 2))
            continue;
        std::size_t end = at;
        const std::string value = take_alnum(text, end, country->size);
        const bool goes_on = end < text.size() && (is_letter(text[end]) || is_digit(text[end]));
        if (value.size() != country->size || goes_on || !is_digit(value[3])) continue;
        const bool valid = iban_checks(value);
        // Without its checksum it is only an IBAN when it is mostly digits.
        if (!valid && std::ranges::count_if(value, is_digit) < 14) continue;
        out.push_back({.value = value,
                       .evidence = std::string(text.substr(at, end - at)),
                       .country = std::string(country->code),
                       .where = std::string(where),
                       .is_valid = valid});
        at = end - 1;
    }
    return out;
}

std::vector<CryptoAddress> find_wallets(std::string_view text, std::string_view where) {
    std::vector<CryptoAddress> out;
    for (std::size_t at = 0; at < text.size() && out.size() < kNumbersMax;) {
        std::size_t end = at;
        while (end < text.size() && (is_digit(text[end]) || is_letter(text[end]))) ++end;
        const std::string_view word = text.substr(at, end - at);
        if (const bool valid = is_wallet(word); valid || looks_like_wallet(word))
            out.push_back({std::string(word), std::string(where), valid});
        at = end + 1;
    }
    return out;
}

std::vector<Phone> find_phones(std::string_view text, const Folded& folded,
                               const std::vector<std::size_t>& call_at, std::string_view where) {
    std::vector<Phone> out;
    const std::string& f = folded.text;
    for (std::size_t at = 1; at < f.size() && out.size() < kNumbersMax; ++at) {
        if (!is_digit(f[at]) || f[at - 1] != ' ') continue;
        if (const std::size_t dated = end_of_date(f, at); dated != at) {
            at = dated;
            continue;
        }
        std::string digits;
        std::size_t groups = 0;
        std::size_t end = at;
        while (end < f.size() && is_digit(f[end])) {
            const std::size_t start = end;
            while (end < f.size() && is_digit(f[end])) digits.push_back(f[end++]);
            ++groups;
            if (digits.size() > 15 || end - start > 12) break;
            if (end + 1 >= f.size() || f[end] != ' ' || !is_digit(f[end + 1])) break;
            const std::string_view gap =
                text.substr(folded.origin[end], folded.origin[end + 1] - folded.origin[end]);
            if (!only_phone_signs(gap) || gap.size() > 5) break;
            ++end;
        }
        std::size_t begin = folded.origin[at];
        const std::string_view before = text.substr(0, begin);
        const bool plus = before.ends_with('+') || before.ends_with("+(") || before.ends_with("(+");
        if (end < f.size() && f[end] == ' ' && is_dialable(digits, groups, plus)) {
            while (begin > 0 && (text[begin - 1] == '+' || text[begin - 1] == '(')) --begin;
            const std::size_t stop = folded.origin[end - 1] + 1;
            out.push_back({.value = (plus ? "+" : "") + digits,
                           .evidence = std::string(text.substr(begin, stop - begin)),
                           .call_asked = is_near(at, call_at),
                           .where = std::string(where)});
        }
        at = end;
    }
    return out;
}

}  // namespace hygie::mail
