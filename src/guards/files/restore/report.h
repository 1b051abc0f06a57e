#pragma once

#include "guards/files/restore/restore.h"

namespace hygie::files {

/// Writes the signed report of a restore and sets `result.report`.
Status write_report(StoreDoors doors, const std::string& state, const Question* question,
                    RestoreResult& result);

/// One line of a report that undo() needs.
struct ReportedItem {
    std::string path;
    std::string evidence;
    std::string second_name_of;
    Step step = Step::Recreate;
};
/// Checks the signature first: Code::Forged when it does not hold. `id` names a restore, or is the
/// path of a copy of its report.
Result<std::vector<ReportedItem>> read_report(StoreDoors doors, const std::string& state,
                                              const std::string& id);

}  // namespace hygie::files
