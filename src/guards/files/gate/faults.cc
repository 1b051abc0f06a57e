#include "guards/files/gate/faults.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Each of a process with very many would take memory that the kernel does not give.
constexpr std::size_t kRingsMax = 256;

std::size_t page_bytes() {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

/// One record for every fault, with who and where; who waits is woken by each. What the process
/// starts later is told by the same event.
perf_event_attr every_fault() {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_PAGE_FAULTS;
    attributes.sample_period = 1;
    attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_ADDR;
    attributes.wakeup_events = 1;
    attributes.inherit = 1;
    return attributes;
}

/// PERF_RECORD_SAMPLE of such an event.
struct Sample {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::uint64_t address = 0;
};

std::vector<pid_t> threads_of(pid_t pid) {
    std::vector<pid_t> threads;
    std::error_code error;
    const auto folder = fmt::format("/proc/{}/task", pid);
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        pid_t thread = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc())
            threads.push_back(thread);
    }
    return threads;
}

}  // namespace

Result<Faults::Ring> Faults::Ring::open(pid_t thread, int processor) {
    perf_event_attr attributes = every_fault();
    UniqueFd fd(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, thread, processor, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!fd) return os_failure(errno, "perf_event_open");
    void* pages =
        ::mmap(nullptr, 2 * page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (pages == MAP_FAILED) return os_failure(errno, "perf_event_open");
    return Ring(std::move(fd), pages);
}

Faults::Ring::Ring(Ring&& other) noexcept
    : fd_(std::move(other.fd_)), pages_(std::exchange(other.pages_, nullptr)) {}

Faults::Ring::~Ring() {
    if (pages_ != nullptr) ::munmap(pages_, 2 * page_bytes());
}

/// The filled page goes round.
void Faults::Ring::copy(std::uint64_t at, std::span<std::uint8_t> out) const {
    const std::span filled(static_cast<const std::uint8_t*>(pages_) + page_bytes(), page_bytes());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = filled[(at + i) % filled.size()];
}

void Faults::Ring::read(std::vector<Fault>& out) {
    auto& page = *static_cast<perf_event_mmap_page*>(pages_);
    const std::uint64_t head = std::atomic_ref(page.data_head).load(std::memory_order_acquire);
    std::uint64_t tail = page.data_tail;
    while (tail < head) {
        std::array<std::uint8_t, sizeof(perf_event_header)> front{};
        copy(tail, front);
        const auto header = std::bit_cast<perf_event_header>(front);
        if (header.type == PERF_RECORD_SAMPLE) {
            std::array<std::uint8_t, sizeof(Sample)> rest{};
            copy(tail + sizeof header, rest);
            const auto sample = std::bit_cast<Sample>(rest);
            out.push_back({static_cast<pid_t>(sample.pid), sample.address});
        }
        if (header.size == 0) break;
        tail += header.size;
    }
    std::atomic_ref(page.data_tail).store(tail, std::memory_order_release);
}

Result<Faults> Faults::of(pid_t pid) {
    const auto processors = static_cast<int>(::sysconf(_SC_NPROCESSORS_CONF));
    Faults faults;
    // A processor that is not there, a thread that has ended: the others tell.
    std::optional<Error> refused;
    for (const pid_t thread : threads_of(pid))
        for (int processor = 0; processor < processors && faults.rings_.size() < kRingsMax;
             ++processor) {
            Result<Ring> ring = Ring::open(thread, processor);
            if (ring)
                faults.rings_.push_back(std::move(*ring));
            else
                refused = ring.error();
        }
    if (faults.rings_.empty() && refused) return std::unexpected(*refused);
    return faults;
}

std::vector<int> Faults::descriptors() const {
    std::vector<int> all;
    for (const Ring& ring : rings_) all.push_back(ring.fd());
    return all;
}

/// Of each ring: its thread has ended, with all that it started.
std::vector<bool> Faults::ended() const {
    std::vector<pollfd> polls;
    for (const Ring& ring : rings_) polls.push_back({ring.fd(), 0, 0});
    (void)::poll(polls.data(), polls.size(), 0);
    std::vector<bool> all;
    for (const pollfd& poll : polls) all.push_back((poll.revents & (POLLHUP | POLLERR)) != 0);
    return all;
}

/// What has ended is read once more and let go: whoever waits for it never waits again.
void Faults::read(std::vector<Fault>& out) {
    const std::vector<bool> over = ended();
    std::vector<Ring> left;
    for (std::size_t i = 0; i < rings_.size(); ++i) {
        rings_[i].read(out);
        if (!over[i]) left.push_back(std::move(rings_[i]));
    }
    rings_ = std::move(left);
}

}  // namespace hygie::files
