#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "serve/http_message.h"
#include "serve/http_server.h"
#include "serve/http_wire.h"

/// Inside of the server: its threads with their connections, and how an answer finds its way from
/// any thread to the connection that waits.
namespace hygie::serve {

struct Lane;

/// Where an answer meets the connection that waits for it, whichever comes first.
struct Slot {
    std::mutex mutex;
    std::optional<Response> response;
    Lane* waiting = nullptr;                  ///< of the connection, once it waits
    std::move_only_function<void()> go_on{};  ///< its coroutine; for the thread of the lane
    bool abandoned = false;                   ///< nobody waits any more

    /// On the thread of the lane: ends the wait, with an answer or without.
    void end_wait() {
        std::move_only_function<void()> waiter;
        {
            const std::scoped_lock lock(mutex);
            std::swap(waiter, go_on);
        }
        if (waiter) waiter();
    }
};

/// A connection. While it is not answering, stop() may cut it: nothing was promised.
struct Live {
    Live(Wire::Socket socket, std::string address)
        : wire(std::move(socket)), peer(std::move(address)) {}
    Wire wire;
    std::string peer;
    bool answering = false;
    /// When it came, or was answered last: of those that wait, the first to give way to a new one.
    Wire::Time since = std::chrono::steady_clock::now();
    bool gives_way = false;
    std::shared_ptr<Slot> slot{};  ///< while it waits for an answer
};

/// One thread and the connections that it serves.
struct Lane {
    using Executor = Wire::executor_type;

    boost::asio::io_context io{1};
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
        tick{io};                          ///< awaited as long as the lane lives
    Wire::Time grace = Wire::Time::max();  ///< when who is idle is cut
    std::list<Live> lives;
    std::thread thread;

    /// From any thread: an answer is there. Those that come together wake the lane once.
    void arrived(std::shared_ptr<Slot> slot) {
        const std::scoped_lock lock(mutex_);
        arrived_.push_back(std::move(slot));
        if (arrived_.size() == 1) boost::asio::post(io, [this] { hand_out(); });
    }

  private:
    void hand_out() {
        std::vector<std::shared_ptr<Slot>> slots;
        {
            const std::scoped_lock lock(mutex_);
            std::swap(slots, arrived_);
        }
        for (const auto& slot : slots) slot->end_wait();
    }

    std::mutex mutex_;
    std::vector<std::shared_ptr<Slot>> arrived_;
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
        if (slot->waiting) slot->waiting->arrived(slot);
    }
    std::shared_ptr<Slot> slot_;
};

/// Hands a request over; its answer comes to the slot. An exception is a reply that dies unused: a
/// 500 without details, which could name a person.
inline std::shared_ptr<Slot> hand_over(const AsyncHandler& handler, Request request) {
    auto slot = std::make_shared<Slot>();
    try {
        handler(std::move(request), Once(slot));
    } catch (const std::exception&) {
    }
    return slot;
}

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

/// Judges a body before a byte of it is kept: its refusal, or room for it. `length` is what the
/// client announces, if it does.
inline std::optional<Response> reserve_body(std::uint64_t bytes_max,
                                            std::optional<std::uint64_t> length,
                                            const HttpLimits& limits, Reservation& held) {
    if (length && *length > bytes_max) return body_too_large();
    if (held.take(length.value_or(bytes_max), limits.bodies_bytes_max)) return std::nullopt;
    return too_many_bodies();
}

}  // namespace hygie::serve
