#include "guards/files/restore/restore.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <set>
#include <thread>

#include "guards/files/restore/across.h"
#include "guards/files/restore/report.h"
#include "guards/files/restore/restorer.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Reading back what was restored waits for the disk, behind what an attacker wrote a moment ago
/// and is on its way there: many more at once than there are processors.
constexpr unsigned kThreads = 32;
/// For folders, names and the report, when a disk is full.
constexpr std::uint64_t kRoomBytes = 1 << 20;

std::string id_of(WallTime time) {
    return fmt::format("{}", time.time_since_epoch().count());
}

/// How much room a plan takes on one volume: with clones it takes less.
Error full_disk(const Plan& plan, const VolumeLine& volume) {
    std::uint64_t wanted = kRoomBytes;
    for (const PlanItem& item : plan.items)
        if ((item.step == Step::Recreate || item.step == Step::Replace) &&
            item.wanted->key.volume() == volume.number)
            wanted += item.wanted->size;
    struct statvfs room{};
    const std::uint64_t free =
        ::statvfs(parent(volume.stage).c_str(), &room) == 0 ? room.f_bavail * room.f_frsize : 0;
    const std::uint64_t missing = wanted > free ? wanted - free : kRoomBytes;
    const std::string where = parent(volume.stage);
    return fail(Code::Full,
                {fmt::format("le disque qui porte {} est plein : il faut y libérer {} octets",
                             where, missing),
                 fmt::format("the disk that holds {} is full: {} bytes must be freed on it", where,
                             missing)},
                {"effacez ou déplacez ce qui l'a rempli (« du -x » montre les plus gros fichiers, "
                 "« hygie "
                 "files plan » ceux du partage), puis recommencez la même restauration",
                 "delete or move what filled it ('du -x' shows the largest files, 'hygie files "
                 "plan' "
                 "those of the share), then say the same restore again"})
        .error();
}

void make_room_for_evidence(StoreDoors doors, Restorer& restorer, const Plan& plan,
                            const std::vector<VolumeLine>& volumes, const crypto::Secret32& key) {
    for (const VolumeLine& volume : volumes) {
        const Error full = full_disk(plan, volume);
        restorer.expect_full(volume.number, full);
        const std::string dir = restorer.evidence_dir(volume.number);
        if (doors.disk.rename(next_evidence_dir(volume.stage), dir)) {
            if (auto list = PlacedList::open(dir, placed_key(key)))
                restorer.tell_in(volume.number, std::move(*list));
            continue;
        }
        const Status made = doors.disk.make_dirs(dir);
        if (!made) restorer.miss_evidence(made.error().code == Code::Full ? full : made.error());
    }
}

/// A guard at work packs what it had staged, whenever it is time to: what is not found where the
/// history said is looked for once more, where it lies now.
Status try_again(StoreDoors doors, const std::string& state, Restorer& restorer,
                 std::vector<Outcome>& outcomes) {
    const auto is_missing = [](const Outcome& outcome) {
        return outcome.problem && outcome.problem->code == Code::NotFound;
    };
    if (std::ranges::none_of(outcomes, is_missing)) return {};
    History now = TRY(History::read(doors, state));
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Refuse));
    auto packs = TRY(Packs::open_to_read(doors.disk, StatePaths(state).packs, key));
    restorer.look_at(std::move(now), std::move(packs));
    for (Outcome& outcome : outcomes)
        if (is_missing(outcome)) restorer.carry_out(outcome);
    return {};
}

/// On several threads.
void carry_out_all(Restorer& restorer, const std::vector<Outcome*>& outcomes) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min<std::size_t>(kThreads, outcomes.size()); ++i)
        threads.emplace_back([&] {
            for (std::size_t at = next++; at < outcomes.size(); at = next++)
                restorer.carry_out(*outcomes[at]);
        });
}

/// Names to set aside go first and from the leaves up; folders come back before what they hold;
/// rights of files that stand, then files, of one with several names the first before the others;
/// rights of folders last, for their times.
void run(StoreDoors doors, const std::string& state, Restorer& restorer,
         std::vector<Outcome>& outcomes) {
    const auto is_file = [](const Outcome& o) {
        return (o.item.step == Step::Recreate || o.item.step == Step::Replace) &&
               o.item.wanted->type != FileType::Folder;
    };
    const auto is_folder = [](const Outcome& o) {
        return o.item.step != Step::SetAside && o.item.wanted->type == FileType::Folder;
    };
    for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it)
        if (it->item.step == Step::SetAside) restorer.carry_out(*it);
    for (Outcome& outcome : outcomes)
        if (outcome.item.step != Step::SetAside && outcome.item.step != Step::Attributes &&
            !is_file(outcome))
            restorer.carry_out(outcome);
    for (Outcome& outcome : outcomes)
        if (outcome.item.step == Step::Attributes && !is_folder(outcome))
            restorer.carry_out(outcome);
    std::vector<Outcome*> first;
    std::vector<Outcome*> second;
    std::set<std::pair<FileKey, VersionId>> met;
    for (Outcome& outcome : outcomes) {
        if (!is_file(outcome)) continue;
        const FileState& wanted = *outcome.item.wanted;
        const bool is_first =
            outcome.item.beside.empty() || met.emplace(wanted.key, wanted.version).second;
        (is_first ? first : second).push_back(&outcome);
    }
    carry_out_all(restorer, first);
    carry_out_all(restorer, second);
    // What cannot be read anew is said of each file already.
    (void)try_again(doors, state, restorer, outcomes);
    for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it) {
        if (!is_folder(*it)) continue;
        if (it->item.step == Step::Attributes) restorer.carry_out(*it);
        if (it->is_done) (void)apply_meta(it->item.path, *it->item.wanted);
    }
}

void count(RestoreResult& result) {
    for (const Outcome& outcome : result.outcomes) {
        outcome.is_done ? ++result.done : ++result.failed;
        if (outcome.is_verified && outcome.item.wanted) result.bytes += outcome.item.wanted->size;
    }
}

/// What the report says outlives a power cut: all is on the disk before it is signed. What lay on
/// its way to the disk in what was set aside goes there when the kernel wants.
void settle(StoreDoors doors, Settling& settling, const std::vector<VolumeLine>& volumes,
            RestoreResult& result) {
    for (const VolumeLine& volume : volumes) {
        if (!doors.disk.exists(volume.stage)) continue;
        const Status settled = settling.end(doors.disk, volume.stage);
        if (!settled) result.unreported = settled.error();
    }
}

/// One more name of a file that stands would show what is written there later: it is no evidence.
void drop_live_evidence(StoreDoors doors, RestoreResult& result) {
    for (Outcome& outcome : result.outcomes)
        if (is_one_file(outcome.evidence, outcome.second_name_of) &&
            doors.disk.remove(outcome.evidence))
            outcome.evidence.clear();
}

/// What is done is done: a report that cannot be written does not hide it.
void report(StoreDoors doors, const std::string& state, RestoreResult& result) {
    if (result.unreported) return;
    const Status written = write_report(doors, state, nullptr, result);
    if (written) return;
    result.report.clear();
    result.unreported = written.error();
}

}  // namespace

Result<RestoreResult> restore(StoreDoors doors, const std::string& state, const History& history,
                              const Plan& plan, Hashing hashing) {
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Refuse));
    RestoreResult result;
    result.began = doors.clock.now();
    result.id = id_of(result.began);
    auto volumes = TRY(read_volumes(doors.disk, state));
    std::shared_ptr<const Packs> packs =
        TRY(Packs::open_to_read(doors.disk, StatePaths(state).packs, key));
    Restorer restorer(history, result.id, volumes, std::move(packs), Prover(key, hashing));
    make_room_for_evidence(doors, restorer, plan, volumes, key);
    for (const PlanItem& item : plan.items) result.outcomes.emplace_back().item = item;
    run(doors, state, restorer, result.outcomes);
    count(result);
    settle(doors, restorer.settling(), volumes, result);
    result.ended = doors.clock.now();
    report(doors, state, result);
    return result;
}

Result<RestoreResult> undo(StoreDoors doors, const std::string& state, const std::string& id) {
    const std::vector<ReportedItem> items = TRY(read_report(doors, state, id));
    const auto volumes = TRY(read_volumes(doors.disk, state));
    RestoreResult result;
    result.began = doors.clock.now();
    result.id = id_of(result.began);
    Settling settling;
    for (auto it = items.rbegin(); it != items.rend(); ++it) {
        Outcome outcome;
        outcome.item.path = it->path;
        outcome.item.step = it->evidence.empty() ? Step::SetAside : Step::Replace;
        const std::string& aside = it->evidence;
        if (it->step == Step::Attributes || aside.empty()) continue;
        const std::string beside = fmt::format("{}/.hygie-restore-{}", parent(it->path), result.id);
        const Status done = swap(aside, it->path, beside, settling);
        outcome.is_done = done.has_value();
        if (!done) outcome.problem = done.error();
        // What the restore had brought lies there now.
        if (done && doors.disk.exists(aside)) outcome.evidence = aside;
        outcome.second_name_of = it->second_name_of;
        result.outcomes.push_back(std::move(outcome));
    }
    drop_live_evidence(doors, result);
    count(result);
    settle(doors, settling, volumes, result);
    result.ended = doors.clock.now();
    report(doors, state, result);
    return result;
}

}  // namespace hygie::files
