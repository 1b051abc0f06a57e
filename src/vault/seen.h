#pragma once

#include <deque>

#include "vault/record.h"
#include "vault/vault.h"

namespace hygie::vault {

/// What a search sees of a record: all, but what is hidden from the asker. What had to be made
/// for it goes to `masked`, whose elements stay where they are.
const fhir::Compartment& seen_of(const Record& record, const Scope& scope,
                                 std::deque<fhir::Compartment>& masked);

}  // namespace hygie::vault
