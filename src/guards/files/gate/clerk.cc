#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "guards/files/acts/priority.h"
#include "guards/files/content/swapped.h"
#include "guards/files/gate/gate.h"
#include "host/log.h"

/// The gate's clerk: what the kernel tells after the fact.
namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
/// While files that were let change lie open, or what is written elsewhere matters.
constexpr int kHurryMs = 5;
/// Heeding all again costs a round trip per file: not more often than this.
constexpr std::int64_t kHeedIntervalUs = 50'000;
/// Stands for the volume in the keys of files on file systems that are not guarded.
constexpr std::uint8_t kElsewhere = 255;

/// When somebody changed what is there now.
VersionId dated(const fan::Event& event, const struct stat& info) {
    return Store::date_of(event.when.latest(Stamp::of(info).changed_ns));
}

/// When somebody changed these names: not after their folders changed last. A folder that is gone
/// itself changed the one that it was in.
VersionId dated(const fan::Event& event, std::initializer_list<std::string_view> paths) {
    WallTime date = event.when.before;
    for (std::string_view path : paths) {
        struct stat info{};
        do path = path.substr(0, path.rfind('/'));
        while (!path.empty() && ::lstat(std::string(path).c_str(), &info) < 0);
        if (!path.empty()) date = std::min(date, event.when.latest(Stamp::of(info).changed_ns));
    }
    return Store::date_of(date);
}

/// A file cut to nothing has a content to be judged all the same.
class EmptyContent final : public Content {
  public:
    std::uint64_t size() const override { return 0; }
    Result<std::size_t> read_at(std::uint64_t, std::span<std::uint8_t>) const override {
        return std::size_t{0};
    }
};

}  // namespace

void Gate::run_clerk() {
    bool was_calm = true;
    bool was_outside_watched = false;
    while (!stop_) {
        const bool is_calm = judge_.lookout() == JudgeDoor::Lookout::Calm;
        if (std::exchange(was_calm, is_calm) != is_calm)
            set_urgency("clerk", is_calm ? Urgency::Known : Urgency::Door);
        const bool is_outside_watched = outlook_.is_on();
        if (is_outside_watched && !was_outside_watched) heed_closings();
        was_outside_watched = is_outside_watched;
        const bool is_hurried = unclosed_.is_any_unseen() || is_outside_watched;
        const int wait_ms = is_hurried ? kHurryMs : kPollMs;
        // Names are the sentry's first while it stands watch.
        const int names = sentry_.is_on_watch() ? sentry_.fd() : groups_.names.fd();
        std::array<pollfd, 2> polls{{{groups_.closings.fd(), POLLIN, 0}, {names, POLLIN, 0}}};
        sentry_.hear();
        const bool is_news =
            is_anything_untold() || ::poll(polls.data(), polls.size(), wait_ms) > 0;
        if (is_news || is_outside_watched) {
            const std::lock_guard lock(clerk_mutex_);
            take_what_happened();
        }
        // What is closed by now is judged by what it became.
        if (is_hurried) look_at_unclosed();
    }
    clerk_ = 0;
}

/// Under the clerk's lock: a doorman whose caller waits for it does it himself. False when nothing
/// had happened.
bool Gate::take_what_happened() {
    const std::vector<fan::Event>& names = names_.take();
    // What was closed before these names came or went is told before them, whoever has it in hand:
    // a deleted file must find the one that gives it back.
    take_outside();
    const bool was_closing = closings_.settle([this](Closing& closing) { take_closing(closing); });
    for (const fan::Event& event : names) {
        take_name(event);
        if (event.mask & fan::kNameTaken) judge_.know(event.tid);
    }
    // Losing its name changes a file's attributes too: only of those that still have one.
    for (const fan::Event& event : names)
        if (event.mask & fan::kAttrib) take_attributes(event);
    const bool was_any = was_closing || !names.empty();
    names_.put_down();
    if (!is_anything_untold() && !has_looks()) untold_.clear();
    return was_any;
}

bool Gate::is_anything_untold() {
    return closings_.pending() || names_.pending();
}

/// Its name when it was closed, or the one it has now: a new file may have taken another's since.
/// Whether that one lives cannot be asked: the file system makes us wait for what it clears away.
std::optional<std::string> Gate::name_when_closed(const Volume& volume, int fd,
                                                  const FileKey& key) {
    std::optional<std::string> path = protected_path(volume, fd, key);
    const auto owner = path ? store_.catalog().at(*path) : std::nullopt;
    if (!owner || *owner == key) return path;
    const auto old = names_.old_name([&](const fan::Event& event) {
        return event.fsid == volume.id() && volume.key(event.target) == key;
    });
    const auto from = old ? path_in(volume, old->dir, old->name) : std::nullopt;
    return from && volume.protects(*from) ? from : path;
}

const Volume* Gate::volume_of(const fan::Event& event) const {
    for (const auto& volume : volumes_)
        if (volume->id() == event.fsid) return volume.get();
    return nullptr;
}

const Volume* Gate::volume_of(const FileKey& key) const {
    for (const auto& volume : volumes_)
        if (volume->number() == key.volume()) return volume.get();
    return nullptr;
}

Change Gate::change_of(ChangeKind kind, const Actor& actor, const FileKey& key,
                       const std::string& path) {
    Change change;
    change.kind = kind;
    change.time = clock_.now();
    change.steady = clock_.steady();
    change.actor = actor;
    change.file = key;
    change.path = path;
    return change;
}

void Gate::tell(Change change, bool is_destructive) {
    if (is_own_tool(change.actor)) return;
    if (is_destructive && hot_.heat(change.actor.key())) {
        const std::int64_t now = clock_.steady().time_since_epoch().count() / 1000;
        std::int64_t last = heeded_us_;
        if (now - last > kHeedIntervalUs && heeded_us_.compare_exchange_strong(last, now))
            heed_all();
    }
    judge_.after(std::move(change));
    sentry_.rouse();
}

/// Which file was closed, and whether that is our business. Whatever was ignored while it was being
/// written is met again from here on.
std::optional<Closing> Gate::sort_closing(fan::Event event) {
    if (event.mask & fan::kOverflow) ++counts_.overflows;
    const int fd = event.fd.get();
    struct stat info{};
    if (!event.fd || event.tid == ::getpid() || ::fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
        return std::nullopt;
    const Volume* volume = volume_of(info);
    const Result<FileKey> key = volume ? volume->key_of(fd) : FileKey();
    if (!volume || !key) return std::nullopt;
    // Known by the place it gets, of which is told.
    if (store_.placed().is_open(*key) && is_own_tool(actors_.of(event.tid))) {
        store_.placed().close(*key);
        return std::nullopt;
    }
    groups_.gate.heed(fd, groups_.gate_mask());
    return Closing{std::move(event), *key, unclosed_.close(*key) == Unclosed::Age::New};
}

/// Its new version is kept from the event's descriptor, which holds the bytes even when every name
/// is gone already.
void Gate::take_closing(Closing& closing) {
    const int fd = closing.event.fd.get();
    const FileKey& key = closing.key;
    struct stat info{};
    if (::fstat(fd, &info) < 0) return;
    const Volume* volume = volume_of(info);
    const std::lock_guard lock(stripes_[FileKeyHash()(key) % stripes_.size()]);
    const auto known = store_.catalog().find(key);
    std::optional<std::string> path =
        known ? protected_path(*volume, fd, key) : name_when_closed(*volume, fd, key);
    if (!path && !known) {
        // One that is empty now may be filled by another process.
        if (!tell_outside(closing.event, key) && !judge_.is_outside_watched())
            groups_.closings.ignore(fd, fan::kCloseWrite, fan::Ignore::Always);
        return;
    }
    // One that left the share is judged once more, and gets no name in it again.
    const bool has_left = !path && !known->is_named;
    if (!path) path = known->path;
    const bool is_same = known && known->is_held && known->held == Stamp::of(info) &&
                         !is_swapped_under(*volume, fd, key, *known);
    if (is_same && known->version == known->committed && !closing.is_first) return;
    const Actor actor = authors_.closed(key, actors_.of(closing.event.tid));
    const Act act(actor.key(), dated(closing.event, info));
    const bool has_name = !has_left && info.st_nlink > (known && known->is_linked ? 1U : 0U);
    const ContentPtr victim = known ? nullptr : replaced_at(*volume, key, *path);
    if (is_same) {
        note(store_.note_committed(key, act));
    } else {
        const bool is_ours = is_own_tool(actor);
        // What a restore brought back is kept already: a second name of it will do.
        const bool is_cheap = is_ours && has_name && !copies_ahead(*volume) && !has_clones(*volume);
        const Status kept =
            store_.keep({*volume, fd, key, *path, has_name, is_ours}, Cause::Commit, act,
                        is_cheap ? Store::Effort::Cheaply : Store::Effort::Bytes);
        note(kept);
        if (!kept) return note_unkept(key, known, *path);
    }
    // A new one that was opened again before its first closing was kept then, and not told.
    tell_closing(key, *path, closing.is_first ? std::nullopt : known, actor);
    if (victim) {
        Change change = change_of(ChangeKind::RenameOver, actor, key, *path);
        change.before = victim;
        if (const auto now = store_.catalog().find(key))
            change.now = store_.content(key, now->version, now->size);
        tell(std::move(change), true);
    }
    if (!has_name) store_.catalog().forget(key);
}

/// What was written on other file systems, before the names that went since.
void Gate::take_outside() {
    outlook_.take([this](const fan::Event& event) {
        struct stat info{};
        if (!event.fd || event.tid == ::getpid() || ::fstat(event.fd.get(), &info) < 0) return;
        std::array<std::uint8_t, 16> name;
        store_be(name.data(), static_cast<std::uint64_t>(info.st_dev));
        store_be(name.data() + 8, static_cast<std::uint64_t>(info.st_ino));
        (void)tell_outside(event, FileKey(kElsewhere, 0, name));
    });
}

/// A file in no protected folder is the judge's business when its writer read many that are.
bool Gate::tell_outside(const fan::Event& event, const FileKey& key) {
    if (!judge_.is_outside_watched()) return false;
    const Actor actor = actors_.of(event.tid);
    if (!judge_.is_outside_watched(actor)) return false;
    const auto path = Volume::path_of(event.fd.get());
    ContentPtr content = path ? content_outside(event.fd.get(), *path) : nullptr;
    if (!content) return false;
    Change change = change_of(ChangeKind::CloseWrite, actor, key, *path);
    change.is_new = true;
    change.is_outside = true;
    change.now = std::move(content);
    tell(std::move(change), false);
    return true;
}

/// Of what has not changed by its size and times.
bool Gate::is_swapped_under(const Volume& volume, int fd, const FileKey& key, const Known& known) {
    const ContentPtr kept = volume.type() == "xfs" && has_clones(volume)
                                ? store_.content(key, known.version, known.size)
                                : nullptr;
    if (!kept) return false;
    const Result<UniqueFd> staged = store_.stage(volume.number()).open_version(key, known.version);
    return is_swapped(fd, staged ? staged->get() : -1, *kept);
}

/// A new file may have taken another's name before its closing was looked at: what that one held,
/// when it has no name left.
ContentPtr Gate::replaced_at(const Volume& volume, const FileKey& key, const std::string& path) {
    const auto owner = store_.catalog().at(path);
    const auto victim = owner && *owner != key ? store_.catalog().find(*owner) : std::nullopt;
    if (!victim || victim->type != FileType::Regular) return nullptr;
    const Result<UniqueFd> fd = volume.open_key(*owner, O_PATH);
    struct stat info{};
    if (fd && ::fstat(fd->get(), &info) == 0 && info.st_nlink > (victim->is_linked ? 1U : 0U))
        return nullptr;
    return store_.content(*owner, victim->committed, victim->committed_size);
}

void Gate::tell_closing(const FileKey& key, const std::string& path,
                        const std::optional<Known>& before, const Actor& actor) {
    Change change = change_of(ChangeKind::CloseWrite, actor, key, path);
    const auto now = store_.catalog().find(key);
    change.is_new = !before || before->committed_size == 0;
    if (before) change.before = store_.content(key, before->committed, before->committed_size);
    if (now) change.now = store_.content(key, now->version, now->size);
    if (now && now->size == 0) change.now = std::make_shared<EmptyContent>();
    if (change.is_new)
        store_.catalog().update(key, [&](Known& entry) {
            entry.maker = std::hash<std::string>()(actor.key());
            entry.made = entry.version;
        });
    tell(std::move(change), before && before->committed_size > 0 && !owns(actor, *before));
}

std::optional<std::string> Gate::path_in(const Volume& volume, const fan::Handle& dir,
                                         const std::string& name) {
    if (dir.bytes.empty()) return std::nullopt;
    const FileKey key = volume.key(dir);
    // Beside the share; asked for twice for each file that is brought back.
    if (store_.placed().is_folder(key)) return std::nullopt;
    std::optional<std::string> folder;
    if (const auto known = store_.catalog().find(key); known && known->is_named)
        folder = known->path;
    else
        folder = volume.path_of(key);
    if (!folder) return std::nullopt;
    return join(*folder, name);
}

void Gate::take_name(const fan::Event& event) {
    if (event.mask & fan::kOverflow) {
        ++counts_.overflows;
        return;
    }
    if (event.tid == ::getpid()) return;
    const Volume* volume = volume_of(event);
    if (!volume || event.target.bytes.empty()) return;
    const Actor actor = namer_of(*volume, event);
    // Events on one object may come merged: order them as they can have happened.
    if (event.mask & fan::kCreate) take_create(*volume, event, actor);
    if (event.mask & fan::kModify)
        if (const FileKey key = volume->key(event.target); !look_at(key, event.tid)) {
            look_again(key, event.tid);
            unclosed_.add(key, event.tid, actor.key(), std::chrono::steady_clock::now(),
                          Unclosed::Age::Old);
        }
    if (event.mask & fan::kRename) take_rename(*volume, event, actor);
    if (event.mask & fan::kDelete) take_delete(*volume, event, actor);
}

void Gate::take_delete(const Volume& volume, const fan::Event& event, const Actor& actor) {
    const FileKey key = volume.key(event.target);
    const auto path = path_in(volume, event.dir, event.name);
    if (!path || !volume.protects(*path)) return;
    const auto known = store_.catalog().find(key);
    if (!store_.catalog().remove_name(key, *path)) return;
    note(store_.note_gone(key, *path, Cause::Unlink, Act(actor.key(), dated(event, {*path}))));
    if (!known || known->type != FileType::Regular) return;
    look_at_new_of(actor);
    Change change = change_of(ChangeKind::Unlink, actor, key, *path);
    change.before = store_.content(key, known->committed, known->committed_size);
    change.is_new = known->committed_size == 0 || owns(actor, *known);
    const bool is_destructive = !change.is_new;
    tell(std::move(change), is_destructive);
}

void Gate::take_rename(const Volume& volume, const fan::Event& event, const Actor& actor) {
    const FileKey key = volume.key(event.target);
    const auto from = path_in(volume, event.dir, event.name);
    const auto to = path_in(volume, event.new_dir, event.new_name);
    const bool is_from = from && volume.protects(*from);
    const bool is_to = to && volume.protects(*to);
    if (!is_from && !is_to) return;
    const Act act(actor.key(), dated(event, {from ? *from : *to, to ? *to : *from}));
    const auto known = store_.catalog().find(key);
    if (!is_to) {
        // A share that is itself moved is guarded on where it is.
        if (std::ranges::count(volume.protected_dirs(), *from) == 0)
            move_out(key, *from, actor, act);
        return;
    }
    if (!known && take_placed(volume, key, *to, act)) return;
    if (!known) move_in(volume, key, *to, actor, act);
    if (!is_from && (event.mask & fan::kOnDir)) move_in_below(volume, *to, actor, act);
    const auto replaced = store_.catalog().move(key, from.value_or(std::string()), *to);
    if (replaced) note(store_.note_gone(*replaced, *to, Cause::Replaced, act));
    note(store_.note_moved(key, from.value_or(std::string()), *to, act));
    const auto victim = replaced ? store_.catalog().find(*replaced) : std::nullopt;
    Change change =
        change_of(victim ? ChangeKind::RenameOver : ChangeKind::Rename, actor, key, *to);
    change.from = from.value_or(std::string());
    if (const auto now = store_.catalog().find(key); now && now->type == FileType::Regular)
        change.now = store_.content(key, now->committed, now->committed_size);
    if (victim) {
        change.before = store_.content(*replaced, victim->committed, victim->committed_size);
        change.victim = *replaced;
    }
    const bool is_destructive = victim && victim->committed_size > 0 && !owns(actor, *victim);
    tell(std::move(change), is_destructive);
}

void Gate::take_create(const Volume& volume, const fan::Event& event, const Actor& actor) {
    const auto path = path_in(volume, event.dir, event.name);
    if (!path || !volume.protects(*path)) return;
    const FileKey key = volume.key(event.target);
    const auto known = store_.catalog().find(key);
    const bool is_folder = event.mask & fan::kOnDir;
    const Act act(actor.key(), dated(event, {*path}));
    if (!known && !is_folder) {
        // New regular files are kept when they are closed; links have no closing.
        struct stat info{};
        if (::lstat(path->c_str(), &info) == 0 && S_ISLNK(info.st_mode))
            move_in(volume, key, *path, actor, act);
    } else if (known && known->type == FileType::Regular) {
        // A second name of bytes that are kept, or will be.
        if (known->path != *path) {
            store_.catalog().move(key, {}, *path);
            note(store_.note_moved(key, {}, *path, act));
        }
    } else if (!known || known->path != *path) {
        move_in(volume, key, *path, actor, act);
    }
    // A second name of a file that was there makes nobody its maker.
    if (!known) tell(change_of(ChangeKind::Create, actor, key, *path), false);
}

void Gate::take_attributes(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    // A folder is named as the folder of itself.
    const fan::Handle& target = event.target.bytes.empty() ? event.dir : event.target;
    if (event.tid == ::getpid() || !volume || target.bytes.empty()) return;
    const FileKey key = volume->key(target);
    const auto known = store_.catalog().find(key);
    if (!known || !known->is_named) return;
    const Result<UniqueFd> fd = volume->open_key(key, O_PATH);
    struct stat info{};
    if (!fd || ::fstat(fd->get(), &info) < 0) return;
    note(store_.note_attributes({*volume, fd->get(), key, known->path},
                                Act(actors_.of(event.tid).key(), dated(event, info))));
}

}  // namespace hygie::files
