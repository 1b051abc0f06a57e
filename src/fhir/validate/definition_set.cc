#include "fhir/validate/definition_set.h"

#include <algorithm>

#include "fhir/data/definitions.h"

namespace hygie::fhir {

const DefinitionSet& DefinitionSet::r4() {
    static const DefinitionSet own = [] {
        DefinitionSet set;
        std::string_view lines = definitions::profiles();
        while (!lines.empty()) set.take(definitions::take(lines, '\n'));
        set.learn();
        return set;
    }();
    return own;
}

void DefinitionSet::take(std::string_view text) {
    const auto parsed = arena_.parse(text);
    if (!parsed) return;
    const Json resource = *parsed;
    const std::string_view type = resource["resourceType"].text();
    if (type == "CodeSystem") systems_.push_back(resource);
    if (type == "ValueSet") sets_.push_back(resource);
    if (type == "StructureDefinition" && resource["derivation"].text() == "constraint")
        structures_.push_back(resource);
}

void DefinitionSet::learn() {
    const auto words = [&](Json one) { return terminology_.add(one); };
    learn_all(std::move(systems_), words);
    learn_all(std::move(sets_), words);
    learn_all(std::move(structures_), [&](Json one) { return profiles_.add(one); });
}

/// Each may stand on others: as long as one more is understood, those left get another try.
template <typename Learn>
void DefinitionSet::learn_all(std::vector<Json> waiting, Learn&& one) {
    for (bool moved = true; moved;) {
        const std::size_t before = waiting.size();
        std::erase_if(waiting, [&](Json definition) {
            const Status learnt = one(definition);
            learnt_ += learnt.has_value();
            return learnt || learnt.error().code == Code::AlreadyThere;
        });
        moved = waiting.size() < before;
    }
    for (const Json definition : waiting) left_out_.emplace_back(definition["url"].text());
}

}  // namespace hygie::fhir
