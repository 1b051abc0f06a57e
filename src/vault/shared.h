#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/search/segment.h"
#include "vault/record.h"

/// Resources that name several patients (an appointment of two, a group, a list) lie in the record
/// of the first; whom else they name is known here, as far as search knows it. The links of a
/// Patient do not count: they say who else that same person is.
namespace hygie::vault {

/// Whether any resource of a piece names more than one.
bool names_several(const fhir::Segment& segment);

/// What of a piece names others than the patient of its record: entries, in sequence, and whom.
std::vector<std::pair<std::size_t, std::string_view>> others_named(const fhir::Segment& segment,
                                                                   std::string_view patient);
/// Whom the newest version of a resource names beside the patient of its record.
std::vector<std::string> others_named(const Record& record, std::string_view type,
                                      std::string_view id);
/// Current resources of a record that name this patient, whoever the record is of.
std::vector<fhir::ResourceEntry> entries_naming(const Record& record, std::string_view patient);
/// Whom a resource names beside that patient which is not stored, or no longer.
std::vector<std::string> others_named(fhir::Json resource, std::string_view patient);

}  // namespace hygie::vault
