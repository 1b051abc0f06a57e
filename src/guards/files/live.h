#pragma once

#include <string>

#include "guards/files/keep/history.h"

namespace hygie::files {

/// What a restore would do, by the records and by the disk as it stands: names the records have and
/// the disk has not come back, and so does a file that is no longer what was last kept of it: still
/// open in somebody's hands, or changed when there was no room to keep it. Who did that is not
/// known: when one actor's changes alone are asked for, the records decide alone.
Result<Plan> plan_of(StoreDoors doors, const std::string& state, const History& history,
                     const Question& question);

}  // namespace hygie::files
