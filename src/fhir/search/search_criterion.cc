#include "fhir/search/search_criterion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fhir/search/search_operand.h"
#include "fhir/search/search_plan.h"

namespace hygie::fhir {
namespace {

using Kind = SearchParam::Type;

/// A chain through a reference to anything must say to what.
constexpr std::size_t kChainTargetsMax = 16;

std::unexpected<Error> unknown_param(std::string_view type, std::string_view names) {
    return fail(Code::NotFound,
                {fmt::format("Un paramètre de recherche est inconnu pour {}.", type),
                 fmt::format("A search parameter is unknown for {}.", type)},
                {fmt::format("Il y a : {}.", names), fmt::format("There are: {}.", names)});
}

std::unexpected<Error> unknown_modifier(const SearchParam& param) {
    auto names = modifiers_of(param.type);
    if (param.type == Kind::Reference) names += ", :Type";
    return fail(Code::NotFound,
                {fmt::format("Un modificateur est inconnu pour {}.", param.code),
                 fmt::format("A modifier is unknown for {}.", param.code)},
                {fmt::format("Il y a : {}.", names), fmt::format("There are: {}.", names)});
}

std::unexpected<Error> too_deep() {
    return fail(Code::BadInput,
                {fmt::format("Une recherche enchaînée va plus loin que {} liens.", kQueryHopsMax),
                 fmt::format("A chained search goes further than {} links.", kQueryHopsMax)},
                {"Chercher en plusieurs fois.", "Search in several steps."});
}

/// Whether values of a parameter are identifiers: these alone have a type.
bool is_of_identifiers(std::string_view type, const SearchParam& param) {
    const ParamPlan* plan = plan_of(type)->of(param);
    return plan != nullptr && std::ranges::any_of(plan->paths, [](const SearchPath& path) {
               return std::ranges::any_of(path.steps.back().properties, [](const auto& property) {
                   return property.type->name == "Identifier";
               });
           });
}

bool may_target(const SearchParam& param, std::string_view type) {
    return param.targets.empty() ||
           std::ranges::any_of(param.targets, [&](std::string_view target) {
               return target == type || target == "Resource";
           });
}

/// The types that a chain may go to.
std::vector<std::string_view> targets_of(const SearchParam& param, std::string_view named) {
    if (!named.empty()) {
        const TypeDef* type = find_type(named);
        if (type == nullptr || plan_of(type->name) == nullptr || !may_target(param, type->name)) {
            return {};
        }
        return {type->name};
    }
    if (param.targets.size() > kChainTargetsMax) return {};
    std::vector<std::string_view> targets;
    for (const auto target : param.targets) {
        if (plan_of(target) != nullptr) targets.push_back(target);
    }
    return targets;
}

Result<Criterion> parse_chain(const SearchParam& param, std::string_view named,
                              std::string_view rest, std::string_view value,
                              const QueryOptions& options, std::size_t hops) {
    if (hops >= kQueryHopsMax) return too_deep();
    if (param.type != Kind::Reference) return unknown_modifier(param);
    const auto targets = targets_of(param, named);
    if (targets.empty()) {
        return fail(Code::NotFound,
                    {fmt::format("{} ne peut pas mener là, ou mène à trop de types.", param.code),
                     fmt::format("{} cannot lead there, or leads to too many types.", param.code)},
                    {fmt::format("Nommer un type cible : {}:Type.…", param.code),
                     fmt::format("Name one type of target: {}:Type.…", param.code)});
    }
    Criterion chain;
    chain.kind = Criterion::Kind::Chain;
    chain.param = &param;
    std::optional<Error> last;
    for (const auto type : targets) {
        auto inner = parse_criterion(type, rest, value, options, hops + 1);
        if (inner) {
            Criterion::Inner one{type, {}};
            one.all.push_back(std::move(*inner));
            chain.inner.push_back(std::move(one));
        } else if (!last || inner.error().code == Code::BadInput) {
            last = inner.error();
        }
    }
    if (chain.inner.empty()) return std::unexpected(*last);
    return chain;
}

Result<Criterion> parse_has(std::string_view type, std::string_view name, std::string_view value,
                            const QueryOptions& options, std::size_t hops) {
    if (hops >= kQueryHopsMax) return too_deep();
    const auto first = name.find(':');
    const auto second = first == std::string_view::npos ? first : name.find(':', first + 1);
    const auto usage = [] {
        return fail(
            Code::NotFound, {"_has est mal formé.", "_has is malformed."},
            {"Écrire _has:Type:référence:paramètre.", "Write _has:Type:reference:parameter."});
    };
    if (second == std::string_view::npos) return usage();
    const TypeDef* source = find_type(name.substr(0, first));
    if (source == nullptr || plan_of(source->name) == nullptr) return usage();
    const auto* param = find_search_param(source->name, name.substr(first + 1, second - first - 1));
    if (!is_known(source->name, param) || param->type != Kind::Reference ||
        !may_target(*param, type)) {
        return unknown_param(source->name, names_of_params(source->name, Kind::Reference));
    }
    Criterion has;
    has.kind = Criterion::Kind::Has;
    has.param = param;
    Criterion::Inner inner{source->name, {}};
    inner.all.push_back(
        TRY(parse_criterion(source->name, name.substr(second + 1), value, options, hops + 1)));
    has.inner.push_back(std::move(inner));
    return has;
}

Status parse_missing(Criterion& criterion, std::string_view value) {
    if (value != "true" && value != "false") {
        return fail(Code::BadInput,
                    {":missing a une valeur inconnue.", ":missing has an unknown value."},
                    {"Écrire true ou false.", "Write true or false."});
    }
    criterion.missing = value == "true";
    return {};
}

Status parse_values(Criterion& criterion, std::string_view value, const QueryOptions& options) {
    for (const auto each : split_escaped(value, ',')) {
        if (criterion.any.size() == kQueryValuesMax) {
            return fail(Code::BadInput,
                        {fmt::format("Un paramètre a plus de {} valeurs.", kQueryValuesMax),
                         fmt::format("A parameter has more than {} values.", kQueryValuesMax)},
                        {"Séparer la recherche en plusieurs.", "Split the search."});
        }
        criterion.any.push_back(
            TRY(parse_operand(*criterion.param, criterion.modifier, each, options)));
    }
    return {};
}

/// Whether bare values of a parameter may be of the system that a value asks for.
Status judge_system(const ParamPlan& plan, Operand& operand) {
    if (!operand.system) return {};
    const BareTokens& bare = plan.bare;
    if (bare.takes_no_pipe)
        return fail(
            Code::BadInput,
            {"Ce qui se cherche là n'a pas de système.", "What is searched there has no system."},
            {"Écrire la valeur seule, sans « | ».", "Write the value alone, without \"|\"."});
    const std::string& asked = *operand.system;
    const auto found = std::ranges::find(bare.systems, asked);
    operand.may_be_bare = asked.empty() || bare.any_system || found != bare.systems.end();
    operand.is_every_bare = found != bare.systems.end() && bare.systems.size() == 1;
    return {};
}

Status judge_systems(std::string_view type, const SearchParam& param, std::span<Operand> values) {
    const ParamPlan* plan = plan_of(type)->of(param);
    for (Operand& value : values) {
        for (std::size_t i = 0; i < value.parts.size(); ++i)
            TRY_STATUS(judge_systems(type, *param.components[i].param, {&value.parts[i], 1}));
        if (param.type == Kind::Token && plan != nullptr) TRY_STATUS(judge_system(*plan, value));
    }
    return {};
}

/// ":Patient" behind a reference: the type of every value.
Status restrict_type(Criterion& criterion, std::string_view type) {
    for (auto& operand : criterion.any) {
        if (operand.type.empty()) operand.type = type;
        if (operand.type == type) continue;
        return fail(Code::BadInput,
                    {"Une référence contredit le type demandé.",
                     "A reference contradicts the type asked for."},
                    {"Garder l'un des deux.", "Keep one of them."});
    }
    return {};
}

}  // namespace

bool is_known(std::string_view type, const SearchParam* param) {
    // By sound: nothing here knows how French names sound.
    if (param == nullptr || param->code == "phonetic") return false;
    const bool in_entry = param->code == "_id" || param->code == "_lastUpdated";
    return in_entry || plan_of(type)->of(*param) != nullptr;
}

std::string names_of_params(std::string_view type, std::optional<SearchParam::Type> kind) {
    std::string names;
    for (const SearchParam* param : search_params_of(type)) {
        if (!is_known(type, param) || (kind && param->type != *kind)) continue;
        if (!names.empty()) names += ", ";
        names += param->code;
    }
    return names;
}

Result<Criterion> parse_criterion(std::string_view type, std::string_view name,
                                  std::string_view value, const QueryOptions& options,
                                  std::size_t hops) {
    constexpr std::string_view kHas = "_has:";
    if (name.starts_with(kHas)) {
        return parse_has(type, name.substr(kHas.size()), value, options, hops);
    }
    const auto dot = name.find('.');
    const auto head = name.substr(0, dot);
    const auto colon = head.find(':');
    const auto modifier =
        colon == std::string_view::npos ? std::string_view() : head.substr(colon + 1);
    const auto* param = find_search_param(type, head.substr(0, colon));
    if (!is_known(type, param)) return unknown_param(type, names_of_params(type));
    if (dot != std::string_view::npos) {
        return parse_chain(*param, modifier, name.substr(dot + 1), value, options, hops);
    }
    Criterion criterion;
    criterion.param = param;
    if (param->code == "_id") criterion.kind = Criterion::Kind::Id;
    if (param->code == "_lastUpdated") criterion.kind = Criterion::Kind::LastUpdated;
    std::string_view target;
    if (const auto named = modifier_named(modifier)) {
        const bool fits = suits(*named, param->type) &&
                          (*named != Modifier::OfType || is_of_identifiers(type, *param));
        if (!fits) return unknown_modifier(*param);
        criterion.modifier = *named;
    } else if (!modifier.empty()) {
        const auto targets = param->type == Kind::Reference ? targets_of(*param, modifier)
                                                            : std::vector<std::string_view>{};
        if (targets.empty()) return unknown_modifier(*param);
        target = targets.front();
    }
    if (criterion.modifier == Modifier::Missing) {
        TRY_STATUS(parse_missing(criterion, value));
        return criterion;
    }
    TRY_STATUS(parse_values(criterion, value, options));
    const bool is_code =
        criterion.modifier == Modifier::None || criterion.modifier == Modifier::Not;
    if (is_code) TRY_STATUS(judge_systems(type, *param, criterion.any));
    if (!target.empty()) TRY_STATUS(restrict_type(criterion, target));
    return criterion;
}

}  // namespace hygie::fhir
