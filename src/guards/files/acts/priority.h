#pragma once

#include <sys/types.h>

#include <optional>

namespace hygie::files {

/// How soon a thread of the guard runs when it has something to do. Without the right to ask, it
/// runs like any other.
enum class Urgency {
    Door,   ///< somebody's call waits for each step of it: real time, its steps are short
    Known,  ///< what happened must be known and judged before more happens
};
/// Names the calling thread and sets its priority.
void set_urgency(const char* name, Urgency urgency);
/// Another thread of ours, which may be asleep, is wanted as one at the door is; it sets its own
/// urgency when it wakes.
void raise_urgency(pid_t thread);

/// Keeps the calling thread on one processor; with none it goes wherever it could before. Whoever
/// waits in real time on the processor of another is there before that one does anything more.
void run_beside(std::optional<int> processor);

/// Lets another thread of ours go wherever the process may.
void run_anywhere(pid_t thread);

/// When the machine runs out of memory the kernel ends others before this process and those it
/// forks from here on; unless it is itself who takes nearly all.
void outlive_others();

}  // namespace hygie::files
