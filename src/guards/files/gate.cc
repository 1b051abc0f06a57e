#include "guards/files/gate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/log.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
constexpr auto kHot = std::chrono::seconds(30);
constexpr std::size_t kHotMax = 4096;
/// Each sync makes the whole file system wait for its log.
constexpr Micros kSyncInterval = std::chrono::seconds(1);
constexpr Micros kLookInterval = std::chrono::milliseconds(100);
/// The gate's view of what happened may lag this long behind an act it holds.
constexpr Micros kClerkWaitMax = std::chrono::milliseconds(20);
constexpr Micros kClerkLook = std::chrono::microseconds(100);
/// Heeding all again costs a round trip per file: not more often than this.
constexpr std::int64_t kHeedIntervalUs = 1'000'000;
/// Before Linux 6.13 two changes within a tick of the clock look alike.
constexpr std::int64_t kTickNs = 10'000'000;

bool is_own_thread(pid_t tid) {
    return ::access(fmt::format("/proc/self/task/{}", tid).c_str(), F_OK) == 0;
}

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

}  // namespace

Result<Groups> Groups::open(Want want, const std::vector<std::unique_ptr<Volume>>& volumes) {
    Groups groups;
    groups.pre_content = want == Want::Best;
    if (groups.pre_content) {
        const auto best = fan::Group::open(fan::Kind::Gate);
        if (!best && best.error().code == Code::Denied) return std::unexpected(best.error());
        groups.pre_content = best.has_value();
        // Tried on a group that is closed at once: what it held up goes on.
        for (const auto& volume : volumes) {
            if (!groups.pre_content) break;
            fan::Group trial = TRY(fan::Group::open(fan::Kind::Gate));
            groups.pre_content =
                trial.watch_filesystem(volume->top(), groups.gate_mask()).has_value();
        }
    }
    groups.gate = TRY(fan::Group::open(groups.pre_content ? fan::Kind::Gate : fan::Kind::OldGate));
    groups.closings = TRY(fan::Group::open(fan::Kind::Closings));
    groups.names = TRY(fan::Group::open(fan::Kind::Names));
    return groups;
}

std::uint64_t Groups::gate_mask() const {
    return fan::kOpenPerm | (pre_content ? fan::kPreAccess : 0);
}

Status Groups::watch(const Volume& volume) {
    TRY_STATUS(gate.watch_filesystem(volume.top(), gate_mask()));
    TRY_STATUS(closings.watch_filesystem(volume.top(), fan::kCloseWrite));
    // Without pre-content events a cut by name is only told after the fact.
    const std::uint64_t cuts = pre_content ? 0 : fan::kModify;
    return names.watch_filesystem(volume.top(), fan::kCreate | fan::kDelete | fan::kRename |
                                                    fan::kAttrib | fan::kOnDir | cuts);
}

bool HotActors::heat(const std::string& actor) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (until_.size() >= kHotMax)
        std::erase_if(until_, [&](const auto& item) { return item.second < now; });
    auto& until = until_[actor];
    const bool was_cold = until < now;
    until = now + kHot;
    return was_cold;
}

bool HotActors::is_hot(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(actor);
    return found != until_.end() && found->second >= std::chrono::steady_clock::now();
}

Gate::Gate(Store& store, std::vector<std::unique_ptr<Volume>>& volumes, Groups& groups,
           JudgeDoor& judge, Actors& actors, Clock& clock, std::vector<std::string> own_folders)
    : store_(store),
      volumes_(volumes),
      groups_(groups),
      judge_(judge),
      actors_(actors),
      clock_(clock),
      own_folders_(std::move(own_folders)),
      own_program_(program_of(::getpid())) {}

Gate::~Gate() {
    stop_ = true;
    queue_filled_.notify_all();
    threads_.clear();
}

void Gate::start() {
    heed_all();
    threads_.emplace_back([this] { run_doorman(); });
    for (int i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { run_worker(); });
    threads_.emplace_back([this] { run_clerk(); });
    threads_.emplace_back([this] { run_keeper(); });
}

std::optional<Error> Gate::failure() {
    const std::lock_guard lock(failure_mutex_);
    return failure_;
}

void Gate::note_failure(const Error& error) {
    // A file that vanished under our hands is no failure of the store.
    if (error.code == Code::NotFound || error.code == Code::Unavailable) return;
    ++counts_.failures;
    log::warning("files.not-kept", error);
    const std::lock_guard lock(failure_mutex_);
    failure_ = error;
    if (error.code == Code::Io) failed_ = true;
}

void Gate::heed_all() {
    groups_.gate.heed_all();
    for (const auto& volume : volumes_)
        for (const std::string& folder : store_.stage(volume->number()).folders())
            groups_.gate.ignore_inside(folder, groups_.gate_mask());
    for (const std::string& folder : own_folders_)
        groups_.gate.ignore_inside(folder, groups_.gate_mask());
}

// ---- the doorman: never waits, never opens a file -------------------------------------------

void Gate::run_doorman() {
    std::vector<fan::Event> events;
    while (!stop_) {
        if (beat_) beat_->fetch_add(1);
        pollfd poll{groups_.gate.fd(), POLLIN, 0};
        if (::poll(&poll, 1, kPollMs) <= 0) continue;
        events.clear();
        note(groups_.gate.read(events));
        for (fan::Event& event : events) meet(std::move(event));
    }
}

void Gate::meet(fan::Event event) {
    if (event.mask & fan::kOverflow) ++counts_.overflows;
    if (!event.fd) return;
    Task task;
    if (meet_quickly(event, task)) return;
    ++counts_.asked;
    task.event = std::move(event);
    {
        const std::lock_guard lock(queue_mutex_);
        queue_.push_back(std::move(task));
    }
    queue_filled_.notify_one();
}

const Volume* Gate::volume_of(const struct stat& info) const {
    for (const auto& volume : volumes_)
        if (volume->device() == info.st_dev) return volume.get();
    // Subvolumes of btrfs have device numbers of their own.
    for (const auto& volume : volumes_)
        if (volume->type() == "btrfs") return volume.get();
    return nullptr;
}

bool Gate::is_held(const std::optional<Known>& known, const struct stat& info) const {
    if (!known || !known->is_held || known->held != Stamp::of(info)) return false;
    if (groups_.pre_content) return true;
    // Old clocks: a change right after the capture could look like none.
    const auto kept_ns = static_cast<std::int64_t>(known->version) * 1000;
    return kept_ns - known->held.changed_ns > kTickNs;
}

std::optional<std::string> Gate::protected_path(const Volume& volume, int fd, const FileKey& key) {
    std::optional<std::string> path = Volume::path_of(fd);
    if (path && volume.protects(*path)) return path;
    // Perhaps it came through another mount or a container: ask our own mount.
    path = volume.path_of(key);
    if (path && volume.protects(*path)) return path;
    return std::nullopt;
}

/// True when the act is answered; else `task` says what a worker needs to know.
bool Gate::meet_quickly(fan::Event& event, Task& task) {
    const int fd = event.fd.get();
    struct stat info{};
    if (::fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || is_own_thread(event.tid)) {
        answer(event, fan::kAllow);
        return true;
    }
    if (info.st_size == 0) {
        // Nothing can be lost. After its first bytes it is asked about again.
        groups_.gate.ignore(fd, groups_.gate_mask(), fan::Ignore::UntilModified);
        answer(event, fan::kAllow);
        actors_.note(event.tid);
        return true;
    }
    task.volume = volume_of(info);
    const Result<FileKey> key = task.volume ? task.volume->key_of(fd) : FileKey();
    if (!task.volume || !key) {
        answer(event, fan::kAllow);
        return true;
    }
    task.key = *key;
    const auto known = store_.catalog().find(*key);
    if (!known && !protected_path(*task.volume, fd, *key)) {
        groups_.gate.ignore(fd, groups_.gate_mask(), fan::Ignore::Always);
        groups_.closings.ignore(fd, fan::kCloseWrite, fan::Ignore::Always);
        answer(event, fan::kAllow);
        return true;
    }
    if (!is_held(known, info)) return false;
    if (intent_of(event.tid, event.mask, fd) != Intent::Read) return false;
    const Actor actor = actors_.of(event.tid);
    if (hot_.is_hot(actor.key())) return false;
    if (!judge_.is_watchful())
        groups_.gate.ignore(fd, groups_.gate_mask(), fan::Ignore::UntilModified);
    answer(event, fan::kAllow);
    tell(change_of(ChangeKind::Read, actor, *key, known->path), false);
    return true;
}

// ---- workers: keep, ask, answer --------------------------------------------------------------

void Gate::run_worker() {
    while (!stop_) {
        Task task;
        {
            std::unique_lock lock(queue_mutex_);
            queue_filled_.wait_for(lock, std::chrono::milliseconds(kPollMs),
                                   [&] { return stop_ || !queue_.empty(); });
            if (queue_.empty()) continue;
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        serve(std::move(task));
    }
}

bool Gate::is_told_later() const {
    return clerk_busy_ || groups_.closings.pending();
}

/// Whether bytes must be kept before this act goes on.
Gate::Need Gate::need_of(const Task& task, const std::optional<Known>& known,
                         const struct stat& info, Intent intent) {
    if (is_held(known, info)) return Need::Nothing;
    const bool clones = store_.stage(task.volume->number()).clones();
    if (intent == Intent::Read && !clones && known) return Need::Skip;
    const bool is_new = !known;
    if (is_new && (!scanned_ || !(task.event.mask & fan::kPreAccess) || intent == Intent::Truncate))
        return Need::Bytes;
    if (known && !known->is_held) return Need::Bytes;
    // It changed since its bytes were kept, and no writer has closed it since: half a version.
    return is_told_later() ? Need::Bytes : Need::Skip;
}

Status Gate::make_safe(Task& task, Intent intent, const Actor& actor) {
    const std::lock_guard lock(stripes_[FileKeyHash()(task.key) % stripes_.size()]);
    const int fd = task.event.fd.get();
    struct stat info{};
    if (::fstat(fd, &info) < 0 || info.st_size == 0) return {};
    const auto known = store_.catalog().find(task.key);
    const Need need = need_of(task, known, info, intent);
    if (need == Need::Bytes) {
        std::string path = known ? known->path : std::string();
        if (path.empty()) path = protected_path(*task.volume, fd, task.key).value_or(std::string());
        TRY_STATUS(store_.keep({*task.volume, fd, task.key, path},
                               known ? Cause::PreImage : Cause::Adopted, actor.key(),
                               Store::Effort::Bytes));
        ++counts_.kept;
    }
    const bool is_watched =
        intent != Intent::Read || hot_.is_hot(actor.key()) || judge_.is_watchful();
    if (need == Need::Skip) {
        // More of the same writer's bytes: not asked about until it closes.
        if (intent != Intent::Read && groups_.pre_content)
            groups_.gate.ignore(fd, fan::kPreAccess, fan::Ignore::Always);
        return {};
    }
    groups_.gate.ignore(fd,
                        is_watched && groups_.pre_content ? fan::kPreAccess : groups_.gate_mask(),
                        fan::Ignore::UntilModified);
    return {};
}

void Gate::wait_for_clerk() {
    for (Micros waited{}; waited < kClerkWaitMax && !stop_; waited += kClerkLook) {
        if (!is_told_later() && !groups_.names.pending()) return;
        std::this_thread::sleep_for(kClerkLook);
    }
}

Stop Gate::ask(const Task& task, Intent intent, const Actor& actor) {
    wait_for_clerk();
    const auto known = store_.catalog().find(task.key);
    if (!known) return {};
    Change change = change_of(kind_of(intent, task.event.mask), actor, task.key, known->path);
    change.offset = task.event.offset;
    change.length = task.event.length;
    change.before = store_.content(task.key, known->committed, known->committed_size);
    change.now = change.before;
    return judge_.before(change);
}

void Gate::serve(Task task) {
    const Actor actor = actors_.of(task.event.tid);
    const Intent intent = intent_of(task.event.tid, task.event.mask, task.event.fd.get());
    const Status safe = make_safe(task, intent, actor);
    if (!safe) note_failure(safe.error());
    if (!safe && intent != Intent::Read && safe.error().code != Code::NotFound) {
        // What cannot be kept is not destroyed.
        ++counts_.denied;
        answer(task.event, fan::deny(safe.error().code == Code::Full ? ENOSPC : EIO));
        return;
    }
    Stop stop;
    if (!is_own_tool(actor) && (intent != Intent::Read || hot_.is_hot(actor.key())))
        stop = ask(task, intent, actor);
    if (stop.kind == Stop::Kind::Delay)
        std::this_thread::sleep_for(std::min<Micros>(stop.delay, kDelayMax));
    const bool is_denied = stop.kind == Stop::Kind::Deny || stop.kind == Stop::Kind::Freeze;
    if (is_denied) ++counts_.denied;
    answer(task.event, is_denied ? fan::deny(stop.error ? stop.error : EPERM) : fan::kAllow);
    if (intent == Intent::Truncate && !is_denied) look_again(task.key, task.event.tid);
}

// ---- the keeper: makes durable, forgets what was ignored -------------------------------------

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
        if (now - epoch < kEpoch) continue;
        epoch = now;
        heed_all();
    }
    note(store_.sync());
}

/// truncate(2) changes a file that nobody opens or closes.
void Gate::look_again(const FileKey& key, pid_t tid) {
    const std::lock_guard lock(looks_mutex_);
    looks_[key] = tid;
}

void Gate::look_at_all() {
    std::map<FileKey, pid_t> looks;
    {
        const std::lock_guard lock(looks_mutex_);
        looks.swap(looks_);
    }
    for (const auto& [key, tid] : looks) look_at(key, tid);
}

void Gate::look_at(const FileKey& key, pid_t tid) {
    for (const auto& volume : volumes_) {
        if (volume->number() != key.volume()) continue;
        Result<UniqueFd> fd = volume->open_key(key, O_RDONLY | O_NOATIME);
        // A read lease is refused while somebody may write: then a closing will come.
        if (!fd || ::fcntl(fd->get(), F_SETLEASE, F_RDLCK) < 0) return;
        (void)::fcntl(fd->get(), F_SETLEASE, F_UNLCK);
        fan::Event event;
        event.fd = std::move(*fd);
        event.tid = tid;
        take_closing(event);
    }
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
