#include "fhir/validate/validate_primitive.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/ascii.h"

namespace hygie::fhir {

namespace {

/// "Strings SHALL NOT exceed 1MB in size."
constexpr std::size_t kStringBytesMax = 1 << 20;

/// Takes what a pattern asks for off the front of a text.
struct Scan {
    std::string_view left;

    bool character(char c) {
        if (left.empty() || left.front() != c) return false;
        left.remove_prefix(1);
        return true;
    }
    /// Exactly `count` digits that make a number within the bounds; -1 when they are not there.
    int number(std::size_t count, int least, int most) {
        if (left.size() < count) return -1;
        int value = 0;
        for (const char c : left.substr(0, count)) {
            if (!is_digit(c)) return -1;
            value = value * 10 + (c - '0');
        }
        if (value < least || value > most) return -1;
        left.remove_prefix(count);
        return value;
    }
    bool digits() {
        const std::size_t count = std::min(left.find_first_not_of("0123456789"), left.size());
        left.remove_prefix(count);
        return count > 0;
    }
    bool done() const { return left.empty(); }
};

enum class DatePart : std::uint8_t { None, Year, Month, Day };

DatePart scan_date(Scan& scan) {
    const int year = scan.number(4, 1, 9999);
    if (year < 0) return DatePart::None;
    if (!scan.character('-')) return DatePart::Year;
    const int month = scan.number(2, 1, 12);
    if (month < 0) return DatePart::None;
    if (!scan.character('-')) return DatePart::Month;
    const int day = scan.number(2, 1, 31);
    if (day < 0) return DatePart::None;
    const std::chrono::year_month_day whole{std::chrono::year(year),
                                            std::chrono::month(static_cast<unsigned>(month)),
                                            std::chrono::day(static_cast<unsigned>(day))};
    return whole.ok() ? DatePart::Day : DatePart::None;
}

bool scan_time(Scan& scan) {
    if (scan.number(2, 0, 23) < 0 || !scan.character(':') || scan.number(2, 0, 59) < 0 ||
        !scan.character(':') || scan.number(2, 0, 60) < 0)
        return false;
    return !scan.character('.') || scan.digits();
}

bool scan_zone(Scan& scan) {
    if (scan.character('Z')) return true;
    if (!scan.character('+') && !scan.character('-')) return false;
    const int hours = scan.number(2, 0, 14);
    return hours >= 0 && scan.character(':') && scan.number(2, 0, hours == 14 ? 0 : 59) >= 0;
}

bool is_date_time(std::string_view text) {
    Scan scan{text};
    const DatePart precision = scan_date(scan);
    if (scan.done()) return precision != DatePart::None;
    return precision == DatePart::Day && scan.character('T') && scan_time(scan) &&
           scan_zone(scan) && scan.done();
}

bool is_instant(std::string_view text) {
    Scan scan{text};
    return scan_date(scan) == DatePart::Day && scan.character('T') && scan_time(scan) &&
           scan_zone(scan) && scan.done();
}

bool is_time(std::string_view text) {
    Scan scan{text};
    return scan_time(scan) && scan.done();
}

/// A whole number of 32 bits, at least `Least`, without sign +, leading zero, fraction or exponent.
template <std::int64_t Least>
bool is_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= Least &&
           value <= INT32_MAX;
}

bool is_any_number(std::string_view) {
    return true;
}

/// No control characters but tab, line feed and carriage return.
bool is_string(std::string_view text) {
    return !text.empty() && text.size() <= kStringBytesMax &&
           std::ranges::none_of(
               text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_blank(c); });
}

/// Words with one space between them.
bool is_code(std::string_view text) {
    char before = ' ';
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || (c == ' ' && before == ' ')) return false;
        before = c;
    }
    return before != ' ';
}

bool is_oid(std::string_view text) {
    constexpr std::string_view kPrefix = "urn:oid:";
    if (!text.starts_with(kPrefix)) return false;
    Scan scan{text.substr(kPrefix.size())};
    if (scan.number(1, 0, 2) < 0 || scan.done()) return false;
    while (!scan.done()) {
        if (!scan.character('.')) return false;
        const bool is_zero = scan.left.starts_with('0');
        const std::size_t before = scan.left.size();
        if (!scan.digits() || (is_zero && before - scan.left.size() > 1)) return false;
    }
    return true;
}

bool is_uuid(std::string_view text) {
    constexpr std::string_view kShape = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(text, kShape, [](char c, char shape) {
        return shape == 'x' ? is_digit(c) || (c >= 'a' && c <= 'f') : c == shape;
    });
}

/// No white space; a UUID is one, in upper case too.
bool is_uri(std::string_view text) {
    constexpr std::string_view kUuid = "urn:uuid:";
    if (text.starts_with(kUuid)) {
        std::string lower(text);
        for (char& c : lower) c = c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
        return is_uuid(lower);
    }
    return !text.empty() &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

/// Groups of four, white space anywhere, padding at the end.
bool is_base64(std::string_view text) {
    std::size_t count = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (is_blank(c)) continue;
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == '=') {
            ++padding;
        } else if (padding > 0 || !(is_letter || is_digit(c) || c == '+' || c == '/')) {
            return false;
        }
        ++count;
    }
    return count > 0 && count % 4 == 0 && padding <= 2;
}

constexpr PrimitiveType kBoolean{Json::Kind::True, is_any_number, "true ou false", "true or false"};
constexpr PrimitiveType kDecimal{Json::Kind::Number, is_any_number, "un nombre", "a number"};
constexpr PrimitiveType kInteger{Json::Kind::Number, is_integer<INT32_MIN>, "un entier de 32 bits",
                                 "a whole number of 32 bits"};
constexpr PrimitiveType kUnsigned{Json::Kind::Number, is_integer<0>, "un entier, 0 ou plus",
                                  "a whole number, 0 or more"};
constexpr PrimitiveType kPositive{Json::Kind::Number, is_integer<1>, "un entier, 1 ou plus",
                                  "a whole number, 1 or more"};
constexpr PrimitiveType kString{Json::Kind::String, is_string,
                                "un texte non vide, sans caractère de commande",
                                "a text that is not empty, without control characters"};
constexpr PrimitiveType kUri{Json::Kind::String, is_uri, "une adresse (URI) sans espace",
                             "an address (URI) without spaces"};
constexpr PrimitiveType kCode{Json::Kind::String, is_code, "un code, sans espace superflu",
                              "a code, without superfluous spaces"};
constexpr PrimitiveType kId{Json::Kind::String, is_id,
                            "1 à 64 lettres sans accent, chiffres, « - » ou « . »",
                            "1 to 64 letters, digits, “-” or “.”"};
constexpr PrimitiveType kOid{Json::Kind::String, is_oid, "un OID : urn:oid:1.2.3",
                             "an OID: urn:oid:1.2.3"};
constexpr PrimitiveType kUuidType{Json::Kind::String, is_uuid, "un UUID en minuscules : urn:uuid:…",
                                  "a UUID in lower case: urn:uuid:…"};
constexpr PrimitiveType kDate{Json::Kind::String, is_date, "une date : AAAA, AAAA-MM ou AAAA-MM-JJ",
                              "a date: YYYY, YYYY-MM or YYYY-MM-DD"};
constexpr PrimitiveType kDateTime{Json::Kind::String, is_date_time,
                                  "une date, ou une date et une heure avec son fuseau",
                                  "a date, or a date and a time with its zone"};
constexpr PrimitiveType kInstant{Json::Kind::String, is_instant,
                                 "une date et une heure complètes, avec le fuseau",
                                 "a whole date and time, with the zone"};
constexpr PrimitiveType kTime{Json::Kind::String, is_time, "une heure : hh:mm:ss",
                              "a time: hh:mm:ss"};
constexpr PrimitiveType kBase64{Json::Kind::String, is_base64, "des données en base64",
                                "data in base64"};

}  // namespace

bool PrimitiveType::has(Json value) const {
    if (kind == Json::Kind::True) return value.is_bool();
    return value.kind() == kind && accepts(value.text());
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '.';
    });
}

bool is_date(std::string_view text) {
    Scan scan{text};
    return scan_date(scan) != DatePart::None && scan.done();
}

const PrimitiveType* primitive_type(std::string_view name) {
    static const std::unordered_map<std::string_view, const PrimitiveType*> kTypes{
        {"boolean", &kBoolean},
        {"decimal", &kDecimal},
        {"integer", &kInteger},
        {"unsignedInt", &kUnsigned},
        {"positiveInt", &kPositive},
        {"string", &kString},
        {"markdown", &kString},
        {"uri", &kUri},
        {"url", &kUri},
        {"canonical", &kUri},
        {"code", &kCode},
        {"id", &kId},
        {"oid", &kOid},
        {"uuid", &kUuidType},
        {"date", &kDate},
        {"dateTime", &kDateTime},
        {"instant", &kInstant},
        {"time", &kTime},
        {"base64Binary", &kBase64}};
    const auto found = kTypes.find(name);
    return found == kTypes.end() ? nullptr : found->second;
}

}  // namespace hygie::fhir
