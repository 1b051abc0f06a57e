#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/disk.h"

/// The configuration file of `hygie serve` (TOML). Every setting is declared once, in
/// config_table.cc: from that table come the reading, the checks and the commented file that `hygie
/// config default` prints.
namespace hygie::app {

/// A file that must be there when it is named; empty means not used.
struct ExistingFile {
    std::string path;
    bool operator==(const ExistingFile&) const = default;
};

/// An absolute path that Hygie makes when it is not there; empty means not used.
struct OwnPath {
    std::string path;
    bool operator==(const OwnPath&) const = default;
};

/// "host:port" or "[v6]:port"; empty means not used.
struct Address {
    std::string text;
    bool operator==(const Address&) const = default;
};

/// The values in force: the defaults stand here, the file replaces them.
struct Config {
    struct Node {
        std::string name;
        OwnPath state{"/var/lib/hygie"};
    } node;
    struct Ledger {
        OwnPath dir{"/var/lib/hygie/ledger"};
        std::string origin;
        Micros checkpoint_interval = std::chrono::seconds(1);
        Micros heartbeat = std::chrono::seconds(10);
        std::uint64_t batch_window_us = 1000;
        struct Retention {
            Micros trace_1y = std::chrono::days(365);
            Micros control_3y = std::chrono::days(3 * 365);
            Micros record_10y = std::chrono::days(10 * 365);
            Micros record_20y = std::chrono::days(20 * 365);
        } retention;
    } ledger;
    struct Witness {
        ExistingFile policy;
        struct Own {
            Address listen;
            OwnPath state{"/var/lib/hygie/witness"};
        } own;
    } witness;
    struct Link {
        OwnPath socket{"/run/hygie/link.sock"};
        std::vector<std::uint64_t> allowed_uids{0};
        Address listen;
        ExistingFile cert, key, ca;
    } link;
    struct Export {
        Address target;
        ExistingFile ca;
        std::string format = "syslog";
    } exporting;
    struct Serve {
        Address listen{"127.0.0.1:8443"};
        std::string url;
        ExistingFile cert, key;
        std::string tls = "1.3";
    } serve;
    struct Records {
        std::string profiles;
        std::string completeness = "lenient";
        std::string practice = "office";
        std::string time_zone;
        std::string notify;
    } records;
    struct SignIn {
        std::string issuer, client;
        ExistingFile secret;
        std::string scope = "openid", parameters, auth = "oidc", button_fr, button_en;
    } sign_in;
    struct Log {
        std::string level = "info";
        std::string format = "text";
        OwnPath file;
    } log;
};

/// Where a value lives in a Config; the alternative is also its type in the file.
using Field = std::variant<std::string*, ExistingFile*, OwnPath*, Address*, Micros*, std::uint64_t*,
                           std::vector<std::uint64_t>*>;

/// One setting.
struct Setting {
    std::string key;  ///< "ledger.retention.trace_1y"
    Field (*field)(Config&);
    Text help;
    std::string unit{};                  ///< of a number, e.g. "µs"
    std::string example{};               ///< shown, commented out, when the default is empty
    std::vector<std::string> choices{};  ///< of a text
    /// Bounds of a number, or of a duration in microseconds; both 0 means any.
    std::uint64_t min = 0;
    std::uint64_t max = 0;

    /// Whether anything reads it: `hygie serve` its own three sections. The others are understood,
    /// since files of former versions have them, and change nothing.
    bool counts() const {
        return section() == "serve" || section() == "records" || section() == "sign_in";
    }
    std::string_view section() const { return std::string_view(key).substr(0, key.rfind('.')); }
    std::string_view name() const { return std::string_view(key).substr(key.rfind('.') + 1); }
};

/// Every setting, section by section.
const std::vector<Setting>& settings();

/// Values that are right one by one and wrong together.
struct Contradiction {
    std::string key;  ///< the setting to point at
    bool (*holds)(const Config&);
    Text what;
    Text remedy;
};
const std::vector<Contradiction>& contradictions();

/// Something wrong in a configuration file. Line and column count from 1.
struct ConfigIssue {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    Text what;
    Text remedy;
};

/// The file read, and all that is wrong with it in the order of the file: the values count only
/// when nothing is.
struct CheckedConfig {
    Config config;
    std::vector<ConfigIssue> issues;
    std::vector<std::string> idle;  ///< settings that the file changes and nothing reads
};

/// A larger file is no configuration.
inline constexpr std::size_t kConfigBytesMax = 1 << 20;

/// Reads a configuration text. `disk` is asked only whether the files it names exist.
CheckedConfig check_config(std::string_view text, Disk& disk);

/// The configuration in a file, for commands that need it right: Code::BadInput names the first
/// issue and where.
Result<CheckedConfig> load_config(Disk& disk, const std::string& path);

/// That a setting of that file is one of CheckedConfig::idle.
Text idle_warning(const std::string& path, const std::string& key);

/// A file with every setting that counts at its default, explained in one language; check_config()
/// finds nothing wrong in it.
std::string default_config(Lang lang);

/// What type a setting has, for a person: "durée (90s, 15m, 24h, 30d, 10y), de 1s à 1h".
Text type_of(const Setting& setting);

/// "90s", "1h", "365d" → "1y": the shortest spelling that parse_duration() reads back, for whole
/// seconds.
std::string to_duration(Micros duration);

}  // namespace hygie::app
