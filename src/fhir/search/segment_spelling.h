#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "fhir/search/search_value.h"

/// How a Segment is spelled in bytes (FORMAT.md): what writing and reading it share.
namespace hygie::fhir::spelling {

inline constexpr std::uint32_t kDeleted = 1;
inline constexpr std::size_t kCompositePartsMax = 8;
inline constexpr std::size_t kDecimalLettersMax = 64;  ///< 38 digits, a sign and a point at most

inline constexpr std::int64_t kUnitsPerMilli = 1'000 * kDateUnitsPerMicro;
inline constexpr std::int64_t kUnitsPerSecond = 1'000 * kUnitsPerMilli;
inline constexpr std::int64_t kUnitsPerDay = 86'400 * kUnitsPerSecond;

/// How a date range is spelled: the coarsest step that it fits is the shortest.
enum class DateStep : std::uint8_t { Exact, Milli, Second, Day };

/// How an id is spelled. A UUID is half as long as its letters.
enum class Spelling : std::uint8_t { Plain, Uuid };

inline constexpr std::string_view kNumberLetters = "0123456789.-eE+";  ///< two to a byte
inline constexpr std::size_t kUuidText = 36;
inline constexpr std::size_t kUuidBytes = 16;

inline std::int64_t zigzag_back(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
/// Differences are taken modulo 2^64, so that open ends need no care.
inline std::int64_t minus(std::int64_t left, std::int64_t right) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) -
                                     static_cast<std::uint64_t>(right));
}
inline std::int64_t plus(std::int64_t left, std::int64_t right) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                     static_cast<std::uint64_t>(right));
}

inline bool is_dash_place(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}
inline bool is_uuid(std::string_view text) {
    if (text.size() != kUuidText) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_dash_place(i) ? c != '-' : !digit) return false;
    }
    return true;
}

struct Writer {
    Bytes out;

    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
        out.push_back(static_cast<std::uint8_t>(value));
    }
    void difference(std::int64_t value) { number(zigzag(value)); }
};

/// Reads what a Writer wrote; once something is wrong, everything is zero and `good` false.
struct Reader {
    ByteView in;
    bool good = true;

    std::uint64_t fail() {
        good = false;
        in = {};
        return 0;
    }
    ByteView take(std::size_t count) {
        if (count > in.size()) {
            fail();
            return {};
        }
        const auto taken = in.first(count);
        in = in.subspan(count);
        return taken;
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (in.empty()) return fail();
            const std::uint8_t byte = in.front();
            in = in.subspan(1);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return value;
        }
        return fail();
    }
    std::int64_t difference() { return zigzag_back(number()); }
    /// A number below `limit`.
    std::uint32_t below(std::uint64_t limit) {
        const auto value = number();
        return static_cast<std::uint32_t>(value < limit ? value : fail());
    }
    /// A count of things that take a byte each, at least.
    std::uint32_t count() { return below(in.size() + 1); }
};

inline constexpr std::uint8_t kFormat = 2;
inline constexpr std::size_t kFrontBytes = 1 + 8;  ///< format, version of the definitions
inline constexpr std::size_t kPayloadBytesMax = 1U << 30;

/// A payload as it is stored, and back; none when it is no frame.
Bytes packed(ByteView payload);
std::optional<Bytes> unpacked(ByteView frame);

/// Letters that most records share: what a compressor may refer to from the first byte on. Part of
/// the format: any change is a new format.
std::string_view well_known_letters();

}  // namespace hygie::fhir::spelling
