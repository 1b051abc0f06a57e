#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fhir/data/schema.h"
#include "fhir/search/search_value.h"

/// A search, understood (https://hl7.org/fhir/R4/search.html).
namespace hygie::fhir {

/// Limits of one query; what exceeds one is Code::BadInput that names it.
inline constexpr std::size_t kQueryParametersMax = 64;
inline constexpr std::size_t kQueryValuesMax = 256;  ///< alternatives of one parameter
inline constexpr std::size_t kQueryValueBytesMax = 8 << 10;
/// Links of a chain or of _has. Each type that a link may lead to asks anew of all that is
/// searched; R4 gives so many links fewer than kQueryWaysMax ways.
inline constexpr std::size_t kQueryHopsMax = 4;
inline constexpr std::size_t kQueryWaysMax = 1'000;
inline constexpr std::size_t kQueryIncludesMax = 32;
inline constexpr std::size_t kQuerySortsMax = 8;
inline constexpr std::size_t kQueryElementsMax = 64;
inline constexpr std::size_t kQueryCountDefault = 20;
inline constexpr std::size_t kQueryCountMax = 1'000;  ///< a larger _count is lowered to this

/// One name and value of the query string or form, decoded (percent and '+').
struct QueryParameter {
    std::string name;
    std::string value;
    bool operator==(const QueryParameter&) const = default;
};

enum class Prefix : std::uint8_t { Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap };
enum class Modifier : std::uint8_t {
    None,
    Missing,
    Exact,
    Contains,
    Not,
    Text,
    Identifier,
    Above,   ///< of a uri
    Below,   ///< of a uri
    OfType,  ///< of an identifier
};

/// One alternative. Which member counts depends on the type of the parameter.
struct Operand {
    Prefix prefix = Prefix::Eq;
    std::string text;    ///< code, string, uri; id of a reference
    std::string folded;  ///< of text, for strings and :text; of a telephone, its number
    /// Token: "system|code", "|code" (empty system), "system|" (empty text), "code" (no system).
    /// Quantity: likewise with unit. Reference with :identifier: as token.
    std::optional<std::string> system;
    /// Token: whether a value without a system of its own may be of the one asked for.
    bool may_be_bare = true;
    bool is_every_bare = false;  ///< "system|" of the one system of all such values
    std::string unit;            ///< of a quantity, code or unit
    std::string type;            ///< of a reference, empty when not said; code of :of-type
    DateRange date;
    Decimal number;  ///< with all that its precision covers: [low, high)
    Decimal low;
    Decimal high;
    std::vector<Operand> parts;  ///< of a composite
};

struct Criterion {
    enum class Kind : std::uint8_t { Value, Id, LastUpdated, Chain, Has, Either };
    Kind kind = Kind::Value;
    const SearchParam* param = nullptr;  ///< of Chain and Has: the reference followed
    Modifier modifier = Modifier::None;
    bool missing = false;      ///< the value of :missing
    std::vector<Operand> any;  ///< one of these
    /// Chain: type → criterion on what is referred to, one of these. Has: type → criterion on what
    /// refers here. Either: criteria on the resource itself, one of these.
    struct Inner;
    std::vector<Inner> inner;
};
struct Criterion::Inner {
    std::string_view type;
    std::vector<Criterion> all;  ///< exactly one
};

struct SortKey {
    enum class Kind : std::uint8_t { Param, Id, LastUpdated };
    Kind kind = Kind::Param;
    const SearchParam* param = nullptr;
    bool descending = false;
};

/// _include=source:param:target, _revinclude the same.
struct Include {
    bool reverse = false;
    bool iterate = false;
    std::string_view source;
    const SearchParam* param = nullptr;  ///< null: every reference ("*")
    std::string_view target;             ///< empty: any
};

struct Query {
    enum class Total : std::uint8_t { None, Estimate, Accurate };
    enum class Summary : std::uint8_t { False, True, Text, Data, Count };

    std::string_view type;
    std::vector<Criterion> all;
    std::vector<SortKey> sort;
    std::vector<Include> includes;
    std::size_t count = kQueryCountDefault;
    Total total = Total::Accurate;
    Summary summary = Summary::False;
    std::vector<std::string> elements;
    std::string position;  ///< of a later page: Hits::next of the page before, empty for the first
    WallTime now{};        ///< what "ap" measures from
    std::vector<QueryParameter> used;   ///< what was understood, for the self link
    std::vector<std::string> left_out;  ///< names that lenient handling ignored
};

struct QueryOptions {
    bool lenient = false;  ///< Prefer: handling=lenient: unknown parameters are left out
    std::string_view
        base;  ///< own base URL with '/' at the end: absolute references to it are ours
    WallTime now{};
};

/// Understands the parameters of a search over `type`. Parameters that say how to answer (_format,
/// _pretty) are the caller's and left alone. Code::BadInput says what is wrong and what there is
/// instead (names of parameters and modifiers, never a value); Code::NotFound when R4 has no such
/// type.
Result<Query> parse_query(std::string_view type, std::span<const QueryParameter> parameters,
                          const QueryOptions& options);

/// What is in a compartment: one of the parameters that say so leads to "Practitioner/1". None when
/// resources of the type are in no compartment of that name.
std::optional<Criterion> in_compartment(std::string_view compartment, std::string_view id,
                                        std::string_view type);

/// Every type that the answer depends on or shows: the searched one, those of chains, _has and
/// includes (an include without target type gives each possible one).
std::vector<std::string_view> types_touched(const Query& query);

}  // namespace hygie::fhir
