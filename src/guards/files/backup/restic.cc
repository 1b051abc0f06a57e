#include "guards/files/backup/restic.h"

#include <nlohmann/json.hpp>

namespace hygie::files {
namespace {

using nlohmann::json;

constexpr std::size_t kOutputBytesMax = 512 << 20;

std::unexpected<Error> unreadable() {
    return fail(Code::BadInput,
                {"restic n'a pas répondu comme attendu", "restic did not answer as expected"},
                {"vérifiez sa version : 0.14 ou plus récente", "check its version: 0.14 or later"});
}

/// Calls `take` for every line that is a JSON object.
template <typename Take>
Status each_object(std::string_view lines, Take take) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        if (line.empty()) continue;
        const json object = json::parse(line, nullptr, false);
        if (!object.is_object()) return unreadable();
        take(object);
    }
    return {};
}

std::string text_of(const json& object, const char* name) {
    const auto value = object.find(name);
    return value != object.end() && value->is_string() ? value->get<std::string>() : std::string();
}

std::uint64_t number_of(const json& object, const char* name) {
    const auto value = object.find(name);
    return value != object.end() && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

}  // namespace

Result<Restic::Difference> parse_diff(std::string_view lines) {
    Restic::Difference difference;
    TRY_STATUS(each_object(lines, [&](const json& object) {
        const std::string path = text_of(object, "path");
        const std::string modifier = text_of(object, "modifier");
        if (path.empty() || path.ends_with('/')) return;
        if (modifier == "+") difference.added.push_back(path);
        if (modifier == "-") difference.removed.push_back(path);
        if (modifier.find('M') != std::string::npos) difference.modified.push_back(path);
    }));
    return difference;
}

Result<Restic::Snapshot> parse_backup(std::string_view lines) {
    Restic::Snapshot snapshot;
    TRY_STATUS(each_object(lines, [&](const json& object) {
        if (text_of(object, "message_type") != "summary") return;
        snapshot = {text_of(object, "snapshot_id"), number_of(object, "total_files_processed"),
                    number_of(object, "total_bytes_processed")};
    }));
    if (snapshot.id.empty()) return unreadable();
    return snapshot;
}

std::string escape_pattern(std::string_view path) {
    std::string pattern;
    for (const char c : path) {
        if (std::string_view("\\*?[").find(c) != std::string_view::npos) pattern += '\\';
        pattern += c;
    }
    return pattern;
}

namespace {

/// Why it gave up: its line that begins with "Fatal:", which names the repository without its
/// password and the folders it was given, never what is in them.
std::string last_words(std::string_view said) {
    constexpr std::string_view kFatal = "Fatal: ";
    const auto at = said.rfind(kFatal);
    if (at == std::string_view::npos) return "";
    said.remove_prefix(at + kFatal.size());
    return std::string(said.substr(0, said.find('\n')));
}

std::unexpected<Error> failed(const std::string& verb, const std::string& why) {
    if (why.empty())
        return fail(Code::Unavailable,
                    {"restic a échoué (" + verb + ")", "restic failed (" + verb + ")"},
                    {"lancez la même commande restic à la main pour lire son message",
                     "run the same restic command by hand to read its message"});
    return fail(Code::Unavailable,
                {"restic a échoué (" + verb + ") ; il dit : " + why,
                 "restic failed (" + verb + "); it says: " + why},
                {"vérifiez l'adresse du dépôt, que l'autre machine répond, et le mot de passe",
                 "check the address of the repository, that the other machine answers, and the "
                 "password"});
}

std::unexpected<Error> not_installed() {
    return fail(Code::NotFound, {"restic n'est pas installé", "restic is not installed"},
                {"installez-le : apt install restic", "install it: apt install restic"});
}

}  // namespace

Result<std::string> Restic::run(std::vector<std::string> arguments) {
    std::vector<std::string> argv{"restic", "--repo", repository_, "--password-file",
                                  password_file_};
    for (const std::string& option : options_) argv.insert(argv.end(), {"--option", option});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto ran =
        process_.run(argv, {}, {.timeout = kTimeout, .output_bytes_max = kOutputBytesMax});
    if (!ran && ran.error().code == Code::NotFound) return not_installed();
    const RunOutcome outcome = TRY(ran);
    // 3: the snapshot was made, but some files could not be read; they are missing in its figures.
    constexpr int kSomeUnreadable = 3;
    if (outcome.exit_code != 0 && outcome.exit_code != kSomeUnreadable)
        return failed(arguments.front(), last_words(as_text(outcome.err)));
    return std::string(as_text(outcome.out));
}

/// Locks of a restic that was killed, alone: those of one that lives stay.
void Restic::drop_stale_locks() {
    (void)run({"unlock"});
}

Status Restic::ensure() {
    const auto config = run({"cat", "config"});
    if (config) {
        drop_stale_locks();
        return {};
    }
    // The repository is there then: making it would only fail with another reason.
    if (config.error().what.en.contains("wrong password")) return std::unexpected(config.error());
    if (const auto made = run({"init"}); !made) return std::unexpected(made.error());
    return {};
}

Result<Restic::Snapshot> Restic::backup(const std::vector<std::string>& dirs) {
    std::vector<std::string> arguments{"backup", "--json", "--quiet", "--tag", "hygie"};
    arguments.insert(arguments.end(), dirs.begin(), dirs.end());
    return parse_backup(TRY(run(std::move(arguments))));
}

Result<Restic::Difference> Restic::diff(const std::string& from, const std::string& to) {
    return parse_diff(TRY(run({"diff", "--json", from, to})));
}

Status Restic::restore(const std::string& id, const std::string& target,
                       const std::vector<std::string>& paths) {
    std::vector<std::string> arguments{"restore", id, "--target", target};
    for (const std::string& path : paths)
        arguments.insert(arguments.end(), {"--include", escape_pattern(path)});
    if (const auto restored = run(std::move(arguments)); !restored)
        return std::unexpected(restored.error());
    return {};
}

Status Restic::check() {
    drop_stale_locks();
    if (const auto checked = run({"check"}); !checked) return std::unexpected(checked.error());
    return {};
}

}  // namespace hygie::files
