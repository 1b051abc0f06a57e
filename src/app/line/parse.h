#pragma once

#include <string>
#include <vector>

#include "app/line/context.h"

namespace hygie::app {

/// What a command line asks for. At most one of `help` and `version` matters: help wins.
struct Request {
    std::vector<std::string> path;     ///< the command or group reached; empty for `hygie` alone
    const Command* command = nullptr;  ///< null when the path is empty
    Values values;
    bool help = false;
    bool version = false;
    bool json = false;
};

/// Reads a command line (without the program's name) against the catalog. Every failure is
/// Code::BadInput and says what to write instead.
Result<Request> parse(Catalog catalog, const std::vector<std::string>& args);

/// The language asked for: a --lang that there is anywhere in `args`, else the locale, else French.
/// Never fails, so that even a wrong command line is answered in the person's language.
Lang choose_lang(const std::vector<std::string>& args, Process& process);

/// Whether --json stands anywhere in `args`, for errors found before the command line is
/// understood.
bool wants_json(const std::vector<std::string>& args);

}  // namespace hygie::app
