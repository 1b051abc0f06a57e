#include "guards/files/restore/restorer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "guards/files/restore/across.h"
#include "guards/files/restore/immutable.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr unsigned kRenameNoReplace = 1;  // RENAME_NOREPLACE
constexpr unsigned kRenameExchange = 2;   // RENAME_EXCHANGE
/// What a folder gives to the files that are made in it, and to no file that is moved there.
constexpr int kGivenFlags = FS_COMPR_FL | FS_NOCOMP_FL | FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL |
                            FS_NOCOW_FL | FS_DAX_FL | FS_PROJINHERIT_FL | FS_ENCRYPT_FL;

/// Somebody else may make or take away the same names meanwhile.
constexpr int kTriesMax = 8;

int rename_at(const std::string& from, const std::string& to, unsigned flags) {
    return static_cast<int>(
        ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

std::unexpected<Error> lost() {
    return fail(Code::NotFound,
                {"les octets de cette version ne sont plus gardés",
                 "the bytes of this version are no longer kept"},
                {"cherchez-les dans la sauvegarde", "look for them in the backup"});
}

/// A name that is not followed, or the open file that has it, which is reached sooner.
class Subject {
  public:
    Subject(const std::string& path, int fd) : path_(path), fd_(fd) {}

    int stat(struct stat& info) const {
        return is_open() ? ::fstat(fd_, &info) : ::lstat(path_.c_str(), &info);
    }
    int own(uid_t uid, gid_t gid) const {
        return is_open() ? ::fchown(fd_, uid, gid) : ::lchown(path_.c_str(), uid, gid);
    }
    int set_mode(mode_t mode) const {
        return is_open() ? ::fchmod(fd_, mode) : ::chmod(path_.c_str(), mode);
    }
    ssize_t list(std::span<char> names) const {
        return is_open() ? ::flistxattr(fd_, names.data(), names.size())
                         : ::llistxattr(path_.c_str(), names.data(), names.size());
    }
    void remove(const char* name) const {
        (void)(is_open() ? ::fremovexattr(fd_, name) : ::lremovexattr(path_.c_str(), name));
    }
    int set(const std::string& name, const Bytes& value) const {
        return is_open() ? ::fsetxattr(fd_, name.c_str(), value.data(), value.size(), 0)
                         : ::lsetxattr(path_.c_str(), name.c_str(), value.data(), value.size(), 0);
    }
    int set_times(const timespec (&times)[2]) const {
        return is_open() ? ::futimens(fd_, times)
                         : ::utimensat(AT_FDCWD, path_.c_str(), times, AT_SYMLINK_NOFOLLOW);
    }

  private:
    bool is_open() const { return fd_ >= 0; }

    const std::string& path_;
    int fd_;
};

Status apply_attributes(const Subject& subject, const Meta& meta) {
    char names[4096];
    const ssize_t size = subject.list(names);
    for (const char* name = names; size > 0 && name < names + size; name += std::strlen(name) + 1)
        if (std::ranges::none_of(meta.attributes,
                                 [&](const auto& kept) { return kept.first == name; }))
            subject.remove(name);
    for (const auto& [name, value] : meta.attributes)
        if (subject.set(name, value) < 0) return os_failure(errno, "share");
    return {};
}

/// Rights, owner, attributes and times. Each that is set is a transaction of the file system and an
/// event for the guard: what is right already is left alone.
Status describe(const Subject& subject, const FileState& state) {
    const Meta& meta = state.meta;
    struct stat now{};
    if (subject.stat(now) < 0) return os_failure(errno, "share");
    const bool is_owned = now.st_uid == meta.uid && now.st_gid == meta.gid;
    if (!is_owned && subject.own(meta.uid, meta.gid) < 0) return os_failure(errno, "share");
    if (state.type != FileType::SymbolicLink) {
        // A change of owner takes rights away.
        if ((!is_owned || (now.st_mode & 07777U) != (meta.mode & 07777U)) &&
            subject.set_mode(meta.mode & 07777U) < 0)
            return os_failure(errno, "share");
        TRY_STATUS(apply_attributes(subject, meta));
    }
    const timespec modified{meta.modified_ns / 1'000'000'000, meta.modified_ns % 1'000'000'000};
    if (subject.set_times({modified, modified}) < 0) return os_failure(errno, "share");
    return {};
}

}  // namespace

int exchange(const std::string& a, const std::string& b) {
    return rename_at(a, b, kRenameExchange);
}

Status apply_meta(const std::string& path, const FileState& state) {
    return describe(Subject(path, -1), state);
}

void Restorer::carry_out(Outcome& outcome) {
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

/// A folder's flag holds all it has: once lifted for one, the others may go on. One at a time: who
/// finds the flag gone under its feet must also find that it was lifted.
Status Restorer::lift(Outcome& outcome) {
    const std::scoped_lock lock(lifting_);
    outcome.lifted = TRY(lift_immutable(outcome.item.path));
    if (!outcome.lifted.empty()) has_lifted_ = true;
    return {};
}

Status Restorer::step(Outcome& outcome) {
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
            return place(outcome,
                         [&](const std::string& made) { return make_link(outcome, made); });
        default:
            return place(outcome, [&](const std::string& made) -> Result<Made> {
                return as_second_name(outcome, made, TRY(make_file(outcome, made)));
            });
    }
}

std::string Restorer::next_aside(std::uint8_t volume) {
    return fmt::format("{}/{}", evidence_dir(volume), next_++);
}

Status Restorer::set_aside(const std::string& path, std::uint8_t volume, Outcome& outcome) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) < 0 && errno == ENOENT) return {};
    if (no_evidence_) return std::unexpected(*no_evidence_);
    const std::string aside = next_aside(volume);
    const Status carried = carry(path, aside, settling_);
    if (carried) outcome.evidence = aside;
    // Already gone: nothing to set aside.
    return carried || carried.error().code == Code::NotFound ? Status() : carried;
}

Status Restorer::make_folder(Outcome& outcome) {
    const PlanItem& item = outcome.item;
    struct stat info{};
    if (::lstat(item.path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode))
        TRY_STATUS(set_aside(item.path, item.wanted->key.volume(), outcome));
    TRY_STATUS(real_disk().make_dirs(parent(item.path)));
    if (::mkdir(item.path.c_str(), 0700) < 0 && errno != EEXIST) return os_failure(errno, "share");
    outcome.is_verified = true;
    return apply_meta(item.path, *item.wanted);
}

/// Such as not to be copied on write, or to be compressed.
bool Restorer::gives_flags(const std::string& dir) {
    const std::scoped_lock lock(folders_mutex_);
    const auto [known, is_new] = giving_.try_emplace(dir, false);
    if (!is_new) return known->second;
    const UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int flags = 0;
    known->second = fd && ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0 && (flags & kGivenFlags);
    return known->second;
}

/// Among the evidence: what is made there is no news of the share's, and one stroke brings it to
/// its place and what stood there to where it is kept.
Status Restorer::place(Outcome& outcome, const Make& make) {
    const PlanItem& item = outcome.item;
    if (no_evidence_ || gives_flags(parent(item.path))) return place_beside(outcome, make);
    const std::string made = next_aside(item.wanted->key.volume());
    const Make make_known = [&](const std::string& name) -> Result<Made> {
        Made file = TRY(make(name));
        tell_guard(*item.wanted, file);
        return file;
    };
    const Placed placed = TRY(place_from(made, outcome, make_known));
    if (placed == Placed::Elsewhere) return place_beside(outcome, make);
    if (placed == Placed::Instead) outcome.evidence = made;
    return {};
}

/// In its own folder, from where what stood there goes to the evidence in a second stroke.
Status Restorer::place_beside(Outcome& outcome, const Make& make) {
    const PlanItem& item = outcome.item;
    struct stat info{};
    if (no_evidence_ && ::lstat(item.path.c_str(), &info) == 0)
        return std::unexpected(*no_evidence_);
    TRY_STATUS(real_disk().make_dirs(parent(item.path)));
    const std::string made =
        fmt::format("{}/.hygie-restore-{}-{}", parent(item.path), id_, next_++);
    if (TRY(place_from(made, outcome, make)) == Placed::Free) return {};
    return set_aside(made, item.wanted->key.volume(), outcome);
}

Result<Restorer::Placed> Restorer::place_from(const std::string& made, Outcome& outcome,
                                              const Make& make) {
    const PlanItem& item = outcome.item;
    // A guard at work meets a file under the name that it has when it is closed.
    const Result<Made> file = make(made);
    const bool is_second_name = file && file->is_second_name;
    Status described = file ? Status() : Status(std::unexpected(file.error()));
    if (file && !is_second_name)
        described = describe(Subject(made, file->file.get()), *item.wanted);
    Result<Placed> placed = described ? take_place(made, item.path)
                                      : Result<Placed>(std::unexpected(described.error()));
    // Two names of one file never change places.
    if (placed && is_second_name && is_one_file(made, item.path)) placed = Placed::Free;
    if (!placed || *placed == Placed::Elsewhere || (is_second_name && *placed == Placed::Free))
        (void)::unlink(made.c_str());
    return placed;
}

/// Changes places with what stands there, in one stroke; nothing that comes meanwhile is lost.
Result<Restorer::Placed> Restorer::take_place(const std::string& made, const std::string& path) {
    int why = 0;
    for (int i = 0; i < kTriesMax; ++i) {
        if (exchange(made, path) == 0) return Placed::Instead;
        if (errno == ENOENT && rename_at(made, path, kRenameNoReplace) == 0) return Placed::Free;
        why = errno;
        if (why == EXDEV) return Placed::Elsewhere;
        if (why == ENOENT)
            TRY_STATUS(real_disk().make_dirs(parent(path)));
        else if (why != EEXIST)
            break;
    }
    return os_failure(why, "share");
}

/// Before it has its place: what the guard meets there it was told of.
void Restorer::tell_guard(const FileState& wanted, const Made& made) const {
    const auto list = placed_.find(wanted.key.volume());
    if (!made.is_clone || list == placed_.end()) return;
    if (const auto key = key_of(wanted.key.volume(), made.file.get()))
        list->second.add({*key, wanted.key, wanted.version});
}

Result<Restorer::Made> Restorer::make_link(Outcome& outcome, const std::string& made) {
    if (::symlink(outcome.item.wanted->target.c_str(), made.c_str()) < 0)
        return os_failure(errno, "share");
    outcome.is_verified = true;
    return Made();
}

Result<Restorer::Made> Restorer::make_file(Outcome& outcome, const std::string& made) {
    const FileState& wanted = *outcome.item.wanted;
    // Nobody may do with it what they may not do with it later.
    UniqueFd to(::open(made.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW,
                       wanted.meta.mode & 0777U));
    if (!to) return os_failure(errno, "share");
    if (wanted.size == 0) {
        outcome.is_verified = true;
        outcome.proof = Proof::Hash;
        outcome.hash = to_hex(crypto::sha256({}));
        return Made{std::move(to)};
    }
    bool is_clone = false;
    if (const Record* sealed = history_->sealed(wanted.version))
        TRY_STATUS(from_packs(outcome, *sealed, to));
    else
        is_clone = TRY(from_stage(outcome, to));
    return Made{std::move(to), is_clone};
}

/// What was made shows what must stand there: then it is needed no more.
Restorer::Made Restorer::as_second_name(Outcome& outcome, const std::string& made, Made file) {
    outcome.second_name_of.clear();
    if (outcome.item.beside.empty()) return file;
    auto stands = second_names_.of(outcome.item, file.file.get());
    if (stands && replace_by_link(stands->file.get(), made)) {
        outcome.second_name_of = std::move(stands->name);
        return Made{.file = {}, .is_second_name = true};
    }
    second_names_.made(*outcome.item.wanted, file.file.get());
    return file;
}

/// True when it is a clone of what is staged.
Result<bool> Restorer::from_stage(Outcome& outcome, const UniqueFd& to) {
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
    const bool is_clone = TRY(bring(outcome, std::move(from), to));
    outcome.is_verified = linked == LinkedBytes::Same;
    return is_clone;
}

/// What a second name stands for shows the live file: whether that was written since.
Restorer::LinkedBytes Restorer::behind_link(const FileState& wanted, const struct stat& info) {
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
    if (last == lasts_.end() || last->second.version != wanted.version) return LinkedBytes::Other;
    // Its time was set, and that was told.
    if (last->second.modified_ns == modified_ns) return LinkedBytes::Same;
    // … or not told before its last name went: who would have written to it was held up.
    return info.st_nlink == 1 ? LinkedBytes::Unproven : LinkedBytes::Other;
}

Result<bool> Restorer::bring(Outcome& outcome, UniqueFd from, const UniqueFd& to) {
    const FileState& wanted = *outcome.item.wanted;
    const Record* told = history_->hashed(wanted.version);
    Digest digest = TRY(prover_.staged(told));
    // A clone shares its blocks with what was kept: reading them twice tells nothing more.
    if (TRY(cloned(from.get(), to.get()))) {
        TRY_STATUS(accept(outcome, told, TRY(read_back(to.get(), std::move(digest)))));
        return true;
    }
    TRY_STATUS(copy(outcome, *content_of(std::move(from)), to, told, std::move(digest)));
    return false;
}

Status Restorer::from_packs(Outcome& outcome, const Record& sealed, const UniqueFd& to) {
    const ContentPtr kept = packed_content(packs_, sealed.chunks, sealed.size);
    const Record* told = history_->hashed(outcome.item.wanted->version);
    return copy(outcome, *kept, to, told, prover_.sealed(told, sealed));
}

Status Restorer::copy(Outcome& outcome, const Content& kept, const UniqueFd& to, const Record* told,
                      Digest digest) {
    const ReadBack again = TRY(copy_and_read_back(kept, kept.size(), to.get(), std::move(digest)));
    settling_.copied(to);
    return accept(outcome, told, again);
}

/// What was read again has the size that was kept, and is what was told of it.
Status Restorer::accept(Outcome& outcome, const Record* told, const ReadBack& again) {
    if (again.size != outcome.item.wanted->size) return unequal();
    const Proven proven = TRY(prover_.judge(told, again));
    outcome.proof = proven.proof;
    outcome.is_sparse = again.is_sparse;
    outcome.hash = to_hex(proven.hash);
    outcome.is_verified = true;
    return {};
}

}  // namespace hygie::files
