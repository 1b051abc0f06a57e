#pragma once

#include <string>

#include "base/result.h"
#include "base/sensitive.h"

/// The person in front of the process.
namespace hygie {

/// Whether standard error is a terminal, where a line may be rewritten.
bool stderr_is_terminal();
bool stdout_is_terminal();

/// Asks on the terminal, without echo. Code::Unavailable when the process has no terminal.
Result<Sensitive<std::string>> ask_secret(const std::string& prompt);

/// From now on SIGINT and SIGTERM end the next wait_for_stop_signal() and not the process, and
/// SIGPIPE is ignored: called before saying that a service is ready, so that who stops it then is
/// heard.
void expect_stop_signal();
/// Blocks until SIGINT or SIGTERM. Before the first call of either they end the process as usual.
void wait_for_stop_signal();

}  // namespace hygie
