#include "guards/files/restore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "guards/files/immutable.h"
#include "guards/files/prover.h"
#include "guards/files/report.h"
#include "guards/files/settle.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Reading back what was restored waits for the disk: more at once than there are processors.
constexpr unsigned kThreads = 8;
constexpr unsigned kRenameExchange = 2;  // RENAME_EXCHANGE
/// For folders, names and the report, when a disk is full.
constexpr std::uint64_t kRoomBytes = 1 << 20;

std::string id_of(WallTime time) {
    return fmt::format("{}", time.time_since_epoch().count());
}

int exchange(const std::string& a, const std::string& b) {
    return static_cast<int>(
        ::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), kRenameExchange));
}

std::unexpected<Error> lost() {
    return fail(Code::NotFound,
                {"les octets de cette version ne sont plus gardés",
                 "the bytes of this version are no longer kept"},
                {"cherchez-les dans la sauvegarde", "look for them in the backup"});
}

/// Applies rights, owner, attributes and times to a path, without following a link.
Status apply_meta(const std::string& path, const FileState& state) {
    const Meta& meta = state.meta;
    struct stat now{};
    if (::lstat(path.c_str(), &now) < 0) return os_failure(errno, "share");
    const bool is_owned = now.st_uid == meta.uid && now.st_gid == meta.gid;
    if (!is_owned && ::lchown(path.c_str(), meta.uid, meta.gid) < 0)
        return os_failure(errno, "share");
    if (state.type != FileType::SymbolicLink) {
        // A change of owner takes rights away.
        if ((!is_owned || (now.st_mode & 07777U) != (meta.mode & 07777U)) &&
            ::chmod(path.c_str(), meta.mode & 07777U) < 0)
            return os_failure(errno, "share");
        char names[4096];
        const ssize_t size = ::llistxattr(path.c_str(), names, sizeof names);
        for (const char* name = names; size > 0 && name < names + size;
             name += std::strlen(name) + 1)
            if (std::ranges::none_of(meta.attributes,
                                     [&](const auto& kept) { return kept.first == name; }))
                (void)::lremovexattr(path.c_str(), name);
        for (const auto& [name, value] : meta.attributes)
            if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) < 0)
                return os_failure(errno, "share");
    }
    const timespec modified{meta.modified_ns / 1'000'000'000, meta.modified_ns % 1'000'000'000};
    const timespec times[2] = {modified, modified};
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
        return os_failure(errno, "share");
    return {};
}

class Restorer {
  public:
    Restorer(const History& history, std::string id, std::vector<VolumeLine> volumes,
             std::shared_ptr<const Packs> packs, Prover prover)
        : history_(&history),
          id_(std::move(id)),
          volumes_(std::move(volumes)),
          packs_(std::move(packs)),
          prover_(std::move(prover)) {}

    /// What was kept lies elsewhere by now.
    void look_at(History now, std::shared_ptr<const Packs> packs) {
        history_ = &newer_.emplace(std::move(now));
        packs_ = std::move(packs);
    }

    /// Where the evidence of one volume lies: on the same file system as the files.
    std::string evidence_dir(std::uint8_t volume) const {
        return parent(volumes_.at(volume).stage) + "/evidence/" + id_;
    }

    /// What is set aside has nowhere to go, and why.
    void miss_evidence(Error why) { no_evidence_ = std::move(why); }
    /// What to say when a volume is full.
    void expect_full(std::uint8_t volume, Error why) { full_.insert_or_assign(volume, why); }

    /// All that was carried out on the volume of this stage outlives a power cut.
    Status settle(Disk& disk, const std::string& stage) { return settling_.end(disk, stage); }

    void carry_out(Outcome& outcome) {
        outcome.problem.reset();
        Status done = step(outcome);
        if (!done && done.error().code == Code::Denied) {
            const Status lifted = lift(outcome);
            if (!lifted)
                done = lifted;
            else if (has_lifted_)
                done = step(outcome);
        }
        outcome.is_done = done.has_value();
        if (done) return;
        const FileState& state = outcome.item.wanted ? *outcome.item.wanted : *outcome.item.now;
        const auto full = full_.find(state.key.volume());
        const bool is_full = done.error().code == Code::Full && full != full_.end();
        outcome.problem = is_full ? full->second : done.error();
        outcome.is_verified = false;
    }

  private:
    /// A folder's flag holds all it has: once lifted for one, the others may go on. One at a time:
    /// who finds the flag gone under its feet must also find that it was lifted.
    Status lift(Outcome& outcome) {
        const std::scoped_lock lock(lifting_);
        outcome.lifted = TRY(lift_immutable(outcome.item.path));
        if (!outcome.lifted.empty()) has_lifted_ = true;
        return {};
    }

    Status step(Outcome& outcome) {
        const PlanItem& item = outcome.item;
        switch (item.step) {
            case Step::SetAside:
                return set_aside(item.path, item.now->key.volume(), outcome);
            case Step::Attributes:
                outcome.is_verified = true;
                return apply_meta(item.path, *item.wanted);
            case Step::Recreate:
            case Step::Replace:
                break;
        }
        switch (item.wanted->type) {
            case FileType::Folder:
                return make_folder(outcome);
            case FileType::SymbolicLink:
                return place(outcome, [&](const std::string& temporary) -> Status {
                    if (::symlink(item.wanted->target.c_str(), temporary.c_str()) < 0)
                        return os_failure(errno, "share");
                    outcome.is_verified = true;
                    return {};
                });
            default:
                return place(outcome, [&](const std::string& temporary) {
                    return make_file(outcome, temporary);
                });
        }
    }

    Status set_aside(const std::string& path, std::uint8_t volume, Outcome& outcome) {
        struct stat info{};
        if (::lstat(path.c_str(), &info) < 0 && errno == ENOENT) return {};
        if (no_evidence_) return std::unexpected(*no_evidence_);
        outcome.evidence = fmt::format("{}/{}", evidence_dir(volume), next_++);
        if (::rename(path.c_str(), outcome.evidence.c_str()) == 0) return {};
        outcome.evidence.clear();
        // Already gone: nothing to set aside.
        if (errno == ENOENT) return {};
        return os_failure(errno, "evidence");
    }

    Status make_folder(Outcome& outcome) {
        const PlanItem& item = outcome.item;
        struct stat info{};
        if (::lstat(item.path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode))
            TRY_STATUS(set_aside(item.path, item.wanted->key.volume(), outcome));
        TRY_STATUS(make_parents(item.path));
        if (::mkdir(item.path.c_str(), 0700) < 0 && errno != EEXIST)
            return os_failure(errno, "share");
        outcome.is_verified = true;
        return apply_meta(item.path, *item.wanted);
    }

    /// Folders that the history does not know are made closed.
    static Status make_parents(const std::string& path) {
        return real_disk().make_dirs(parent(path));
    }

    /// Makes the new one beside, then changes places with what stands there, in one stroke.
    template <typename Make>
    Status place(Outcome& outcome, Make make) {
        const PlanItem& item = outcome.item;
        TRY_STATUS(make_parents(item.path));
        const std::string temporary =
            fmt::format("{}/.hygie-restore-{}-{}", parent(item.path), id_, next_++);
        const auto made = [&]() -> Status {
            TRY_STATUS(make(temporary));
            return apply_meta(temporary, *item.wanted);
        }();
        if (!made) {
            (void)::unlink(temporary.c_str());
            return made;
        }
        struct stat info{};
        if (no_evidence_ && ::lstat(item.path.c_str(), &info) == 0) {
            (void)::unlink(temporary.c_str());
            return std::unexpected(*no_evidence_);
        }
        if (exchange(temporary, item.path) == 0)
            return set_aside(temporary, item.wanted->key.volume(), outcome);
        if (errno == ENOENT && ::rename(temporary.c_str(), item.path.c_str()) == 0) return {};
        const int why = errno;
        (void)::unlink(temporary.c_str());
        return os_failure(why, "share");
    }

    Status make_file(Outcome& outcome, const std::string& temporary) {
        const FileState& wanted = *outcome.item.wanted;
        const UniqueFd to(
            ::open(temporary.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!to) return os_failure(errno, "share");
        if (wanted.size == 0) {
            outcome.is_verified = true;
            outcome.proof = Proof::Hash;
            outcome.hash = to_hex(crypto::sha256({}));
            return {};
        }
        if (const Record* sealed = history_->sealed(wanted.version))
            return from_packs(outcome, *sealed, to);
        return from_stage(outcome, to);
    }

    Status from_stage(Outcome& outcome, const UniqueFd& to) {
        const FileState& wanted = *outcome.item.wanted;
        const Stage stage = TRY(Stage::at(volumes_.at(wanted.key.volume()).stage));
        UniqueFd from = TRY(stage.open_version(wanted.key, wanted.version));
        struct stat info{};
        if (::fstat(from.get(), &info) < 0) return os_failure(errno, "stage");
        const bool is_live = wanted.place == Place::Linked && info.st_nlink > 0 &&
                             !stage.has_bytes(wanted.key, wanted.version);
        const LinkedBytes linked = is_live ? behind_link(wanted, info) : LinkedBytes::Same;
        if (static_cast<std::uint64_t>(info.st_size) != wanted.size || linked == LinkedBytes::Other)
            return lost();
        TRY_STATUS(bring(outcome, std::move(from), to));
        outcome.is_verified = linked == LinkedBytes::Same;
        return {};
    }

    /// What a second name stands for shows the live file: whether that was written since.
    enum class LinkedBytes { Same, Unproven, Other };
    LinkedBytes behind_link(const FileState& wanted, const struct stat& info) {
        const std::int64_t modified_ns = Stamp::of(info).modified_ns;
        if (modified_ns == wanted.meta.modified_ns) return LinkedBytes::Same;
        std::call_once(lasts_known_, [this] {
            for (const Record& record : history_->records()) {
                if (record.kind == RecordKind::Present)
                    lasts_[record.key] = {record.time, record.meta.modified_ns};
                if (record.kind == RecordKind::Attributes)
                    lasts_[record.key].modified_ns = record.meta.modified_ns;
            }
        });
        const auto last = lasts_.find(wanted.key);
        if (last == lasts_.end() || last->second.version != wanted.version)
            return LinkedBytes::Other;
        // Its time was set, and that was told.
        if (last->second.modified_ns == modified_ns) return LinkedBytes::Same;
        // … or not told before its last name went: who would have written to it was held up.
        return info.st_nlink == 1 ? LinkedBytes::Unproven : LinkedBytes::Other;
    }

    Status bring(Outcome& outcome, UniqueFd from, const UniqueFd& to) {
        const FileState& wanted = *outcome.item.wanted;
        const Record* told = history_->hashed(wanted.version);
        Digest digest = TRY(prover_.staged(told));
        // A clone shares its blocks with what was kept: reading them twice tells nothing more.
        if (TRY(cloned(from.get(), to.get())))
            return accept(outcome, told, TRY(read_back(to.get(), std::move(digest))));
        return copy(outcome, *content_of(std::move(from)), to, told, std::move(digest));
    }

    Status from_packs(Outcome& outcome, const Record& sealed, const UniqueFd& to) {
        const ContentPtr kept = packed_content(packs_, sealed.chunks, sealed.size);
        const Record* told = history_->hashed(outcome.item.wanted->version);
        return copy(outcome, *kept, to, told, prover_.sealed(told, sealed));
    }

    Status copy(Outcome& outcome, const Content& kept, const UniqueFd& to, const Record* told,
                Digest digest) {
        const ReadBack again =
            TRY(copy_and_read_back(kept, kept.size(), to.get(), std::move(digest)));
        settling_.copied(to);
        return accept(outcome, told, again);
    }

    /// What was read again has the size that was kept, and is what was told of it.
    Status accept(Outcome& outcome, const Record* told, const ReadBack& again) {
        if (again.size != outcome.item.wanted->size) return unequal();
        const Proven proven = TRY(prover_.judge(told, again));
        outcome.proof = proven.proof;
        outcome.is_sparse = again.is_sparse;
        outcome.hash = to_hex(proven.hash);
        outcome.is_verified = true;
        return {};
    }

    const History* history_;
    std::optional<History> newer_;
    std::string id_;
    std::vector<VolumeLine> volumes_;
    std::shared_ptr<const Packs> packs_;
    Prover prover_;
    Settling settling_;
    std::atomic<std::uint64_t> next_ = 1;
    std::mutex lifting_;
    std::atomic<bool> has_lifted_ = false;
    std::optional<Error> no_evidence_;
    std::map<std::uint8_t, Error> full_;
    struct Last {
        VersionId version = 0;
        std::int64_t modified_ns = 0;
    };
    std::once_flag lasts_known_;
    std::unordered_map<FileKey, Last, FileKeyHash> lasts_;
};

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
                            const std::vector<VolumeLine>& volumes) {
    for (const VolumeLine& volume : volumes) {
        const Error full = full_disk(plan, volume);
        restorer.expect_full(volume.number, full);
        const Status made = doors.disk.make_dirs(restorer.evidence_dir(volume.number));
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

/// Names to set aside go first and from the leaves up; folders come back before what they hold;
/// files then, on several threads; rights of folders last, for their times.
void run(StoreDoors doors, const std::string& state, Restorer& restorer,
         std::vector<Outcome>& outcomes) {
    const auto is_file = [](const Outcome& o) {
        return (o.item.step == Step::Recreate || o.item.step == Step::Replace) &&
               o.item.wanted->type != FileType::Folder;
    };
    for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it)
        if (it->item.step == Step::SetAside) restorer.carry_out(*it);
    for (Outcome& outcome : outcomes)
        if (outcome.item.step != Step::SetAside && outcome.item.step != Step::Attributes &&
            !is_file(outcome))
            restorer.carry_out(outcome);
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i)
        threads.emplace_back([&] {
            for (std::size_t at = next++; at < outcomes.size(); at = next++)
                if (is_file(outcomes[at])) restorer.carry_out(outcomes[at]);
        });
    threads.clear();
    // What cannot be read anew is said of each file already.
    (void)try_again(doors, state, restorer, outcomes);
    for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it) {
        if (it->item.step == Step::Attributes) restorer.carry_out(*it);
        const bool is_folder = it->item.wanted && it->item.wanted->type == FileType::Folder;
        if (is_folder && it->is_done) (void)apply_meta(it->item.path, *it->item.wanted);
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
void settle(StoreDoors doors, Restorer& restorer, const std::vector<VolumeLine>& volumes,
            RestoreResult& result) {
    for (const VolumeLine& volume : volumes) {
        if (!doors.disk.exists(volume.stage)) continue;
        const Status settled = restorer.settle(doors.disk, volume.stage);
        if (!settled) result.unreported = settled.error();
    }
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
    make_room_for_evidence(doors, restorer, plan, volumes);
    for (const PlanItem& item : plan.items) result.outcomes.emplace_back().item = item;
    run(doors, state, restorer, result.outcomes);
    count(result);
    settle(doors, restorer, volumes, result);
    result.ended = doors.clock.now();
    report(doors, state, result);
    return result;
}

Result<RestoreResult> undo(StoreDoors doors, const std::string& state, const std::string& id) {
    const std::vector<ReportedItem> items = TRY(read_report(doors, state, id));
    RestoreResult result;
    result.began = doors.clock.now();
    result.id = id_of(result.began);
    for (auto it = items.rbegin(); it != items.rend(); ++it) {
        Outcome outcome;
        outcome.item.path = it->path;
        outcome.item.step = it->evidence.empty() ? Step::SetAside : Step::Replace;
        const std::string aside = it->evidence.empty() ? std::string() : it->evidence;
        if (it->step == Step::Attributes || aside.empty()) continue;
        if (exchange(aside, it->path) == 0) {
            outcome.evidence = aside;
            outcome.is_done = true;
        } else if (errno == ENOENT && ::rename(aside.c_str(), it->path.c_str()) == 0) {
            outcome.is_done = true;
        } else {
            outcome.problem = os_failure(errno, "evidence").error();
        }
        result.outcomes.push_back(std::move(outcome));
    }
    count(result);
    result.ended = doors.clock.now();
    report(doors, state, result);
    return result;
}

}  // namespace hygie::files
