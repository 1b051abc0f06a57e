#pragma once

#include <cstdint>

#include "app/line/context.h"
#include "event/ndjson.h"

namespace hygie::app {

/// Who takes events that come line by line.
class LineTaker {
  public:
    virtual ~LineTaker() = default;
    /// Holds the event of this line until the next flush. Code::BadInput when the line is to blame.
    virtual Status take(std::uint64_t line, const event::Event& event) = 0;
    /// Whether it must flush before it takes another.
    virtual bool is_full() const = 0;
    /// Makes durable what it holds, and answers each line on the output.
    virtual Status flush() = 0;
};

/// Reads the input to its end, one event a line (event/ndjson.h), and flushes whenever the input
/// pauses. Stops at the first line that is refused, which the error names; the lines before it are
/// flushed.
Status read_event_lines(Context& context, const event::LineOrigin& origin, LineTaker& taker);

}  // namespace hygie::app
