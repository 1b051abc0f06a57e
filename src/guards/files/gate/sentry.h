#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "guards/files/gate/names.h"
#include "guards/files/gate/posts.h"
#include "guards/files/judge/judge_door.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// While somebody may destroy by deleting, which nobody waits for leave to do, glimpses at each
/// name as soon as it goes, in real time and on each processor, so that whoever deletes finds it
/// there. It does nothing else: while the clerk copies an archive its maker deletes fifty files.
/// Thread-safe.
class Sentry {
  public:
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
    bool is_on_watch() const { return awake_ > 0; }

  private:
    void run(const std::stop_token& stop);
    bool is_wanted() const;
    bool wait_for_watch(const std::stop_token& stop);
    void stand();

    fan::Group& group_;
    Names& names_;
    JudgeDoor& judge_;
    UniqueFd seen_;
    std::atomic<std::size_t> awake_ = 0;  ///< of its posts
    std::mutex mutex_;
    std::condition_variable_any roused_;
    std::atomic<std::size_t> posted_ = 0;
    Posts posts_;
};

}  // namespace hygie::files
