#include "fhir/search/search_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "fhir/search/search_criterion.h"
#include "fhir/search/search_operand.h"
#include "fhir/search/search_plan.h"

namespace hygie::fhir {
namespace {

using Kind = SearchParam::Type;

std::unexpected<Error> wrong(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

Status too_many(std::string_view of_fr, std::string_view of_en, std::size_t limit) {
    return wrong({fmt::format("La recherche a plus de {} {}.", limit, of_fr),
                  fmt::format("The search has more than {} {}.", limit, of_en)},
                 {"La séparer en plusieurs.", "Split it."});
}

std::unexpected<Error> choice(std::string_view name, std::string_view values) {
    return wrong(
        {fmt::format("{} a une valeur inconnue.", name),
         fmt::format("{} has an unknown value.", name)},
        {fmt::format("Choisir parmi : {}.", values), fmt::format("Choose from: {}.", values)});
}

/// What says how to answer rather than what to find.
class ResultParameters {
  public:
    ResultParameters(Query& query, const TypeDef& type) : query_(query), type_(type) {}

    /// Absent when the name is none of these.
    std::optional<Status> take(std::string_view name, std::string_view value) {
        if (name == "_sort") return sort(value);
        if (name == "_count") return count(value);
        if (name == "_total") return total(value);
        if (name == "_summary") return summary(value);
        if (name == "_elements") return elements(value);
        const auto colon = name.find(':');
        const auto plain = name.substr(0, colon);
        if (plain != "_include" && plain != "_revinclude") return std::nullopt;
        const auto modifier =
            colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
        if (!modifier.empty() && modifier != "iterate") return Status(choice(plain, ":iterate"));
        return include(value, plain == "_revinclude", !modifier.empty());
    }

  private:
    Status sort(std::string_view value) {
        for (auto name : split_escaped(value, ',')) {
            SortKey key;
            key.descending = name.starts_with('-');
            if (key.descending) name.remove_prefix(1);
            if (name == "_id") {
                key.kind = SortKey::Kind::Id;
            } else if (name == "_lastUpdated") {
                key.kind = SortKey::Kind::LastUpdated;
            } else {
                key.param = find_search_param(type_.name, name);
                const bool sortable = key.param != nullptr && key.param->type != Kind::Composite &&
                                      plan_of(type_.name)->of(*key.param) != nullptr;
                if (!sortable) return choice("_sort", names_of_params(type_.name));
            }
            query_.sort.push_back(key);
        }
        if (query_.sort.size() > kQuerySortsMax) return too_many("tris", "sorts", kQuerySortsMax);
        return {};
    }

    Status count(std::string_view value) {
        std::uint64_t count = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
        const bool large = error == std::errc::result_out_of_range;
        if ((error != std::errc() && !large) || end != value.data() + value.size()) {
            return choice("_count", fmt::format("0 … {}", kQueryCountMax));
        }
        query_.count =
            large ? kQueryCountMax
                  : static_cast<std::size_t>(std::min<std::uint64_t>(count, kQueryCountMax));
        // "If _count has the value 0, this shall be treated the same as _summary=count."
        if (count == 0 && !large) query_.summary = Query::Summary::Count;
        return {};
    }

    Status total(std::string_view value) {
        constexpr std::string_view kNames[] = {"none", "estimate", "accurate"};
        const auto found = std::ranges::find(kNames, value);
        if (found == std::end(kNames)) return choice("_total", "none, estimate, accurate");
        query_.total = static_cast<Query::Total>(found - std::begin(kNames));
        return {};
    }

    Status summary(std::string_view value) {
        constexpr std::string_view kNames[] = {"false", "true", "text", "data", "count"};
        const auto found = std::ranges::find(kNames, value);
        if (found == std::end(kNames)) return choice("_summary", "true, false, text, data, count");
        query_.summary = static_cast<Query::Summary>(found - std::begin(kNames));
        return {};
    }

    Status elements(std::string_view value) {
        for (const auto name : split_escaped(value, ',')) {
            if (type_.element(name) == nullptr) return choice("_elements", names_of_elements());
            query_.elements.emplace_back(name);
        }
        if (query_.elements.size() > kQueryElementsMax) {
            return too_many("éléments", "elements", kQueryElementsMax);
        }
        return {};
    }
    std::string names_of_elements() const {
        std::string names;
        for (const auto& element : type_.elements) {
            if (!names.empty()) names += ", ";
            names += element.name;
        }
        return names;
    }

    Status include(std::string_view value, bool reverse, bool iterate) {
        const auto parts = split_escaped(value, ':');
        const std::string_view name = reverse ? "_revinclude" : "_include";
        const auto usage = [&] {
            return choice(name, "Type:parameter, Type:parameter:Target, Type:*");
        };
        if (value == "*" && !reverse)
            return include(std::string(type_.name) + ":*", reverse, iterate);
        if (value == "*" && !iterate) return whatever_refers();
        const TypeDef* source = find_type(parts[0]);
        if (parts.size() < 2 || parts.size() > 3 || source == nullptr ||
            plan_of(source->name) == nullptr) {
            return usage();
        }
        Include include{reverse, iterate, source->name, nullptr, {}};
        if (parts[1] != "*") {
            include.param = find_search_param(source->name, parts[1]);
            if (include.param == nullptr || include.param->type != Kind::Reference) {
                return choice(name, names_of_params(source->name, Kind::Reference));
            }
        }
        if (parts.size() == 3) {
            const TypeDef* target = find_type(parts[2]);
            if (target == nullptr || target->kind != TypeKind::Resource) return usage();
            include.target = target->name;
        }
        query_.includes.push_back(include);
        if (++includes_ > kQueryIncludesMax) {
            return too_many("inclusions", "includes", kQueryIncludesMax);
        }
        return {};
    }

    /// "_revinclude=*": one of each type that there is.
    Status whatever_refers() {
        for (const TypeDef* source : resource_types())
            if (!source->is_abstract && plan_of(source->name) != nullptr)
                query_.includes.push_back(
                    {.reverse = true, .source = source->name, .target = type_.name});
        return {};
    }

    Query& query_;
    const TypeDef& type_;
    std::size_t includes_ = 0;  ///< that were asked for: "*" is one
};

/// "birthDate" and "birth-date" are both "birthdate" to who writes them.
std::string spelled_plainly(std::string_view name) {
    std::string plain;
    for (const char c : name)
        if (c != '-' && c != '_') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return plain;
}

/// The parameter that was meant, when it is only spelled otherwise.
const SearchParam* meant(std::string_view type, std::string_view name) {
    for (const SearchParam* param : search_params_of(type))
        if (spelled_plainly(param->code) == spelled_plainly(name)) return param;
    return nullptr;
}

/// Says which parameter it is about: by its name when it is one of R4, else by its place, since
/// what stands there may be anything.
Error located(Error error, std::string_view type, std::string_view name, std::size_t place) {
    const auto head = name.substr(0, name.find_first_of(":."));
    const SearchParam* known = find_search_param(type, head);
    error.what.fr = known ? fmt::format("{} : {}", known->code, error.what.fr)
                          : fmt::format("Paramètre n° {} : {}", place, error.what.fr);
    error.what.en = known ? fmt::format("{}: {}", known->code, error.what.en)
                          : fmt::format("Parameter {}: {}", place, error.what.en);
    const SearchParam* other = known ? nullptr : meant(type, head);
    if (!other) return error;
    error.remedy.fr = fmt::format("Peut-être {}. {}", other->code, error.remedy.fr);
    error.remedy.en = fmt::format("Perhaps {}. {}", other->code, error.remedy.en);
    return error;
}

void add_types(const Criterion& criterion, std::vector<std::string_view>& out) {
    for (const auto& inner : criterion.inner) {
        out.push_back(inner.type);
        for (const auto& each : inner.all) add_types(each, out);
    }
}

}  // namespace

Result<Query> parse_query(std::string_view type_name, std::span<const QueryParameter> parameters,
                          const QueryOptions& options) {
    const TypeDef* type = find_type(type_name);
    if (type == nullptr || plan_of(type->name) == nullptr) {
        return fail(Code::NotFound,
                    {"Ce type de ressource n'existe pas dans FHIR R4.",
                     "FHIR R4 has no resource type of this name."},
                    {"Vérifier l'adresse.", "Check the address."});
    }
    if (parameters.size() > kQueryParametersMax) {
        return std::unexpected(too_many("paramètres", "parameters", kQueryParametersMax).error());
    }
    Query query;
    query.type = type->name;
    query.now = options.now;
    ResultParameters results(query, *type);
    std::size_t place = 0;
    for (const auto& [name, value] : parameters) {
        ++place;
        if (name == "_format" || name == "_pretty") continue;
        if (value.size() > kQueryValueBytesMax) {
            return std::unexpected(
                too_many("octets dans une valeur", "bytes in a value", kQueryValueBytesMax)
                    .error());
        }
        Status done;
        if (const auto taken = results.take(name, value)) {
            done = *taken;
        } else if (auto criterion = parse_criterion(type->name, name, value, options)) {
            query.all.push_back(std::move(*criterion));
        } else {
            done = std::unexpected(located(criterion.error(), type->name, name, place));
            if (options.lenient && done.error().code == Code::NotFound) {
                query.left_out.push_back(name);
                continue;
            }
        }
        if (!done) {
            done.error().code = Code::BadInput;
            return std::unexpected(done.error());
        }
        query.used.push_back({name, value});
    }
    return query;
}

std::optional<Criterion> in_compartment(std::string_view compartment, std::string_view id,
                                        std::string_view type) {
    Criterion either;
    either.kind = Criterion::Kind::Either;
    for (const std::string_view code : compartment_params(compartment, type)) {
        Criterion one;
        const bool is_itself = code == "{def}";
        one.kind = is_itself ? Criterion::Kind::Id : Criterion::Kind::Value;
        one.param = find_search_param(type, is_itself ? "_id" : code);
        if (one.param == nullptr || (!is_itself && plan_of(type)->of(*one.param) == nullptr))
            continue;
        one.any.emplace_back().text = id;
        if (!is_itself) one.any.front().type = compartment;
        Criterion::Inner inner{find_type(type)->name, {}};
        inner.all.push_back(std::move(one));
        either.inner.push_back(std::move(inner));
    }
    if (either.inner.empty()) return std::nullopt;
    return either;
}

std::vector<std::string_view> types_touched(const Query& query) {
    std::vector<std::string_view> types{query.type};
    for (const auto& criterion : query.all) add_types(criterion, types);
    for (const auto& include : query.includes) {
        types.push_back(include.source);
        if (!include.target.empty()) {
            types.push_back(include.target);
        } else if (include.param != nullptr) {
            const auto targets = include.param->targets;
            types.insert(types.end(), targets.begin(), targets.end());
        } else {
            for (const TypeDef* type : resource_types()) types.push_back(type->name);
        }
    }
    std::ranges::sort(types);
    const auto doubles = std::ranges::unique(types);
    types.erase(doubles.begin(), doubles.end());
    return types;
}

}  // namespace hygie::fhir
