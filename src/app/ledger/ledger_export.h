#pragma once

#include <memory>
#include <vector>

#include "app/line/context.h"
#include "event/event.h"
#include "event/place.h"

namespace hygie::app {

/// Where exported events go, and in which words: a file or standard output, or a syslog collector
/// over TLS.
class Exporter {
  public:
    virtual ~Exporter() = default;
    /// --format, --output, --to, --ca, --cert, --key
    static std::vector<Parameter> options();
    static Result<std::unique_ptr<Exporter>> open(Context& context);

    virtual Status write(const event::Event& event, const event::Place& place) = 0;
    /// On success all that was written has left.
    virtual Status close() = 0;
};

}  // namespace hygie::app
