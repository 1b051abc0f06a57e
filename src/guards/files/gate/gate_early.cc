#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "guards/files/acts/smb.h"
#include "guards/files/gate/gate.h"

/// What the gate does about who waited for it, and who changes files without asking: by descriptors
/// and mappings older than it, and by mappings.
namespace hygie::files {
namespace {

constexpr int kEarlyPollMs = 100;

/// A page that is written already is written again without a fault, until it is on the disk.
void wait_for_pages(int fd) {
    (void)::fdatasync(fd);
}

}  // namespace

bool Gate::keep_for_waiting(UniqueFd fd, pid_t tid) {
    struct stat info{};
    Task task;
    task.volume = ::fstat(fd.get(), &info) == 0 ? volume_of(info) : nullptr;
    const Result<FileKey> key = task.volume ? task.volume->key_of(fd.get()) : FileKey();
    if (!task.volume || !key || !S_ISREG(info.st_mode)) return true;
    task.key = *key;
    task.event.fd = std::move(fd);
    task.event.mask = fan::kOpenPerm;
    const Status safe = make_safe(task, actors_.of_waiting(tid));
    note(safe);
    return safe || safe.error().code == Code::NotFound;
}

void Gate::watch_unasked(int path_fd) {
    const UniqueFd fd(
        ::open(fmt::format("/proc/self/fd/{}", path_fd).c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME));
    if (fd) groups_.names.watch_file(fd.get(), fan::kModify);
    if (fd) watch_early(fd.get());
}

/// Told apart from all else, for somebody in real time who does nothing but hold: who is quick has
/// changed a hundred files before the clerk is awake.
void Gate::watch_early(int fd) {
    struct stat info{};
    const Volume* volume = ::fstat(fd, &info) == 0 ? volume_of(info) : nullptr;
    const Result<FileKey> key = volume ? volume->key_of(fd) : FileKey();
    if (!volume || !key) return;
    if (!early_events_) {
        Result<fan::Group> group = fan::Group::open(fan::Kind::Names);
        if (!group) return;
        early_events_ = std::move(*group);
        early_watch_.start("early", [this](const std::stop_token& stop) { run_early(stop); });
    }
    early_.add(*key);
    wait_for_pages(fd);
    early_events_->watch_file(fd, fan::kModify);
}

void Gate::run_early(const std::stop_token& stop) {
    std::vector<fan::Event> events;
    while (!stop.stop_requested()) {
        pollfd poll{early_events_->fd(), POLLIN, 0};
        if (::poll(&poll, 1, kEarlyPollMs) <= 0) continue;
        events.clear();
        note(early_events_->read(events));
        for (const fan::Event& event : events) take_early(event);
        for (const fan::Event& event : events) forget_early(event);
    }
}

void Gate::take_early(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    if (!volume || event.target.bytes.empty() || event.tid == ::getpid()) return;
    hold_if_hasty(volume->key(event.target), event.tid);
}

/// What one process of Samba holds, those of other workstations wait for.
void Gate::hold_if_hasty(const FileKey& key, pid_t pid) {
    if (early_.is_hasty(key, pid, std::chrono::steady_clock::now()) && !is_smbd(pid))
        judge_.hold(pid);
}

void Gate::watch_mapped_by(pid_t tid) {
    if (!mappers_.is_due(tid, std::chrono::steady_clock::now())) return;
    const pid_t pid = actors_.of(tid).process.pid;
    MappedFiles files;
    for (const Mapping& mapping : mappings_of(pid)) {
        const UniqueFd fd(::open(mapping.link().c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME));
        struct stat info{};
        const Volume* volume = fd && ::fstat(fd.get(), &info) == 0 ? volume_of(info) : nullptr;
        const Result<FileKey> key = volume ? volume->key_of(fd.get()) : FileKey();
        if (!volume || !key || !store_.catalog().find(*key) || mapping_watch_.is_watched(pid, *key))
            continue;
        early_.add(*key);
        files.add(mapping, *key);
        wait_for_pages(fd.get());
    }
    mapping_watch_.watch(pid, std::move(files));
}

bool Gate::has_changed_unasked(pid_t pid, const FileKey& key) {
    const Volume* volume = volume_of(key);
    const Result<UniqueFd> fd = volume ? volume->open_key(key, O_PATH) : Result<UniqueFd>();
    struct stat info{};
    if (!fd || ::fstat(fd->get(), &info) < 0) return true;
    if (is_held(store_.catalog().find(key), info)) return false;
    hold_if_hasty(key, pid);
    unasked_.emplace_back(pid, key);
    return true;
}

/// Who they were takes longer to learn than changing ten more. One that was looked at while it lay
/// still is looked at anew.
void Gate::look_at_unasked() {
    for (const auto& [pid, key] : std::exchange(unasked_, {})) {
        unclosed_.remove(key);
        unclosed_.add(key, pid, actors_.of(pid).key(), std::chrono::steady_clock::now(),
                      Unclosed::Age::Old);
    }
}

/// Each file counts once, and raises no event here any more. To open it we would wait at the door,
/// while it goes on.
void Gate::forget_early(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    if (!volume || event.target.bytes.empty()) return;
    const FileKey key = volume->key(event.target);
    if (const Result<UniqueFd> fd = volume->open_key(key, O_PATH))
        early_events_->unwatch_named(fd->get(), fan::kModify);
}

}  // namespace hygie::files
