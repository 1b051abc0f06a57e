#pragma once

#include <string_view>

namespace hygie {

/// Tells the service manager how we are, by its protocol: "READY=1", "STATUS=…", "STOPPING=1",
/// "WATCHDOG=1" (sd_notify(3)). Nothing happens when no manager asked for it (NOTIFY_SOCKET).
void notify_service(std::string_view state);

}  // namespace hygie
