#pragma once

#include <memory>
#include <string>

#include "app/line/context.h"
#include "guards/files/enforce/enforcer.h"
#include "link/guard_link.h"
#include "link/spool.h"

namespace hygie::app {

/// Where the guard of files leaves its events: durable in its state folder at once, at the core
/// when it is there.
class FilesSpool {
  public:
    /// `secret` is the state folder's.
    static Result<std::unique_ptr<FilesSpool>> open(Context& context, const std::string& dir,
                                                    const crypto::Secret32& secret);
    /// Begins to deliver to the core behind a socket of this machine; `obey` takes its orders.
    void connect(Context& context, const std::string& core, link::GuardSession::Obey obey);

    files::EventSink sink();

  private:
    FilesSpool() = default;

    std::unique_ptr<link::Spool> spool_;
    std::unique_ptr<link::GuardLink> link_;
};

}  // namespace hygie::app
