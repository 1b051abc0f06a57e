#include "guards/files/gate/sentry.h"

#include <poll.h>
#include <sys/eventfd.h>

namespace hygie::files {
namespace {

constexpr int kPollMs = 100;
/// The clerk takes what waits meanwhile.
constexpr auto kFull = std::chrono::milliseconds(1);

}  // namespace

Sentry::Sentry(fan::Group& group, Names& names, JudgeDoor& judge)
    : group_(group),
      names_(names),
      judge_(judge),
      seen_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Sentry::start() {
    posts_.start("sentry", [this](const std::stop_token& stop) { run(stop); });
    posted_ = posts_.size();
}

void Sentry::stop() {
    posts_.stop();
}

void Sentry::rouse() {
    if (awake_ == posted_ || judge_.lookout() == JudgeDoor::Lookout::Calm) return;
    {
        const std::scoped_lock lock(mutex_);
    }
    roused_.notify_all();
}

void Sentry::hear() {
    eventfd_t times = 0;
    (void)::eventfd_read(seen_.get(), &times);
}

void Sentry::run(const std::stop_token& stop) {
    while (wait_for_watch(stop)) {
        ++awake_;
        while (!stop.stop_requested() && is_wanted()) stand();
        --awake_;
    }
}

bool Sentry::is_wanted() const {
    return judge_.lookout() != JudgeDoor::Lookout::Calm;
}

/// False when it is over.
bool Sentry::wait_for_watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return roused_.wait(lock, stop, [&] { return is_wanted(); }) && !stop.stop_requested();
}

void Sentry::stand() {
    pollfd poll{group_.fd(), POLLIN, 0};
    // One on another processor may have seen it by now.
    if (::poll(&poll, 1, kPollMs) <= 0 || !group_.pending()) return;
    if (!names_.look()) std::this_thread::sleep_for(kFull);
    (void)::eventfd_write(seen_.get(), 1);
}

}  // namespace hygie::files
