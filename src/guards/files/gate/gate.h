#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/actors.h"
#include "guards/files/acts/authors.h"
#include "guards/files/acts/fanotify.h"
#include "guards/files/gate/ahead.h"
#include "guards/files/gate/closings.h"
#include "guards/files/gate/early.h"
#include "guards/files/gate/mappings.h"
#include "guards/files/gate/names.h"
#include "guards/files/gate/outlook.h"
#include "guards/files/gate/posts.h"
#include "guards/files/gate/sentry.h"
#include "guards/files/gate/unclosed.h"
#include "guards/files/judge/judge_door.h"
#include "guards/files/keep/store.h"

namespace hygie::files {

/// The three groups of events. They outlive the gate: the deadman holds them too.
///
/// The gate's ends first, which lets go whoever waits: the kernel ends no other that has a mark on
/// a file for as long as somebody waits over that file, and nothing can end who waits for that.
struct Groups {
    fan::Group closings;  ///< writers that closed
    fan::Group names;     ///< names made, moved, removed; attributes changed
    fan::Group gate;      ///< acts that wait for an answer
    bool pre_content = false;

    /// Pre-content events when kernel and file systems have them and they are wanted, permission
    /// events else.
    enum class Want { Best, PermissionOnly };
    static Result<Groups> open(Want want, const std::vector<std::unique_ptr<Volume>>& volumes);
    /// From here on every act on this file system waits for an answer.
    Status watch(const Volume& volume);
    /// What may be ignored of a file whose bytes are kept. Running it is met each time.
    std::uint64_t gate_mask() const;
};

/// Which actors changed files a moment ago: their next acts wait for the judge.
class HotActors {
  public:
    /// True when the actor was not hot before.
    bool heat(const std::string& actor);
    bool is_hot(const std::string& actor);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::chrono::steady_clock::time_point> until_;
};

struct GateCounts {
    std::atomic<std::uint64_t> asked = 0;  ///< acts that waited
    std::atomic<std::uint64_t> kept = 0;   ///< … for which bytes were kept first
    std::atomic<std::uint64_t> denied = 0;
    std::atomic<std::uint64_t> failures = 0;  ///< … whose bytes could not be kept
    std::atomic<std::uint64_t> overflows = 0;
};

/// How many acts of each actor were let through since the clerk last knew all that had happened.
class UntoldActs {
  public:
    int count(const std::string& actor);
    void add(const std::string& actor);
    /// Adds one unless there are so many already.
    bool add_below(const std::string& actor, int max);
    void clear();

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, int> acts_;
};

/// Whether looking out for the next act pays: it comes from another processor before long, and
/// waking would take longer. One that shares its doorman's processor cannot come while it looks
/// out.
class Lookout {
  public:
    /// How long to look out, after an act was answered.
    std::chrono::microseconds patience();
    void has_come() { misses_ = 0; }
    void has_not_come() { misses_ = std::min(misses_ + 1, kMissesMax); }

  private:
    static constexpr int kMissesMax = 3;
    /// One in so many answers it is tried again.
    static constexpr int kTryEvery = 64;
    int misses_ = 0;
    int answers_ = 0;
};

/// Holds every act on a protected file until what it would destroy is kept, asks the judge, and
/// answers. Threads: doormen, of whom one at least is at the door and never waits while others keep
/// bytes and ask; one clerk for what is told after the fact.
class Gate {
  public:
    static constexpr Micros kAnswerMax = std::chrono::milliseconds(250);
    static constexpr Micros kDelayMax = std::chrono::milliseconds(500);
    /// How long a file that was read is not asked about again.
    static constexpr Micros kEpoch = std::chrono::seconds(60);
    static constexpr int kDoormen = 8;
    /// How often a file is met while it is read, by an open or a piece, before its pieces are not
    /// met any more; how often it is opened before it is not met at all.
    static constexpr int kMetPieces = 4;
    static constexpr int kMetOpens = 3;
    /// Of a larger file the second name stays.
    static constexpr std::uint64_t kSecondNameBytesMax = 256 << 20;

    Gate(Store& store, std::vector<std::unique_ptr<Volume>>& volumes, Groups& groups,
         JudgeDoor& judge, Actors& actors, Clock& clock, std::vector<std::string> own_folders);
    ~Gate();

    /// From here on events are answered. The scan may run; unknown files are kept when touched.
    void start();
    /// The scan is over: what is not known now is new.
    void scanned() { scanned_ = true; }
    /// A journal that cannot be written any more: nothing may be acknowledged.
    bool has_failed() const { return failed_; }
    std::optional<Error> failure();
    const GateCounts& counts() const { return counts_; }
    /// Asks again about every file: an actor was stopped or became worth watching.
    void heed_all();
    void begin_epoch();
    /// Keeps a file found by the scan, unless it is kept already. `path_fd` is open with O_PATH.
    Status take_stock(const Volume& volume, int path_fd, const std::string& path,
                      Store::Effort effort);
    /// Keeps what somebody will change who waited for us, as if it came to the door. False when it
    /// cannot be kept.
    bool keep_for_waiting(UniqueFd fd, pid_t tid);
    /// A file that was open for writing before the guard raises no event before it changes.
    void watch_unasked(int path_fd);
    /// … nor does whoever mapped it, then or later.
    void watch_mapped_by(pid_t tid);
    /// Without pre-content events and clones, what escapes the gate comes back only if its bytes
    /// were copied before.
    bool copies_ahead(const Volume& volume) const {
        return !groups_.pre_content && !has_clones(volume);
    }
    /// Counted up while events are answered: for the deadman. Before start().
    void beat_into(std::atomic<std::uint64_t>* beat) { beat_ = beat; }

  private:
    struct Task {
        fan::Event event;
        FileKey key;
        const Volume* volume = nullptr;
        Intent intent = Intent::Write;
    };
    enum class Need { Nothing, Skip, Bytes };

    // Doormen
    bool may_leave();
    void run_doorman();
    std::optional<Task> watch_the_door(const fan::Turn& turn, Lookout& lookout);
    bool meet_next(std::vector<fan::Event>& events);
    std::optional<Task> take_left();
    void meet(fan::Event event);
    bool meet_quickly(fan::Event& event, Task& task);
    void watch_new(const fan::Event& event, const struct stat& info, const Actor& actor);
    void recall_new_of(const Actor& actor);
    std::optional<std::string> debtor(const fan::Event& event);
    Actor namer_of(const Volume& volume, const fan::Event& event);
    void note_author(const FileKey& key, const Actor& actor, Intent intent);
    Actor last_author(const FileKey& key, pid_t tid) {
        return authors_.last(key, actors_.of(tid), std::chrono::steady_clock::now());
    }
    bool is_ahead(const Actor& actor);
    struct Readings {
        int met = 0;
        int opened = 0;
        std::size_t last = 0;  ///< hash of the key of who read it last
    };
    Readings count_reading(const fan::Event& event, const FileKey& key, const Actor& actor);
    void note_reading(const fan::Event& event, const FileKey& key, const Actor& actor);
    bool is_held(const std::optional<Known>& known, const struct stat& info) const;
    void remember(int fd, const Known& known, const Actor& actor);
    bool has_clones(const Volume& volume) const { return store_.stage(volume.number()).clones(); }
    const Volume* volume_of(const struct stat& info) const;
    std::optional<std::string> protected_path(const Volume& volume, int fd, const FileKey& key);

    // What takes longer (gate_workers.cc)
    bool is_reading(const Task& task);
    void serve(Task task);
    Need need_of(const Task& task, const std::optional<Known>& known, const struct stat& info);
    void hear_of_rights(const Task& task, const struct stat& info);
    Status make_safe(Task& task, const Actor& actor);
    void ignore_what_is_safe(const Task& task, Need need, const struct stat& info,
                             const Actor& actor);
    Stop ask(const Task& task, const Actor& actor);
    enum class Stay { UntilTold, ForATime };
    void catch_up(Stay stay = Stay::UntilTold);
    /// What somebody made a short time ago is its own to destroy.
    bool owns(const Actor& actor, const Known& known) const;
    /// A restore puts back what is known to be good: it is not judged.
    bool is_own_tool(const Actor& actor) const {
        return !own_program_.empty() && actor.program == own_program_ && actor.uid == 0;
    }
    void answer(const fan::Event& event, std::uint32_t response) {
        groups_.gate.answer(event.fd.get(), response);
    }

    // Clerk (clerk.cc)
    void run_clerk();
    std::optional<Closing> sort_closing(fan::Event event);
    void take_closing(Closing& closing);
    void note_unkept(const FileKey& key, const std::optional<Known>& known,
                     const std::string& path);
    bool is_swapped_under(const Volume& volume, int fd, const FileKey& key, const Known& known);
    void heed_closings();
    void take_outside();
    bool tell_outside(const fan::Event& event, const FileKey& key);
    ContentPtr replaced_at(const Volume& volume, const FileKey& key, const std::string& path);
    void tell_closing(const FileKey& key, const std::string& path,
                      const std::optional<Known>& before, const Actor& actor);
    bool take_what_happened();
    bool is_anything_untold();
    void take_name(const fan::Event& event);
    void take_rename(const Volume& volume, const fan::Event& event, const Actor& actor);
    void take_delete(const Volume& volume, const fan::Event& event, const Actor& actor);
    void take_create(const Volume& volume, const fan::Event& event, const Actor& actor);
    void take_attributes(const fan::Event& event);
    std::optional<std::string> name_when_closed(const Volume& volume, int fd, const FileKey& key);
    void move_out(const FileKey& key, const std::string& from, const Actor& actor, const Act& act);
    void remember_gone(const FileKey& key, const std::string& path);
    void tell_arrival(const FileKey& key, const std::string& path, const Actor& actor);
    bool take_placed(const Volume& volume, const FileKey& key, const std::string& path,
                     const Act& act);
    void move_in_below(const Volume& volume, const std::string& folder, const Actor& actor,
                       const Act& act);
    void move_in(const Volume& volume, const FileKey& key, const std::string& path,
                 const Actor& actor, const Act& act);
    std::optional<std::string> path_in(const Volume& volume, const fan::Handle& dir,
                                       const std::string& name);
    const Volume* volume_of(const fan::Event& event) const;
    const Volume* volume_of(const FileKey& key) const;
    void tell(Change change, bool is_destructive);
    Change change_of(ChangeKind kind, const Actor& actor, const FileKey& key,
                     const std::string& path);

    // Keeper
    void run_keeper();
    void keep_ahead(const FileKey& key, int fd, std::uint64_t bytes_max);
    static bool is_put_off_by_second_name(const fan::Event& event, const Known& known,
                                          const Actor& actor);
    void end_second_name(const Task& task, const Actor& actor);
    void ignore_own_stage();
    void look_again(const FileKey& key, pid_t tid);
    bool look_at(const FileKey& key, pid_t tid);
    bool has_looks();
    void look_at_all();
    void look_at_unclosed(const std::optional<std::string>& actor = std::nullopt);
    void note_unclosed(const Task& task, const Actor& actor);
    void look_at_new(const Unclosed::File& file, const Volume& volume);
    void look_inside(const Unclosed::File& file);
    void look_at_new_of(const Actor& actor);
    void look_at_gathered(const Actor& actor);
    bool is_worth_meeting(const Task& task, const Actor& actor);
    void rouse_clerk();
    void watch_early(int fd);
    void run_early(const std::stop_token& stop);
    void hold_if_hasty(const FileKey& key, pid_t pid);
    void take_early(const fan::Event& event);
    bool has_changed_unasked(pid_t pid, const FileKey& key);
    void look_at_unasked();
    void forget_early(const fan::Event& event);
    void wait_for_unclosed(const FileKey& key, const std::string& actor);
    void note_failure(const Error& error);
    void note(const Status& status) {
        if (!status) note_failure(status.error());
    }

    Store& store_;
    std::vector<std::unique_ptr<Volume>>& volumes_;
    Groups& groups_;
    JudgeDoor& judge_;
    Actors& actors_;
    Authors authors_;
    Calls calls_;
    Clock& clock_;
    std::vector<std::string> own_folders_;
    std::string own_program_;
    std::atomic<std::uint64_t>* beat_ = nullptr;
    HotActors hot_;
    GateCounts counts_;
    std::atomic<bool> scanned_ = false;
    std::atomic<bool> failed_ = false;
    Closings closings_;
    Names names_;
    Sentry sentry_;
    UntoldActs untold_;
    Ahead ahead_;
    Outlook outlook_;
    Unclosed unclosed_;
    EarlyWriters early_;
    std::optional<fan::Group> early_events_;  ///< none while nobody was there before
    Posts early_watch_;
    std::vector<std::pair<pid_t, FileKey>> unasked_;  ///< the watch's: changed, and not told
    Mappers mappers_;
    MappingWatch mapping_watch_;
    std::atomic<pid_t> clerk_ = 0;  ///< its thread, while it works
    std::timed_mutex clerk_mutex_;  ///< one takes what happened, in order
    std::atomic<bool> stop_ = false;
    std::atomic<std::int64_t> heeded_us_ = 0;
    std::atomic<bool> meets_own_stage_ = false;
    std::mutex failure_mutex_;
    std::optional<Error> failure_;
    std::chrono::steady_clock::time_point failure_said_{};
    std::array<std::mutex, 64> stripes_;
    std::mutex left_mutex_;
    std::deque<Task> left_;
    int serving_ = 0;  ///< doormen that are not free to take the door
    static constexpr std::size_t kReadMax = 100'000;
    std::mutex read_mutex_;
    std::unordered_map<FileKey, Readings, FileKeyHash> read_;  ///< in this epoch
    std::mutex looks_mutex_;
    struct Look {
        pid_t tid = 0;
        std::chrono::steady_clock::time_point since{};
    };
    std::map<FileKey, Look> looks_;  ///< files that change without a closing
    /// Files that left the share a short time ago, by the path they had: what takes their place is
    /// held against them. The clerk's.
    struct Gone {
        FileKey key;
        std::chrono::steady_clock::time_point at{};
    };
    static constexpr std::size_t kGoneMax = 65'536;
    std::unordered_map<std::string, Gone> gone_;
    std::atomic<bool> doormen_leave_ = false;
    std::vector<std::jthread> clerks_;  ///< and the keeper
    std::vector<std::jthread> doormen_;
};

}  // namespace hygie::files
