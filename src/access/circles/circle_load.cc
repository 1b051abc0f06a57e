#include "access/circles/circle_load.h"

#include <fmt/format.h>

#include <algorithm>

namespace hygie::access {
namespace {

using fhir::Json;

constexpr int kFoldersDeepMax = 16;

Status add_files(Disk& disk, const std::string& path, int depth, std::vector<std::string>& files) {
    if (depth > kFoldersDeepMax || files.size() > kWorldFilesMax)
        return fail(Code::Full, {"trop de fichiers ou de dossiers", "too many files or folders"},
                    {"donnez un dossier plus petit", "give a smaller folder"});
    for (const DirEntry& entry : TRY(disk.list(path))) {
        const std::string below = join(path, entry.name);
        if (entry.is_dir)
            TRY_STATUS(add_files(disk, below, depth + 1, files));
        else if (entry.name.ends_with(".json") || entry.name.ends_with(".ndjson") ||
                 entry.name.ends_with(".jsonl"))
            files.push_back(below);
    }
    return {};
}

Result<std::vector<std::string>> files_at(Disk& disk, const std::string& path) {
    std::vector<std::string> files;
    if (disk.list(path)) {
        TRY_STATUS(add_files(disk, path, 0, files));
        return files;
    }
    files.push_back(path);
    return files;
}

/// Calls `each` for every object of a text: the text itself, the items of an array, or its lines.
/// How many lines were no JSON.
std::size_t each_object(std::string_view text, const std::function<void(Json)>& each) {
    const auto hand_over = [&](std::string_view one) {
        const auto document = fhir::parse(one);
        if (!document) return false;
        if (!document->root.is_array()) each(document->root);
        for (const Json& item : document->root.items()) each(item);
        return true;
    };
    const auto line_end = text.find('\n');
    const std::string_view first = text.substr(0, line_end);
    const bool lines = line_end != std::string_view::npos && first.starts_with('{') &&
                       first.find_last_of('}') != std::string_view::npos &&
                       fhir::parse(first).has_value();
    if (!lines) return hand_over(text) ? 0 : 1;
    std::size_t bad = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.find_first_not_of(" \t\r") != std::string_view::npos && !hand_over(line)) ++bad;
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return bad;
}

/// Entries of a Bundle, or the thing itself.
void each_in_bundle(Json json, const std::function<void(Json)>& each) {
    const bool wrapped = json["resourceType"].text() == "Bundle" || json["entry"].is_array();
    if (!wrapped) return each(json);
    for (const Json& entry : json["entry"].items()) each(entry["resource"]);
}

}  // namespace

void read_world(std::string_view text, Loaded& into) {
    into.skipped += each_object(text, [&](Json object) {
        if (object["resourceType"].text().empty())
            ++into.skipped;
        else
            read_resource(object, into.facts);
    });
}

Result<Loaded> load_world(Disk& disk, const std::string& path) {
    Loaded loaded;
    for (const std::string& file : TRY(files_at(disk, path))) {
        const Bytes bytes = TRY(disk.read_file(file, kWorldFileBytesMax));
        ++loaded.files;
        read_world(as_text(bytes), loaded);
    }
    if (loaded.facts.resources == 0)
        return fail(Code::BadInput, {"aucune ressource FHIR ici", "no FHIR resource here"},
                    {"donnez des Bundles ou du NDJSON FHIR R4", "give FHIR R4 Bundles or NDJSON"});
    return loaded;
}

Result<LoadedAccesses> load_accesses(Disk& disk, const std::string& path) {
    LoadedAccesses loaded;
    std::size_t number = 0;
    for (const std::string& file : TRY(files_at(disk, path))) {
        const Bytes bytes = TRY(disk.read_file(file, kWorldFileBytesMax));
        loaded.skipped += each_object(as_text(bytes), [&](Json object) {
            each_in_bundle(object, [&](Json one) {
                ++number;
                auto access = parse_access(one);
                if (!access) {
                    ++loaded.skipped;
                    return;
                }
                if (access->id.empty()) access->id = fmt::format("{}", number);
                loaded.accesses.push_back(*std::move(access));
            });
        });
    }
    if (loaded.accesses.empty())
        return fail(Code::BadInput, {"aucun accès lisible ici", "no readable access here"},
                    {"donnez des AuditEvent FHIR, ou des objets avec actor, patient et time",
                     "give FHIR AuditEvents, or objects with actor, patient and time"});
    return loaded;
}

}  // namespace hygie::access
