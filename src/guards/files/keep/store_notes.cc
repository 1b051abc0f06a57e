#include <fcntl.h>
#include <sys/stat.h>

#include "guards/files/acts/moment.h"
#include "guards/files/keep/read_back.h"
#include "guards/files/keep/store.h"
#include "host/os_error.h"

/// What the store writes down that keeps no bytes.
namespace hygie::files {

/// What a file holds is as old as its last change, which may be after what is told of.
VersionId Store::not_before(VersionId told, std::int64_t changed_ns) {
    const auto changed = static_cast<VersionId>(changed_ns / 1000);
    return told == 0 || changed <= told ? told : changed + Moment::kTick.count();
}

/// … until its bytes are held. A second name that we gave it moved its time of change.
VersionId Store::as_held(VersionId told, int fd, bool is_named_again) {
    struct stat info{};
    if (::fstat(fd, &info) < 0) return 0;
    const Stamp now = Stamp::of(info);
    return not_before(told, is_named_again ? now.modified_ns : now.changed_ns);
}

/// An act is told after those that it follows, and each has a date of its own, whatever clocks do:
/// what happened until some time is a beginning of the records, and of a file that was made and
/// removed within a tick there is a time at which it is there.
void Store::date(Record& record) {
    if (!is_act(record)) {
        record.happened = record.time;
        return;
    }
    // Its number is drawn before its bytes are held.
    const VersionId now = std::max(record.time, date_of(doors_.clock.now()));
    if (record.happened == 0 || record.happened > now) record.happened = now;
    record.happened = last_act_ = std::max(last_act_ + 1, record.happened);
}

Status Store::append(std::span<Record> records) {
    // Dated in the order in which they are written.
    const std::lock_guard lock(dates_mutex_);
    for (Record& record : records) date(record);
    return journal_->append(records);
}

Status Store::note_committed(const FileKey& key, const Act& act) {
    const auto known = catalog_.find(key);
    if (!known) return {};
    Record record;
    record.kind = RecordKind::Committed;
    record.key = key;
    record.path = known->path;
    record.version = known->version;
    record.size = known->size;
    record.actor = act.actor;
    record.happened = not_before(act.happened, known->held.changed_ns);
    record.time = next_version();
    catalog_.apply(record);
    return note(std::move(record));
}

Status Store::expect_restore(const Volume& volume, const std::string& dir) {
    const UniqueFd folder(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return os_failure(errno, dir);
    const FileKey key = TRY(volume.key_of(folder.get()));
    placed_.expect(key, TRY(PlacedList::make(dir, placed_key_, doors_.random)));
    return {};
}

Status Store::note(Record record) {
    if (record.time == 0) record.time = next_version();
    return append(record);
}

Status Store::note_gone(const FileKey& key, const std::string& path, Cause cause, const Act& act) {
    Record record;
    record.kind = RecordKind::Gone;
    record.key = key;
    record.path = path;
    record.cause = cause;
    record.actor = act.actor;
    record.happened = act.happened;
    return note(std::move(record));
}

Status Store::note_moved(const FileKey& key, const std::string& from, const std::string& to,
                         const Act& act, Cause cause) {
    Record record;
    record.kind = RecordKind::Moved;
    record.cause = cause;
    record.key = key;
    record.from = from;
    record.path = to;
    record.actor = act.actor;
    record.happened = act.happened;
    return note(std::move(record));
}

Status Store::note_attributes(const Subject& subject, const Act& act) {
    struct stat info{};
    if (::fstat(subject.fd, &info) < 0) return os_failure(errno, "fd");
    const auto known = catalog_.find(subject.key);
    if (!known) return {};
    Meta meta = meta_of(subject.fd, info);
    const Stamp now = Stamp::of(info);
    // Times of contents that changed belong to the version that will be kept.
    meta.modified_ns = known->held.size == now.size ? meta.modified_ns : known->meta.modified_ns;
    if (meta == known->meta) return {};
    Record record;
    record.kind = RecordKind::Attributes;
    record.key = subject.key;
    record.path = known->path;
    record.meta = meta;
    record.actor = act.actor;
    // Told by nobody who knows when: no earlier than that change.
    record.happened = not_before(std::max<VersionId>(act.happened, 1), now.changed_ns);
    record.changed_ns = known->held.changed_ns;
    TRY_STATUS(note(record));
    catalog_.update(subject.key, [&](Known& entry) { entry.meta = std::move(meta); });
    return {};
}

/// One more name of bytes for which a staged name stands already, or other rights: no new version.
Status Store::note_again(const Subject& subject, const Known& known, const struct stat& info,
                         Cause cause, const Act& act) {
    if (catalog_.at(subject.path) != subject.key) {
        (void)catalog_.move(subject.key, {}, subject.path);
        TRY_STATUS(note_moved(subject.key, {}, subject.path, act, cause));
    }
    if (known.held == Stamp::of(info)) return {};
    catalog_.update(subject.key, [&](Known& entry) { entry.held = Stamp::of(info); });
    return note_attributes(subject, act);
}

Status Store::mark(const FileKey& key, VersionId version, const std::stop_token& stop) {
    const UniqueFd fd = TRY(stage(key.volume()).open_own(key, version));
    struct stat info{};
    if (::fstat(fd.get(), &info) < 0) return os_failure(errno, "stage");
    Record record;
    record.kind = RecordKind::Hashed;
    record.key = key;
    record.version = version;
    record.size = static_cast<std::uint64_t>(info.st_size);
    ContentMark mark;
    doors_.random.fill(mark.salt);
    Digest digest(Digest::Hashing::Yes, mark_key_->begin(version, record.size, mark.salt));
    const ReadBack read = TRY(read_back(fd.get(), std::move(digest), stop));
    if (read.size != record.size) return unequal();
    mark.tag = *read.tag;
    record.hash = to_bytes(*read.hash);
    record.chunks = {bytes_of(mark)};
    return note(std::move(record));
}

}  // namespace hygie::files
