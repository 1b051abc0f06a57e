#include "serve/http2_talk.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "serve/http2_session.h"

namespace hygie::serve {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = 16 << 10;
/// Written at once; answers take turns that long.
constexpr std::size_t kWriteBytes = 64 << 10;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable_t<Wire::executor_type>{});

/// One reads, one writes, answers come when they come: all on the thread of the lane.
class Talk {
  public:
    Talk(Http2House house, Lane& lane, Live& live)
        : house_(house),
          lane_(lane),
          live_(live),
          session_(
              {.header_bytes_max = house.limits.header_bytes_max}, live.peer,
              [this](std::int32_t stream, const Request& head, bool has_body,
                     std::optional<std::uint64_t> length) {
                  return judge(stream, head, has_body, length);
              },
              [&clock = house.clock] { return clock.now(); }),
          wake_(lane.io),
          written_(lane.io) {}

    Wire::Awaitable<void> run() {
        asio::co_spawn(lane_.io, write(), asio::detached);
        std::array<std::uint8_t, kReadBytes> buffer;
        touched_ = now();
        bool goes_on = true;
        while (goes_on && !has_ended_) {
            step();
            // Who does not read its answers is not read either.
            while (writing_) {
                co_await wait(written_);
            }
            const std::size_t size = co_await live_.wire.read(buffer);
            touched_ = now();
            goes_on = size > 0 && session_.receive({buffer.data(), size}, touched_);
            for (Http2Session::Arrived& arrived : session_.take_requests())
                begin(std::move(arrived));
        }
        abandon();
        is_done_ = true;
        step();
        live_.wire.expires_after(house_.limits.write_timeout);
        while (!has_ended_) {
            co_await wait(written_);
        }
    }

  private:
    using Timer =
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>, Lane::Executor>;
    struct Pending {
        std::shared_ptr<Slot> slot;
        Wire::Time since;
    };

    /// Until it is cancelled.
    static Wire::Awaitable<void> wait(Timer& timer) {
        timer.expires_at(Wire::Time::max());
        co_await timer.async_wait(kAsTuple);
    }

    static Wire::Time now() { return std::chrono::steady_clock::now(); }

    Http2Session::Judged judge(std::int32_t stream, const Request& head, bool has_body,
                               std::optional<std::uint64_t> length) {
        if (!has_body) return {};
        const std::uint64_t limit =
            house_.body_limit ? house_.body_limit(head) : house_.limits.body_bytes_max;
        auto held = std::make_unique<Reservation>(house_.bodies_bytes);
        if (auto refusal = reserve_body(limit, length, house_.limits, *held))
            return {.refusal = std::move(refusal)};
        held_[stream] = std::move(held);
        return {.body_bytes_max = limit};
    }

    void begin(Http2Session::Arrived arrived) {
        const auto slot = hand_over(house_.handler, std::move(arrived.request));
        pending_.emplace(arrived.stream, Pending{slot, touched_});
        {
            const std::scoped_lock lock(slot->mutex);
            if (!slot->response) {
                slot->waiting = &lane_;
                slot->go_on = [this, stream = arrived.stream] {
                    answered(stream);
                    step();
                };
                return;
            }
        }
        answered(arrived.stream);
    }

    void answered(std::int32_t stream) {
        const auto found = pending_.find(stream);
        const auto slot = std::move(found->second.slot);
        pending_.erase(found);
        const std::scoped_lock lock(slot->mutex);
        slot->waiting = nullptr;
        slot->abandoned = true;
        live_.since = now();
        session_.answer(stream, *std::move(slot->response), now());
    }

    /// Nobody waits for what is still being answered.
    void abandon() {
        for (const auto& [stream, pending] : pending_) {
            const std::scoped_lock lock(pending.slot->mutex);
            pending.slot->waiting = nullptr;
            pending.slot->abandoned = true;
            pending.slot->go_on = {};
        }
        pending_.clear();
    }

    /// After whatever happened: lets go of what is no longer needed, sets the deadline, and has
    /// written what there is to write.
    void step() {
        std::erase_if(held_, [this](const auto& one) {
            return !session_.is_open(one.first) && !pending_.contains(one.first);
        });
        set_deadline();
        wake_.cancel();
    }

    void set_deadline() {
        const HttpLimits& limits = house_.limits;
        const auto oldest = session_.oldest();
        live_.answering = !pending_.empty() || oldest.leaving;
        Wire::Time deadline = Wire::Time::max();
        const auto bound = [&deadline](std::optional<Wire::Time> since, Micros lasts) {
            if (since) deadline = std::min(deadline, *since + lasts);
        };
        bound(oldest.arriving, limits.request_timeout);
        bound(oldest.leaving, limits.write_timeout);
        bound(writing_, limits.write_timeout);
        for (const auto& [stream, pending] : pending_) bound(pending.since, limits.answer_timeout);
        if (session_.is_idle()) bound(touched_, limits.idle_timeout);
        live_.wire.expires_at(deadline);
    }

    /// Whether the connection has nothing left to say.
    bool has_said_all(bool closes) const {
        const bool is_cut = closes && house_.cutting && !live_.answering;
        const bool is_through = closes && session_.is_idle() && pending_.empty();
        return is_done_ || session_.is_over() || is_cut || is_through;
    }

    Wire::Awaitable<void> write() {
        while (true) {
            const bool closes = house_.closing;
            if (closes) session_.say_goodbye();
            const Bytes bytes = session_.output(kWriteBytes);
            if (!bytes.empty()) {
                writing_ = now();
                set_deadline();
                const bool written = co_await live_.wire.write(bytes);
                writing_.reset();
                written_.cancel();
                if (!written) break;
                set_deadline();
                continue;
            }
            if (has_said_all(closes)) break;
            co_await wait(wake_);
        }
        has_ended_ = true;
        live_.wire.cancel();
        written_.cancel();
    }

    const Http2House house_;
    Lane& lane_;
    Live& live_;
    Http2Session session_;
    std::map<std::int32_t, Pending> pending_;                    ///< being answered
    std::map<std::int32_t, std::unique_ptr<Reservation>> held_;  ///< for bodies
    Timer wake_, written_;                      ///< something to write; written, or no longer
    Wire::Time touched_{};                      ///< something came, last
    std::optional<Wire::Time> writing_{};       ///< since when, if it is
    bool is_done_ = false, has_ended_ = false;  ///< reading; writing
};

}  // namespace

Wire::Awaitable<void> talk_http2(Http2House house, Lane& lane, Live& live) {
    Talk talk(house, lane, live);
    co_await talk.run();
}

}  // namespace hygie::serve
