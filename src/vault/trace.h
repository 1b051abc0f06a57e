#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "event/event.h"

namespace hygie::vault {

/// The door to the ledger. What is submitted is durable before `done` is called; a call back with
/// an error means that nothing of it may be shown. Thread-safe.
class Trace {
  public:
    virtual ~Trace() = default;
    /// Returns at once; `done` is called from another thread.
    virtual void submit(std::vector<event::Event> events, std::function<void(Status)> done) = 0;
    /// The last counter the ledger holds of a source on a node; 0 when it never wrote.
    virtual Result<std::uint64_t> last_counter(const SourceId& source, const NodeId& node) = 0;
};

}  // namespace hygie::vault
