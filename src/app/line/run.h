#pragma once

#include <string>
#include <vector>

#include "app/line/context.h"

namespace hygie::app {

/// Runs one command line (without the program's name) and returns the exit code. Prints help,
/// errors and their remedies itself; a command only returns them.
int run(Catalog catalog, const std::vector<std::string>& args, const Outside& outside);

/// The exit code that stands for a failure.
int exit_code_of(Code code);
/// Stable name of a failure in JSON: "bad-input", "not-found"…
std::string_view name_of(Code code);

/// "hygie: what" and "  → remedy" on two lines, or one JSON object.
void print_error(std::ostream& out, const Error& error, Lang lang, bool json);

}  // namespace hygie::app
