#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fhir/search/search_query.h"

namespace hygie::fhir {

/// One parameter that says what to find: "name:exact", "subject:Patient.family",
/// "_has:Observation:patient:code". Code::NotFound when the parameter or modifier is unknown (what
/// lenient handling may leave out), Code::BadInput when the value is wrong.
Result<Criterion> parse_criterion(std::string_view type, std::string_view name,
                                  std::string_view value, const QueryOptions& options,
                                  std::size_t hops = 0);

/// Whether search understands a parameter for a type; false for null.
bool is_known(std::string_view type, const SearchParam* param);

/// The parameters of a type that search understands, for error texts; of one kind or all.
std::string names_of_params(std::string_view type,
                            std::optional<SearchParam::Type> kind = std::nullopt);

}  // namespace hygie::fhir
