#include "guards/files/priority.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hygie::files {
namespace {

constexpr int kNice = -10;

}  // namespace

void set_urgency(const char* name, Urgency urgency) {
    (void)::prctl(PR_SET_NAME, name);
    sched_param lowest{};
    lowest.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
    if (urgency == Urgency::Door &&
        ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0)
        return;
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

}  // namespace hygie::files
