#include <algorithm>

#include "fhir/data/schema.h"
#include "fhir/validate/french.h"
#include "fhir/validate/validate_walk.h"

/// Rules that R4 has in its text but not as expressions, and that other validators keep too.
namespace hygie::fhir {

namespace {

std::string_view name_of(SearchParam::Type type) {
    constexpr std::string_view kNames[] = {"number",    "date",     "string", "token",  "reference",
                                           "composite", "quantity", "uri",    "special"};
    return kNames[static_cast<std::size_t>(type)];
}

std::string_view without_version(std::string_view canonical) {
    return canonical.substr(0, canonical.find('|'));
}

/// Where an item of a Questionnaire is that has this linkId; absent when there is none.
Json item_with(Json items, std::string_view id) {
    for (const Json item : items.items()) {
        if (item["linkId"].text() == id) return item;
        if (const Json inner = item_with(item["item"], id)) return inner;
    }
    return {};
}

/// Whether values of such a parameter have an order and prefixes ("ge2024").
bool is_measured(std::string_view type) {
    return type == "date" || type == "number" || type == "quantity";
}

}  // namespace

void Walk::absolute(Json uri, const Place& place) {
    if (!uri.is_string() || uri.text().contains(':')) return;
    report(Issue::Type::Value, place,
           {"Il faut une adresse absolue.", "It should be an absolute address."});
}

void Walk::value_set_part(Json part, const Place& place) {
    const Json system = part["system"];
    // A fragment is a contained code system.
    if (!system.text().starts_with('#')) absolute(system, {&place, "system"});
    std::size_t index = 0;
    for (const Json one : part["concept"].items())
        code_shape(system, one["code"], {&place, "concept", index++}, Issue::Severity::Error);
    index = 0;
    for (const Json filter : part["filter"].items()) {
        const Place here{&place, "filter", index++};
        if (filter["property"].text() == "concept")
            code_shape(system, filter["value"], here, Issue::Severity::Error);
    }
}

void Walk::value_set(Json compose, const Place& place) {
    const Place inside{&place, "compose"};
    for (const std::string_view name : {"include", "exclude"}) {
        std::size_t index = 0;
        for (const Json part : compose[name].items())
            value_set_part(part, {&inside, name, index++});
    }
}

/// A search parameter that R4 defines has the type that it gives it.
void Walk::capabilities(Json rest, const Place& place) {
    std::size_t index = 0;
    for (const Json resource : rest["resource"].items()) {
        const Place here{&place, "resource", index++};
        const auto known = search_params_of(resource["type"].text());
        std::size_t number = 0;
        for (const Json stated : resource["searchParam"].items()) {
            const Place param{&here, "searchParam", number++};
            const auto url = stated["definition"].text();
            const auto found = std::ranges::find(known, without_version(url),
                                                 [](const SearchParam* p) { return p->url; });
            if (url.empty() || found == known.end()) continue;
            const auto type = name_of((*found)->type);
            if (type == stated["type"].text()) continue;
            const bool misread = is_measured(type) != is_measured(stated["type"].text());
            report(Issue::Type::Value, {&param, "type"},
                   {"Ce paramètre de recherche a un autre type dans R4.",
                    "This search parameter has another type in R4."},
                   misread ? Issue::Severity::Error : Issue::Severity::Warning);
        }
    }
}

/// Takes over what was found in a Patient, wherever that is.
void Walk::french(std::vector<Issue> found, const Place& place) {
    for (Issue& issue : found) {
        if (is_full()) return;
        issue.where = place.str() + issue.where.substr(issue.where.find('.'));
        issues_.push_back(std::move(issue));
    }
}

/// What an item depends on is another one, and none within it: else it could never be shown.
void Walk::questions(Json questionnaire, const Place& place) {
    const auto look = [&](auto&& again, Json items, const Place& parent) -> void {
        std::size_t index = 0;
        for (const Json item : items.items()) {
            const Place here{&parent, "item", index++};
            std::size_t number = 0;
            for (const Json when : item["enableWhen"].items()) {
                const Place asked{&here, "enableWhen", number++};
                const auto id = when["question"].text();
                const bool is_inner = item["linkId"].text() == id || item_with(item["item"], id);
                if (is_inner || !item_with(questionnaire["item"], id))
                    report(Issue::Type::NotFound, asked,
                           {"« question » ne désigne aucune autre question.",
                            "“question” means no other question."});
            }
            again(again, item["item"], here);
        }
    };
    look(look, questionnaire["item"], place);
}

void Walk::prose(Json value, const TypeDef& type, const Place& place) {
    // Of definitions “url” is what they are known by, everywhere.
    const ElementDef* const url = type.element("url");
    if (url && !url->is_array()) absolute(value["url"], {&place, "url"});
    if (type.name == "Questionnaire") questions(value, place);
    if (type.name == "ValueSet") value_set(value["compose"], place);
    if (type.name == "Patient") french(check_ins(value), place);
    std::size_t index = 0;
    if (type.name == "CapabilityStatement")
        for (const Json rest : value["rest"].items()) capabilities(rest, {&place, "rest", index++});
    if (type.name == "CodeSystem" && value["supplements"] &&
        value["content"].text() != "supplement")
        report(Issue::Type::Value, {&place, "content"},
               {"Un supplément a le contenu « supplement ».",
                "A supplement has the content “supplement”."});
    constexpr std::size_t kPartsMin = 2;
    if (type.name == "SearchParameter" && value["type"].text() == "composite" &&
        value["component"].size() < kPartsMin)
        report(Issue::Type::Required, {&place, "component"},
               {"Un paramètre composé a deux parties ou plus.",
                "A composite parameter has two parts or more."});
}

}  // namespace hygie::fhir
