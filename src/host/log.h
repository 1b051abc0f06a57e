#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "host/clock.h"

/// The running log: what the program is doing, for whoever operates it. It is no evidence (that is
/// the ledger) and names nobody: an event has a fixed name, and its fields are numbers, names of
/// machines and failures of ours. There is no way to pass it a string made at run time, so none can
/// slip in.
namespace hygie::log {

enum class Level { Debug, Info, Warning, Error };

struct Settings {
    Level level = Level::Info;
    bool json = false;
    std::string file{};  ///< stderr when empty; rotated at kFileBytesMax, kFilesKept old ones kept
    Lang lang = Lang::Fr;
};

inline constexpr std::size_t kFileBytesMax = 16 << 20;
inline constexpr std::size_t kFilesKept = 5;

/// A name written in the source code.
class Literal {
  public:
    template <std::size_t N>
    consteval Literal(const char (&text)[N]) : text_(text, N - 1) {}
    std::string_view str() const { return text_; }

  private:
    std::string_view text_;
};

/// One named value of an event.
class Field {
  public:
    using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view>;

    template <typename T>
        requires(std::integral<T> || std::floating_point<T>)
    Field(Literal name, T value) : name_(name.str()), value_(widen(value)) {}
    Field(Literal name, Literal value) : name_(name.str()), value_(value.str()) {}
    Field(Literal name, const NodeId& node)
        : name_(name.str()), value_(std::string_view(node.str())) {}
    Field(Literal name, const SourceId& source)
        : name_(name.str()), value_(std::string_view(source.str())) {}
    /// In seconds.
    Field(Literal name, Micros duration)
        : name_(name.str()), value_(std::chrono::duration<double>(duration).count()) {}

    std::string_view name() const { return name_; }
    const Value& value() const { return value_; }

  private:
    template <typename T>
    static Value widen(T value) {
        if constexpr (std::same_as<T, bool>)
            return value;
        else if constexpr (std::floating_point<T>)
            return static_cast<double>(value);
        else if constexpr (std::signed_integral<T>)
            return static_cast<std::int64_t>(value);
        else
            return static_cast<std::uint64_t>(value);
    }

    std::string_view name_;
    Value value_;
};

using Fields = std::initializer_list<Field>;

/// Where events go from now on; before it, warnings and errors go to stderr as text. Call it before
/// other threads start. Code::Io when the file cannot be opened.
Status start(const Settings& settings, Clock& clock);

/// Thread-safe, like all below. `event` says where and what: "link.guard-joined".
void write(Level level, Literal event, Fields fields = {});
/// An event that failed: the error's text follows, in the language of the settings.
void write(Level level, Literal event, const hygie::Error& error, Fields fields = {});

inline void debug(Literal event, Fields fields = {}) {
    write(Level::Debug, event, fields);
}
inline void info(Literal event, Fields fields = {}) {
    write(Level::Info, event, fields);
}
inline void warning(Literal event, Fields fields = {}) {
    write(Level::Warning, event, fields);
}
inline void warning(Literal event, const hygie::Error& error, Fields fields = {}) {
    write(Level::Warning, event, error, fields);
}
inline void error(Literal event, Fields fields = {}) {
    write(Level::Error, event, fields);
}
inline void error(Literal event, const hygie::Error& error, Fields fields = {}) {
    write(Level::Error, event, error, fields);
}

/// One line without its newline, as write() makes it. Pure.
std::string line_of(const Settings& settings, WallTime time, Level level, std::string_view event,
                    const hygie::Error* error, Fields fields);

/// "debug", "info", "warning", "error".
Result<Level> level_named(std::string_view name);

}  // namespace hygie::log
