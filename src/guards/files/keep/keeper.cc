#include "guards/files/keep/keeper.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guards/files/keep/history.h"
#include "host/log.h"

namespace hygie::files {
namespace {

constexpr int kLowestPriority = 19;
constexpr Micros kLook = std::chrono::milliseconds(200);

void rest(Micros time, const std::stop_token& stop) {
    for (; time > Micros{} && !stop.stop_requested(); time -= kLook)
        std::this_thread::sleep_for(std::min(time, kLook));
}

}  // namespace

Keeper::Keeper(StoreDoors doors, Store& store, std::string state, RetentionRules rules)
    : doors_(doors), store_(store), state_(std::move(state)), rules_(rules) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Keeper::run(const std::stop_token& stop) {
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kLowestPriority);
    for (Micros wait = kFirst; !stop.stop_requested(); wait = kEvery) {
        rest(wait, stop);
        if (stop.stop_requested()) return;
        if (const Status done = round(stop); !done) log::warning("files.keeper", done.error());
    }
}

/// What was read of the past is let go before the work begins.
Result<std::vector<Chore>> Keeper::chores_now() {
    const History history = TRY(History::read(doors_, state_));
    return chores(history.records(), store_.next_version(), rules_);
}

Status Keeper::round(const std::stop_token& stop) {
    const std::vector<Chore> due = TRY(chores_now());
    bool has_dropped = false;
    for (const Chore& chore : due) {
        if (chore.duty == Chore::Duty::Mark) continue;
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
    if (has_dropped) TRY_STATUS(store_.compact());
    return mark(due, stop);
}

/// As long as it read, it leaves the disk to others.
Status Keeper::mark(const std::vector<Chore>& due, const std::stop_token& stop) {
    std::uint64_t bytes = 0;
    for (const Chore& chore : due) {
        if (chore.duty != Chore::Duty::Mark) continue;
        if (stop.stop_requested() || bytes > kMarkedBytesMax) break;
        bytes += chore.size;
        const auto began = std::chrono::steady_clock::now();
        const Status marked = store_.mark(chore.key, chore.version, stop);
        const bool is_left =
            !marked && (marked.error().code == Code::NotFound || marked.error().code == Code::Busy);
        if (!marked && !is_left) return marked;
        rest(std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - began), stop);
    }
    return {};
}

}  // namespace hygie::files
