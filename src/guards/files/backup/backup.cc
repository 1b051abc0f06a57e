#include "guards/files/backup/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "guards/files/judge/judge.h"

namespace hygie::files {
namespace {

using nlohmann::json;

constexpr const char* kRecords = "backup/records";

std::string manifest_name(const std::string& id) {
    return "backup/manifest-" + id;
}

/// A restored file, read when it is examined; none when it was not restored.
ContentPtr restored(Disk& disk, const std::string& target, const std::string& path) {
    auto bytes = disk.read_file(target + path, kWholeBytesMax);
    if (!bytes) return nullptr;
    return std::make_shared<MemoryContent>(std::move(*bytes));
}

/// Evenly over all, so that neither the first folder nor the last decides alone.
std::vector<std::string> sample(const std::vector<std::string>& paths, std::size_t count) {
    if (paths.size() <= count) return paths;
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(paths[i * paths.size() / count]);
    return chosen;
}

/// The judge of single changes, asked about a day's worth of them.
class SnapshotJudge {
  public:
    SnapshotJudge(Disk& disk, Examiner& examiner, const BackupSettings& settings)
        : disk_(disk), judge_(policy_of(settings), examiner) {}

    void compare(const Restic::Difference& difference, const std::string& before,
                 const std::string& after) {
        // New files first: they explain, or condemn, what is gone.
        for (const std::string& path : sample(difference.added, Backup::kSample))
            play(ChangeKind::CloseWrite, path, nullptr, restored(disk_, after, path));
        for (const std::string& path : sample(difference.removed, Backup::kSample))
            play(ChangeKind::Unlink, path, restored(disk_, before, path), nullptr);
        for (const std::string& path : sample(difference.modified, Backup::kSample))
            play(ChangeKind::CloseWrite, path, restored(disk_, before, path),
                 restored(disk_, after, path));
    }
    /// Empty when nothing is wrong.
    const std::vector<event::Reason>& reasons() const { return reasons_; }

  private:
    static Policy policy_of(const BackupSettings& settings) {
        Policy policy;
        policy.canaries = {settings.canaries.begin(), settings.canaries.end()};
        return policy;
    }
    void play(ChangeKind kind, const std::string& path, ContentPtr before, ContentPtr now) {
        if (!before && !now) return;
        Change change;
        change.kind = kind;
        change.actor.process = change.actor.family = {1, 1};
        change.path = path;
        Bytes handle(8);
        store_be(handle.data(), ++number_);
        change.file = {0, 0, handle};
        change.is_new = before == nullptr;
        change.before = std::move(before);
        change.now = std::move(now);
        const Conclusion conclusion = judge_.take(change);
        if (conclusion.rung >= Rung::Freeze) reasons_ = conclusion.verdict.reasons;
    }

    Disk& disk_;
    Judge judge_;
    std::uint64_t number_ = 0;
    std::vector<event::Reason> reasons_;
};

event::Reason reason(const char* id, Text text) {
    return {id, std::move(text), {}};
}

json spell(const BackupRecord& record) {
    json reasons = json::array();
    for (const event::Reason& one : record.reasons)
        reasons.push_back({{"id", one.id}, {"fr", one.text.fr}, {"en", one.text.en}});
    json spelled = {{"snapshot", record.id}, {"at", to_rfc3339(record.at)}, {"files", record.files},
                    {"bytes", record.bytes}, {"promoted", record.promoted}, {"reasons", reasons}};
    if (const auto& drill = record.drill)
        spelled["drill"] = {{"at", to_rfc3339(drill->at)},   {"files", drill->files},
                            {"bytes", drill->bytes},         {"missing", drill->missing},
                            {"differing", drill->differing}, {"moving", drill->moving},
                            {"seconds", drill->seconds}};
    return spelled;
}

BackupRecord read_record(const json& one) {
    const auto time = [](const json& value) {
        return from_rfc3339(value.get<std::string>()).value_or(WallTime{});
    };
    BackupRecord record{.id = one.at("snapshot").get<std::string>(),
                        .at = time(one.at("at")),
                        .files = one.at("files").get<std::uint64_t>(),
                        .bytes = one.at("bytes").get<std::uint64_t>(),
                        .promoted = one.at("promoted").get<bool>(),
                        .reasons = {},
                        .drill = {}};
    for (const json& why : one.at("reasons"))
        record.reasons.push_back(
            {why.at("id").get<std::string>(),
             {why.at("fr").get<std::string>(), why.at("en").get<std::string>()},
             {}});
    if (one.contains("drill")) {
        const json& drill = one.at("drill");
        record.drill = Drill{.at = time(drill.at("at")),
                             .files = drill.at("files").get<std::uint64_t>(),
                             .bytes = drill.at("bytes").get<std::uint64_t>(),
                             .missing = drill.at("missing").get<std::uint64_t>(),
                             .differing = drill.at("differing").get<std::uint64_t>(),
                             .moving = drill.at("moving").get<std::uint64_t>(),
                             .seconds = drill.at("seconds").get<double>()};
    }
    return record;
}

/// The last copy that may be trusted.
BackupRecord* last_promoted(std::vector<BackupRecord>& records) {
    const auto found = std::ranges::find_if(records.rbegin(), records.rend(),
                                            [](const auto& one) { return one.promoted; });
    return found == records.rend() ? nullptr : &*found;
}

/// What changed between two looks is not compared later.
void mark_moving(std::vector<ManifestEntry>& before, const std::vector<ManifestEntry>& after) {
    std::unordered_map<std::string_view, std::string_view> hashes;
    for (const ManifestEntry& entry : after) hashes.emplace(entry.path, entry.sha256);
    for (ManifestEntry& entry : before) {
        const auto now = hashes.find(entry.path);
        entry.settled = now != hashes.end() && now->second == entry.sha256;
    }
}

}  // namespace

std::string print_records(const std::vector<BackupRecord>& records) {
    json all = json::array();
    for (const BackupRecord& record : records) all.push_back(spell(record));
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<BackupRecord>> parse_records(std::string_view text) {
    try {
        std::vector<BackupRecord> records;
        for (const json& one : json::parse(text)) records.push_back(read_record(one));
        return records;
    } catch (const json::exception&) {
        return fail(Code::Corrupt,
                    {"le registre des sauvegardes est abîmé", "the register of backups is damaged"},
                    {"supprimez backup/records ; les copies elles-mêmes restent dans le dépôt",
                     "delete backup/records; the copies themselves stay in the repository"});
    }
}

Result<std::vector<BackupRecord>> Backup::records() {
    if (!folder_.has(kRecords)) return std::vector<BackupRecord>();
    return parse_records(TRY(folder_.read(kRecords)));
}

Status Backup::save(const std::vector<BackupRecord>& records) {
    const std::size_t first = records.size() - std::min(records.size(), kRecordsKept);
    return folder_.write(
        kRecords,
        print_records({records.begin() + static_cast<std::ptrdiff_t>(first), records.end()}));
}

Result<std::vector<event::Reason>> Backup::judge(const BackupSettings& settings,
                                                 const BackupRecord& previous,
                                                 const BackupRecord& fresh) {
    const Restic::Difference difference = TRY(restic_.diff(previous.id, fresh.id));
    if (previous.files >= 10 &&
        difference.removed.size() * 100 > previous.files * kVanishedPercentMax &&
        difference.added.size() < difference.removed.size())
        return std::vector{
            reason("backup.vanished",
                   {fmt::format("{} fichiers sur {} ont disparu depuis la copie d'avant",
                                difference.removed.size(), previous.files),
                    fmt::format("{} files of {} are gone since the copy before",
                                difference.removed.size(), previous.files)})};
    std::vector<std::string> old = sample(difference.removed, kSample);
    const std::vector<std::string> modified = sample(difference.modified, kSample);
    std::vector<std::string> young = sample(difference.added, kSample);
    old.insert(old.end(), modified.begin(), modified.end());
    young.insert(young.end(), modified.begin(), modified.end());
    const std::string before = join(settings.scratch, "before");
    const std::string after = join(settings.scratch, "after");
    if (!old.empty()) TRY_STATUS(restic_.restore(previous.id, before, old));
    if (!young.empty()) TRY_STATUS(restic_.restore(fresh.id, after, young));
    Disk& disk = folder_.disk();
    std::size_t lacking = 0;
    for (const std::string& path : young) lacking += !disk.exists(after + path);
    if (lacking != 0)
        return std::vector{
            reason("backup.sample-missing", {"un échantillon de la copie neuve ne se restaure pas",
                                             "a sample of the new copy does not restore"})};
    SnapshotJudge judge(disk, examiner_, settings);
    judge.compare(difference, before, after);
    return judge.reasons();
}

Result<BackupRecord> Backup::now(const BackupSettings& settings) {
    TRY_STATUS(restic_.ensure());
    std::vector<ManifestEntry> manifest = TRY(take_manifest(folder_.disk(), settings.dirs));
    const Restic::Snapshot snapshot = TRY(restic_.backup(settings.dirs));
    mark_moving(manifest, TRY(take_manifest(folder_.disk(), settings.dirs)));
    TRY_STATUS(folder_.write(manifest_name(snapshot.id), print_manifest(manifest)));
    std::vector<BackupRecord> all = TRY(records());
    BackupRecord fresh{.id = snapshot.id,
                       .at = clock_.now(),
                       .files = snapshot.files,
                       .bytes = snapshot.bytes,
                       .promoted = false,
                       .reasons = {},
                       .drill = {}};
    if (settings.is_under_attack)
        fresh.reasons.push_back(reason(
            "backup.attack", {"le gardien des fichiers a arrêté quelqu'un : rien n'est promu avant "
                              "qu'il soit rendu à la liberté",
                              "the guard of files has somebody stopped: nothing is promoted until "
                              "that is settled"}));
    if (const BackupRecord* previous = last_promoted(all); previous && fresh.reasons.empty())
        fresh.reasons = TRY(judge(settings, *previous, fresh));
    fresh.promoted = fresh.reasons.empty();
    all.push_back(fresh);
    TRY_STATUS(save(all));
    return fresh;
}

Result<BackupRecord> Backup::drill(const BackupSettings& settings) {
    std::vector<BackupRecord> all = TRY(records());
    BackupRecord* record = last_promoted(all);
    if (record == nullptr)
        return fail(Code::NotFound, {"aucune copie promue à éprouver", "no promoted copy to prove"},
                    {"faites d'abord « hygie backup now »", "run 'hygie backup now' first"});
    const auto manifest = TRY(parse_manifest(TRY(folder_.read(manifest_name(record->id)))));
    const SteadyTime start = clock_.steady();
    TRY_STATUS(restic_.check());
    TRY_STATUS(restic_.restore(record->id, settings.scratch));
    Drill drill{.at = clock_.now()};
    std::vector<std::string> roots;
    for (const std::string& dir : settings.dirs) roots.push_back(settings.scratch + dir);
    std::unordered_map<std::string, std::string> hashes;
    for (ManifestEntry& entry : TRY(take_manifest(folder_.disk(), roots)))
        hashes.emplace(entry.path.substr(settings.scratch.size()), entry.sha256);
    for (const ManifestEntry& entry : manifest) {
        const auto found = hashes.find(entry.path);
        if (!entry.settled) {
            ++drill.moving;
            continue;
        }
        ++drill.files;
        drill.bytes += entry.size;
        if (found == hashes.end())
            ++drill.missing;
        else if (found->second != entry.sha256)
            ++drill.differing;
    }
    drill.seconds = std::chrono::duration<double>(clock_.steady() - start).count();
    record->drill = drill;
    BackupRecord proved = *record;
    TRY_STATUS(save(all));
    return proved;
}

}  // namespace hygie::files
