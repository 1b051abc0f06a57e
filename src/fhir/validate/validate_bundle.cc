#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "fhir/validate/validate_walk.h"

/// Bundles: what their entries must agree on (https://hl7.org/fhir/R4/bundle.html).
namespace hygie::fhir {

namespace {

/// By what a Composition with that fullUrl may refer to these entries.
std::unordered_set<std::string> names_of(std::span<const Json> entries, std::string_view url) {
    const auto base = url.substr(0, url.rfind("Composition/"));
    std::unordered_set<std::string> names;
    for (const Json entry : entries) {
        const Json resource = entry["resource"];
        const auto own = entry["fullUrl"].text();
        names.emplace(own);
        if (own.starts_with(base)) names.emplace(own.substr(base.size()));
        names.insert(std::string(resource["resourceType"].text()) + "/" +
                     std::string(resource["id"].text()));
    }
    return names;
}

/// What a Composition, or a section of it, names by that element; a list or not.
void add_references(Json element, std::vector<std::string_view>& found) {
    const auto add = [&](Json one) {
        const auto reference = one["reference"].text();
        if (!reference.empty() && !reference.starts_with('#'))
            found.push_back(reference.substr(0, reference.find("/_history/")));
    };
    if (!element.is_array()) return add(element);
    for (const Json one : element.items()) add(one);
}

/// Sections within sections are as deep as a JSON text may be.
void add_sections(Json sections, std::vector<std::string_view>& found) {
    for (const Json section : sections.items()) {
        for (const std::string_view name : {"author", "focus", "entry"})
            add_references(section[name], found);
        add_sections(section["section"], found);
    }
}

std::vector<std::string_view> references_of(Json composition) {
    std::vector<std::string_view> found;
    for (const std::string_view name : {"subject", "encounter", "author", "custodian"})
        add_references(composition[name], found);
    for (const Json one : composition["attester"].items()) add_references(one["party"], found);
    for (const Json one : composition["event"].items()) add_references(one["detail"], found);
    add_sections(composition["section"], found);
    return found;
}

}  // namespace

void Walk::open_bundle(Json bundle) {
    is_bundle_ = true;
    for (const Json entry : bundle["entry"].items()) {
        const Json url = entry["fullUrl"];
        const Json resource = entry["resource"];
        if (url.is_string() && resource.is_object()) entries_.try_emplace(url.text(), resource);
    }
    if (entries_.empty() && !options_.resolve) return;
    context_.resolve = [this](std::string_view reference) -> PathItem {
        Json found = entry_at(reference);
        if (!found && options_.resolve) found = options_.resolve(reference);
        return found ? resource_item(found) : PathItem{};
    };
}

void Walk::bundle_urls(Json bundle, const Place& place) {
    const bool is_history = bundle["type"].text() == "history";
    std::set<std::pair<std::string_view, std::string_view>> known;
    std::size_t index = 0;
    for (const Json entry : bundle["entry"].items()) {
        const Place here{&place, "entry", index++};
        const Json url = entry["fullUrl"];
        if (!url.is_string()) continue;
        if (!url.text().contains(':'))
            report(Issue::Type::Value, here,
                   {"« fullUrl » est une adresse absolue.", "“fullUrl” is an absolute address."});
        const auto version = entry["resource"]["meta"]["versionId"].text();
        if (!known.emplace(url.text(), version).second && !is_history)
            report(Issue::Type::Invariant, here,
                   {"Deux entrées ont le même « fullUrl » et la même version (bdl-7).",
                    "Two entries have the same “fullUrl” and the same version (bdl-7)."});
    }
}

/// A document holds what its Composition refers to
/// (https://hl7.org/fhir/R4/documents.html#content).
void Walk::document(Json bundle, const Place& place) {
    const auto entries = bundle["entry"].items();
    if (bundle["type"].text() != "document" || entries.empty()) return;
    const Json first = entries.front();
    if (first["resource"]["resourceType"].text() != "Composition") return;
    const auto names = names_of(entries, first["fullUrl"].text());
    std::unordered_set<std::string_view> asked;
    for (const auto reference : references_of(first["resource"])) {
        if (is_full()) return;
        if (asked.insert(reference).second && !names.contains(std::string(reference)))
            report(Issue::Type::NotFound, {&place, "entry", 0},
                   {"Le document ne contient pas une ressource que sa Composition désigne.",
                    "The document lacks a resource that its Composition refers to."});
    }
}

void Walk::bundle(Json value, const Place& place) {
    bundle_urls(value, place);
    document(value, place);
    std::set<std::string_view> relations;
    std::size_t index = 0;
    for (const Json link : value["link"].items()) {
        const Place here{&place, "link", index++};
        if (!relations.insert(link["relation"].text()).second)
            report(Issue::Type::Structure, here,
                   {"Deux liens ont la même relation.", "Two links have the same relation."});
    }
}

}  // namespace hygie::fhir
