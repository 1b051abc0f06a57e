#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/line/command.h"

/// What people and shells read about the commands, all made from their descriptions.
namespace hygie::app {

/// The page that `hygie PATH --help` shows; the empty path gives the overview.
std::string help_page(Catalog catalog, std::span<const std::string> path, Lang lang);

/// hygie(1) in the man macros, every command included.
std::string man_page(Catalog catalog, Lang lang);

/// The shells that have a completion.
const std::vector<std::string>& shells();
/// A script to source in one of shells(). Complete by itself: needs no other completion package.
std::string completion_script(Catalog catalog, std::string_view shell, Lang lang);

// Shared by the pages:

/// "hygie ledger prove [OPTIONS] DIR INDEX"
std::string usage_line(const Command& command);
/// "-o, --output FILE"
std::string spelling(const Parameter& parameter);
/// The help of a parameter with its choices and default.
std::string explained(const Parameter& parameter, Lang lang);
/// The exit codes and what they mean.
const std::vector<std::pair<int, Text>>& exit_codes();

}  // namespace hygie::app
