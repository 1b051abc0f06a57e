#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "fhir/data/schema.h"
#include "fhir/path/fhirpath.h"
#include "fhir/search/search_path.h"

/// For each type, how its search parameters are read from a resource, and in which columns of a
/// Segment their values are: made once from the definitions.
namespace hygie::fhir {

/// Where values of a parameter are: in the column of that number, those that refer to `target`
/// (all when it is empty).
struct Source {
    std::uint16_t param = 0;
    std::string_view target;
    bool operator==(const Source&) const = default;
};

/// Of a token parameter: what its values without a system of their own are, to who asks for one
/// (https://hl7.org/fhir/R4/search.html#token). Codes are of those of their value set.
struct BareTokens {
    std::vector<std::string_view> systems;
    bool any_system = false;  ///< some are codes of a system that R4 does not tell
    /// Nothing but contacts, addresses and booleans: "the presence of the pipe symbol SHALL NOT be
    /// used".
    bool takes_no_pipe = false;
};

struct ParamPlan {
    const SearchParam* param = nullptr;
    BareTokens bare;
    /// Values of this parameter are in these columns: its own, or those of others.
    std::vector<Source> sources;
    /// Ways to the values of its own column; to the contexts of its parts for a composite.
    std::vector<SearchPath> paths;
    /// An expression of an unusual shape that says yes or no, instead of paths.
    std::unique_ptr<const PathExpression> expression;
    /// Composite: for each component the ways from a context.
    std::vector<std::vector<SearchPath>> parts;
    /// Composite over the resource itself: for each component the columns of its values; any
    /// combination within a resource counts. In addition to its own column.
    std::vector<std::vector<Source>> plain_parts;

    bool has_own_column() const { return !paths.empty() || expression != nullptr; }
};

struct TypePlan {
    const TypeDef* type = nullptr;
    std::vector<ParamPlan> params;  ///< by number of the parameter

    const ParamPlan* of(const SearchParam& param) const;
};

/// Null when it is no resource type of R4. Thread-safe.
const TypePlan* plan_of(std::string_view resource_type);

}  // namespace hygie::fhir
