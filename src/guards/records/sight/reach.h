#pragma once

#include "fhir/search/search_query.h"
#include "guards/records/desk/desk.h"

/// Searches that could show nothing whatever there is. To answer "none" would be read as "no
/// allergy"; what a token or a role can do is no secret about a patient.
namespace hygie::records {

/// Refuses (403) a search over types, chains and includes among them, that no scope of the asker
/// covers (RFC 6750 §3.1: insufficient_scope), or that the asker's role and profession never open.
Answer<void> check_reach(const Desk& desk, const Call& call, const fhir::Query& query);
/// The same for one type.
Answer<void> check_reach(const Desk& desk, const Call& call, std::string_view type);

}  // namespace hygie::records
