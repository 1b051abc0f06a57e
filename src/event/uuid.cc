#include "event/uuid.h"

#include <algorithm>

namespace hygie::event {

namespace {

constexpr std::size_t kTextSize = 36;
constexpr std::uint8_t kNotADigit = 0xFF;

/// Where the two digits of each byte stand in the text.
constexpr std::array<std::uint8_t, kUuidBytes> kPlaces{0,  2,  4,  6,  9,  11, 14, 16,
                                                       19, 21, 24, 26, 28, 30, 32, 34};

constexpr auto kDigitValues = [] {
    std::array<std::uint8_t, 256> values;
    values.fill(kNotADigit);
    for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
    for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
    return values;
}();

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != kTextSize || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-')
        return std::nullopt;
    Uuid uuid;
    unsigned seen = 0;  // any value above 15 in it comes from something that is no digit
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        const unsigned high = kDigitValues[static_cast<std::uint8_t>(text[kPlaces[i]])];
        const unsigned low = kDigitValues[static_cast<std::uint8_t>(text[kPlaces[i] + 1u])];
        seen |= high | low;
        uuid[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    if (seen > 15) return std::nullopt;
    return uuid;
}

std::string print_uuid(std::span<const std::uint8_t, kUuidBytes> uuid) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text(kTextSize, '-');
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        text[kPlaces[i]] = kDigits[uuid[i] >> 4];
        text[kPlaces[i] + 1u] = kDigits[uuid[i] & 15];
    }
    return text;
}

Uuid make_uuid(WallTime now, Random& random) {
    auto uuid = random.bytes<kUuidBytes>();
    const auto millis = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
    for (std::size_t i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    uuid[6] = static_cast<std::uint8_t>(0x70 | (uuid[6] & 0x0F));
    uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3F));
    return uuid;
}

}  // namespace hygie::event
