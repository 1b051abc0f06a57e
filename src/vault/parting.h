#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/data/json.h"
#include "vault/shelf.h"

/// What a patient shares with others, when that patient is erased: it goes on in a record of the
/// others, without a word of the one who goes. Of resources whose subject that one is, nothing
/// goes on.
namespace hygie::vault {

/// A resource without its references to a patient, each masked (data-absent-reason), and without
/// its narrative.
fhir::Json without_patient(fhir::Arena& arena, fhir::Json resource, std::string_view patient);

/// One resource that goes on, and the version it replaces.
struct Parted {
    std::string type;
    std::string id;
    std::uint32_t version = 0;
    fhir::Document document;
};

/// All that goes on, by the patient whose record it belongs to from then on.
Result<std::map<std::string, std::vector<Parted>>> parted_from(Shelf& shelf,
                                                               std::string_view patient);

/// What others' records still hold of a patient: rows of earlier versions, the record of each. The
/// newest version of none of them speaks of that one any more, or it is Code::Stale.
Result<std::map<CompartmentNumber, std::vector<Key>>> left_with_others(Shelf& shelf,
                                                                       std::string_view patient);

/// Numbers of the records of others in which resources name a patient.
Result<std::vector<CompartmentNumber>> records_naming(Shelf& shelf, std::string_view patient);

}  // namespace hygie::vault
