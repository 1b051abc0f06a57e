#pragma once

#include <string>

#include "base/result.h"
#include "base/sensitive.h"

/// The person in front of the process.
namespace hygie {

/// Whether standard error is a terminal, where a line may be rewritten.
bool stderr_is_terminal();

/// Asks on the terminal, without echo. Code::Unavailable when the process has no terminal.
Result<Sensitive<std::string>> ask_secret(const std::string& prompt);

/// Blocks until SIGINT or SIGTERM. Before the first call they end the process as usual, so a server
/// From now on SIGINT and SIGTERM end the next wait_for_stop_signal() and not the process: before
/// saying that a service is ready, so that who stops it then is heard.
void expect_stop_signal();
/// calls it once it is ready. From then on SIGPIPE is ignored.
void wait_for_stop_signal();

}  // namespace hygie
