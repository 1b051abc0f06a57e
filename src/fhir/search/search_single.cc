#include "fhir/search/search_single.h"

#include <array>
#include <memory>

#include "fhir/search/search_extract.h"
#include "fhir/search/search_run.h"

namespace hygie::fhir {

bool would_find(const Query& query, Json resource, WallTime updated) {
    const auto alone = compartment_of({&resource, 1}, updated);
    const std::array<const Compartment*, 1> only = {&alone};
    const auto hits = run(query, Space{.compartments = only});
    return hits && hits->total > 0;
}

Compartment compartment_of(std::span<const Json> resources, WallTime updated) {
    std::vector<IndexedResource> indexed;
    for (const Json resource : resources)
        indexed.push_back({.entry = {.type = resource["resourceType"].text(),
                                     .id = resource["id"].text(),
                                     .version = 1,
                                     .updated = updated},
                           .rows = extract(resource)});
    return Compartment().with(std::make_shared<const Segment>(Segment::build(indexed)));
}

std::vector<std::string> ids_found(const Query& query, const Compartment& compartment) {
    const std::array<const Compartment*, 1> only = {&compartment};
    const auto hits = run(query, Space{.compartments = only});
    std::vector<std::string> ids;
    if (!hits) return ids;
    for (const Hit& hit : hits->page) ids.emplace_back(hit.entry.id);
    return ids;
}

}  // namespace hygie::fhir
