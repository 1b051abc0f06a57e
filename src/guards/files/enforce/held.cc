#include "guards/files/enforce/held.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <span>
#include <utility>

#include "guards/files/acts/actors.h"
#include "host/os_error.h"
#include "host/unique_fd.h"

namespace hygie::files {

Result<HeldBook> HeldBook::open(const std::string& path) {
    const UniqueFd fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!fd || ::ftruncate(fd.get(), kSlots * sizeof(Slot)) < 0) return os_failure(errno, path);
    void* page =
        ::mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (page == MAP_FAILED) return os_failure(errno, path);
    return HeldBook(static_cast<Slot*>(page));
}

HeldBook::HeldBook(HeldBook&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}

HeldBook::~HeldBook() {
    if (slots_ != nullptr) ::munmap(slots_, kSlots * sizeof(Slot));
}

bool HeldBook::add(const ProcessId& process) {
    const std::scoped_lock lock(mutex_);
    const std::span slots(slots_, kSlots);
    auto slot = std::ranges::find(slots, process.pid, &Slot::pid);
    if (slot == slots.end()) slot = std::ranges::find(slots, 0, &Slot::pid);
    if (slot == slots.end()) return false;
    slot->started = process.started;
    std::atomic_ref(slot->pid).store(process.pid, std::memory_order_release);
    return true;
}

void HeldBook::remove(const ProcessId& process) {
    const std::scoped_lock lock(mutex_);
    for (Slot& slot : std::span(slots_, kSlots))
        if (slot.pid == process.pid) std::atomic_ref(slot.pid).store(0, std::memory_order_release);
}

/// Without the lock: a deadman has no other thread, and its copy of the lock may be held for ever.
void HeldBook::release_all() {
    for (Slot& slot : std::span(slots_, kSlots)) {
        if (slot.pid <= 1) continue;
        const auto stat = stat_of(slot.pid);
        if (stat && (slot.started == 0 || slot.started == stat->started))
            (void)::kill(slot.pid, SIGCONT);
        slot.pid = 0;
    }
}

}  // namespace hygie::files
