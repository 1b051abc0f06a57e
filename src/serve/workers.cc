#include "serve/workers.h"

#include <memory>

namespace hygie::serve {

Workers::Workers(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

void Workers::end() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    ready_.notify_all();
    threads_.clear();  // joins: what was taken is finished first
}

bool Workers::run(std::move_only_function<void()> task) {
    {
        const std::scoped_lock lock(mutex_);
        if (ending_ || queue_.size() >= kQueueMax) return false;
        queue_.push_back(std::move(task));
    }
    ready_.notify_one();
    return true;
}

AsyncHandler Workers::wrap(HttpServer::Handler handler) {
    return [this, shared = std::make_shared<HttpServer::Handler>(std::move(handler))](
               Request request, Reply reply) {
        // Shared, so that the reply is still ours when the queue is full.
        const auto later = std::make_shared<Reply>(std::move(reply));
        const bool taken = run([shared, later, request = std::move(request)] {
            try {
                (*later)((*shared)(request));
            } catch (const std::exception&) {
                // The reply dies unused: a 500 without details, which could name a person.
            }
        });
        if (taken) return;
        Response busy = text_response(503, "too many requests wait\n");
        busy.headers.emplace_back("Retry-After", "1");
        (*later)(std::move(busy));
    };
}

void Workers::work() {
    while (true) {
        std::move_only_function<void()> task;
        {
            std::unique_lock lock(mutex_);
            ready_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (queue_.empty()) return;
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        task();
    }
}

}  // namespace hygie::serve
