#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

/// Every command of `hygie` is described once, by a Command value. Parsing, --help, the man page
/// and the shell completions are all made from that description.
namespace hygie::app {

struct Context;

/// How `hygie` ends. Part of the interface: scripts rely on these numbers.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  ///< a check or verification failed, or the input was refused
inline constexpr int kExitUsage = 2;   ///< the command line makes no sense
inline constexpr int kExitEnvironment =
    3;  ///< disk, network, lock: the same command may succeed later

/// What a parameter's value is: decides how it is checked and how a shell completes it.
enum class Kind {
    Flag,      ///< an option without value
    Text,      ///< anything
    Number,    ///< decimal, within [min, max]
    Duration,  ///< 90s, 15m, 24h, 30d, 10y
    File,      ///< a path; nothing is checked, "-" is for the command to understand
    Dir,       ///< a path of a directory
};

/// An option ("-o,--output") or an argument ("DIR"): the same thing but for its name.
struct Parameter {
    std::string
        name{};  ///< option: spellings, the last one names it in Values; argument: its placeholder
    std::string placeholder{};  ///< option: what stands for the value in help, e.g. "FILE"
    Kind kind = Kind::Text;
    Text help{};
    bool required = false;
    bool many = false;  ///< option: may be repeated; argument: takes all that is left
    std::vector<std::string> choices{};  ///< the only values accepted, when not empty
    std::string by_default{};
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();

    bool is_argument() const { return !name.starts_with('-'); }
    /// The name by which Values knows it: "--output", "DIR".
    std::string_view key() const { return std::string_view(name).substr(name.rfind(',') + 1); }
};

/// A command line that works as written, and what it teaches.
struct Example {
    std::string line;
    Text what;
};

/// One command, or a group of commands when `run` is empty.
struct Command {
    std::vector<std::string> path{};  ///< {"ledger", "append"}
    Text summary{};                   ///< one line, no capital, no full stop
    Text description{};               ///< paragraphs separated by an empty line
    std::vector<Parameter> options{};
    std::vector<Parameter> arguments{};
    std::vector<Example> examples{};
    /// The exit code, or what went wrong: the framework prints the error and picks the code (see
    /// exit_code_of).
    std::function<Result<int>(Context&)> run{};

    bool is_group() const { return !run; }
};

using Catalog = std::span<const Command>;

/// Options every command understands: --lang, --json, --help, --version.
const std::vector<Parameter>& global_options();

/// "hygie ledger append"
std::string full_name(std::span<const std::string> path);
/// The command or group at exactly this path; null when there is none. The empty path names
/// nothing.
const Command* find(Catalog catalog, std::span<const std::string> path);
/// Commands and groups directly below a path, in the order of the catalog.
std::vector<const Command*> children(Catalog catalog, std::span<const std::string> path);

}  // namespace hygie::app
