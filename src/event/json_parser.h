#pragma once

#include <simdjson.h>

#include "base/check.h"
#include "base/limits.h"

/// For .cc files of this room only: simdjson costs more than a second per file that includes it.
namespace hygie::event {

/// A parser that refuses what is deeper than kJsonDepthMax; callers refuse what is longer than
/// kEventBytesMax. It is simdjson's DOM and not its on-demand reader: only the DOM picks the vector
/// instructions of the CPU at run time.
inline simdjson::dom::parser make_json_parser() {
    simdjson::dom::parser parser;
    const auto error = parser.allocate(limits::kEventBytesMax, limits::kJsonDepthMax);
    HYGIE_CHECK(!error, "no memory for a JSON parser");
    return parser;
}

}  // namespace hygie::event
