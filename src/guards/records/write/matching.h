#pragma once

#include "guards/records/write/plan.h"

/// Whether a patient is here already, by name, birth, identifiers and telephone: Patient/$match,
/// and a word of warning when one is written a second time.
namespace hygie::records {

/// Warns of records that are open to the writer, or written beside this one, and probably of the
/// same person. For a Patient who is new.
Answer<void> warn_of_likeness(Sight& sight, Work& work, const Plan& plan, const Step& step,
                              Issues& issues);

}  // namespace hygie::records
