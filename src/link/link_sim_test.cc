#include <gtest/gtest.h>

#include "link/test_kit.h"
#include "sim/chance.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::link {
namespace {

/// A guard on a disk that forgets, a core, and a network that cuts and delays: everything that can
/// come between an event and the ledger, in any order.
class House {
  public:
    explicit House(std::uint64_t seed) : chance_(seed), disk_(seed) { start_guard(); }

    void step() {
        switch (chance_.below(12)) {
            case 0:
            case 1:
            case 2:
                return report();
            case 3:
                return cut_network();
            case 4:
                return chance_.odds(1, 3) ? lose_power() : kill_guard();
            case 5:
                return restart_core();
            case 6:
                if (chance_.odds(1, 2)) disk_.crash_at_step(disk_.steps() + 1 + chance_.below(8));
                return;
            default:
                return carry();
        }
    }

    /// The trouble ends: everything must arrive.
    void settle() {
        lose_power();
        cut_network();
        for (int i = 0; i < 10'000 && !quiet(); ++i) carry();
    }

    void check() {
        const MemorySink::Stream stream = sink_.stream();
        ASSERT_EQ(stream.tip.counter, spool_->last());
        EXPECT_TRUE(stream.gaps.empty());
        ASSERT_EQ(stream.events.size(), spool_->last());
        for (const auto& [counter, request] : promised_)
            ASSERT_EQ(request_of(stream.events[counter - 1]), request);
        EXPECT_GE(promised_.size(), 1u);
    }

  private:
    void start_guard() {
        SpoolOptions options = spool_options();
        options.segment_bytes = 1200;
        options.seal_every = 5;
        auto opened = Spool::open(disk_, random_, signing_key(), secret(9), options);
        // The power was cut again while the guard started.
        if (!opened) {
            disk_.crash(chance_.next());
            opened = Spool::open(disk_, random_, signing_key(), secret(9), options);
        }
        ASSERT_TRUE(opened.has_value()) << opened.error().what.en;
        spool_ = std::move(*opened);
        connect();
    }

    void connect() {
        to_core_.clear();
        to_guard_.clear();
        guard_.emplace(*spool_, spool_->self(), spool_->key(), Bytes{}, random_,
                       [](const event::Order&) -> Status { return {}; });
        core_.emplace(sink_, Bytes{}, random_);
    }

    void report() {
        const std::string request = std::to_string(++reported_);
        const auto counter = spool_->append(an_event(request, chance_.below(100)));
        if (!counter) return lose_power();
        ASSERT_TRUE(promised_.emplace(*counter, request).second) << "a counter served twice";
    }

    /// What travels is lost, on both sides; the guard comes back.
    void cut_network() { connect(); }

    void kill_guard() {
        guard_.reset();
        spool_.reset();
        disk_.kill();
        start_guard();
    }

    void lose_power() {
        guard_.reset();
        spool_.reset();
        disk_.crash(chance_.next());
        start_guard();
    }

    /// The ledger keeps its entries; it may know no more than counters.
    void restart_core() {
        if (chance_.odds(1, 2)) sink_.forget_chains();
        connect();
    }

    /// Some bytes travel each way.
    void carry() {
        if (const Status sent = guard_->advance(); !sent) return lose_power();
        append(to_core_, guard_->take_output());
        const Status up = core_->feed(take(to_core_));
        ASSERT_TRUE(up.has_value()) << up.error().what.en;
        append(to_guard_, core_->take_output());
        // Only its own disk can make the guard fail.
        if (const Status down = guard_->feed(take(to_guard_)); !down) lose_power();
    }

    Bytes take(Bytes& from) {
        const auto size = static_cast<std::ptrdiff_t>(
            chance_.odds(1, 3) ? from.size() : chance_.below(from.size() + 1));
        const Bytes out(from.begin(), from.begin() + size);
        from.erase(from.begin(), from.begin() + size);
        return out;
    }

    bool quiet() {
        return guard_->welcomed() && guard_->acknowledged() == spool_->last() && to_guard_.empty();
    }

    sim::Chance chance_;
    sim::SimRandom random_{42};
    sim::SimDisk disk_;
    MemorySink sink_;
    std::unique_ptr<Spool> spool_;
    std::optional<GuardSession> guard_;
    std::optional<CoreSession> core_;
    Bytes to_core_;
    Bytes to_guard_;
    std::uint64_t reported_ = 0;
    std::map<std::uint64_t, std::string> promised_;
};

TEST(LinkSim, EveryPromisedEventArrivesOnceInOrderWhateverHappens) {
    sim::for_each_seed(200, [](std::uint64_t seed) {
        House house(seed);
        for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) house.step();
        house.settle();
        house.check();
    });
}

}  // namespace
}  // namespace hygie::link
