#include "fhir/search/search_plan.h"

#include <algorithm>
#include <map>

#include "fhir/data/value_set_systems.h"
#include "fhir/search/search_convert.h"

namespace hygie::fhir {
namespace {

using Kind = SearchParam::Type;

/// In the entry of a resource, not in its rows.
bool is_in_entry(const SearchParam& param) {
    return param.code == "_id" || param.code == "_lastUpdated";
}

/// Lets the end of a way say how values are made of what is there; false when nothing is.
bool end_in_values(SearchPath& path, Kind kind) {
    if (path.steps.empty()) return false;
    auto& properties = path.steps.back().properties;
    for (auto& property : properties) property.convert = converter_of(kind, *property.type);
    std::erase_if(properties, [](const auto& property) { return property.convert == nullptr; });
    return !properties.empty();
}

/// Whether a part of an expression that was not understood speaks about a type at all.
bool speaks_about(std::string_view part, const TypeDef& type) {
    const auto at = part.find_first_not_of('(');
    if (at == std::string_view::npos) return false;
    part.remove_prefix(at);
    const auto name = part.substr(
        0, part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
    return !name.empty() && type.is_a(name);
}

std::vector<SearchPath> paths_to_values(const TypeDef& from, std::string_view expression,
                                        Kind kind) {
    std::vector<SearchPath> paths;
    for (const auto part : split_union(expression)) {
        auto path = compile_path(from, part);
        if (path && end_in_values(*path, kind)) paths.push_back(std::move(*path));
    }
    return paths;
}

/// Adds what may stand where a way ends.
void add_bare(const SearchPath::Property& end, BareTokens& bare) {
    if (!end.type->is_a("code")) return;
    const auto systems = systems_of(end.value_set);
    bare.any_system = bare.any_system || systems.empty();
    for (const auto system : systems)
        if (std::ranges::find(bare.systems, system) == bare.systems.end())
            bare.systems.push_back(system);
}

BareTokens bare_tokens(const ParamPlan& plan) {
    BareTokens bare;
    if (plan.param->type != Kind::Token) return bare;
    bare.takes_no_pipe = plan.has_own_column();
    for (const auto& path : plan.paths)
        for (const auto& end : path.steps.back().properties) {
            add_bare(end, bare);
            const bool has_none = end.type->is_a("ContactPoint") || end.type->is_a("boolean") ||
                                  end.type->is_a("uri");
            bare.takes_no_pipe = bare.takes_no_pipe && has_none;
        }
    return bare;
}

void plan_simple(const TypeDef& type, ParamPlan& plan) {
    const auto& param = *plan.param;
    plan.paths = paths_to_values(type, param.expression, param.type);
    const bool unusual =
        std::ranges::any_of(split_union(param.expression), [&](std::string_view part) {
            return speaks_about(part, type) && !compile_path(type, part);
        });
    if (!unusual) return;
    if (auto compiled = PathExpression::compile(param.expression)) {
        plan.expression = std::make_unique<const PathExpression>(std::move(*compiled));
        plan.paths.clear();
    }
}

/// The plan whose ways are exactly these; null when there is none.
const ParamPlan* plan_with(const std::vector<ParamPlan>& plans, Kind kind,
                           const std::vector<SearchPath>& paths) {
    const auto found = std::ranges::find_if(plans, [&](const ParamPlan& plan) {
        return plan.param->type == kind &&
               std::ranges::is_permutation(plan.paths, paths, {}, &SearchPath::spelling,
                                           &SearchPath::spelling) &&
               std::ranges::all_of(plan.paths, &std::string::empty, &SearchPath::target);
    });
    return found == plans.end() ? nullptr : &*found;
}

/// For each component the parameter that has its values when the context is the resource itself;
/// none when one of them has no such parameter.
std::vector<std::vector<Source>> plain_parts(const TypeDef& type, const SearchParam& composite,
                                             const std::vector<ParamPlan>& plans) {
    std::vector<std::vector<Source>> parts;
    for (const auto& component : composite.components) {
        const auto kind = component.param->type;
        const auto* plain =
            plan_with(plans, kind, paths_to_values(type, component.expression, kind));
        if (plain == nullptr) return {};
        parts.push_back({{plain->param->number, {}}});
    }
    return parts;
}

void plan_composite(const TypeDef& type, const std::vector<ParamPlan>& plans, ParamPlan& plan) {
    const TypeDef* context_type = &type;
    for (const auto part : split_union(plan.param->expression)) {
        auto context = compile_path(type, part);
        if (!context) continue;
        if (context->steps.empty()) plan.plain_parts = plain_parts(type, *plan.param, plans);
        if (context->steps.empty() && !plan.plain_parts.empty()) continue;
        if (!context->steps.empty()) {
            context_type = context->steps.back().properties.front().type;
        }
        plan.paths.push_back(std::move(*context));
    }
    for (const auto& component : plan.param->components) {
        const bool outside = component.expression.starts_with('%');
        plan.parts.push_back(paths_to_values(outside ? type : *context_type, component.expression,
                                             component.param->type));
    }
}

bool goes_before(const ParamPlan* left, const ParamPlan* right) {
    const auto targets = [](const ParamPlan* plan) {
        return std::ranges::count_if(plan->paths, [](const auto& p) { return !p.target.empty(); });
    };
    const auto rank = [&](const ParamPlan* plan) {
        return std::tuple{targets(plan), plan->paths.size(), plan->param->number};
    };
    return rank(left) < rank(right);
}

/// Whether the ways of `other` are among those of `plan`, all with one target.
std::optional<std::string_view> covers(const ParamPlan& other, const ParamPlan& plan) {
    std::optional<std::string_view> target;
    for (const auto& path : other.paths) {
        const auto same = std::ranges::find(plan.paths, path.spelling, &SearchPath::spelling);
        if (same == plan.paths.end() || !path.target.empty()) return std::nullopt;
        if (target && *target != same->target) return std::nullopt;
        target = same->target;
    }
    return target;
}

/// Values that other columns hold need none of their own: Observation.patient is its subject where
/// that is a patient, combo-code is code and component-code.
void share_columns(std::vector<ParamPlan>& plans) {
    std::vector<ParamPlan*> order;
    for (auto& plan : plans) {
        if (!plan.paths.empty()) order.push_back(&plan);
    }
    std::ranges::sort(order, goes_before);
    for (std::size_t i = 0; i < order.size(); ++i) {
        ParamPlan& plan = *order[i];
        std::size_t covered = 0;
        std::vector<Source> sources;
        for (std::size_t j = 0; j < i; ++j) {
            const ParamPlan& other = *order[j];
            if (other.paths.empty() || other.param->type != plan.param->type) continue;
            if (const auto target = covers(other, plan)) {
                sources.push_back({other.param->number, *target});
                covered += other.paths.size();
            }
        }
        if (covered < plan.paths.size()) continue;
        plan.sources = std::move(sources);
        plan.paths.clear();
    }
}

TypePlan make_plan(const TypeDef& type) {
    TypePlan out{.type = &type, .params = {}};
    std::vector<ParamPlan> composites;
    for (const SearchParam* param : search_params_of(type.name)) {
        if (is_in_entry(*param) || param->expression.empty()) continue;
        ParamPlan plan;
        plan.param = param;
        plan.sources = {{param->number, {}}};
        if (param->type == Kind::Composite) {
            composites.push_back(std::move(plan));
        } else if (param->type != Kind::Special) {
            plan_simple(type, plan);
            plan.bare = bare_tokens(plan);
            out.params.push_back(std::move(plan));
        }
    }
    // Composites look for ways, which those that share a column give up: so they come between.
    for (auto& composite : composites) plan_composite(type, out.params, composite);
    share_columns(out.params);
    for (auto& composite : composites) {
        for (auto& part : composite.plain_parts) {
            part = std::ranges::find(out.params, part.front().param, [](const auto& plan) {
                       return plan.param->number;
                   })->sources;
        }
    }
    for (auto& composite : composites) out.params.push_back(std::move(composite));
    std::ranges::sort(out.params, {}, [](const auto& plan) { return plan.param->number; });
    return out;
}

std::map<std::string_view, TypePlan> make_plans() {
    std::map<std::string_view, TypePlan> plans;
    for (const TypeDef* type : resource_types()) plans.emplace(type->name, make_plan(*type));
    return plans;
}

}  // namespace

const ParamPlan* TypePlan::of(const SearchParam& param) const {
    const auto found = std::ranges::lower_bound(
        params, param.number, {}, [](const auto& plan) { return plan.param->number; });
    return found != params.end() && found->param == &param ? &*found : nullptr;
}

const TypePlan* plan_of(std::string_view resource_type) {
    static const std::map<std::string_view, TypePlan> plans = make_plans();
    const auto found = plans.find(resource_type);
    return found == plans.end() ? nullptr : &found->second;
}

}  // namespace hygie::fhir
