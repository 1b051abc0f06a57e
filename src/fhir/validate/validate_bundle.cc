#include <algorithm>
#include <set>

#include "fhir/validate/validate_walk.h"

/// Bundles: what their entries must agree on (https://hl7.org/fhir/R4/bundle.html).
namespace hygie::fhir {

void Walk::open_bundle(Json bundle) {
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

void Walk::bundle(Json value, const Place& place) {
    bundle_urls(value, place);
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
