#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "guards/files/acts/priority.h"
#include "guards/files/enforce/sealers.h"
#include "guards/files/gate/gate.h"
#include "host/os_error.h"

/// The gate's doormen at work on what takes longer, and its keeper.
namespace hygie::files {
namespace {

/// Each sync makes the whole file system wait for its log.
constexpr Micros kSyncInterval = std::chrono::seconds(1);
constexpr Micros kLookInterval = std::chrono::milliseconds(100);
constexpr Micros kLookMax = std::chrono::milliseconds(300);
/// The gate's view of what happened may lag this long behind an act it holds.
constexpr Micros kClerkWaitMax = std::chrono::milliseconds(20);
constexpr Micros kOwn = std::chrono::minutes(10);
/// Nothing was written to it for so long.
constexpr Micros kStill = std::chrono::milliseconds(20);
constexpr Micros kUnclosedWaitMax = std::chrono::milliseconds(60);
/// Who may be so far ahead of the judge is judged by nobody.
constexpr int kUnjudged = 1 << 20;
constexpr Micros kUnclosedPause = std::chrono::milliseconds(4);
/// So many acts of one user may go on, whoever they are by, before what was done last is known.
constexpr int kUntoldTogetherMax = 6;

ChangeKind kind_of(Intent intent, std::uint64_t mask) {
    switch (intent) {
        case Intent::Execute:
            return ChangeKind::Execute;
        case Intent::Truncate:
            return ChangeKind::Truncate;
        case Intent::Read:
            return ChangeKind::Read;
        case Intent::Write:
            break;
    }
    return (mask & fan::kPreAccess) ? ChangeKind::Write : ChangeKind::OpenForWrite;
}

/// A read lease is refused while somebody has the file open for writing.
bool may_be_written(int fd) {
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) < 0) return true;
    (void)::fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

/// For a copy of it that nobody needs yet.
bool has_room_ahead(int fd) {
    struct stat info{};
    struct statvfs room{};
    return ::fstat(fd, &info) == 0 && ::fstatvfs(fd, &room) == 0 &&
           room.f_bavail * room.f_frsize >= static_cast<std::uint64_t>(info.st_size) +
                                                room.f_blocks * room.f_frsize / Ahead::kFreePart;
}

}  // namespace

/// Whether bytes must be kept before this act goes on. Its last closing is dealt with already.
Gate::Need Gate::need_of(const Task& task, const std::optional<Known>& known,
                         const struct stat& info) {
    if (is_held(known, info)) return Need::Nothing;
    const bool clones = has_clones(*task.volume);
    const Stamp now = Stamp::of(info);
    if (task.intent == Intent::Read && !clones && known) return Need::Skip;
    // It got another name, or rights: known again as it stands from here on.
    if (task.intent == Intent::Read && known && known->is_held && known->held.size == now.size &&
        known->held.modified_ns == now.modified_ns)
        return Need::Bytes;
    const bool is_new = !known;
    if (is_new &&
        (!scanned_ || !(task.event.mask & fan::kPreAccess) || task.intent == Intent::Truncate))
        return Need::Bytes;
    if (known && !known->is_held) return Need::Bytes;
    // It changed since its bytes were kept, and no writer has closed it since: half a version.
    return Need::Skip;
}

/// Whoever reads a file is not who gave it other rights a moment ago: that is told first.
void Gate::hear_of_rights(const Task& task, const struct stat& info) {
    const auto known = store_.catalog().find(task.key);
    const Stamp now = Stamp::of(info);
    const bool is_told = !known || !known->is_held || known->held == now ||
                         known->held.size != now.size ||
                         known->held.modified_ns != now.modified_ns ||
                         known->meta == meta_of(task.event.fd.get(), info);
    if (!is_told) catch_up();
}

Status Gate::make_safe(Task& task, const Actor& actor) {
    const int fd = task.event.fd.get();
    struct stat info{};
    if (task.volume == nullptr || ::fstat(fd, &info) < 0 || info.st_size == 0) return {};
    if (task.intent != Intent::Read) TRY_STATUS(store_.is_there());
    if (!is_held(store_.catalog().find(task.key), info)) {
        closings_.deal_with(task.key, [this](Closing& closing) { take_closing(closing); });
        hear_of_rights(task, info);
    }
    const std::lock_guard lock(stripes_[FileKeyHash()(task.key) % stripes_.size()]);
    const auto known = store_.catalog().find(task.key);
    const Need need = need_of(task, known, info);
    if (need == Need::Bytes) {
        std::string path = known ? known->path : std::string();
        if (path.empty()) path = protected_path(*task.volume, fd, task.key).value_or(std::string());
        // It was there before; what is told after it may have been done before now.
        const Act act(actor.key(), Store::date_of(Moment().latest(Stamp::of(info).changed_ns)));
        // One that left the share gets no name in it again.
        TRY_STATUS(store_.keep({*task.volume, fd, task.key, path, !known || known->is_named},
                               known ? Cause::PreImage : Cause::Adopted, act,
                               Store::Effort::Bytes));
        ++counts_.kept;
    }
    if (need == Need::Nothing) remember(fd, *known, actor);
    ignore_what_is_safe(task, need, info, actor);
    return {};
}

/// Under the file's stripe: its bytes are kept, or are half a version.
void Gate::ignore_what_is_safe(const Task& task, Need need, const struct stat& info,
                               const Actor& actor) {
    const int fd = task.event.fd.get();
    const std::uint64_t ranges = fan::kPreAccess & groups_.gate_mask();
    // Nobody closes what truncate(2) cuts: the next one is met too.
    if (task.intent == Intent::Execute || task.intent == Intent::Truncate) return;
    const bool is_piece = task.event.mask & fan::kPreAccess;
    // Who reads in a way that cannot be told from writing, as asynchronous reads are, closes
    // nothing.
    const bool is_untold_read = need != Need::Skip && is_piece && !may_be_written(fd);
    if (task.intent == Intent::Write && !is_untold_read) {
        // Its closing will tell.
        if (groups_.pre_content && !is_piece) groups_.names.unwatch_file(fd, fan::kModify);
        if (need == Need::Skip && is_piece && is_worth_meeting(task, actor)) return;
        // More of the same writer's bytes: not asked about until it closes.
        if (need == Need::Skip || is_piece) groups_.gate.ignore(fd, ranges, fan::Ignore::Always);
        return;
    }
    if (need == Need::Skip) {
        count_reading(task.event, task.key, actor);
        return;
    }
    note_reading(task.event, task.key, actor);
    // Whoever wrote between the keeping and the ignoring must be met.
    struct stat now{};
    if (::fstat(fd, &now) < 0 || Stamp::of(now) != Stamp::of(info))
        groups_.gate.heed(fd, groups_.gate_mask());
}

/// Does what the clerk has not done yet, or helps it, until all that happened so far is told.
/// Whoever has other work does not stay for closings that never end.
void Gate::catch_up(Stay stay) {
    const auto until = std::chrono::steady_clock::now() + kClerkWaitMax;
    const auto is_late = [&] { return std::chrono::steady_clock::now() >= until; };
    const auto deal = [this](Closing& closing) { take_closing(closing); };
    while (!stop_ && !is_late()) {
        if (stay == Stay::UntilTold) (void)closings_.settle(deal);
        while (stay == Stay::ForATime && closings_.deal_with_next(deal))
            if (is_late()) return;
        // Names are told in order, by one at a time.
        const std::unique_lock lock(clerk_mutex_, until);
        if (!lock) return;
        take_what_happened();
        const bool is_all_told = !is_anything_untold();
        if (has_looks()) look_at_all();
        if (is_all_told) return;
    }
}

bool Gate::owns(const Actor& actor, const Known& known) const {
    const Micros made(static_cast<std::int64_t>(known.made));
    return known.maker != 0 && known.maker == std::hash<std::string>()(actor.key()) &&
           clock_.now().time_since_epoch() - made < kOwn;
}

Stop Gate::ask(const Task& task, const Actor& actor) {
    const std::string key = actor.key();
    auto known = store_.catalog().find(task.key);
    const bool is_own = known && owns(actor, *known);
    const std::string user = fmt::format("uid:{}", actor.uid);
    const bool is_many = untold_.count(user) >= kUntoldTogetherMax;
    if (!is_own && judge_.patience(actor) < kUnjudged) wait_for_unclosed(task.key, key);
    if (!is_own && (is_many || untold_.count(key) >= judge_.patience(actor))) {
        catch_up();
        known = store_.catalog().find(task.key);
    }
    // A new file of somebody who destroyed something: it may stand for what comes next.
    if (!known) known.emplace();
    Change change = change_of(kind_of(task.intent, task.event.mask), actor, task.key, known->path);
    change.offset = task.event.offset;
    change.length = task.event.length;
    change.before = store_.content(task.key, known->committed, known->committed_size);
    change.now = change.before;
    Stop stop = judge_.before(change);
    if (is_own) return stop;
    untold_.add(key);
    untold_.add(user);
    return stop;
}

/// Whose processor was taken from it before it slept over its act counted as a writer so far.
bool Gate::is_reading(const Task& task) {
    const fan::Event& event = task.event;
    return task.intent == Intent::Read || calls_.intent_of(event.tid, event.mask, event.fd.get(),
                                                           Calls::Wait::Patiently) == Intent::Read;
}

void Gate::serve(Task task) {
    const Actor actor = actors_.of_waiting(task.event.tid);
    const bool is_read = task.intent == Intent::Read;
    if (is_read && unclosed_.is_time_to_look(actor.key())) look_at_gathered(actor);
    const Status safe = make_safe(task, actor);
    if (is_read && safe) end_second_name(task, actor);
    if (!safe) note_failure(safe.error());
    if (!safe && safe.error().code != Code::NotFound && !is_reading(task)) {
        // What cannot be kept is not destroyed.
        ++counts_.denied;
        answer(task.event, fan::deny(safe.error().code == Code::Full ? ENOSPC : EIO));
        return;
    }
    Stop stop;
    const bool is_asked = !is_read || judge_.is_watchful() || hot_.is_hot(actor.key());
    if (is_asked && !is_own_tool(actor)) stop = ask(task, actor);
    if (stop.delay > Micros{}) std::this_thread::sleep_for(std::min<Micros>(stop.delay, kDelayMax));
    const bool is_denied = stop.kind == Stop::Kind::Deny || stop.kind == Stop::Kind::Freeze;
    if (is_denied) ++counts_.denied;
    if (!is_denied) note_author(task.key, actor, task.intent);
    // Before it goes on: whoever comes next finds that something may have happened.
    if (task.intent == Intent::Truncate && !is_denied) look_again(task.key, task.event.tid);
    const bool is_write = task.intent == Intent::Write && task.volume != nullptr;
    if (!is_denied && is_write && (!groups_.pre_content || (task.event.mask & fan::kPreAccess)))
        note_unclosed(task, actor);
    answer(task.event, is_denied ? fan::deny(stop.error ? stop.error : EPERM) : fan::kAllow);
}

// ---- the keeper: makes durable, forgets what was ignored
// -------------------------------------

void Gate::run_keeper() {
    auto epoch = std::chrono::steady_clock::now();
    auto synced = epoch;
    while (!stop_) {
        std::this_thread::sleep_for(kLookInterval);
        look_at_all();
        const auto now = std::chrono::steady_clock::now();
        if (now - synced >= kSyncInterval) {
            synced = now;
            note(store_.sync());
        }
        if (is_anything_untold()) catch_up(Stay::ForATime);
        look_at_unclosed();
        ignore_own_stage();
        if (now - epoch < kEpoch) continue;
        epoch = now;
        begin_epoch();
    }
    note(store_.sync());
}

/// truncate(2) changes a file that nobody opens or closes.
void Gate::look_again(const FileKey& key, pid_t tid) {
    const std::lock_guard lock(looks_mutex_);
    looks_[key] = {tid, std::chrono::steady_clock::now()};
}

bool Gate::has_looks() {
    const std::lock_guard lock(looks_mutex_);
    return !looks_.empty();
}

/// One that has not changed yet, or is changing, is looked at again, for a while.
void Gate::look_at_all() {
    std::map<FileKey, Look> looks;
    {
        const std::lock_guard lock(looks_mutex_);
        looks.swap(looks_);
    }
    const auto now = std::chrono::steady_clock::now();
    for (auto& [key, look] : looks) {
        if (look_at(key, look.tid) || now - look.since > kLookMax) continue;
        const std::lock_guard lock(looks_mutex_);
        looks_.insert({key, look});
    }
}

/// False when it is still as it was, or somebody is changing it.
bool Gate::look_at(const FileKey& key, pid_t tid) {
    const Volume* volume = volume_of(key);
    if (volume == nullptr) return true;
    const auto known = store_.catalog().find(key);
    if (known && !known->is_named) return true;
    struct stat info{};
    // Opened without asking first: most are as they were kept.
    const Result<UniqueFd> seen = volume->open_key(key, O_PATH);
    if (!seen || ::fstat(seen->get(), &info) < 0) return true;
    if (is_held(known, info)) return false;
    Result<UniqueFd> fd = volume->open_key(key, O_RDONLY | O_NOATIME);
    if (!fd) return true;
    // A closing will come, unless it is truncate(2), which has not returned yet.
    if (may_be_written(fd->get())) return false;
    Closing closing;
    closing.event.fd = std::move(*fd);
    closing.event.tid = tid;
    closing.key = key;
    take_closing(closing);
    return true;
}

/// It was let change.
void Gate::note_unclosed(const Task& task, const Actor& actor) {
    // Asynchronous reading looks like writing.
    const bool is_piece = task.event.mask & fan::kPreAccess;
    if (is_piece && !may_be_written(task.event.fd.get())) return;
    const auto known = store_.catalog().find(task.key);
    const bool is_old = known && known->committed_size > 0;
    unclosed_.add(task.key, task.event.tid, actor.key(), std::chrono::steady_clock::now(),
                  is_old ? Unclosed::Age::Old : Unclosed::Age::New);
}

void Gate::look_at_unclosed(const std::optional<std::string>& actor) {
    for (const Unclosed::File& file : unclosed_.due(std::chrono::steady_clock::now(), actor))
        look_inside(file);
}

/// One that changed and lies still is told of as it is; half of a version is nobody's crime.
void Gate::look_inside(const Unclosed::File& file) {
    const Volume* volume = volume_of(file.key);
    const auto known = store_.catalog().find(file.key);
    const Result<UniqueFd> seen =
        volume && known ? volume->open_key(file.key, O_PATH) : Result<UniqueFd>();
    struct stat info{};
    if (volume != nullptr && (!known || known->committed_size == 0))
        return look_at_new(file, *volume);
    if (!seen || !*seen || ::fstat(seen->get(), &info) < 0) return unclosed_.remove(file.key);
    const auto still =
        clock_.now().time_since_epoch() -
        std::chrono::duration_cast<Micros>(std::chrono::nanoseconds(Stamp::of(info).modified_ns));
    const auto now = std::chrono::steady_clock::now();
    if (still >= Micros{} && still < kStill) return;
    if (is_held(known, info)) {
        if (now - file.since <= kStill) return;
        unclosed_.looked(file.key, now);
        // Open and unchanged: perhaps it is mapped, and changes without a call.
        watch_mapped_by(file.tid);
        return;
    }
    Result<UniqueFd> fd = volume->open_key(file.key, O_RDONLY | O_NOATIME);
    if (!fd) return unclosed_.remove(file.key);
    unclosed_.looked(file.key, now);
    const Actor actor = last_author(file.key, file.tid);
    if (owns(actor, *known)) return;
    Change change = change_of(ChangeKind::CloseWrite, actor, file.key, known->path);
    change.is_open = true;
    change.before = store_.content(file.key, known->committed, known->committed_size);
    change.now = content_of(std::move(*fd));
    tell(std::move(change), true);
}

/// A new one is its maker's until it is closed; but who read much, or will, may be sealing it
/// there.
void Gate::look_at_new(const Unclosed::File& file, const Volume& volume) {
    const auto now = std::chrono::steady_clock::now();
    const Actor actor = last_author(file.key, file.tid);
    if (!judge_.is_outside_watched(actor)) return unclosed_.looked(file.key, now);
    Result<UniqueFd> fd = volume.open_key(file.key, O_RDONLY | O_NOATIME);
    if (!fd || !*fd) return unclosed_.remove(file.key);
    const auto inside = protected_path(volume, fd->get(), file.key);
    const auto path = inside ? inside : Volume::path_of(fd->get());
    if (!path) return unclosed_.remove(file.key);
    const int seen = fd->get();
    ContentPtr content = content_of(std::move(*fd));
    // What it is may show before it is closed: whoever writes more of it waits for us.
    if (groups_.pre_content && content->size() < kSealedHeadBytes &&
        unclosed_.is_gathering(actor.key()))
        groups_.gate.heed(seen, fan::kPreAccess);
    if (content->size() == 0) return unclosed_.was_empty(file.key, now);
    unclosed_.looked(file.key, now);
    if (!looks_sealed(*content)) return;
    Change change = change_of(ChangeKind::CloseWrite, actor, file.key, *path);
    change.is_new = change.is_open = true;
    change.is_outside = !inside;
    change.now = std::move(content);
    tell(std::move(change), false);
    rouse_clerk();
}

/// It sleeps until something is closed or named, and what comes then may be a hundred deletions.
void Gate::rouse_clerk() {
    const pid_t clerk = clerk_;
    if (clerk != 0 && judge_.lookout() != JudgeDoor::Lookout::Calm) raise_urgency(clerk);
}

/// Whoever reads file after file since it began a new one may be sealing them there: the last one
/// is read before the first is deleted, and who reads waits for us.
void Gate::look_at_gathered(const Actor& actor) {
    for (const Unclosed::File& file : unclosed_.take_look(actor.key()))
        if (const Volume* volume = volume_of(file.key)) look_at_new(file, *volume);
}

/// A piece of a new file is written by who has read much, and there is not enough of it to tell
/// what it is.
bool Gate::is_worth_meeting(const Task& task, const Actor& actor) {
    if (!judge_.is_outside_watched() || !unclosed_.is_gathering(actor.key())) return false;
    struct stat info{};
    if (::fstat(task.event.fd.get(), &info) < 0) return false;
    if (static_cast<std::size_t>(info.st_size) < kSealedHeadBytes) return true;
    look_at_new({task.key, task.event.tid, std::chrono::steady_clock::now()}, *task.volume);
    return false;
}

/// What was written elsewhere before anybody had read much was nobody's business.
void Gate::heed_closings() {
    groups_.closings.heed_all();
    for (const auto& volume : volumes_)
        for (const std::string& folder : store_.stage(volume->number()).folders())
            groups_.closings.ignore_inside(folder, fan::kCloseWrite);
}

/// What it is writing may hold what it deletes.
void Gate::look_at_new_of(const Actor& actor) {
    if (!judge_.is_outside_watched() || !judge_.is_outside_watched(actor)) return;
    unclosed_.hasten(actor.key(), std::chrono::steady_clock::now());
    look_at_unclosed(actor.key());
}

/// A version that there was no room for: the next one who would destroy it keeps it, or is refused.
void Gate::note_unkept(const FileKey& key, const std::optional<Known>& known,
                       const std::string& path) {
    if (known) return store_.catalog().update(key, [](Known& entry) { entry.is_held = false; });
    Known entry;
    entry.path = path;
    entry.is_named = true;
    store_.catalog().set(key, std::move(entry));
}

/// Who leaves file after file open does not get ahead of the judge.
void Gate::wait_for_unclosed(const FileKey& key, const std::string& actor) {
    if (unclosed_.unseen(actor, key) < Unclosed::kOfOneMax) return;
    // Most are closed, and nobody has looked at that yet.
    catch_up();
    const auto until = std::chrono::steady_clock::now() + kUnclosedWaitMax;
    while (!stop_ && unclosed_.unseen(actor, key) >= Unclosed::kOfOneMax) {
        look_at_unclosed(actor);
        if (std::chrono::steady_clock::now() > until) return;
        if (unclosed_.unseen(actor, key) >= Unclosed::kOfOneMax)
            std::this_thread::sleep_for(kUnclosedPause);
    }
}

/// Programs that replace a file by another leave it alone when they see that it has a second name.
bool Gate::is_put_off_by_second_name(const fan::Event& event, const Known& known,
                                     const Actor& actor) {
    constexpr std::array<std::string_view, 5> kPutOff = {"gzip", "bzip2", "xz", "lbzip2",
                                                         "compress"};
    if (!(event.mask & fan::kOpenPerm) || !known.is_linked || known.size > kSecondNameBytesMax)
        return false;
    const std::string_view program = actor.program;
    return std::ranges::count(kPutOff, program.substr(program.rfind('/') + 1)) != 0;
}

/// Its caller waits: it counts the names once it has the file open.
void Gate::end_second_name(const Task& task, const Actor& actor) {
    auto known = store_.catalog().find(task.key);
    if (!known || !is_put_off_by_second_name(task.event, *known, actor)) return;
    const int fd = task.event.fd.get();
    keep_ahead(task.key, fd, kSecondNameBytesMax);
    known = store_.catalog().find(task.key);
    if (known && known->is_held)
        note(store_.end_second_name({*task.volume, fd, task.key, known->path, known->is_named}));
}

/// A file that has a second name alone gets a copy of its bytes. Whoever wants to change it waits
/// for its stripe.
void Gate::keep_ahead(const FileKey& key, int fd, std::uint64_t bytes_max) {
    const Volume* volume = volume_of(key);
    struct stat info{};
    if (volume == nullptr || ::fstat(fd, &info) < 0 || !has_room_ahead(fd) ||
        static_cast<std::uint64_t>(info.st_size) > bytes_max)
        return;
    const auto has_changed = [&](const Known& known) { return known.held != Stamp::of(info); };
    // It may have got another name, or rights: whoever gave them is told of first.
    if (const auto known = store_.catalog().find(key); known && has_changed(*known)) catch_up();
    const std::lock_guard lock(stripes_[FileKeyHash()(key) % stripes_.size()]);
    const auto known = store_.catalog().find(key);
    if (!known || known->is_held || !known->is_linked || !is_same_content(*known, Stamp::of(info)))
        return;
    note(store_.keep({*volume, fd, key, known->path, known->is_named}, Cause::Adopted, {},
                     Store::Effort::Bytes));
    // Who was not held back did not wait: what was copied may be half a version.
    struct stat now{};
    if (::fstat(fd, &now) < 0 || Stamp::of(now) != Stamp::of(info))
        store_.catalog().update(key, [](Known& entry) { entry.is_held = false; });
}

/// Keeps what the walk found, through a descriptor that raised no event.
Status Gate::take_stock(const Volume& volume, int path_fd, const std::string& path,
                        Store::Effort effort) {
    struct stat info{};
    if (::fstat(path_fd, &info) < 0) return {};
    const FileKey key = TRY(volume.key_of(path_fd));
    const std::lock_guard lock(stripes_[FileKeyHash()(key) % stripes_.size()]);
    const auto known = store_.catalog().find(key);
    if (known && known->held == Stamp::of(info) && store_.catalog().at(path) == key &&
        (known->is_held || (known->is_linked && effort == Store::Effort::Cheaply)))
        return {};
    // What changed while no guard was there is a change like others.
    const Cause cause = known || !store_.is_first_life() ? Cause::Adopted : Cause::Baseline;
    if (!S_ISREG(info.st_mode) || info.st_size == 0)
        return store_.note_present({volume, path_fd, key, path}, cause, {});
    if (effort == Store::Effort::Cheaply && !store_.stage(volume.number()).clones())
        return store_.keep({volume, path_fd, key, path}, cause, {}, effort);
    const UniqueFd fd(
        ::open(fmt::format("/proc/self/fd/{}", path_fd).c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME));
    if (!fd) return os_failure(errno, volume.top());
    return store_.keep({volume, fd.get(), key, path}, cause, {}, effort);
}

}  // namespace hygie::files
