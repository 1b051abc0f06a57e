#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "guards/files/gate/names.h"
#include "guards/files/gate/post.h"
#include "guards/files/judge/judge_door.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// While somebody may destroy by deleting, which nobody waits for leave to do, glimpses at each
/// name as soon as it goes, in real time and beside whom it waits for. It does nothing else: while
/// the clerk copies an archive its maker deletes fifty files. Thread-safe.
class Sentry {
  public:
    /// Where another is beside is asked so often.
    static constexpr auto kBesideEvery = std::chrono::milliseconds(2);

    Sentry(fan::Group& group, Names& names, JudgeDoor& judge);
    ~Sentry() { stop(); }

    void start();
    void stop();
    /// Somebody did something: it may be time to stand watch.
    void rouse();
    /// Readable when it has seen something since it was heard: for the clerk, who is to look at the
    /// kernel's own news as well, and need not while the sentry does.
    int fd() const { return seen_.get(); }
    void hear();
    bool is_on_watch() const { return is_on_watch_; }
    /// The keeper's, now and then.
    void look_after() { post_.look(); }

  private:
    void run(const std::stop_token& stop);
    bool wait_for_watch(const std::stop_token& stop);
    bool stand_beside();

    fan::Group& group_;
    Names& names_;
    JudgeDoor& judge_;
    UniqueFd seen_;
    Post post_;
    std::atomic<bool> is_on_watch_ = false;
    std::mutex mutex_;
    std::condition_variable_any roused_;
    std::chrono::steady_clock::time_point moved_{};  ///< its own
    bool is_beside_ = false;                         ///< its own
    std::jthread thread_;
};

}  // namespace hygie::files
