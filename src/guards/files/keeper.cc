#include "guards/files/keeper.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guards/files/history.h"
#include "host/log.h"

namespace hygie::files {
namespace {

constexpr int kLowestPriority = 19;
constexpr Micros kLook = std::chrono::milliseconds(200);

}  // namespace

Keeper::Keeper(StoreDoors doors, Store& store, std::string state, RetentionRules rules)
    : doors_(doors), store_(store), state_(std::move(state)), rules_(rules) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Keeper::run(const std::stop_token& stop) {
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kLowestPriority);
    while (!stop.stop_requested()) {
        for (Micros waited{}; waited < kEvery && !stop.stop_requested(); waited += kLook)
            std::this_thread::sleep_for(kLook);
        if (stop.stop_requested()) return;
        if (const Status done = round(); !done) log::warning("files.keeper", done.error());
    }
}

Status Keeper::round() {
    const History history = TRY(History::read(doors_, state_));
    bool has_dropped = false;
    for (const Chore& chore : chores(history.records(), store_.next_version(), rules_)) {
        if (chore.duty == Chore::Duty::Drop) {
            TRY_STATUS(store_.drop(chore.key, chore.version));
            has_dropped = true;
            continue;
        }
        // Bytes that are not there any more have been said lost by who looked for them.
        if (const Status sealed = store_.seal(chore.key, chore.version); !sealed) {
            if (sealed.error().code == Code::NotFound) continue;
            return sealed;
        }
        ++sealed_;
    }
    return has_dropped ? store_.compact() : Status();
}

}  // namespace hygie::files
