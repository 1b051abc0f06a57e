#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/volume.h"
#include "guards/files/keep/admission.h"
#include "guards/files/keep/catalog.h"
#include "guards/files/keep/content_mark.h"
#include "guards/files/keep/journal.h"
#include "guards/files/keep/packs.h"
#include "guards/files/keep/placed.h"
#include "guards/files/keep/recent.h"
#include "guards/files/keep/stage.h"
#include "guards/files/keep/state_folder.h"

namespace hygie::files {

/// Who did something, and when; 0: when it is written down. The guard's own acts have no actor.
struct Act {
    Act(std::string by = {}, VersionId at = 0) : actor(std::move(by)), happened(at) {}
    Act(const char* by) : actor(by) {}
    std::string actor;
    VersionId happened = 0;
};

/// Keeps versions: stage, journal, packs and the catalog of the present. Thread-safe.
class Store {
  public:
    static Result<std::unique_ptr<Store>> open(StoreDoors doors, const std::string& state);

    Catalog& catalog() { return catalog_; }
    /// Before any keep() on that volume; finds what a killed guard staged and did not write down.
    Status add_stage(const Volume& volume, const std::string& dir);
    /// All stages are added: what was only needed for that is forgotten.
    void has_all_stages() { written_ = {}; }
    const Stage& stage(std::uint8_t volume) const { return *stages_.at(volume); }

    /// An open file on its way into the store.
    struct Subject {
        const Volume& volume;
        int fd;
        FileKey key;
        std::string path;
        bool has_name = true;     ///< else `path` is the name it had
        bool is_settled = false;  ///< its bytes are on the disk: cloning it waits for nothing
    };
    /// Keeps the bytes of an open regular file and writes down where its name led. When the file
    /// system has no reflinks and `cheaply` is asked for, a second name stands for the bytes.
    enum class Effort { Bytes, Cheaply };
    Status keep(const Subject& subject, Cause cause, const Act& act, Effort effort);
    /// A restore made it of bytes that are kept already. NotFound when they lie elsewhere by now.
    Status keep_placed(const Subject& subject, const Placement& placed, const Act& act);
    /// A folder, a link or an empty file: no bytes.
    Status note_present(const Subject& subject, Cause cause, const Act& act);
    Status note_gone(const FileKey& key, const std::string& path, Cause cause, const Act& act);
    Status note_moved(const FileKey& key, const std::string& from, const std::string& to,
                      const Act& act, Cause cause = Cause::None);
    /// Writes down mode, owner and attributes if they changed.
    Status note_attributes(const Subject& subject, const Act& act);
    /// The last version kept before a change was a whole one.
    Status note_committed(const FileKey& key, const Act& act);
    Status note(Record record);

    static VersionId date_of(WallTime time) {
        return static_cast<VersionId>(std::max<std::int64_t>(time.time_since_epoch().count(), 1));
    }

    /// The bytes of a version, read when asked; null when it has none.
    ContentPtr content(const FileKey& key, VersionId version, std::uint64_t size);
    VersionId next_version();
    Status sync();
    /// Whether the state folder still holds what was kept; Code::Io when it was deleted.
    Status is_there();
    bool is_dirty() const { return journal_->is_dirty(); }

    /// A file whose bytes are kept, and which has a second name since before they were, has it no
    /// more: they are in the packs first.
    Status end_second_name(const Subject& subject);
    /// Moves the bytes of one version into the packs, durably, and lets go of the staged ones.
    Status seal(const FileKey& key, VersionId version);
    /// Reads a staged version and writes down its SHA-256 and its mark. NotFound when it has no
    /// bytes of its own there; Busy when it is stopped before the end.
    Status mark(const FileKey& key, VersionId version, const std::stop_token& stop);
    /// Lets go of a version: retention.
    Status drop(const FileKey& key, VersionId version);
    bool is_sealed(VersionId version);
    /// Gives back the room of chunks that no version needs any more.
    Status compact();
    Packs& packs() { return *packs_; }
    Recent& recent() { return recent_; }
    Placed& placed() { return placed_; }
    /// The next restore makes its files in this folder.
    Status expect_restore(const Volume& volume, const std::string& dir);
    /// Whole files up to this size go into the packs at once: making a file for each costs more
    /// than sealing its bytes, and cloning what was just written waits for the disk.
    static constexpr std::uint64_t kSmallBytesMax = 16 << 10;
    /// What was just written is copied up to this size, for the same reason.
    static constexpr std::uint64_t kCopiedBytesMax = 1 << 20;
    /// The state folder was empty when it was opened.
    bool is_first_life() const { return is_first_life_; }

  private:
    Store(StoreDoors doors, const std::string& state) : doors_(doors), state_(state) {}
    Record present(const Subject& subject, const struct stat& info, Cause cause, const Act& act);
    Status commit_nameless(const Subject& subject, const Record& record, Known known);
    Status keep_linked(const Subject& subject, const Known& known);
    Status commit(const Subject& subject, std::vector<Record> records, Known known);
    Status admit(const std::string& actor, std::uint64_t bytes, std::uint8_t volume);
    Room room_on(std::uint8_t volume);
    Status note_again(const Subject& subject, const Known& known, const struct stat& info,
                      Cause cause, const Act& act);
    Status keep_small(const Subject& subject, const struct stat& info, Cause cause, const Act& act);
    Status keep_staged(const Subject& subject, struct stat info, Known known, Cause cause,
                       const Act& act, Effort effort);
    ContentPtr packed(VersionId version);
    Status adopt(const Stage::Item& item);
    void note_own_bytes(const Stage::Item& item);
    Status append(std::span<Record> records);
    Status append(Record& record) { return append(std::span(&record, 1)); }
    void date(Record& record);
    static VersionId not_before(VersionId told, std::int64_t changed_ns);
    static VersionId as_held(VersionId told, int fd, bool is_named_again = false);

    StoreDoors doors_;
    std::string state_;
    bool is_first_life_ = false;
    Catalog catalog_;
    std::unique_ptr<Journal> journal_;
    std::shared_ptr<Packs> packs_;
    std::optional<MarkKey> mark_key_;
    Recent recent_;
    Placed placed_;
    crypto::HmacKey placed_key_;
    std::map<std::uint8_t, std::unique_ptr<Stage>> stages_;
    Admission admission_;
    struct Looked {
        Room room;
        std::chrono::steady_clock::time_point at{};
    };
    std::mutex room_mutex_;
    std::map<std::uint8_t, Looked> rooms_;
    std::atomic<VersionId> last_ = 0;
    std::mutex dates_mutex_;
    VersionId last_act_ = 0;  ///< when the last act happened that is written down
    /// Shared by who seals, before packed_mutex_: what it put is met by a compaction, or named.
    std::shared_mutex sealing_mutex_;
    std::mutex packed_mutex_;
    struct Packed {
        std::vector<ChunkId> chunks;
        std::uint64_t size = 0;
    };
    std::unordered_map<VersionId, Packed> packed_;    ///< whose bytes are in the packs
    std::unordered_map<VersionId, FileKey> written_;  ///< versions of the journal, until adopted
};

}  // namespace hygie::files
