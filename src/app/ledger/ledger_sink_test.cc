#include "app/ledger/ledger_sink.h"

#include <gtest/gtest.h>

#include "ledger/log/test_log.h"
#include "ledger/proofs/verifier.h"
#include "link/test_kit.h"

namespace hygie::app {
namespace {

using event::Type;
using ledger::TestLog;

/// A guard's stream: what its spool would send.
struct Guard {
    explicit Guard(std::uint8_t seed = 1) : key(link::signing_key(seed)) {
        self.key = key.public_key();
    }

    /// The next events; the guard signs after the `sealed`-th of them, if not 0.
    link::Batch batch(std::size_t events, std::size_t sealed = 0) {
        link::Batch out{at, {}, {}};
        for (std::size_t i = 1; i <= events; ++i) {
            event::Event event = link::an_event("request " + std::to_string(at.counter + 1));
            event.counter = at.counter + 1;
            out.events.push_back({event::stamp_of(event), *event::encode_body(event)});
            at = link::after(at, out.events.back());
            if (i == sealed) out.seal = link::make_seal(self, at, key);
        }
        return out;
    }

    crypto::SigningKey key;
    link::SourceInfo self{SourceId("mail"), NodeId("cabinet-1"), {}};
    link::Point at;
};

/// What a reader of the ledger finds.
struct Found {
    ledger::Header header;
    event::Event event;
};

/// A ledger that a core has open, and may close and open again.
class LedgerSinkTest : public testing::Test {
  protected:
    LedgerSinkTest() { start(); }

    void start() {
        appender.emplace(*log.log, ledger::Cosigner{}, ledger::AppenderOptions{});
        sink.emplace(*appender, log.log->sources(), log.clock);
    }

    void restart() {
        stop();
        start();
    }

    void stop() {
        sink.reset();
        EXPECT_TRUE(appender->close());
        appender.reset();
        log.open();
    }

    /// All entries after the core has stopped; the log must verify.
    std::vector<Found> entries() {
        stop();
        ledger::DirReader reader(log.disk, TestLog::kDir);
        const auto report =
            verify_log(reader, ledger::Policy::trusting(log.log->signer().verifier()), {});
        EXPECT_TRUE(report) << report.error().what.en;
        std::vector<Found> found;
        for (std::uint64_t i = 0; i < log.log->applied_size(); ++i) {
            const Bytes entry = log.entry(i);
            const auto view = ledger::parse_entry(entry);
            const auto event = log.log->keys().unseal(*view, log.log->sources());
            EXPECT_TRUE(event) << event.error().what.en;
            found.push_back({view->header, *event});
        }
        return found;
    }

    TestLog log;
    std::optional<ledger::Appender> appender;
    std::optional<LedgerSink> sink;
    Guard guard;
};

std::vector<Found> of_source(const std::vector<Found>& all) {
    std::vector<Found> out;
    for (const Found& found : all)
        if (found.header.source != 0) out.push_back(found);
    return out;
}

std::size_t index_of(const std::vector<Found>& all, Type type) {
    std::size_t i = 0;
    while (i < all.size() && all[i].header.type != type) ++i;
    return i;
}

TEST_F(LedgerSinkTest, BatchesBecomeEntriesWithTheSourcesOwnCounters) {
    EXPECT_EQ(sink->position(guard.self)->counter, 0u);
    ASSERT_TRUE(sink->append(guard.self, guard.batch(3)));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(1)));
    const auto position = sink->position(guard.self);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->counter, 4u);
    EXPECT_EQ(position->chain, guard.at.chain);

    const auto found = of_source(entries());
    ASSERT_EQ(found.size(), 4u);
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].header.counter, i + 1);
        EXPECT_EQ(found[i].event.request_id, "request " + std::to_string(i + 1));
        EXPECT_EQ(found[i].event.source, guard.self.source);
        EXPECT_EQ(found[i].event.node, guard.self.node);
        EXPECT_EQ(found[i].event.actor.id.str(), "10003456789");
    }
}

TEST_F(LedgerSinkTest, WhatGuardsReportIsFoundByPatient) {
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(1)));
    const auto found = of_source(entries());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found[0].header.actor, crypto::Token{});
    EXPECT_EQ(found[0].event.subject.patient.str(), "INS-2-85-07-75-115-042");
}

TEST_F(LedgerSinkTest, ASealStandsRightBehindTheEventItCovers) {
    ASSERT_TRUE(sink->position(guard.self));
    const link::Batch batch = guard.batch(5, 3);
    ASSERT_TRUE(sink->append(guard.self, batch));

    const auto all = entries();
    const std::size_t at = index_of(all, Type::StreamSealed);
    ASSERT_LT(at, all.size());
    ASSERT_GT(at, 0u);
    EXPECT_EQ(all[at].header.source, 0u);
    EXPECT_EQ(all[at - 1].header.counter, 3u);
    EXPECT_EQ(all[at + 1].header.counter, 4u);
    const auto& said = all[at].event.detail;
    EXPECT_EQ(said.at("counter"), "3");
    // Whoever reads the ledger can check the guard's signature.
    link::Seal seal;
    seal.at.counter = 3;
    std::ranges::copy(*from_base64(said.at("chain")), seal.at.chain.begin());
    std::ranges::copy(*from_base64(said.at("signature")), seal.signature.begin());
    EXPECT_TRUE(link::verify(seal, guard.self));
    EXPECT_EQ(said.at("key"), to_base64(guard.self.key));
}

TEST_F(LedgerSinkTest, AGapIsDeclared) {
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(2)));
    ASSERT_TRUE(sink->gap(guard.self, {3, 9}));
    EXPECT_EQ(sink->position(guard.self)->counter, 9u);
    EXPECT_EQ(sink->position(guard.self)->chain, std::nullopt);
    guard.at = {9, {}};
    ASSERT_TRUE(sink->append(guard.self, guard.batch(2)));

    const auto all = entries();
    const std::size_t gap = index_of(all, Type::SourceGap);
    ASSERT_LT(gap, all.size());
    EXPECT_EQ(all[gap].event.detail.at("first"), "3");
    EXPECT_EQ(all[gap].event.detail.at("last"), "9");
    std::vector<std::uint64_t> counters;
    for (const Found& found : of_source(all)) counters.push_back(found.header.counter);
    EXPECT_EQ(counters, (std::vector<std::uint64_t>{1, 2, 10, 11}));
}

TEST_F(LedgerSinkTest, AStreamMayBeginWithAGapThatIsDurableAtOnce) {
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->gap(guard.self, {1, 7}));
    restart();
    EXPECT_EQ(sink->position(guard.self)->counter, 7u);
    EXPECT_FALSE(sink->position(Guard(2).self)) << "the key is known from the gap on";
    guard.at = {7, {}};
    ASSERT_TRUE(sink->append(guard.self, guard.batch(1)));
    const auto all = entries();
    EXPECT_LT(index_of(all, Type::SourceGap), all.size());
    ASSERT_EQ(of_source(all).size(), 1u);
    EXPECT_EQ(of_source(all)[0].header.counter, 8u);
}

TEST_F(LedgerSinkTest, AnotherKeyIsRefused) {
    const Guard impostor(2);
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(1)));
    const auto before = sink->position(impostor.self);
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code, Code::Denied);
    restart();
    const auto after = sink->position(impostor.self);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, Code::Denied);
    EXPECT_TRUE(sink->position(guard.self));
}

TEST_F(LedgerSinkTest, ASourceThatDoesNotSignCannotBecomeOneThatDoes) {
    event::Event unsigned_event = TestLog::event("nurse-1", "patient-1");
    unsigned_event.source = guard.self.source;
    unsigned_event.node = guard.self.node;
    ASSERT_TRUE(appender->append({*ledger::draft_of(unsigned_event)}));
    restart();
    const auto position = sink->position(guard.self);
    ASSERT_FALSE(position);
    EXPECT_EQ(position.error().code, Code::Denied);
}

TEST_F(LedgerSinkTest, WhoOnlyKnockedHoldsNoName) {
    const Guard knocker(2);
    ASSERT_TRUE(sink->position(knocker.self));
    EXPECT_TRUE(sink->position(guard.self)) << "a name belongs to the key of its first entry";
}

TEST_F(LedgerSinkTest, AfterReopeningThePositionIsWhereItWas) {
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(6, 6)));
    restart();
    const auto position = sink->position(guard.self);
    ASSERT_TRUE(position);
    EXPECT_EQ(position->counter, 6u);
    EXPECT_EQ(position->chain, std::nullopt)
        << "the ledger keeps counters: the guard's word is checked by its next seal";
    ASSERT_TRUE(sink->append(guard.self, guard.batch(2)));
    EXPECT_EQ(sink->position(guard.self)->chain, guard.at.chain);
    const auto found = of_source(entries());
    ASSERT_EQ(found.size(), 8u);
    EXPECT_EQ(found.back().header.counter, 8u);
}

TEST_F(LedgerSinkTest, NothingOfARefusedBatchIsKept) {
    ASSERT_TRUE(sink->position(guard.self));
    ASSERT_TRUE(sink->append(guard.self, guard.batch(1)));
    const link::Point before = guard.at;
    link::Batch nonsense = guard.batch(2);
    nonsense.events[1].body = {0xFF};
    EXPECT_FALSE(sink->append(guard.self, nonsense));
    EXPECT_EQ(sink->position(guard.self)->counter, before.counter);
    guard.at = before;
    ASSERT_TRUE(sink->append(guard.self, guard.batch(2)));
    EXPECT_EQ(of_source(entries()).size(), 3u);
}

TEST_F(LedgerSinkTest, WhatBecameOfAnOrderIsAnEntry) {
    sink->order_done(guard.self, {"order-1", {}});
    sink->order_done(guard.self, {"order-2", link::Refused{Code::Denied, {"non", "no"}, {"", ""}}});
    std::vector<event::Event> done;
    for (const Found& found : entries())
        if (found.header.type == Type::OrderDone) done.push_back(found.event);
    ASSERT_EQ(done.size(), 2u);
    EXPECT_EQ(done[0].detail.at("order"), "order-1");
    EXPECT_EQ(done[0].outcome, event::Outcome::Success);
    EXPECT_EQ(done[1].detail.at("problem"), "no");
    EXPECT_NE(done[1].outcome, event::Outcome::Success);
}

}  // namespace
}  // namespace hygie::app
