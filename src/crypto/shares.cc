#include "crypto/shares.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/sha256.h"
#include "crypto/shamir.h"

namespace hygie::crypto {
namespace {

constexpr std::string_view kPrefix = "hygie-share-1";
/// Crockford's base 32: no letter that a hand writes like a digit or another letter.
constexpr std::string_view kSigns = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kSignsPerGroup = 4;
constexpr std::size_t kChecksumSigns = 6;
constexpr std::size_t kCheckBytes = Share::kValueBytes - 32;
static_assert(Share::kValueBytes * 8 % (5 * kSignsPerGroup) == 0, "whole groups of signs");

std::string to_signs(ByteView bytes) {
    std::string out;
    unsigned word = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        word = word << 8 | byte;
        for (bits += 8; bits >= 5; bits -= 5) out.push_back(kSigns[word >> (bits - 5) & 31]);
        word &= 31;
    }
    return out;
}

/// A typed line without spaces and capitals.
std::string tidy_line(std::string_view line) {
    std::string out;
    for (const char c : line)
        if (!std::string_view(" \t\r").contains(c))
            out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    return out;
}

char as_digit(char letter) {
    if (letter == 'o') return '0';
    return letter == 'i' || letter == 'l' ? '1' : letter;
}

/// The signs of a tidy line in one spelling: no dashes, no letters taken for digits.
std::string tidy_signs(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '-') out.push_back(as_digit(c));
    return out;
}

std::optional<std::array<std::uint8_t, Share::kValueBytes>> from_signs(std::string_view text) {
    std::array<std::uint8_t, Share::kValueBytes> out{};
    if (text.size() * 5 != out.size() * 8) return std::nullopt;
    std::size_t filled = 0;
    unsigned word = 0;
    int bits = 0;
    for (const char c : text) {
        const std::size_t value = kSigns.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        word = word << 5 | static_cast<unsigned>(value);
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        out[filled++] = static_cast<std::uint8_t>(word >> bits);
    }
    return out;
}

/// The whole text as one number.
template <typename Number>
std::optional<Number> number_in(std::string_view text, int base) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string checksum_of(std::string_view body) {
    return to_signs(sha256(as_bytes(body))).substr(0, kChecksumSigns);
}

/// The line without its checksum.
std::string body_of(const Share& share) {
    std::string out = fmt::format("{}:{}-of-{}:{}:{:08x}:", kPrefix, share.needed, share.total,
                                  share.index, share.group);
    const std::string signs = to_signs(share.value);
    for (std::size_t at = 0; at < signs.size(); at += kSignsPerGroup) {
        if (at > 0) out.push_back('-');
        out += signs.substr(at, kSignsPerGroup);
    }
    return out;
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
        const std::size_t colon = line.find(':');
        fields.push_back(line.substr(0, colon));
        if (colon == std::string_view::npos) return fields;
        line.remove_prefix(colon + 1);
    }
}

/// The fields before the checksum; none when they do not make a share.
std::optional<Share> share_of(const std::vector<std::string_view>& fields) {
    if (fields.size() != 6 || fields[0] != kPrefix) return std::nullopt;
    const std::size_t of = fields[1].find("-of-");
    if (of == std::string_view::npos) return std::nullopt;
    const auto needed = number_in<unsigned>(fields[1].substr(0, of), 10);
    const auto total = number_in<unsigned>(fields[1].substr(of + 4), 10);
    const auto index = number_in<unsigned>(fields[2], 10);
    const auto group = number_in<std::uint32_t>(fields[3], 16);
    const auto value = from_signs(tidy_signs(fields[4]));
    if (!needed || !total || !index || !group || !value) return std::nullopt;
    const bool in_range = 2 <= *needed && *needed <= *total && *total <= kSharesMax &&
                          1 <= *index && *index <= *total;
    if (!in_range) return std::nullopt;
    return Share{*needed, *total, *index, *group, *value};
}

std::unexpected<Error> bad(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

/// Puts the place of a line in front of its error.
Error on_line(std::size_t place, Error error) {
    error.what.fr = fmt::format("part n° {} : {}", place, error.what.fr);
    error.what.en = fmt::format("share {}: {}", place, error.what.en);
    return error;
}

/// What forbids taking `share` beside those before it.
Status check_beside(const Share& share, std::span<const Share> before) {
    if (before.empty()) return {};
    const Share& first = before.front();
    if (share.group != first.group || share.needed != first.needed || share.total != first.total)
        return bad({"elle vient d'un autre partage", "it comes from another split"},
                   {fmt::format("réunissez des parts du groupe {:08x}", first.group),
                    fmt::format("gather shares of group {:08x}", first.group)});
    for (const Share& other : before)
        if (other.index == share.index)
            return bad({fmt::format("la part d'indice {} est déjà donnée", share.index),
                        fmt::format("the share of index {} is given already", share.index)},
                       {"donnez une part d'un autre détenteur", "give a share of another holder"});
    return {};
}

Status check_enough(std::span<const Share> shares) {
    const std::size_t needed = shares.empty() ? 2 : shares.front().needed;
    if (shares.size() >= needed) return {};
    const std::size_t missing = needed - shares.size();
    return bad({fmt::format("il faut {} parts, {} sont là", needed, shares.size()),
                fmt::format("{} shares are needed, {} are here", needed, shares.size())},
               {fmt::format("demandez-en {} de plus aux autres détenteurs", missing),
                fmt::format("ask the other holders for {} more", missing)});
}

}  // namespace

Share::~Share() {
    sodium_memzero(value.data(), value.size());
}

std::string format_share(const Share& share) {
    const std::string body = body_of(share);
    return body + ':' + checksum_of(body);
}

Result<Share> parse_share(std::string_view line) {
    const std::string text = tidy_line(line);
    const auto fields = fields_of(text);
    const auto share = share_of(fields);
    if (!share)
        return bad({"ce n'est pas une part de clé lisible", "it is not a readable key share"},
                   {"recopiez la ligne entière, de « hygie-share-1 » au dernier signe",
                    "copy the whole line, from 'hygie-share-1' to the last sign"});
    if (tidy_signs(fields[5]) != checksum_of(body_of(*share)))
        return bad({"elle est mal recopiée", "it is mistyped"},
                   {"comparez-la signe à signe avec l'original, groupe par groupe",
                    "compare it sign by sign with the original, group by group"});
    return *share;
}

Result<std::vector<std::string>> split(const Secret32& secret, unsigned k, unsigned n,
                                       Random& random) {
    if (k < 2 || k > n || n > kSharesMax)
        return bad({fmt::format("partage impossible : {} parts sur {}", k, n),
                    fmt::format("impossible split: {} of {} shares", k, n)},
                   {fmt::format("choisissez k et n tels que 2 ≤ k ≤ n ≤ {}", kSharesMax),
                    fmt::format("choose k and n so that 2 ≤ k ≤ n ≤ {}", kSharesMax)});
    Bytes value = to_bytes(secret.view());
    append(value, ByteView(sha256(secret.view())).first(kCheckBytes));
    const auto group = load_be<std::uint32_t>(random.bytes<4>().data());
    std::vector<std::string> lines;
    lines.reserve(n);
    for (const detail::Point& point : detail::shamir_split(value, k, n, random)) {
        Share share{k, n, point.x, group, {}};
        std::ranges::copy(point.y, share.value.begin());
        lines.push_back(format_share(share));
    }
    sodium_memzero(value.data(), value.size());
    return lines;
}

Result<Secret32> combine(std::span<const std::string> lines) {
    std::vector<Share> shares;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto share = parse_share(lines[i]);
        if (!share) return std::unexpected(on_line(i + 1, share.error()));
        const Status fits = check_beside(*share, shares);
        if (!fits) return std::unexpected(on_line(i + 1, fits.error()));
        shares.push_back(*share);
    }
    TRY_STATUS(check_enough(shares));
    std::vector<detail::Point> points;
    points.reserve(shares.size());
    for (const Share& share : shares)
        points.push_back({static_cast<std::uint8_t>(share.index),
                          Bytes(share.value.begin(), share.value.end())});
    Bytes value = detail::shamir_combine(points);
    Secret32 secret(ByteView(value).first<32>());
    const Hash hash = sha256(secret.view());
    const bool whole = std::equal(value.begin() + 32, value.end(), hash.begin());
    sodium_memzero(value.data(), value.size());
    if (!whole)
        return bad({"ces parts ne redonnent pas la clé : l'une d'elles est fausse",
                    "these shares do not give the key back: one of them is false"},
                   {"recommencez avec d'autres parts du même groupe, pour trouver laquelle",
                    "try again with other shares of the same group, to find which"});
    return secret;
}

}  // namespace hygie::crypto
