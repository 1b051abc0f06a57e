#include <algorithm>
#include <unordered_map>
#include <vector>

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

/// The items of a Questionnaire, numbered in the order of its text, by their linkIds.
class Questions {
  public:
    explicit Questions(Json questionnaire) { add(questionnaire["item"]); }

    bool has(std::string_view id) const { return numbers_.contains(id); }
    /// Whether an item with this linkId is that one, or within it.
    bool is_within(std::string_view id, std::size_t outer) const {
        const auto found = numbers_.find(id);
        if (found == numbers_.end()) return false;
        const auto first = std::ranges::lower_bound(found->second, outer);
        return first != found->second.end() && *first < ends_[outer];
    }

  private:
    void add(Json items) {
        for (const Json item : items.items()) {
            const std::size_t number = ends_.size();
            numbers_[item["linkId"].text()].push_back(number);
            ends_.push_back(0);
            add(item["item"]);
            ends_[number] = ends_.size();
        }
    }

    std::unordered_map<std::string_view, std::vector<std::size_t>> numbers_;
    std::vector<std::size_t> ends_;  ///< of each: the first number that is not within it
};

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
    const Questions questions(questionnaire);
    std::size_t next = 0;
    const auto look = [&](auto&& again, Json items, const Place& parent) -> void {
        std::size_t index = 0;
        for (const Json item : items.items()) {
            const Place here{&parent, "item", index++};
            const std::size_t own = next++;
            std::size_t number = 0;
            for (const Json when : item["enableWhen"].items()) {
                if (is_full()) return;
                const Place asked{&here, "enableWhen", number++};
                const auto id = when["question"].text();
                if (!questions.has(id) || questions.is_within(id, own))
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
