#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "link/session.h"
#include "link/spool.h"

/// What the room's tests share: keys, events, a core in memory, a guard with a spool.
namespace hygie::link {

inline crypto::Secret32 secret(std::uint8_t n) {
    crypto::Secret32 out;
    std::ranges::fill(out.mutable_view(), n);
    return out;
}

inline crypto::SigningKey signing_key(std::uint8_t n = 1) {
    return crypto::SigningKey::from_seed(secret(n));
}

inline event::Event an_event(const std::string& request, std::size_t padding = 0) {
    event::Event event;
    event.type = event::Type::RecordRead;
    event.time = WallTime(Micros(1'795'500'000'000'000));
    event.actor.id = ActorId("10003456789");
    event.subject.patient = PatientId("INS-2-85-07-75-115-042");
    event.request_id = request;
    event.detail["padding"] = std::string(padding, 'p');
    return event;
}

inline std::string request_of(const StampedBody& stored) {
    const auto event = event::decode_body(stored.stamp, stored.body);
    return event ? event->request_id : "?";
}

inline SpoolOptions spool_options(std::string dir = "spool") {
    SpoolOptions options;
    options.dir = std::move(dir);
    options.source = SourceId("mail");
    options.node = NodeId("cabinet-1");
    return options;
}

/// A core whose ledger is memory. Every broken promise of the link fails the test.
class MemorySink final : public CoreSink {
  public:
    struct Stream {
        SourceInfo source;
        Point tip;
        bool chain_known = true;
        std::vector<StampedBody> events;
        std::vector<Gap> gaps;
        std::vector<Seal> seals;
    };

    Result<Position> position(const SourceInfo& source) override {
        const std::lock_guard held(mutex_);
        Stream& stream = of(source);
        if (stream.source != source)
            return fail(Code::Denied, {"autre clé", "another key"}, {"vérifiez", "check"});
        if (!stream.chain_known) return Position{stream.tip.counter, std::nullopt};
        return Position{stream.tip.counter, stream.tip.chain};
    }

    Status gap(const SourceInfo& source, const Gap& gap) override {
        const std::lock_guard held(mutex_);
        Stream& stream = of(source);
        EXPECT_EQ(gap.first, stream.tip.counter + 1);
        stream.gaps.push_back(gap);
        stream.tip = {gap.last, {}};
        stream.chain_known = false;
        return {};
    }

    Status append(const SourceInfo& source, const Batch& batch) override {
        const std::lock_guard held(mutex_);
        if (refusal) return std::unexpected(*std::exchange(refusal, std::nullopt));
        Stream& stream = of(source);
        EXPECT_EQ(batch.after.counter, stream.tip.counter);
        EXPECT_FALSE(batch.events.empty());
        stream.tip = batch.after;
        for (const StampedBody& event : batch.events) {
            stream.tip = after(stream.tip, event);
            EXPECT_EQ(event.stamp.counter, stream.tip.counter);
            stream.events.push_back(event);
        }
        stream.chain_known = true;
        if (batch.seal) {
            EXPECT_TRUE(verify(*batch.seal, source));
            stream.seals.push_back(*batch.seal);
        }
        return {};
    }

    void order_done(const SourceInfo&, const OrderDone& done) override {
        const std::lock_guard held(mutex_);
        orders_done_.push_back(done);
    }

    /// The core restarts and only knows counters.
    void forget_chains() {
        const std::lock_guard held(mutex_);
        for (auto& [name, stream] : streams_) stream.chain_known = false;
    }
    Stream stream(const std::string& source = "mail") {
        const std::lock_guard held(mutex_);
        return streams_[source];
    }
    std::vector<OrderDone> orders_done() {
        const std::lock_guard held(mutex_);
        return orders_done_;
    }
    std::vector<std::string> requests(const std::string& source = "mail") {
        std::vector<std::string> out;
        for (const StampedBody& event : stream(source).events) out.push_back(request_of(event));
        return out;
    }

    std::optional<Error> refusal;  ///< given once, at the next append

  private:
    Stream& of(const SourceInfo& source) {
        Stream& stream = streams_[source.source.str()];
        if (stream.source.source.empty()) stream.source = source;
        return stream;
    }

    std::mutex mutex_;
    std::map<std::string, Stream> streams_;
    std::vector<OrderDone> orders_done_;
};

}  // namespace hygie::link
