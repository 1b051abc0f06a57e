#include "guards/files/gate/gate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "guards/files/acts/priority.h"
#include "host/log.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
constexpr auto kHot = std::chrono::seconds(30);
constexpr std::size_t kHotMax = 4096;
/// Room for one event, so that whoever reads it can look after it: with its range, or two without.
constexpr std::size_t kOneEventBytes = 48;
/// Who was let through is likely to come again: being woken takes longer than looking out for it.
constexpr auto kLinger = std::chrono::microseconds(30);
/// What cannot be kept is said so often; each is counted.
constexpr auto kSayInterval = std::chrono::seconds(1);
/// Before Linux 6.13 two changes within a tick of the clock look alike.
constexpr std::int64_t kTickNs = 10'000'000;

bool is_own_thread(pid_t tid) {
    return ::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0;
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
    TRY_STATUS(gate.watch_filesystem(volume.top(), gate_mask() | fan::kOpenExecPerm));
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

int UntoldActs::count(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    const auto found = acts_.find(actor);
    return found == acts_.end() ? 0 : found->second;
}

void UntoldActs::add(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    ++acts_[actor];
}

bool UntoldActs::add_below(const std::string& actor, int max) {
    const std::lock_guard lock(mutex_);
    int& acts = acts_[actor];
    if (acts >= max) return false;
    ++acts;
    return true;
}

void UntoldActs::clear() {
    const std::lock_guard lock(mutex_);
    acts_.clear();
}

std::chrono::microseconds Lookout::patience() {
    answers_ = (answers_ + 1) % kTryEvery;
    return misses_ < kMissesMax || answers_ == 0 ? kLinger : std::chrono::microseconds{};
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
      own_program_(program_of(::getpid())),
      closings_(groups.closings,
                [this](fan::Event event) { return sort_closing(std::move(event)); }),
      names_(
          groups.names, [this](const fan::Event& event) { return debtor(event); },
          [this](pid_t tid) { judge_.glimpse(tid); }),
      sentry_(groups.names, names_, judge_),
      ahead_([this](const Ahead::File& file) {
          keep_ahead(file.key, file.fd.get(), Ahead::kBytesMax);
      }),
      outlook_(volumes_),
      mapping_watch_(
          {[this](pid_t pid, const FileKey& key) { return has_changed_unasked(pid, key); },
           [this] { look_at_unasked(); }}) {}

Gate::~Gate() {
    // Doormen last: what the others open on a guarded file system waits for them.
    ahead_.stop();
    stop_ = true;
    clerks_.clear();
    sentry_.stop();
    early_watch_.stop();
    mapping_watch_.stop();
    // Its end waits for whoever waits at the door over a file that it watches.
    early_events_.reset();
    doormen_leave_ = true;
    doormen_.clear();
    // A deadman that stands in knows nothing of them.
    for (const Task& task : left_) answer(task.event, failed_ ? fan::deny(EAGAIN) : fan::kAllow);
}

void Gate::start() {
    heed_all();
    ignore_own_stage();
    // What we make there is nobody's news. But a live file may be met under its second name.
    constexpr std::uint64_t kNames = fan::kCreate | fan::kDelete | fan::kRename;
    for (const auto& volume : volumes_) {
        const Stage& stage = store_.stage(volume->number());
        for (const std::string& folder : stage.all_folders())
            groups_.names.ignore_inside(folder, kNames);
        for (const std::string& folder : stage.folders())
            groups_.closings.ignore_inside(folder, fan::kCloseWrite);
    }
    for (int i = 0; i < kDoormen; ++i)
        doormen_.emplace_back([this] {
            set_urgency("doorman", Urgency::Door);
            run_doorman();
        });
    clerks_.emplace_back([this] {
        clerk_ = ::gettid();
        set_urgency("clerk", Urgency::Known);
        run_clerk();
    });
    clerks_.emplace_back([this] { run_keeper(); });
    sentry_.start();
    ahead_.start();
}

std::optional<Error> Gate::failure() {
    const std::lock_guard lock(failure_mutex_);
    return failure_;
}

void Gate::note_failure(const Error& error) {
    // A file that vanished under our hands is no failure of the store.
    if (error.code == Code::NotFound || error.code == Code::Unavailable) return;
    ++counts_.failures;
    bool is_due = false;
    {
        const std::lock_guard lock(failure_mutex_);
        failure_ = error;
        const auto now = std::chrono::steady_clock::now();
        is_due = now - failure_said_ >= kSayInterval;
        if (is_due) failure_said_ = now;
    }
    if (error.code == Code::Io) failed_ = true;
    // Somebody waits for us, and we for whoever reads this: of many like it one is said.
    if (is_due) log::warning("files.not-kept", error);
}

void Gate::begin_epoch() {
    {
        const std::lock_guard lock(read_mutex_);
        read_.clear();
    }
    if (!judge_.is_outside_watched()) outlook_.turn_off();
    heed_all();
}

void Gate::heed_all() {
    groups_.gate.heed_all();
    for (const std::string& folder : own_folders_)
        groups_.gate.ignore_inside(folder, groups_.gate_mask());
    meets_own_stage_ = true;
}

/// The stage has many folders, and whoever heeds all is waited for: until the keeper comes by, what
/// we open there is met at the door and let through.
void Gate::ignore_own_stage() {
    if (!meets_own_stage_.exchange(false)) return;
    for (const auto& volume : volumes_)
        for (const std::string& folder : store_.stage(volume->number()).folders())
            groups_.gate.ignore_inside(folder, groups_.gate_mask());
}

// ---- doormen: one at the door, who never waits and never opens a file; the others look after ----
// ---- what cannot be answered at once ----

/// What one of them opens itself waits for another at the door.
bool Gate::may_leave() {
    if (!doormen_leave_) return false;
    const std::lock_guard lock(left_mutex_);
    return serving_ == 0;
}

void Gate::run_doorman() {
    const fan::Turn turn(groups_.gate);
    Lookout lookout;
    while (!may_leave()) {
        std::optional<Task> task = take_left();
        if (!task) task = watch_the_door(turn, lookout);
        if (!task) continue;
        serve(std::move(*task));
        const std::lock_guard lock(left_mutex_);
        --serving_;
    }
}

/// What nobody was free for, while another is free to take the door: what we open waits there.
std::optional<Gate::Task> Gate::take_left() {
    const std::lock_guard lock(left_mutex_);
    if (left_.empty() || doormen_leave_ || serving_ + 1 >= kDoormen) return std::nullopt;
    Task task = std::move(left_.front());
    left_.pop_front();
    ++serving_;
    return task;
}

/// Answers what can be answered at once, until something needs more; while nobody else is free to
/// take the door, that is left for who comes free first.
std::optional<Gate::Task> Gate::watch_the_door(const fan::Turn& turn, Lookout& lookout) {
    std::vector<fan::Event> events;
    auto until = std::chrono::steady_clock::time_point();
    bool is_looking_out = false;
    while (!may_leave()) {
        if (beat_) beat_->fetch_add(1);
        if (std::optional<Task> task = take_left()) return task;
        if (meet_next(events)) {
            if (is_looking_out) lookout.has_come();
            const auto patience = lookout.patience();
            is_looking_out = patience.count() > 0;
            until = std::chrono::steady_clock::now() + patience;
            continue;
        }
        if (is_looking_out && std::chrono::steady_clock::now() < until) continue;
        if (is_looking_out) lookout.has_not_come();
        is_looking_out = false;
        turn.wait(kPollMs);
    }
    return std::nullopt;
}

bool Gate::meet_next(std::vector<fan::Event>& events) {
    events.clear();
    note(groups_.gate.read(events, kOneEventBytes));
    const bool has_come = !events.empty();
    for (fan::Event& event : events) meet(std::move(event));
    return has_come;
}

void Gate::meet(fan::Event event) {
    if (event.mask & fan::kOverflow) ++counts_.overflows;
    if (!event.fd) return;
    Task task;
    if (meet_quickly(event, task)) return;
    ++counts_.asked;
    task.event = std::move(event);
    const std::lock_guard lock(left_mutex_);
    left_.push_back(std::move(task));
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

/// Who makes a new file under another name and then gives it its own took nothing from anybody, nor
/// who takes away what it has just made: only what others made, or what stood where a name went.
std::optional<std::string> Gate::debtor(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    const Actor actor = volume != nullptr ? namer_of(*volume, event) : actors_.of(event.tid);
    const auto is_others = [&](const FileKey& key) {
        const auto known = store_.catalog().find(key);
        return known && !owns(actor, *known);
    };
    const bool is_folder = event.mask & fan::kOnDir;
    if (volume == nullptr || !scanned_ || is_folder || is_others(volume->key(event.target)))
        return actor.key();
    if (!(event.mask & fan::kRename)) return std::nullopt;
    const auto folder = store_.catalog().find(volume->key(event.new_dir));
    const auto stood =
        folder ? store_.catalog().at(join(folder->path, event.new_name)) : std::nullopt;
    return stood && is_others(*stood) ? std::optional(actor.key()) : std::nullopt;
}

/// A server names files under its own name: who wrote one gives it another. Who deletes one is
/// known of what it made itself alone, which harms nobody.
Actor Gate::namer_of(const Volume& volume, const fan::Event& event) {
    const Actor actor = actors_.of(event.tid);
    if (!actor.nfs || event.target.bytes.empty()) return actor;
    const FileKey key = volume.key(event.target);
    const Actor author = last_author(key, event.tid);
    if (!(event.mask & fan::kDelete)) return author;
    const auto known = store_.catalog().find(key);
    return known && owns(author, *known) ? author : actor;
}

/// A server may open and cut under its own name: who opened is no author yet, who cut is.
void Gate::note_author(const FileKey& key, const Actor& actor, Intent intent) {
    const bool is_act = intent == Intent::Write && !actor.is_nameless_server();
    if (is_act || intent == Intent::Truncate)
        authors_.note(key, actor, std::chrono::steady_clock::now());
}

/// Somebody who changed something a moment ago, or took names away, does not get far ahead of the
/// judge, be it by reading or by making new files.
bool Gate::is_ahead(const Actor& actor) {
    const std::string key = actor.key();
    if (!hot_.is_hot(key) && !names_.owes(key)) return false;
    return !untold_.add_below(key, judge_.patience(actor));
}

/// How often a file was met while it was read, in this epoch. The first reading is told, and the
/// first by somebody else.
Gate::Readings Gate::count_reading(const fan::Event& event, const FileKey& key,
                                   const Actor& actor) {
    Readings readings;
    const std::size_t who = std::hash<std::string>()(actor.key());
    bool is_news = false;
    {
        const std::lock_guard lock(read_mutex_);
        if (read_.size() >= kReadMax) read_.clear();
        Readings& all = read_[key];
        is_news = std::exchange(all.last, who) != who;
        ++all.met;
        if (event.mask & fan::kOpenPerm) ++all.opened;
        readings = all;
    }
    if (is_news)
        if (const auto known = store_.catalog().find(key)) {
            Change change = change_of(ChangeKind::Read, actor, key, known->path);
            change.is_new = known->maker != 0;
            change.before = store_.content(key, known->committed, known->committed_size);
            tell(std::move(change), false);
        }
    if (is_news && judge_.is_outside_watched()) {
        outlook_.turn_on();
        recall_new_of(actor);
    }
    return readings;
}

/// A file that is kept as it stands was read. What was read once is likely to be changed next, and
/// by whom, perhaps by truncate(2), which is a piece and no open: only what is read again is met by
/// its opens alone, and what is opened again and again not any more until it changes. What is not
/// met is told after the fact at least: truncate(2) closes nothing.
void Gate::note_reading(const fan::Event& event, const FileKey& key, const Actor& actor) {
    const Readings readings = count_reading(event, key, actor);
    if (readings.met < kMetPieces) return;
    const bool is_often = readings.opened >= kMetOpens;
    // Its pieces are not met already; if that was forgotten meanwhile, they say so.
    if (readings.met > kMetPieces && !is_often && (event.mask & fan::kOpenPerm)) return;
    const bool is_watched = hot_.is_hot(actor.key()) || judge_.is_watchful();
    const std::uint64_t pieces = fan::kPreAccess & groups_.gate_mask();
    const int fd = event.fd.get();
    if (groups_.pre_content) groups_.names.watch_file(fd, fan::kModify);
    groups_.gate.ignore(fd, is_often && !is_watched ? groups_.gate_mask() : pieces,
                        fan::Ignore::UntilModified);
}

/// Somebody who changes files is likely to change this one next: the judge will ask for its bytes,
/// which may have left the memory by then, with the file.
void Gate::remember(int fd, const Known& known, const Actor& actor) {
    if (known.size == 0 || known.size > Recent::kOneBytesMax || !hot_.is_hot(actor.key()) ||
        store_.recent().has(known.version))
        return;
    Bytes bytes = bytes_at_hand(fd, known.size);
    struct stat info{};
    if (bytes.empty() || ::fstat(fd, &info) < 0 || !is_held(known, info)) return;
    store_.recent().put(known.version, std::move(bytes));
}

/// Who read much may be sealing it there: known while it is written, the first deletion finds us
/// awake.
void Gate::watch_new(const fan::Event& event, const struct stat& info, const Actor& actor) {
    const Volume* volume = volume_of(info);
    const Result<FileKey> key = volume ? volume->key_of(event.fd.get()) : FileKey();
    if (volume == nullptr || !key) return;
    if (!store_.catalog().find(*key)) unclosed_.note_birth(*key);
    note_author(*key, actor, Intent::Write);
    unclosed_.remember(*key, event.tid, actor.key());
    recall_new_of(actor);
}

void Gate::recall_new_of(const Actor& actor) {
    if (judge_.is_outside_watched() && judge_.is_outside_watched(actor))
        unclosed_.recall(actor.key(), std::chrono::steady_clock::now());
}

/// True when the act is answered; else `task` says what is known of it.
bool Gate::meet_quickly(fan::Event& event, Task& task) {
    const int fd = event.fd.get();
    struct stat info{};
    if (::fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || is_own_thread(event.tid)) {
        answer(event, fan::kAllow);
        return true;
    }
    if (info.st_size == 0) {
        // Nothing can be lost, and its writer need not be asked again before it closes.
        groups_.gate.ignore(fd, fan::kPreAccess & groups_.gate_mask(), fan::Ignore::Always);
        const Actor actor = actors_.of_waiting(event.tid);
        watch_new(event, info, actor);
        if (is_ahead(actor) || judge_.is_watchful()) return false;
        answer(event, fan::kAllow);
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
        groups_.gate.ignore(fd, groups_.gate_mask() | fan::kOpenExecPerm, fan::Ignore::Always);
        if (!judge_.is_outside_watched())
            groups_.closings.ignore(fd, fan::kCloseWrite, fan::Ignore::Always);
        answer(event, fan::kAllow);
        return true;
    }
    task.intent = calls_.intent_of(event.tid, event.mask, fd);
    const bool is_kept = is_held(known, info);
    // Where keeping is copying, who reads does not wait for it.
    if (task.intent != Intent::Read || judge_.is_watchful() ||
        (!is_kept && (!known || has_clones(*task.volume))))
        return false;
    const Actor actor = actors_.of_waiting(event.tid);
    if (is_ahead(actor) || unclosed_.is_time_to_look(actor.key()) ||
        is_put_off_by_second_name(event, *known, actor))
        return false;
    if (is_kept) {
        note_reading(event, *key, actor);
        remember(fd, *known, actor);
    } else if (count_reading(event, *key, actor).opened > 1) {
        ahead_.add(*key, fd);
    }
    answer(event, fan::kAllow);
    return true;
}

}  // namespace hygie::files
