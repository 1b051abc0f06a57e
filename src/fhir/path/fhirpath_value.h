#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "fhir/path/fhirpath.h"
#include "fhir/path/fhirpath_number.h"
#include "fhir/path/fhirpath_time.h"

/// What the items of a collection mean as values of FHIRPath, and how these compare.
namespace hygie::fhir {

/// The types of FHIRPath itself. A primitive of FHIR is converted to one of them when an operator
/// needs it (https://hl7.org/fhir/R4/fhirpath.html#types); None is everything else.
enum class System : std::uint8_t {
    None,
    Boolean,
    String,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    Quantity
};
System system_of(const PathItem& item);
/// The type of that kind (not of None), and by name without its namespace: "DateTime"; null when
/// there is none.
const TypeDef* system_type(System system);
const TypeDef* system_type(std::string_view name);
/// A type of FHIRPath or FHIR, "System.String", "FHIR.code", "Patient", "Boolean"; null if unknown.
const TypeDef* path_type(std::string_view name);
/// Whether the type is that one or derives from it.
bool is_type(const TypeDef* type, const TypeDef* wanted);

/// A quantity; a calendar unit is a word in the singular ("day"), everything else is UCUM.
struct PathQuantity {
    Decimal value;
    std::string_view unit;
};

std::optional<Decimal> number_of(const PathItem& item);         ///< Integer, Decimal
std::optional<Temporal> temporal_of(const PathItem& item);      ///< Date, DateTime, Time
std::optional<PathQuantity> quantity_of(const PathItem& item);  ///< Quantity, or a plain number

PathItem make_boolean(Arena& arena, bool value);
PathItem make_string(Arena& arena, std::string_view text);
PathItem make_integer(Arena& arena, std::int64_t value);
PathItem make_decimal(Arena& arena, const Decimal& value);
PathItem make_temporal(Arena& arena, const Temporal& value);
PathItem make_quantity(Arena& arena, const Decimal& value, std::string_view unit);

/// The operator "=" for two items; absent when it cannot be known (dates of different precision).
std::optional<bool> equal(const PathItem& left, const PathItem& right);
/// The operator "~" for two items.
bool equivalent(const PathItem& left, const PathItem& right);
/// The order of two items; absent when it cannot be known, an error when they have none.
Result<std::optional<std::strong_ordering>> compare(const PathItem& left, const PathItem& right);
/// The same for all items that may be equal.
std::size_t hash_of(const PathItem& item);

}  // namespace hygie::fhir
