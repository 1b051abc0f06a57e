#include "fhir/search/search_single.h"

#include <array>

#include "fhir/search/search_extract.h"
#include "fhir/search/search_run.h"

namespace hygie::fhir {

bool would_find(const Query& query, Json resource, WallTime updated) {
    const IndexedResource alone{.entry = {.type = resource["resourceType"].text(),
                                          .id = resource["id"].text(),
                                          .version = 1,
                                          .updated = updated},
                                .rows = extract(resource)};
    const auto compartment =
        Compartment().with(std::make_shared<const Segment>(Segment::build({&alone, 1})));
    const std::array<const Compartment*, 1> only = {&compartment};
    const auto hits = run(query, Space{.compartments = only});
    return hits && hits->total > 0;
}

}  // namespace hygie::fhir
