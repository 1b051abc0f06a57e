#include "fhir/validate/validate_plan.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "fhir/validate/validate_primitive.h"

namespace hygie::fhir {

namespace {

/// Rules that validate.cc checks by itself: ubiquitous, costly as expressions, or told better.
bool is_native(std::string_view key) {
    constexpr std::array<std::string_view, 10> kKeys{"ele-1", "ext-1", "ref-1", "dom-2", "dom-3",
                                                     "dom-4", "dom-5", "txt-1", "txt-2", "bdl-7"};
    return std::ranges::find(kKeys, key) != kKeys.end();
}

/// Quantity: code.empty() or system.exists()
bool qty_3(Json value) {
    return !value["code"] || value["system"];
}

/// Period: start <= end, where both are written alike: as text then.
bool per_1(Json value) {
    const std::string_view start = value["start"].text();
    const std::string_view end = value["end"].text();
    if (start.empty() || end.empty()) return true;
    const std::size_t seconds = std::string_view("2026-11-24T08:30:00").size();
    const auto zone = [seconds](std::string_view t) {
        return t.substr(std::min(seconds, t.size()));
    };
    return start.size() == end.size() && zone(start) == zone(end) && start <= end;
}

/// Observation: dataAbsentReason.empty() or value.empty()
bool obs_6(Json value) {
    return !value["dataAbsentReason"];
}

/// Observation: nothing to compare without components.
bool obs_7(Json value) {
    return !value["component"];
}

/// Expressions of R4 that do not say what their text says, as later versions have them.
std::string_view mended(const Constraint& constraint) {
    if (constraint.key == "que-7") return "operator = 'exists' implies (answer is boolean)";
    if (constraint.key == "eld-3")
        return "empty() or $this = '*' or (toInteger().exists() and toInteger() >= 0)";
    if (constraint.key == "que-13") return "initial.count() <= 1 or (repeats.exists() and repeats)";
    if (constraint.key == "que-12") return "enableWhen.count() > 1 implies enableBehavior.exists()";
    return constraint.expression;
}

using Quick = bool (*)(Json);

Quick quick_of(std::string_view key) {
    constexpr std::array<std::pair<std::string_view, Quick>, 4> kQuick{
        {{"qty-3", qty_3}, {"per-1", per_1}, {"obs-6", obs_6}, {"obs-7", obs_7}}};
    const auto* const found =
        std::ranges::find(kQuick, key, &std::pair<std::string_view, Quick>::first);
    return found == kQuick.end() ? nullptr : found->second;
}

Special special_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, Special>, 6> kSpecials{
        {{"Reference", Special::Reference},
         {"Extension", Special::Extension},
         {"Identifier", Special::Identifier},
         {"Coding", Special::Coding},
         {"Bundle", Special::Bundle},
         {"xhtml", Special::Xhtml}}};
    const auto* const found =
        std::ranges::find(kSpecials, name, &std::pair<std::string_view, Special>::first);
    return found == kSpecials.end() ? Special::None : found->second;
}

std::vector<Rule> make_rules(std::span<const Constraint> constraints) {
    std::vector<Rule> rules;
    for (const Constraint& constraint : constraints)
        if (!is_native(constraint.key)) rules.push_back(make_rule(constraint));
    return rules;
}

/// The plans of all types, made at first use.
class Plans {
  public:
    Plans() {
        for (const TypeDef* type : resource_types()) add(*type);
        for (const std::string_view name : {"Element", "Resource"}) add(*find_type(name));
    }
    const TypeCheck& of(const TypeDef& type) const { return *plans_.at(&type); }

  private:
    void add(const TypeDef& type) {
        if (plans_.contains(&type)) return;
        TypeCheck& plan = kept_.emplace_back();
        plans_.emplace(&type, &plan);
        HYGIE_CHECK(type.elements.size() <= kElementsMax, "a type with too many elements");
        plan.type = &type;
        plan.special = special_of(type.name);
        plan.is_element = type.is_a("Element");
        plan.primitive = primitive_type(type.name);
        plan.rules = make_rules(type.constraints);
        for (const ElementDef& element : type.elements) {
            ElementCheck& made = plan.elements.emplace_back();
            made.def = &element;
            if (element.min > 0) plan.mandatory.push_back(plan.elements.size() - 1);
            if (element.binding == BindingStrength::Required)
                made.required_set = Terminology::r4().value_set(element.value_set);
            made.rules = make_rules(element.constraints);
            for (const ElementType& of : element.types) add(*of.type);
        }
    }

    std::deque<TypeCheck> kept_;
    std::unordered_map<const TypeDef*, const TypeCheck*> plans_;
};

}  // namespace

const TypeCheck& check_of(const TypeDef& type) {
    static const Plans kPlans;
    return kPlans.of(type);
}

Rule make_rule(const Constraint& constraint) {
    Rule rule;
    rule.constraint = &constraint;
    rule.quick = quick_of(constraint.key);
    auto compiled = PathExpression::compile(mended(constraint));
    HYGIE_CHECK(compiled, "a rule of the definitions that cannot be compiled");
    rule.expression = std::move(*compiled);
    return rule;
}

}  // namespace hygie::fhir
