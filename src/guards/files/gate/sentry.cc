#include "guards/files/gate/sentry.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <utility>

#include "guards/files/acts/priority.h"

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
constexpr int kHurryMs = 5;
/// The clerk takes what waits meanwhile.
constexpr auto kFull = std::chrono::milliseconds(1);
constexpr auto kLeaveEvery = std::chrono::milliseconds(20);

/// Beside whom it waits for, it is there at once, and would be in the way awake.
int patience_ms(JudgeDoor::Lookout lookout, bool is_beside) {
    if (lookout != JudgeDoor::Lookout::Eager) return kPollMs;
    return is_beside ? kHurryMs : 0;
}

}  // namespace

Sentry::Sentry(fan::Group& group, Names& names, JudgeDoor& judge)
    : group_(group),
      names_(names),
      judge_(judge),
      seen_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Sentry::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        post_.take_up();
        set_urgency("sentry", Urgency::Door);
        run(stop);
        post_.leave();
    });
}

/// It may stand where somebody else in real time runs for ever.
void Sentry::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    for (; post_.thread() != 0; std::this_thread::sleep_for(kLeaveEvery)) post_.look();
    thread_.join();
}

void Sentry::rouse() {
    if (is_on_watch_ || judge_.lookout() == JudgeDoor::Lookout::Calm) return;
    {
        const std::scoped_lock lock(mutex_);
    }
    roused_.notify_one();
}

void Sentry::hear() {
    eventfd_t times = 0;
    (void)::eventfd_read(seen_.get(), &times);
}

void Sentry::run(const std::stop_token& stop) {
    while (wait_for_watch(stop)) {
        post_.note_round();
        const bool is_beside = stand_beside();
        pollfd poll{group_.fd(), POLLIN, 0};
        if (::poll(&poll, 1, patience_ms(judge_.lookout(), is_beside)) <= 0) continue;
        if (!names_.look()) std::this_thread::sleep_for(kFull);
        (void)::eventfd_write(seen_.get(), 1);
    }
    is_on_watch_ = false;
}

/// False when it is over.
bool Sentry::wait_for_watch(const std::stop_token& stop) {
    const auto is_wanted = [&] { return judge_.lookout() != JudgeDoor::Lookout::Calm; };
    if (stop.stop_requested()) return false;
    if (is_wanted()) {
        is_on_watch_ = true;
        return true;
    }
    if (is_on_watch_.exchange(false)) run_beside(std::nullopt);
    std::unique_lock lock(mutex_);
    is_on_watch_ = roused_.wait(lock, stop, is_wanted);
    return is_on_watch_;
}

/// Whether it is.
bool Sentry::stand_beside() {
    const auto now = std::chrono::steady_clock::now();
    if (now - moved_ < kBesideEvery) return is_beside_;
    moved_ = now;
    const auto processor = judge_.processor();
    run_beside(processor);
    return is_beside_ = processor.has_value();
}

}  // namespace hygie::files
