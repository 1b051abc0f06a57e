#include "guards/files/gate/posts.h"

#include <sched.h>
#include <unistd.h>

#include <chrono>

#include "guards/files/acts/priority.h"

namespace hygie::files {
namespace {

constexpr int kAnywhere = -1;
constexpr auto kLeaveEvery = std::chrono::milliseconds(20);

std::vector<int> processors() {
    cpu_set_t set;
    // More than it can be told of: one that goes anywhere.
    if (::sched_getaffinity(0, sizeof set, &set) < 0) return {kAnywhere};
    std::vector<int> all;
    for (int i = 0; i < CPU_SETSIZE && all.size() < Posts::kPostsMax; ++i)
        if (CPU_ISSET(i, &set)) all.push_back(i);
    return all;
}

}  // namespace

void Posts::start(const char* name, const Watch& watch) {
    for (const int processor : processors()) {
        Post& post = *posts_.emplace_back(std::make_unique<Post>());
        post.runs = std::jthread([&post, name, watch, processor](const std::stop_token& stop) {
            post.thread = ::gettid();
            set_urgency(name, Urgency::Door);
            if (processor != kAnywhere) run_beside(processor);
            watch(stop);
            post.is_over = true;
        });
    }
}

/// One may stand where somebody else in real time runs for ever.
void Posts::stop() {
    for (const auto& post : posts_) post->runs.request_stop();
    for (const auto& post : posts_)
        for (; !post->is_over; std::this_thread::sleep_for(kLeaveEvery))
            if (const pid_t thread = post->thread; thread != 0) run_anywhere(thread);
    posts_.clear();
}

}  // namespace hygie::files
