#pragma once

#include "base/result.h"

namespace hygie::files {

/// Refuses the calling process, all its threads and all it starts what a guard never does: mounts,
/// kernel modules, other processes' memory, the clock, namespaces. Code::Unavailable when the
/// kernel has no seccomp.
Status confine_guard();
/// … and what it does only while it starts: asking for other processes' page faults.
Status confine_started_guard();

/// Leaves the calling process the calls and the two rights (reading what a call is about, ending a
/// gate that hangs) of a deadman. Not Landlock: it would take the first of them.
Status confine_deadman();

}  // namespace hygie::files
