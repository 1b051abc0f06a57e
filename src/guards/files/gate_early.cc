#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guards/files/gate.h"
#include "guards/files/priority.h"
#include "guards/files/smb.h"

/// What the gate does about descriptors and mappings that are older than it.
namespace hygie::files {
namespace {

constexpr int kEarlyPollMs = 100;

}  // namespace

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
        early_watch_ = std::jthread([this] { run_early(); });
    }
    early_.add(*key);
    early_events_->watch_file(fd, fan::kModify);
}

void Gate::run_early() {
    set_urgency("early", Urgency::Door);
    std::vector<fan::Event> events;
    while (!stop_) {
        pollfd poll{early_events_->fd(), POLLIN, 0};
        if (::poll(&poll, 1, kEarlyPollMs) <= 0) continue;
        events.clear();
        note(early_events_->read(events));
        for (const fan::Event& event : events) hold_if_hasty(event);
        for (const fan::Event& event : events) forget_early(event);
    }
}

/// What one process of Samba holds, those of other workstations wait for.
void Gate::hold_if_hasty(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    if (!volume || event.target.bytes.empty() || event.tid == ::getpid()) return;
    const auto now = std::chrono::steady_clock::now();
    if (early_.is_hasty(volume->key(event.target), event.tid, now) && !is_smbd(event.tid))
        judge_.hold(event.tid);
}

/// Each file counts once, and raises no event here any more.
void Gate::forget_early(const fan::Event& event) {
    const Volume* volume = volume_of(event);
    if (!volume || event.target.bytes.empty()) return;
    const FileKey key = volume->key(event.target);
    if (const Result<UniqueFd> fd = volume->open_key(key, O_RDONLY | O_NOATIME))
        early_events_->unwatch_file(fd->get(), fan::kModify);
}

}  // namespace hygie::files
