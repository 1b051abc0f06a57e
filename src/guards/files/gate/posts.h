#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

namespace hygie::files {

/// A watch kept on each processor. Whoever acts wakes the watch beside it, which then goes first:
/// one on another processor that is idle takes as long to wake as thirty writes or deletions. Not
/// thread-safe.
class Posts {
  public:
    /// Each act wakes them all.
    static constexpr std::size_t kPostsMax = 16;
    using Watch = std::function<void(const std::stop_token&)>;

    Posts() = default;
    Posts(const Posts&) = delete;
    Posts& operator=(const Posts&) = delete;
    ~Posts() { stop(); }

    /// Runs `watch` on as many processors as this process may use, in real time.
    void start(const char* name, const Watch& watch);
    /// Until each has returned.
    void stop();
    std::size_t size() const { return posts_.size(); }

  private:
    struct Post {
        std::atomic<pid_t> thread = 0;
        std::atomic<bool> is_over = false;
        std::jthread runs;
    };
    std::vector<std::unique_ptr<Post>> posts_;
};

}  // namespace hygie::files
