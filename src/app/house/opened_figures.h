#pragma once

#include <string>
#include <vector>

#include "app/line/context.h"

namespace hygie::app {

/// What answering "who opened my record?" takes on a large ledger.
struct OpenedFigures {
    double entries = 0;  ///< in the ledger
    double p50_ms = 0;   ///< of a usual patient: read, unsealed, put in words, as JSON
    double p95_ms = 0;
    double usual_events = 0;  ///< of that patient, about
    double busy_p95_ms = 0;   ///< the same of a patient whom kBusyEvents events are about
    double fill_seconds = 0;
};
/// Makes a ledger of so many entries below `dir`, which must be empty or absent, and asks it.
Result<OpenedFigures> measure_opened(Context& context, const std::string& dir,
                                     std::uint64_t entries);

}  // namespace hygie::app
