#pragma once

namespace hygie::files {

/// How soon a thread of the guard runs when it has something to do. Without the right to ask, it
/// runs like any other.
enum class Urgency {
    Door,   ///< somebody's call waits for each step of it: real time, its steps are short
    Known,  ///< what happened must be known and judged before more happens
};
/// Names the calling thread and sets its priority.
void set_urgency(const char* name, Urgency urgency);

}  // namespace hygie::files
