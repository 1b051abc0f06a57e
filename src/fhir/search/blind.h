#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/search_query.h"
#include "fhir/search/segment.h"

/// What may be looked up across patients, and how: terms that the vault turns into keyed tokens.
/// They narrow a search to compartments; the exact search runs over those afterwards. A term is
/// "kind\0value"; equal terms mean equal tokens.
namespace hygie::fhir {

/// Folded names get a term for each of these many first letters; a search of a name uses the
/// longest that it fills, and with fewer letters than the first it is not narrowed.
inline constexpr std::size_t kNamePrefixes[] = {3, 5};
/// Terms of one date range; a range that needs more is not narrowed by its dates.
inline constexpr std::size_t kDateTermsMax = 60;

/// What to write for a resource: nothing for most.
std::vector<std::string> terms(const IndexedResource& resource);

/// The term of a resource that names several patients, for each of them: it is kept with one, and
/// found from all.
std::string patient_term(std::string_view id);

/// How a query is cut down to candidate compartments.
struct Narrowed {
    /// Ids of patients: hits can only be in their records (or in the house, for a type that may
    /// live there). Absent: not said by the query.
    std::optional<std::vector<std::string>> patients;
    /// A resource of several patients is kept with one of them: compartments that have one of these
    /// terms count as well as those of `patients`.
    std::vector<std::string> patient_terms;
    /// A compartment is a candidate when, for each of these, it has one of its terms. Empty: not
    /// narrowed by terms.
    std::vector<std::vector<std::string>> all_of_any;

    bool narrows() const { return patients.has_value() || !all_of_any.empty(); }
};
Narrowed narrow(const Query& query);

}  // namespace hygie::fhir
