#include <algorithm>
#include <map>
#include <optional>

#include "fhir/terminology/terminology_tables.h"

/// What codes a ValueSet resource has (https://hl7.org/fhir/R4/valueset.html#compositions).
namespace hygie::fhir {

namespace {

/// Of a system: its codes, each with what the resource itself calls it (or nothing).
using Names = std::map<std::string_view, std::string_view>;
using Codes = std::map<std::string_view, Names>;

std::unexpected<Error> not_worked_out() {
    return fail(Code::BadInput,
                {"Les codes de cette ressource ne peuvent pas tous être établis ici.",
                 "The codes of this resource cannot all be worked out here."},
                {"Fournissez les systèmes de codes qu’elle emploie, ou son expansion complète.",
                 "Send the code systems that it uses, or its complete expansion."});
}

/// Works out codes from a terminology that knows what the resource stands on.
struct Composer {
    const Terminology& known;

    /// Everything in a value set that is known.
    std::optional<Codes> of_set(std::string_view url) const {
        const ValueSet* const set = known.value_set(url);
        if (!set) return std::nullopt;
        Codes codes;
        for (const ValueSet::Part& part : set->parts) {
            if (part.grammar) return std::nullopt;
            auto& into = codes[part.system];
            for (const std::string_view code : part.codes)
                into.emplace(code, part.display_of(code));
            if (!part.all) continue;
            for (const Concept& one : part.all->concepts) into.emplace(one.code, one.display);
        }
        return codes;
    }

    /// Whether a concept passes one filter; nothing when the filter is beyond us.
    static std::optional<bool> passes(const CodeSystem& system, std::uint32_t place, Json filter) {
        const std::string_view op = filter["op"].text();
        if (op != "is-a" && op != "descendent-of") return std::nullopt;
        const std::string_view top = filter["value"].text();
        if (op == "descendent-of" && system.concepts[place].code == top) return false;
        for (; place != Concept::kNone; place = system.concepts[place].parent)
            if (system.concepts[place].code == top) return true;
        return false;
    }

    std::optional<Names> of_system(Json include) const {
        Names codes;
        if (const Json listed = include["concept"]) {
            for (const Json one : listed.items())
                codes.emplace(one["code"].text(), one["display"].text());
            return codes;
        }
        const CodeSystem* const system = known.code_system(include["system"].text());
        if (!system) return std::nullopt;
        for (std::uint32_t place = 0; place < system->concepts.size(); ++place) {
            bool is_in = true;
            for (const Json filter : include["filter"].items()) {
                const auto passed = passes(*system, place, filter);
                if (!passed) return std::nullopt;
                is_in = is_in && *passed;
            }
            if (is_in) codes.emplace(system->concepts[place].code, system->concepts[place].display);
        }
        return codes;
    }

    /// One include or exclude: what is in its system and in each of its value sets.
    std::optional<Codes> of_part(Json include) const {
        std::optional<Codes> codes;
        if (const Json system = include["system"]) {
            auto own = of_system(include);
            if (!own) return std::nullopt;
            codes = Codes{{system.text(), std::move(*own)}};
        }
        for (const Json url : include["valueSet"].items()) {
            auto other = of_set(url.text());
            if (!other) return std::nullopt;
            codes = codes ? common(*codes, *other) : std::move(other);
        }
        return codes;
    }

    static Codes common(const Codes& left, const Codes& right) {
        Codes both;
        for (const auto& [system, codes] : left) {
            const auto found = right.find(system);
            if (found == right.end()) continue;
            for (const auto& name : codes)
                if (found->second.contains(name.first)) both[system].insert(name);
        }
        return both;
    }

    std::optional<Codes> of_compose(Json compose) const {
        if (compose["include"].size() == 0) return std::nullopt;
        Codes all;
        for (const Json include : compose["include"].items()) {
            const auto part = of_part(include);
            if (!part) return std::nullopt;
            for (const auto& [system, codes] : *part)
                all[system].insert(codes.begin(), codes.end());
        }
        for (const Json exclude : compose["exclude"].items()) {
            const auto part = of_part(exclude);
            if (!part) return std::nullopt;
            for (const auto& [system, codes] : *part)
                for (const auto& [code, display] : codes) all[system].erase(code);
        }
        return all;
    }

    static void add_contains(Json contains, Codes& into) {
        for (const Json entry : contains.items()) {
            if (entry["abstract"].kind() != Json::Kind::True)
                into[entry["system"].text()].emplace(entry["code"].text(), entry["display"].text());
            add_contains(entry["contains"], into);
        }
    }

    /// The expansion the resource brings, when it is not a page of a longer one.
    static std::optional<Codes> of_expansion(Json expansion) {
        if (!expansion["contains"] || expansion["offset"]) return std::nullopt;
        Codes codes;
        add_contains(expansion["contains"], codes);
        return codes;
    }
};

void add_concepts(Json concepts, std::uint32_t parent, CodeSystem& into) {
    for (const Json one : concepts.items()) {
        const auto place = static_cast<std::uint32_t>(into.concepts.size());
        into.concepts.push_back({one["code"].text(), one["display"].text(), parent});
        add_concepts(one["concept"], place, into);
    }
}

}  // namespace

Status Terminology::add_code_system(Json resource) {
    if (resource["content"].text() != "complete") return not_worked_out();
    CodeSystem system;
    system.url = resource["url"].text();
    system.title = resource["title"].text();
    system.any_case = resource["caseSensitive"].kind() == Json::Kind::False;
    add_concepts(resource["concept"], Concept::kNone, system);
    tables_->keep(std::move(system));
    return {};
}

Status Terminology::add_value_set(Json resource) {
    const Composer composer{*this};
    auto codes = composer.of_compose(resource["compose"]);
    if (!codes) codes = Composer::of_expansion(resource["expansion"]);
    if (!codes) return not_worked_out();
    ValueSet set;
    set.url = resource["url"].text();
    set.title = resource["title"].text();
    for (const auto& [system, found] : *codes) {
        ValueSet::Part part{.system = system};
        for (const auto& [code, display] : found) {
            part.codes.push_back(code);
            if (!display.empty()) part.displays.emplace(code, display);
        }
        set.parts.push_back(std::move(part));
    }
    tables_->keep(std::move(set));
    return {};
}

Status Terminology::add(Json resource) {
    const std::string_view type = resource["resourceType"].text();
    if (resource["url"].text().empty() || (type != "ValueSet" && type != "CodeSystem"))
        return fail(Code::BadInput,
                    {"Il faut un ValueSet ou un CodeSystem avec son « url ».",
                     "A ValueSet or a CodeSystem with its “url” is needed."},
                    {"Ajoutez « url ».", "Add “url”."});
    return type == "ValueSet" ? add_value_set(resource) : add_code_system(resource);
}

}  // namespace hygie::fhir
