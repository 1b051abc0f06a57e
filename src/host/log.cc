#include "host/log.h"

#include <fmt/format.h>

// The only file that knows spdlog: it brings the sinks, the lines are ours.
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace hygie::log {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};

std::string_view name_of(Level level) {
    return kLevels[static_cast<std::size_t>(level)];
}

/// A JSON string; bytes that are no printable ASCII or UTF-8 lead to \u00XX or stay as they are.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (byte < 0x20)
            out += fmt::format("\\u{:04x}", byte);
        else
            out += c;
    }
    return out + "\"";
}

/// Keeps one event on one line, whatever a file name in an error contains.
std::string on_one_line(std::string_view text) {
    std::string out;
    for (char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return out;
}

std::string value_of(const Field& field, bool json) {
    return std::visit(
        [json](const auto& value) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>)
                return json ? quoted(value) : on_one_line(value);
            else
                return fmt::format("{}", value);
        },
        field.value());
}

/// The sinks in force. Replaced by start() only.
struct Output {
    Settings settings{.level = Level::Warning};
    Clock* clock = &real_clock();
    spdlog::logger logger{"hygie", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

    Output() { configure(); }
    void configure() {
        logger.set_pattern("%v");
        logger.set_level(spdlog::level::trace);
        logger.flush_on(spdlog::level::trace);
    }
};

Output& output() {
    static Output instance;
    return instance;
}

}  // namespace

std::string line_of(const Settings& settings, WallTime time, Level level, std::string_view event,
                    const hygie::Error* error, Fields fields) {
    const std::string what = error == nullptr ? "" : error->what.in(settings.lang);
    const std::string remedy = error == nullptr ? "" : error->remedy.in(settings.lang);
    if (settings.json) {
        std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", to_rfc3339(time),
                                       name_of(level), quoted(event));
        for (const Field& field : fields)
            line += fmt::format(",{}:{}", quoted(field.name()), value_of(field, true));
        if (error != nullptr)
            line += fmt::format(R"(,"error":{},"remedy":{})", quoted(what), quoted(remedy));
        return line + "}";
    }
    std::string line = fmt::format("{} {} {}", to_rfc3339(time), name_of(level), event);
    for (const Field& field : fields)
        line += fmt::format(" {}={}", field.name(), value_of(field, false));
    if (error != nullptr)
        line += ": " + on_one_line(what) + (remedy.empty() ? "" : " → " + on_one_line(remedy));
    return line;
}

Status start(const Settings& settings, Clock& clock) {
    try {
        spdlog::sink_ptr sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        if (!settings.file.empty())
            sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                settings.file, kFileBytesMax, kFilesKept);
        output().logger.sinks() = {sink};
    } catch (const spdlog::spdlog_ex&) {
        return fail(Code::Io,
                    {"journal de marche impossible à ouvrir : " + settings.file,
                     "cannot open the running log: " + settings.file},
                    {"créez son répertoire et donnez à ce compte le droit d'y écrire",
                     "make its directory and give this account the right to write there"});
    }
    output().configure();
    output().settings = settings;
    output().clock = &clock;
    return {};
}

void write(Level level, Literal event, Fields fields) {
    if (level < output().settings.level) return;
    output().logger.info(
        line_of(output().settings, output().clock->now(), level, event.str(), nullptr, fields));
}

void write(Level level, Literal event, const hygie::Error& error, Fields fields) {
    if (level < output().settings.level) return;
    output().logger.info(
        line_of(output().settings, output().clock->now(), level, event.str(), &error, fields));
}

Result<Level> level_named(std::string_view name) {
    for (const Level level : {Level::Debug, Level::Info, Level::Warning, Level::Error})
        if (name == name_of(level)) return level;
    return fail(Code::BadInput, {"niveau de journal inconnu", "unknown log level"},
                {"choisissez parmi : debug, info, warning, error",
                 "choose among: debug, info, warning, error"});
}

}  // namespace hygie::log
