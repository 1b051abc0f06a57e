#include "guards/files/acts/priority.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <utility>

namespace hygie::files {
namespace {

constexpr int kNice = -10;
/// Of 1000: tenths of a percent of the memory that it may have and still count as having nothing.
constexpr int kOomScore = -900;
/// Asked for at a time: since Linux 6.12 whoever asks for little goes first when woken, also where
/// every session has its own share of the machine. Older kernels read over it.
constexpr std::uint64_t kSliceNs = 100'000;

/// struct sched_attr of sched_setattr(2), for which the C library has no call.
struct Attributes {
    std::uint32_t size = sizeof(Attributes);
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = kNice;
    std::uint32_t priority = 0;
    std::uint64_t runtime = kSliceNs;
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

}  // namespace

void set_urgency(const char* name, Urgency urgency) {
    (void)::prctl(PR_SET_NAME, name);
    sched_param lowest{};
    lowest.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
    static thread_local bool is_raised = false;
    static thread_local bool is_plain = false;  // … if nobody raised it meanwhile
    if (urgency == Urgency::Door) {
        const bool was_plain = ::sched_getscheduler(0) == SCHED_OTHER;
        if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0) {
            is_raised = was_plain || is_plain;
            return;
        }
    }
    // A thread that was at the door goes back.
    const bool was_raised = std::exchange(is_raised, false);
    sched_param none{};
    if (was_raised) (void)::sched_setscheduler(0, SCHED_OTHER, &none);
    // Who started the guard asked for something else already.
    if (::sched_getscheduler(0) != SCHED_OTHER) return;
    is_plain = true;
    const Attributes attributes;
    if (::syscall(SYS_sched_setattr, 0, &attributes, 0U) == 0) return;
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

void raise_urgency(pid_t thread) {
    sched_param lowest{};
    lowest.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
    (void)::sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest);
}

void run_beside(std::optional<int> processor) {
    static thread_local std::optional<int> beside;
    static thread_local cpu_set_t anywhere{};
    if (processor == beside) return;
    if (!beside && ::sched_getaffinity(0, sizeof anywhere, &anywhere) < 0) return;
    cpu_set_t wanted = anywhere;
    if (processor) {
        if (*processor < 0 || *processor >= CPU_SETSIZE || !CPU_ISSET(*processor, &anywhere))
            return;
        CPU_ZERO(&wanted);
        CPU_SET(*processor, &wanted);
    }
    if (::sched_setaffinity(0, sizeof wanted, &wanted) == 0) beside = processor;
}

void run_anywhere(pid_t thread) {
    cpu_set_t anywhere;
    if (::sched_getaffinity(::getpid(), sizeof anywhere, &anywhere) == 0)
        (void)::sched_setaffinity(thread, sizeof anywhere, &anywhere);
}

void outlive_others() {
    constexpr char kFile[] = "/proc/self/oom_score_adj";
    int score = 0;
    // Who started the guard may have asked for more already.
    if (std::ifstream(kFile) >> score && score > kOomScore) std::ofstream(kFile) << kOomScore;
}

}  // namespace hygie::files
