#pragma once

#include <string>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/search/search_query.h"
#include "guards/records/request/negotiate.h"
#include "guards/records/request/refusal.h"
#include "guards/records/request/target.h"

/// Parts of resources: _summary and _elements (https://hl7.org/fhir/R4/search.html#summary).
namespace hygie::records {

struct Extent {
    fhir::Query::Summary summary = fhir::Query::Summary::False;
    std::vector<std::string> elements{};

    bool is_whole() const { return summary == fhir::Query::Summary::False && elements.empty(); }
};

/// What a read may be asked: _summary and _elements. Anything else is refused, or left out where
/// handling is to be lenient.
Answer<Extent> read_extent(const Parameters& parameters, const Wishes& wishes);

/// The OperationOutcome of a search that left parameters out, where handling was to be lenient.
std::string left_out_outcome(Lang lang);

/// Whether a resource says that it was cut down: what it lacks is not gone, it was not asked for.
bool is_cut_down(fhir::Json resource);

/// Elements of a stay that tell why somebody is ill, not where and when they are: of a desk's work
/// the first is no part.
bool is_reason(std::string_view type, std::string_view element);
/// The body without them, marked as SUBSETTED; as it is where it has none.
std::string without_reasons(std::string body);

/// The body of a resource cut down, marked as SUBSETTED; as it is when nothing is to be cut.
std::string shaped(std::string body, const Extent& extent);

}  // namespace hygie::records
