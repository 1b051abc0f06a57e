#pragma once

#include <string>
#include <vector>

#include "guards/records/write/plan.h"

/// One person, one identity: what becomes of a Patient that is written
/// (référentiel INS, référentiel national d'identitovigilance).
namespace hygie::records {

/// What only one of two writers of the same identity may hold at a time (gate.h).
std::vector<std::string> identity_names(const Change& change);

/// Whether the record was merged into another: it keeps its number, and stands for nobody.
bool was_merged(fhir::Json patient);

/// Refuses an INS number that another patient has, in the same words whether that record is open to
/// the writer or not, and strict traits of a qualified identity that change while it stays
/// qualified.
Answer<void> check_identity(Sight& sight, Work& work, const Plan& plan, const Step& step,
                            Issues& issues);

}  // namespace hygie::records
