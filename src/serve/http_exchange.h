#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "serve/http_server.h"

/// Inside of the server: how an answer finds its way from any thread to the connection that waits.
namespace hygie::serve {

/// Where an answer meets the connection that waits for it, whichever comes first.
struct Slot {
    std::mutex mutex;
    std::optional<Response> response;
    boost::asio::steady_timer* waiting =
        nullptr;             ///< of the connection; it ends the wait when cancelled
    bool abandoned = false;  ///< nobody waits any more
};

/// A Reply: gives its answer once, and a 500 when it dies without one.
class Once {
  public:
    explicit Once(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
    Once(Once&&) = default;
    Once& operator=(Once&&) = delete;
    ~Once() {
        if (slot_) give(text_response(500, "internal error\n"));
    }
    void operator()(Response response) {
        if (slot_) give(std::move(response));
    }

  private:
    void give(Response response) {
        const std::shared_ptr<Slot> slot = std::exchange(slot_, nullptr);
        const std::scoped_lock lock(slot->mutex);
        if (slot->abandoned) return;
        slot->response = std::move(response);
        // The connection cannot leave its wait, nor the server end, before we let go of the lock.
        if (slot->waiting)
            boost::asio::post(slot->waiting->get_executor(), [slot] {
                const std::scoped_lock inner(slot->mutex);
                if (slot->waiting) slot->waiting->cancel();
            });
    }
    std::shared_ptr<Slot> slot_;
};

/// Bytes of bodies held together by all connections; released when it dies.
class Reservation {
  public:
    explicit Reservation(std::atomic<std::uint64_t>& total) : total_(total) {}
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { total_ -= held_; }
    bool take(std::uint64_t bytes, std::uint64_t bytes_max) {
        held_ = bytes;
        return (total_ += bytes) <= bytes_max;
    }

  private:
    std::atomic<std::uint64_t>& total_;
    std::uint64_t held_ = 0;
};

}  // namespace hygie::serve
