#include "guards/records/desk/stored_definitions.h"

#include <fmt/format.h>

#include <array>

namespace hygie::records {

namespace {

constexpr std::array<std::string_view, 3> kTypes = {"CodeSystem", "StructureDefinition",
                                                    "ValueSet"};

}  // namespace

std::shared_ptr<const fhir::DefinitionSet> StoredDefinitions::current() {
    const auto house = vault_.record("");
    const std::lock_guard lock(mutex_);
    if (set_ && (!house || *house == house_)) return set_;
    std::vector<vault::Entry> entries;
    std::vector<std::string> names;
    if (house) {
        for (const std::string_view type : kTypes) {
            for (const vault::Entry& entry : (*house)->entries(type)) {
                if (entries.size() == kStoredDefinitionsMax) break;
                entries.push_back(entry);
                names.push_back(fmt::format("{}/{}/{}", entry.type, entry.id, entry.version));
            }
        }
        house_ = *house;
    }
    if (set_ && names == seen_) return set_;
    seen_ = std::move(names);
    set_ = learn(house_, entries);
    return set_;
}

std::shared_ptr<const fhir::DefinitionSet> StoredDefinitions::learn(
    const Place& house, const std::vector<vault::Entry>& entries) {
    auto set = std::make_shared<fhir::DefinitionSet>(options_.profiles, options_.terminology);
    for (const vault::Entry& entry : entries) {
        const auto version = vault_.read({house, entry});
        if (!version) continue;
        const auto document = fhir::parse(version->body);
        const std::string_view url = document ? document->root["url"].text() : std::string_view();
        const bool is_defined =
            options_.terminology->value_set(url) || options_.terminology->code_system(url);
        if (!url.empty() && !is_defined) set->take(version->body);
    }
    set->learn();
    return set;
}

}  // namespace hygie::records
