#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fhir/search/search_query.h"
#include "vault/shelf.h"
#include "vault/vault.h"

/// In which records a search looks.
namespace hygie::vault {

using NumberSet = std::vector<CompartmentNumber>;
void make_set(NumberSet& numbers);

using Opened = Result<std::shared_ptr<const Record>>;
/// Opens a record, or what a search asks of it.
using Opening = std::function<Opened(CompartmentNumber)>;

/// Which records could hold a hit, what decides about one or comes along; the house left out.
struct Candidates {
    NumberSet numbers{};
    bool is_partial = false;  ///< Page::is_partial
};

/// Code::Full when what the query says leaves more than kCandidatesMax that are open to the asker.
Result<Candidates> find_candidates(Shelf& shelf, const fhir::Query& query, const Scope& scope,
                                   Opening open);

/// Of a search in a patient's compartment.
struct Within {
    NumberSet compartment{};  ///< the own record, and those of others who share something
    Candidates beside{};      ///< what these lead to, seen whole: those of others among them
};
/// The same for the compartment of scope.patient.
Result<Within> find_within(Shelf& shelf, const fhir::Query& query, const Scope& scope,
                           const Opening& open);

}  // namespace hygie::vault
