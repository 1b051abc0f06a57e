#include "guards/records/request/shaping.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "fhir/data/schema.h"

namespace hygie::records {

namespace {

using fhir::Json;
using Summary = fhir::Query::Summary;

constexpr std::string_view kTagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
constexpr std::string_view kTagCode = "SUBSETTED";

/// "_birthDate" goes where "birthDate" goes.
std::string_view without_mark(std::string_view name) {
    return name.starts_with('_') ? name.substr(1) : name;
}

bool is_kept(const fhir::TypeDef& type, std::string_view json_name, const Extent& extent) {
    const std::string_view name = without_mark(json_name);
    if (name == "resourceType" || name == "id" || name == "meta") return true;
    const fhir::ElementDef* element = type.property(name).element;
    if (!element) return false;
    if (!extent.elements.empty())
        return element->min > 0 || element->is_modifier ||
               std::ranges::find(extent.elements, element->name) != extent.elements.end();
    switch (extent.summary) {
        case Summary::True:
            return element->is_summary || element->min > 0;
        case Summary::Text:
            return name == "text" || element->min > 0;
        case Summary::Data:
            return name != "text";
        case Summary::False:
        case Summary::Count:
            return true;
    }
    return true;
}

/// meta with the tag that says that something is missing.
Json marked(fhir::Arena& arena, Json meta) {
    const Json tag =
        arena.object({{"system", arena.string(kTagSystem)}, {"code", arena.string(kTagCode)}});
    std::vector<Json> tags(meta["tag"].items().begin(), meta["tag"].items().end());
    tags.push_back(tag);
    if (!meta) meta = arena.object(std::initializer_list<fhir::Member>{});
    return arena.with(meta, "tag", arena.array(tags));
}

}  // namespace

bool is_reason(std::string_view type, std::string_view element) {
    // The narrative and what is contained may say the same again.
    constexpr std::array<std::string_view, 5> kReasons = {"reasonCode", "reasonReference",
                                                          "diagnosis", "text", "contained"};
    return type == "Encounter" && std::ranges::find(kReasons, element) != kReasons.end();
}

std::string without_reasons(std::string body) {
    auto document = fhir::parse(body);
    HYGIE_CHECK(document.has_value(), "a stored body is no JSON");
    const Json root = document->root;
    const std::string_view type = root["resourceType"].text();
    std::vector<fhir::Member> members;
    for (const fhir::Member& member : root.members())
        if (!is_reason(type, without_mark(member.name))) members.push_back(member);
    if (members.size() == root.members().size()) return body;
    const Json part = document->arena.object(members);
    return fhir::to_text(document->arena.with(part, "meta", marked(document->arena, root["meta"])));
}

Answer<Extent> read_extent(const Parameters& parameters, const Wishes& wishes) {
    Extent extent;
    for (const auto& [name, value] : parameters) {
        if (wishes.lenient && name != "_summary" && name != "_elements") continue;
        if (name == "_summary" && (value == "true" || value == "text" || value == "data")) {
            extent.summary = value == "true"   ? Summary::True
                             : value == "text" ? Summary::Text
                                               : Summary::Data;
        } else if (name == "_elements" && !value.empty()) {
            std::string_view rest = value;
            while (!rest.empty()) {
                const auto comma = std::min(rest.find(','), rest.size());
                extent.elements.emplace_back(rest.substr(0, comma));
                rest.remove_prefix(std::min(comma + 1, rest.size()));
            }
        } else if (name != "_summary" || value != "false") {
            return refuse(400, "not-supported",
                          {"un paramètre de cette lecture est inconnu, ou sa valeur",
                           "a parameter of this read is unknown, or its value"},
                          {"seuls _format, _pretty, _summary et _elements conviennent ici",
                           "only _format, _pretty, _summary and _elements fit here"});
        }
    }
    return extent;
}

std::string left_out_outcome(Lang lang) {
    return outcome_json(
        {{Severity::Warning,
          "not-supported",
          {"des paramètres inconnus ont été laissés de côté", "unknown parameters were left out"},
          {"comparez-les au lien « self »", "compare them with the \"self\" link"}}},
        lang);
}

bool is_cut_down(Json resource) {
    return std::ranges::any_of(resource["meta"]["tag"].items(), [](Json tag) {
        return tag["code"].text() == kTagCode && tag["system"].text() == kTagSystem;
    });
}

std::string shaped(std::string body, const Extent& extent) {
    if (extent.is_whole()) return body;
    auto document = fhir::parse(body);
    HYGIE_CHECK(document.has_value(), "a stored body is no JSON");
    const Json root = document->root;
    const fhir::TypeDef* type = fhir::find_type(root["resourceType"].text());
    HYGIE_CHECK(type != nullptr, "a stored body has no type");
    std::vector<fhir::Member> members;
    for (const fhir::Member& member : root.members()) {
        if (is_kept(*type, member.name, extent)) members.push_back(member);
    }
    const Json part = document->arena.object(members);
    return fhir::to_text(document->arena.with(part, "meta", marked(document->arena, root["meta"])));
}

}  // namespace hygie::records
