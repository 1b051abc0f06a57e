#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/search/search_query.h"

/// The values of a search: "ge2024-01,lt2023", "http://loinc.org|8310-5", "5.4|http://…|mg".
namespace hygie::fhir {

/// Cuts at each `separator` that no backslash escapes; the pieces are still escaped.
std::vector<std::string_view> split_escaped(std::string_view text, char separator);
/// A value spelled so that a search takes it as it is
/// (https://hl7.org/fhir/R4/search.html#escaping).
std::string escape(std::string_view text);
/// \, \| \$ and \\ made plain; absent when a backslash escapes anything else.
std::optional<std::string> unescape(std::string_view text);

/// One alternative for a parameter; `modifier` is one that suits it.
Result<Operand> parse_operand(const SearchParam& param, Modifier modifier, std::string_view text,
                              const QueryOptions& options);

/// A modifier by its name without the colon; absent when R4 has none or Hygie does not do it.
std::optional<Modifier> modifier_named(std::string_view name);
/// Whether it means something for parameters of a type.
bool suits(Modifier modifier, SearchParam::Type type);
/// Names of all that do, for error texts: ":exact, :contains, :missing".
std::string modifiers_of(SearchParam::Type type);

}  // namespace hygie::fhir
