#pragma once

#include <string>
#include <vector>

#include "guards/records/plan.h"

/// One person, one identity: what becomes of a Patient that is written
/// (référentiel INS, référentiel national d'identitovigilance).
namespace hygie::records {

/// What only one of two writers of the same identity may hold at a time (gate.h).
std::vector<std::string> identity_names(const Change& change);

/// Refuses an INS number that another patient has, and strict traits of a qualified identity that
/// change while it stays qualified. A number of a patient who is closed to the writer is no
/// secret to give away: it is written, and the ledger says so (true).
Answer<bool> check_identity(Sight& sight, Work& work, const Plan& plan, const Step& step,
                            Issues& issues);

}  // namespace hygie::records
