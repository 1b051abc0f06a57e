#pragma once

#include <memory>
#include <string>

#include "app/house/core.h"

namespace hygie::app {

/// The records door with nothing around it — no TLS, no token, no circle of care, no trace — for
/// `hygie vault bench` alone: what security costs is what Hygie takes beyond this. Sealing of what
/// is stored has no switch, here either.
class BareDoor {
  public:
    static Result<std::unique_ptr<BareDoor>> start(Context& context, Store& store);
    ~BareDoor();

    const std::string& url() const { return server_->url(); }

  private:
    /// Says that what it is given is durable, and forgets it.
    class NoTrace final : public vault::Trace {
      public:
        void submit(std::vector<event::Event> events, std::function<void(Status)> done) override;
        Result<std::uint64_t> last_counter(const SourceId& source, const NodeId& node) override;
    };

    BareDoor() = default;

    NoTrace trace_;
    access::Actor actor_;
    std::unique_ptr<records::Door> door_;
    std::unique_ptr<serve::HttpServer> server_;
};

}  // namespace hygie::app
