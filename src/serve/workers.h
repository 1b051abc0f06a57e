#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/http_server.h"

namespace hygie::serve {

/// A few threads for answers that must wait: for a disk, for a password hash.
class Workers {
  public:
    static constexpr std::size_t kQueueMax = 1024;

    explicit Workers(unsigned threads);
    ~Workers() { end(); }
    /// Finishes what was taken, and takes nothing more. Who still runs may ask others to run, and
    /// they him: those are ended one after the other before the first of them is gone.
    void end();

    /// False when too much waits already, or after the end.
    bool run(std::move_only_function<void()> task);
    /// A handler that may wait, as one that never does; 503 when too much waits.
    AsyncHandler wrap(HttpServer::Handler handler);

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<std::move_only_function<void()>> queue_;
    bool ending_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace hygie::serve
