#include "guards/files/keep/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr auto kRoomLook = std::chrono::milliseconds(50);

FileType type_of(mode_t mode) {
    if (S_ISREG(mode)) return FileType::Regular;
    if (S_ISDIR(mode)) return FileType::Folder;
    if (S_ISLNK(mode)) return FileType::SymbolicLink;
    return FileType::Other;
}

/// What it takes on the disk: holes are kept as holes.
std::uint64_t bytes_of(const struct stat& info) {
    return static_cast<std::uint64_t>(std::min<std::int64_t>(
        info.st_size, static_cast<std::int64_t>(info.st_blocks) * S_BLKSIZE));
}

std::string target_of(int fd) {
    char buffer[PATH_MAX];
    const ssize_t size = ::readlinkat(fd, "", buffer, sizeof buffer);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

/// Staged bytes may become packed ones between two reads.
class StoredContent final : public Content {
  public:
    using Open = std::function<Result<ContentPtr>()>;
    StoredContent(Open open, std::uint64_t size) : open_(std::move(open)), size_(size) {}

    std::uint64_t size() const override { return size_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        const ContentPtr opened = TRY(ready());
        return opened->read_at(offset, out);
    }
    std::uint64_t next_data(std::uint64_t offset) const override {
        const Result<ContentPtr> opened = ready();
        return opened ? (*opened)->next_data(offset) : offset;
    }

  private:
    Result<ContentPtr> ready() const {
        const std::lock_guard lock(mutex_);
        if (!opened_) opened_ = TRY(open_());
        return opened_;
    }

    Open open_;
    std::uint64_t size_;
    mutable std::mutex mutex_;
    mutable ContentPtr opened_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreDoors doors, const std::string& state) {
    TRY_STATUS(doors.disk.make_dirs(state));
    const StatePaths paths(state);
    const crypto::Secret32 key = TRY(state_key(doors, state, Absent::Make));
    std::unique_ptr<Store> store(new Store(doors, state));
    const auto take = [&](Record&& record) -> Status {
        store->last_ = std::max(store->last_.load(), record.time);
        if (is_act(record)) store->last_act_ = std::max(store->last_act_, record.happened);
        store->catalog_.apply(record);
        if (record.kind == RecordKind::Present) store->written_[record.time] = record.key;
        if (record.kind == RecordKind::Sealed)
            store->packed_[record.version] = {std::move(record.chunks), record.size};
        return {};
    };
    store->journal_ = TRY(Journal::open(doors.disk, doors.random, paths.log, key, take));
    store->is_first_life_ = store->written_.empty();
    store->mark_key_.emplace(key);
    store->placed_key_ = files::placed_key(key);
    store->packs_ = TRY(Packs::open(doors.disk, doors.random, paths.packs, key));
    return store;
}

Status Store::add_stage(const Volume& volume, const std::string& dir) {
    auto stage = std::make_unique<Stage>(TRY(Stage::open(dir)));
    const Stage& opened = *stage;
    stages_[volume.number()] = std::move(stage);
    Status failed;
    TRY_STATUS(opened.list([&](const Stage::Item& item) {
        last_ = std::max(last_.load(), item.version);
        if (item.held == Held::Clone) note_own_bytes(item);
        if (!written_.contains(item.version) && failed) failed = adopt(item);
    }));
    return failed;
}

/// The journal says that a second name stood for it. Its bytes were copied since, before somebody
/// was let write: copied again they would be those that were written.
void Store::note_own_bytes(const Stage::Item& item) {
    catalog_.update(item.key, [&](Known& known) {
        if (known.version != item.version || known.place != Place::Linked) return;
        known.place = Place::Staged;
        known.is_held = true;
    });
}

/// A version staged by a guard that was killed before it wrote so.
Status Store::adopt(const Stage::Item& item) {
    const UniqueFd fd = TRY(stage(item.key.volume()).open_version(item.key, item.version));
    struct stat info{};
    if (::fstat(fd.get(), &info) < 0) return os_failure(errno, "stage");
    Record record;
    record.time = item.version;
    record.key = item.key;
    const auto known = catalog_.find(item.key);
    // No name is known any more: it is kept under its number.
    record.path = known ? known->path : fmt::format("{:016x}", item.version);
    record.size = static_cast<std::uint64_t>(info.st_size);
    record.place = item.held == Held::Clone ? Place::Staged : Place::Linked;
    record.cause = Cause::Adopted;
    record.happened = not_before(item.version, Stamp::of(info).changed_ns);
    if (known) record.meta = known->meta;
    // Written for the history; the present is found by the scan that follows.
    return append(record);
}

VersionId Store::next_version() {
    const VersionId now = date_of(doors_.clock.now());
    VersionId last = last_.load();
    while (!last_.compare_exchange_weak(last, std::max(last + 1, now))) {
    }
    return std::max(last + 1, now);
}

Record Store::present(const Subject& subject, const struct stat& info, Cause cause,
                      const Act& act) {
    Record record;
    record.time = next_version();
    record.key = subject.key;
    record.path = subject.path;
    record.type = type_of(info.st_mode);
    record.meta = meta_of(subject.fd, info);
    record.size = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
    record.changed_ns = Stamp::of(info).changed_ns;
    record.actor = act.actor;
    record.happened = act.happened;
    record.cause = cause;
    if (S_ISLNK(info.st_mode)) record.target = target_of(subject.fd);
    return record;
}

/// The first record says what is there; what follows belongs to it.
Status Store::commit(const Subject& subject, std::vector<Record> records, Known known) {
    const Record& record = records.front();
    known.path = record.path;
    known.type = record.type;
    known.version = record.time;
    known.size = record.size;
    known.place = record.place;
    known.meta = record.meta;
    if (record.cause != Cause::PreImage) {
        known.committed = record.time;
        known.committed_size = record.size;
    }
    TRY_STATUS(append(records));
    if (!subject.has_name) return commit_nameless(subject, record, std::move(known));
    const auto replaced = catalog_.set(subject.key, std::move(known));
    const Act act(record.actor, record.happened);
    if (replaced) return note_gone(*replaced, subject.path, Cause::Replaced, act);
    return {};
}

/// Its name is gone, or leads to another file by now.
Status Store::commit_nameless(const Subject& subject, const Record& record, Known known) {
    catalog_.remove_name(subject.key, subject.path);
    catalog_.set_nameless(subject.key, std::move(known));
    const Act act(record.actor, record.happened);
    TRY_STATUS(note_gone(subject.key, subject.path, Cause::Unlink, act));
    const auto owner = catalog_.at(subject.path);
    if (!owner) return {};
    return note_moved(*owner, subject.path, subject.path, Act({}, record.happened));
}

/// As it was a moment ago: asking the file system each time costs as much as keeping a small file.
Room Store::room_on(std::uint8_t volume) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(room_mutex_);
    Looked& looked = rooms_[volume];
    if (now - looked.at < kRoomLook) return looked.room;
    struct statvfs room{};
    // Unknown room is no room.
    if (::statvfs(stage(volume).dir().c_str(), &room) < 0) return {};
    looked = {{room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize}, now};
    return looked.room;
}

/// What is kept in files that were deleted is gone when they are closed.
Status Store::is_there() {
    if (doors_.disk.exists(StatePaths(state_).key)) return {};
    return std::unexpected(state_is_gone(state_));
}

/// Room is asked for before bytes are kept, never made by dropping kept ones.
Status Store::admit(const std::string& actor, std::uint64_t bytes, std::uint8_t volume) {
    TRY_STATUS(is_there());
    // A clone takes room only as its source is overwritten.
    const std::uint64_t taken = stage(volume).clones() ? 0 : bytes;
    if (admission_.admit(actor, taken, room_on(volume), std::chrono::steady_clock::now()))
        return {};
    return fail(Code::Full,
                {"plus de place pour garder des versions : les écritures qui détruiraient sont "
                 "refusées",
                 "no room left to keep versions: writes that would destroy are refused"},
                {"libérez de la place sur le disque du partage ; « hygie files plan » dit qui "
                 "l'a remplie",
                 "free some room on the disk of the share; 'hygie files plan' says who filled it"});
}

/// A version for which its second name stood gets its own bytes, before they change.
Status Store::keep_linked(const Subject& subject, const Known& known) {
    TRY_STATUS(stage(subject.volume.number()).keep(subject.fd, subject.key, known.version));
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    catalog_.update(subject.key, [&](Known& entry) {
        entry.is_held = true;
        entry.place = Place::Staged;
        entry.held = Stamp::of(info);
    });
    return {};
}

Status Store::keep(const Subject& subject, Cause cause, const Act& act, Effort effort) {
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    if (info.st_size == 0) return note_present(subject, cause, act);
    TRY_STATUS(admit(act.actor, bytes_of(info), subject.volume.number()));
    const Stage& where = stage(subject.volume.number());
    const auto old = catalog_.find(subject.key);
    // No version of its own, so what happened to its rights is written down beside it: the event
    // may have been lost with a guard that was killed, or come too late to tell a difference.
    if (old && cause == Cause::PreImage && is_same_content(*old, Stamp::of(info)))
        TRY_STATUS(note_attributes(subject, act));
    // Its time may have been set meanwhile: nobody wrote to it, or its bytes would be kept.
    if (old && old->place == Place::Linked && !old->is_held && effort == Effort::Bytes &&
        old->held.size == static_cast<std::uint64_t>(info.st_size)) {
        TRY_STATUS(keep_linked(subject, *old));
        return subject.has_name ? note_again(subject, *old, info, cause, act) : Status();
    }
    const bool may_link = effort == Effort::Cheaply && !where.clones();
    if (may_link && old && old->is_linked && is_same_content(*old, Stamp::of(info)) &&
        (!old->is_held || old->held == Stamp::of(info)))
        return note_again(subject, *old, info, cause, act);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (effort == Effort::Bytes && size <= kSmallBytesMax && cause != Cause::Baseline)
        return keep_small(subject, info, cause, act);
    return keep_staged(subject, info, old.value_or(Known()), cause, act, effort);
}

/// A copy or clone in the stage, or where that is dear and not needed yet a second name of the
/// file.
Status Store::keep_staged(const Subject& subject, struct stat info, Known known, Cause cause,
                          const Act& act, Effort effort) {
    const Stage& where = stage(subject.key.volume());
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const bool may_link = effort == Effort::Cheaply && !where.clones();
    Record record = present(subject, info, cause, act);
    if (may_link && !known.is_linked) {
        known.is_linked = where.link(subject.fd, subject.key, record.time).has_value();
        known.link_version = record.time;
    }
    // The staged name stands for the version whose number it bears, and for no other.
    const bool cheap = may_link && known.is_linked && known.link_version == record.time;
    const bool is_fresh = cause == Cause::Commit && !subject.is_settled && size <= kCopiedBytesMax;
    if (!cheap)
        TRY_STATUS(where.keep(subject.fd, subject.key, record.time,
                              is_fresh ? Stage::How::Copy : Stage::How::Best));
    record.happened =
        as_held(act.happened, subject.fd, known.is_linked && known.link_version == record.time);
    record.place = cheap ? Place::Linked : Place::Staged;
    // A second name changes the change time.
    if (known.is_linked && ::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    record.changed_ns = Stamp::of(info).changed_ns;
    known.held = Stamp::of(info);
    known.is_held = !cheap;
    return commit(subject, std::vector{std::move(record)}, std::move(known));
}

Status Store::keep_placed(const Subject& subject, const Placement& placed, const Act& act) {
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    Record record = present(subject, info, Cause::Commit, act);
    TRY_STATUS(stage(subject.key.volume())
                   .keep_again(placed.kept, placed.version, record.size, record.key, record.time));
    record.place = Place::Staged;
    Known known;
    known.held = Stamp::of(info);
    known.is_held = true;
    return commit(subject, std::vector{std::move(record)}, std::move(known));
}

/// The bytes of a small file go straight into the packs.
Status Store::keep_small(const Subject& subject, const struct stat& info, Cause cause,
                         const Act& act) {
    Bytes bytes(static_cast<std::size_t>(info.st_size));
    const ContentPtr live = content_of(UniqueFd(::fcntl(subject.fd, F_DUPFD_CLOEXEC, 3)));
    bytes.resize(TRY(live->read_at(0, bytes)));
    Record record = present(subject, info, cause, act);
    record.happened = as_held(act.happened, subject.fd);
    record.size = bytes.size();
    record.place = Place::Packed;
    Record sealed;
    sealed.kind = RecordKind::Sealed;
    sealed.time = next_version();
    sealed.key = subject.key;
    sealed.version = record.time;
    sealed.size = bytes.size();
    sealed.place = Place::Packed;
    {
        // Together: a compaction sees both or neither.
        const std::lock_guard lock(packed_mutex_);
        Packs::Put put = TRY(packs_->put(bytes));
        sealed.hash = to_bytes(put.hash);
        sealed.chunks = put.chunks;
        packed_[record.time] = {std::move(put.chunks), put.size};
    }
    recent_.put(record.time, std::move(bytes));
    Known known = catalog_.find(subject.key).value_or(Known());
    known.held = Stamp::of(info);
    known.is_held = true;
    return commit(subject, std::vector{std::move(record), std::move(sealed)}, std::move(known));
}

Status Store::note_present(const Subject& subject, Cause cause, const Act& act) {
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    Record record = present(subject, info, cause, act);
    // What a folder holds moves its time of change.
    if (S_ISREG(info.st_mode)) record.happened = not_before(act.happened, record.changed_ns);
    Known known = catalog_.find(subject.key).value_or(Known());
    known.held = Stamp::of(info);
    known.is_held = true;
    return commit(subject, std::vector{std::move(record)}, std::move(known));
}

/// Null when its bytes are not in the packs.
ContentPtr Store::packed(VersionId version) {
    const std::lock_guard lock(packed_mutex_);
    const auto found = packed_.find(version);
    if (found == packed_.end()) return nullptr;
    return packed_content(packs_, found->second.chunks, found->second.size);
}

ContentPtr Store::content(const FileKey& key, VersionId version, std::uint64_t size) {
    if (version == 0 || size == 0) return nullptr;
    return std::make_shared<StoredContent>(
        [this, key, version]() -> Result<ContentPtr> {
            if (ContentPtr bytes = recent_.find(version)) return bytes;
            if (ContentPtr bytes = packed(version)) return bytes;
            if (Result<UniqueFd> fd = stage(key.volume()).open_version(key, version); fd)
                return content_of(std::move(*fd));
            // It may have moved between the two looks.
            if (ContentPtr bytes = packed(version)) return bytes;
            return fail(Code::NotFound, {"version absente", "version not there"});
        },
        size);
}

Status Store::sync() {
    // A record must not outlive the bytes it names.
    TRY_STATUS(packs_->sync());
    return journal_->sync();
}

Status Store::seal(const FileKey& key, VersionId version) {
    const Stage& where = stage(key.volume());
    const ContentPtr bytes = content_of(TRY(where.open_version(key, version)));
    // From its bytes to their names: a compaction in between would find them needed by nobody.
    const std::shared_lock sealing(sealing_mutex_);
    Packs::Put put = TRY(packs_->put(*bytes));
    TRY_STATUS(packs_->sync());
    Record record;
    record.kind = RecordKind::Sealed;
    record.time = next_version();
    record.key = key;
    record.version = version;
    record.size = put.size;
    record.hash = to_bytes(put.hash);
    record.chunks = std::move(put.chunks);
    record.place = Place::Packed;
    TRY_STATUS(append(record));
    TRY_STATUS(journal_->sync());
    catalog_.apply(record);
    {
        const std::lock_guard lock(packed_mutex_);
        packed_[version] = {std::move(record.chunks), record.size};
    }
    return where.drop(key, version);
}

Status Store::end_second_name(const Subject& subject) {
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    const auto known = catalog_.find(subject.key);
    if (!known || !known->is_linked || !is_same_content(*known, Stamp::of(info))) return {};
    const VersionId version = known->link_version;
    // Read from its own bytes: those that the name leads to may change meanwhile.
    if (!stage(subject.key.volume()).has_bytes(subject.key, version)) return {};
    TRY_STATUS(seal(subject.key, version));
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    // Losing a name changes the change time.
    catalog_.update(subject.key, [&](Known& entry) {
        if (!entry.is_linked && is_same_content(entry, Stamp::of(info)))
            entry.held = Stamp::of(info);
    });
    return {};
}

Status Store::drop(const FileKey& key, VersionId version) {
    Record record;
    record.kind = RecordKind::Dropped;
    record.time = next_version();
    record.key = key;
    record.version = version;
    TRY_STATUS(append(record));
    TRY_STATUS(journal_->sync());
    catalog_.apply(record);
    {
        const std::lock_guard lock(packed_mutex_);
        packed_.erase(version);
    }
    return stage(key.volume()).drop(key, version);
}

bool Store::is_sealed(VersionId version) {
    const std::lock_guard lock(packed_mutex_);
    return packed_.contains(version);
}

Status Store::compact() {
    return packs_->compact([this] {
        std::set<ChunkId> live;
        const std::unique_lock none_seals(sealing_mutex_);
        const std::lock_guard lock(packed_mutex_);
        for (const auto& [version, packed] : packed_)
            live.insert(packed.chunks.begin(), packed.chunks.end());
        return live;
    });
}

}  // namespace hygie::files
