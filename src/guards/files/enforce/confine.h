#pragma once

#include "base/result.h"

namespace hygie::files {

/// Refuses the calling process, all its threads and all it starts what a guard never does: mounts,
/// kernel modules, other processes' memory, the clock, namespaces. Code::Unavailable when the
/// kernel has no seccomp. It may ask for other processes' page faults (gate/faults.h): where they
/// touch memory, not what is there.
Status confine_guard();

/// Leaves the calling process the calls and the two rights (reading what a call is about, ending a
/// gate that hangs) of a deadman. Not Landlock: it would take the first of them.
Status confine_deadman();

}  // namespace hygie::files
