#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "fhir/path/fhirpath_number.h"

/// What search compares (https://hl7.org/fhir/R4/search.html). Values are views: they live as long
/// as the resource, segment or query that they were read from.
namespace hygie::fhir {

/// A code with what scopes it: Coding, Identifier, ContactPoint, code, boolean, string.
struct Token {
    enum class Scope : std::uint8_t {
        None,     ///< the element could have a system and has none: "|code" finds it
        Given,    ///< `system` says which
        Implied,  ///< a bare code, boolean or string: the definitions say of which systems
    };
    std::string_view code;
    std::string_view system;
    Scope scope = Scope::None;
    std::string_view text;  ///< for :text: display, text of the concept or of the identifier's type
    auto operator<=>(const Token&) const = default;
};

/// Every point in time that a date or period may mean. The unit is 50 ns since 1970 UTC: both
/// `first` and `last` are within, an instant of 100 ns precision is an even number, and what ends
/// before an instant ends at the odd number below it. Open ends are the limits of the integer.
struct DateRange {
    std::int64_t first = 0;
    std::int64_t last = 0;
    auto operator<=>(const DateRange&) const = default;
};
inline constexpr std::int64_t kDateUnitsPerMicro = 20;
inline constexpr std::int64_t kDateOpenStart = INT64_MIN;
inline constexpr std::int64_t kDateOpenEnd = INT64_MAX;

/// A FHIR date, dateTime or instant ("2024", "2024-05", "2024-05-03", "2024-05-03T10:00Z"…), all
/// that it covers: to the second when it has no fraction, and the very instant when it has one.
/// Without a zone it is one of the practice (zone.h).
std::optional<DateRange> parse_date(std::string_view text);
/// The instant itself.
DateRange date_range(WallTime instant);

/// A number or quantity; `low` and `high` differ for a Range. No unit in all three texts for a
/// number.
struct Amount {
    Decimal low;
    Decimal high;
    std::string_view system;
    std::string_view code;
    std::string_view unit;
    auto operator<=>(const Amount&) const = default;
};

/// A string as written, and folded.
struct Words {
    std::string_view folded;  ///< empty in a row: made when the row is stored
    std::string_view text;
    auto operator<=>(const Words&) const = default;
};
/// How strings are compared: compatibility forms, case, accents and ligatures made plain (Unicode
/// NFKC_Casefold, marks left out), hyphens and apostrophes read as spaces, spaces squeezed.
std::string fold(std::string_view text);

/// A French or international telephone number as its digits, however it was written: "+33 6 39 98
/// 79 21" and "06.39.98.79.21" are "0639987921". Empty for what is none.
std::string phone_number(std::string_view text);

/// A uri, url, oid, uuid or canonical.
struct Uri {
    std::string_view text;
    auto operator<=>(const Uri&) const = default;
};

/// A reference: "Patient/1" has type and id (a version is left out); anything else (another server,
/// urn, canonical) is whole in `id`, without type. One of both may be missing: reference or
/// identifier.
struct Reference {
    std::string_view type{};
    std::string_view id{};
    std::string_view identifier_system{};
    std::string_view identifier_value{};
    auto operator<=>(const Reference&) const = default;
};
Reference parse_reference(std::string_view text);

using SearchValue = std::variant<Token, DateRange, Amount, Words, Uri, Reference>;

}  // namespace hygie::fhir
