#pragma once

#include <functional>
#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/line/command.h"
#include "base/sensitive.h"
#include "base/time.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/fetch.h"
#include "host/process.h"
#include "host/random.h"

namespace hygie::app {

/// The values of a command's parameters, checked against its description. Asking for a parameter
/// that the command does not declare, or for the value of an absent one that has no default, is a
/// mistake of ours and aborts.
class Values {
  public:
    Values(const Command& command,
           std::map<std::string, std::vector<std::string>, std::less<>> given);
    Values() = default;

    /// Written on the command line, or has a default.
    bool has(std::string_view name) const { return !list(name).empty(); }
    bool flag(std::string_view name) const { return has(name); }
    const std::string& text(std::string_view name) const;
    std::uint64_t number(std::string_view name) const;
    Micros duration(std::string_view name) const;
    /// All values of a parameter that may be repeated.
    const std::vector<std::string>& list(std::string_view name) const;

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// The outside of a command: the doors to the machine and the three streams. main() gives the real
/// ones.
struct Outside {
    Disk& disk;
    Clock& clock;
    Random& random;
    Process& process;
    Fetch& fetch;
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool err_is_terminal = false;
    /// Blocks until somebody asks the process to stop (SIGINT, SIGTERM).
    std::function<void()> wait_for_stop;
    /// Hears that from now on, before it is waited for.
    std::function<void()> expect_stop = [] {};
    /// Asks the person for a secret, which is not shown.
    std::function<Result<Sensitive<std::string>>(const std::string& prompt)> ask_secret;
};

/// All that a command may touch.
struct Context : Outside {
    Context(const Outside& outside, Catalog all, Lang language)
        : Outside(outside), catalog(all), lang(language) {}

    Catalog catalog;
    Lang lang;
    bool json = false;
    Values values;

    /// The text in the person's language.
    const std::string& say(const Text& text) const { return text.in(lang); }
};

/// The number that decimal digits spell; Code::BadInput for anything else, signs and blanks
/// included.
Result<std::uint64_t> parse_number(std::string_view text);

}  // namespace hygie::app
