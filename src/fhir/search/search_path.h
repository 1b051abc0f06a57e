#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/data/schema.h"
#include "fhir/search/search_convert.h"

/// The few shapes that expressions of search parameters have, compiled to names of JSON properties.
namespace hygie::fhir {

/// One way through a resource: "Observation.component.value.as(Quantity)".
struct SearchPath {
    /// A JSON property and the type it has: an element with a choice of types has several.
    struct Property {
        std::string name;
        const TypeDef* type = nullptr;
        std::string_view value_set{};  ///< that codes here must be of
        Convert convert = nullptr;     ///< at the end of a way to values
    };
    struct Step {
        std::vector<Property> properties;
        bool first_only = false;              ///< [0]
        std::string where_name, where_value;  ///< where(system='phone')
    };
    std::vector<Step> steps;
    std::string target;        ///< where(resolve() is Patient)
    bool of_resource = false;  ///< %resource.…: starts at the resource, not at the context
    bool repeats = false;      ///< may lead to several values of one resource
    std::string spelling;      ///< the same for equal ways, without the target
};

/// The parts of a union: "a | b" is a and b.
std::vector<std::string_view> split_union(std::string_view expression);

/// A part of a union, applied to a context of type `from`: absent when it starts at another type of
/// resource, or is of a shape that is not known here.
std::optional<SearchPath> compile_path(const TypeDef& from, std::string_view part);

/// Calls `use(value, convert)` for all that a path leads to, from its step `step` on.
template <typename Use>
void follow(const SearchPath& path, std::size_t step, Json value, Convert convert, Use&& use) {
    if (value.is_array()) {
        for (const Json item : value.items()) follow(path, step, item, convert, use);
        return;
    }
    if (step > 0 && !path.steps[step - 1].where_name.empty()) {
        const auto& last = path.steps[step - 1];
        if (value[last.where_name].text() != last.where_value) return;
    }
    if (step == path.steps.size()) {
        use(value, convert);
        return;
    }
    const auto& next = path.steps[step];
    for (const auto& property : next.properties) {
        Json found = value[property.name];
        if (next.first_only && found.size() > 0) found = found.items()[0];
        if (found) follow(path, step + 1, found, property.convert, use);
    }
}

}  // namespace hygie::fhir
