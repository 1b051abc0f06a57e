#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "guards/files/gate/gate.h"

/// The gate's clerk: what comes into the share by a name, and what leaves it so.
namespace hygie::files {
namespace {

/// How long a place that a file left is known to have been its own.
constexpr auto kGoneKept = std::chrono::minutes(10);
/// Of what comes with a folder, so much is kept at once; the rest when it is touched.
constexpr std::size_t kMovedInMax = 100'000;

}  // namespace

/// Under the clerk's lock.
void Gate::remember_gone(const FileKey& key, const std::string& path) {
    const auto now = std::chrono::steady_clock::now();
    if (gone_.size() >= kGoneMax)
        std::erase_if(gone_, [&](const auto& entry) { return now - entry.second.at > kGoneKept; });
    if (gone_.size() < kGoneMax) gone_[path] = {key, now};
}

/// What came in may stand where something else stood a moment ago.
void Gate::tell_arrival(const FileKey& key, const std::string& path, const Actor& actor) {
    const auto gone = gone_.find(path);
    if (gone == gone_.end()) return;
    const Gone victim = gone->second;
    gone_.erase(gone);
    const bool is_fresh = std::chrono::steady_clock::now() - victim.at <= kGoneKept;
    const auto was =
        is_fresh && victim.key != key ? store_.catalog().find(victim.key) : std::nullopt;
    const auto is = store_.catalog().find(key);
    if (!was || !is || was->type != FileType::Regular) return;
    Change change = change_of(ChangeKind::RenameOver, actor, key, path);
    change.victim = victim.key;
    change.before = store_.content(victim.key, was->committed, was->committed_size);
    if (is->type == FileType::Regular) change.now = store_.content(key, is->version, is->size);
    tell(std::move(change), was->committed_size > 0 && !owns(actor, *was));
}

/// What a restore made of bytes that are kept took its place. Nobody was let write to it: who asks
/// makes it known first.
bool Gate::take_placed(const Volume& volume, const FileKey& key, const std::string& path,
                       const Act& act) {
    const auto placed = store_.placed().take(key);
    const Result<UniqueFd> fd = placed ? volume.open_key(key, O_PATH) : Result<UniqueFd>();
    if (!placed || !fd) return false;
    const std::lock_guard lock(stripes_[FileKeyHash()(key) % stripes_.size()]);
    if (store_.catalog().find(key)) return false;
    return store_.keep_placed({volume, fd->get(), key, path}, *placed, act).has_value();
}

/// Something that was not ours took a name in a protected folder.
void Gate::move_in(const Volume& volume, const FileKey& key, const std::string& path,
                   const Actor& actor, const Act& act) {
    UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) < 0) return;
    if (S_ISREG(info.st_mode)) {
        UniqueFd readable(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
        if (!readable) return;
        fd = std::move(readable);
    }
    const Result<FileKey> now = volume.key_of(fd.get());
    if (!now || *now != key) return;
    const Store::Subject subject{volume, fd.get(), key, path};
    const std::lock_guard lock(stripes_[FileKeyHash()(key) % stripes_.size()]);
    groups_.gate.heed(fd.get(), groups_.gate_mask());
    groups_.closings.heed(fd.get(), fan::kCloseWrite);
    const std::optional<FileKey> stood = store_.catalog().at(path);
    if (stood && *stood != key) remember_gone(*stood, path);
    note(S_ISREG(info.st_mode) ? store_.keep(subject, Cause::Adopted, act, Store::Effort::Bytes)
                               : store_.note_present(subject, Cause::Adopted, act));
    tell_arrival(key, path, actor);
}

/// What came with a folder, from outside or back.
void Gate::move_in_below(const Volume& volume, const std::string& folder, const Actor& actor,
                         const Act& act) {
    std::error_code error;
    std::size_t entries = 0;
    for (std::filesystem::recursive_directory_iterator entry(folder, error), end;
         !error && entry != end && entries < kMovedInMax; entry.increment(error), ++entries) {
        const std::string& path = entry->path().native();
        const UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        const Result<FileKey> key = fd ? volume.key_of(fd.get()) : FileKey();
        struct stat info{};
        if (!fd || !key || ::fstat(fd.get(), &info) < 0 || !volume.protects(path)) continue;
        const auto known = store_.catalog().find(*key);
        const bool is_kept = known && (known->is_held || known->is_linked);
        if (is_kept && known->held == Stamp::of(info)) {
            store_.catalog().move(*key, {}, path);
            note(store_.note_moved(*key, {}, path, act));
        } else {
            move_in(volume, *key, path, actor, act);
        }
    }
}

/// Something left the share, with all that is in it: what becomes of it elsewhere is not known.
void Gate::move_out(const FileKey& key, const std::string& from, const Actor& actor,
                    const Act& act) {
    const auto known = store_.catalog().find(key);
    // Two that changed places: the other is there by now, with all that it holds.
    if (store_.catalog().at(from) != key) return;
    auto gone = store_.catalog().names_below(from);
    gone.emplace_back(from, key);
    for (const auto& [path, file] : gone) {
        if (!store_.catalog().remove_name(file, path)) continue;
        remember_gone(file, path);
        note(store_.note_gone(file, path, Cause::Unlink, act));
    }
    if (known && known->type == FileType::Regular)
        tell(change_of(ChangeKind::Unlink, actor, key, from), true);
}

}  // namespace hygie::files
