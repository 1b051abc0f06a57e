#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "fhir/data/schema.h"
#include "fhir/path/fhirpath.h"
#include "fhir/terminology/terminology.h"

/// What validating needs of a type, worked out once: for validate*.cc only.
namespace hygie::fhir {

/// A rule ready to run. Rules that stand on nearly every element have code of their own; `quick`
/// answers most cases of others.
struct Rule {
    const Constraint* constraint = nullptr;
    /// True: surely kept. False: the expression decides.
    bool (*quick)(Json value) = nullptr;
    std::optional<PathExpression> expression;
};

struct ElementCheck {
    const ElementDef* def = nullptr;
    const ValueSet* required_set = nullptr;  ///< of a required binding, when known here
    std::vector<Rule> rules;                 ///< those of the element, not of its type
};

/// Types that are checked in a way of their own, beside their elements.
enum class Special : std::uint8_t { None, Reference, Extension, Identifier, Coding, Bundle, Xhtml };

struct PrimitiveType;

struct TypeCheck {
    const TypeDef* type = nullptr;
    Special special = Special::None;
    bool is_element = false;                   ///< has the rule ele-1
    const PrimitiveType* primitive = nullptr;  ///< null for what is none, and for xhtml
    std::vector<ElementCheck> elements;        ///< in the order of type->elements
    std::vector<std::size_t> mandatory;        ///< their places
    std::vector<Rule> rules;
};

/// The most elements a type may have: what the mask of those seen holds.
inline constexpr std::size_t kElementsMax = 128;

/// Of a type that find_type gives.
const TypeCheck& check_of(const TypeDef& type);

/// A constraint compiled; aborts when it cannot be: constraints are part of the definitions.
Rule make_rule(const Constraint& constraint);

}  // namespace hygie::fhir
