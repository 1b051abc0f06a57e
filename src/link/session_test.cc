#include "link/session.h"

#include <gtest/gtest.h>

#include "link/test_kit.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::link {
namespace {

/// A guard with its spool and a core in memory, joined by hand.
class SessionTest : public testing::Test {
  protected:
    void open_spool(const SpoolOptions& options = spool_options(), std::uint8_t key = 1) {
        spool_ = Spool::open(disk_, random_, signing_key(key), secret(9), options).value();
    }
    void append(const std::string& request, Sealing sealing = Sealing::WhenDue) {
        ASSERT_TRUE(spool_->append(an_event(request), sealing).has_value());
    }

    void connect(const Bytes& guard_binding = {}, const Bytes& core_binding = {}) {
        guard_.emplace(*spool_, spool_->self(), spool_->key(), guard_binding, random_,
                       [this](const event::Order& order) { return obey(order); });
        core_.emplace(sink_, core_binding, random_);
    }

    /// Carries bytes both ways, `step` at a time, until all is quiet or one end is over.
    void run(std::size_t step = 4096) {
        guard_status_ = {};
        core_status_ = {};
        for (;;) {
            if (guard_status_) guard_status_ = guard_->advance();
            const Bytes up = guard_->take_output();
            const Bytes down = core_->take_output();
            if (up.empty() && down.empty()) return;
            for (ByteView rest = up; !rest.empty() && core_status_;
                 rest = rest.subspan(std::min(step, rest.size())))
                core_status_ = core_->feed(rest.first(std::min(step, rest.size())));
            for (ByteView rest = down; !rest.empty() && guard_status_;
                 rest = rest.subspan(std::min(step, rest.size())))
                guard_status_ = guard_->feed(rest.first(std::min(step, rest.size())));
        }
    }

    Status obey(const event::Order& order) {
        obeyed_.push_back(order);
        if (order.target == "absent")
            return fail(Code::NotFound, {"pas de session", "no such session"});
        return {};
    }

    Code refusal() { return guard_status_ ? Code::Erased : guard_status_.error().code; }

    sim::SimDisk disk_;
    sim::SimRandom random_{7};
    std::unique_ptr<Spool> spool_;
    MemorySink sink_;
    std::optional<GuardSession> guard_;
    std::optional<CoreSession> core_;
    Status guard_status_;
    Status core_status_;
    std::vector<event::Order> obeyed_;
};

TEST_F(SessionTest, EventsArriveByteByByte) {
    open_spool();
    for (const char* request : {"a", "b", "c"}) append(request);
    connect();
    run(1);
    EXPECT_TRUE(guard_->welcomed());
    EXPECT_EQ(core_->source(), spool_->self());
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a", "b", "c"}));
    append("d", Sealing::Now);
    run(1);
    EXPECT_EQ(sink_.requests().back(), "d");
    ASSERT_EQ(sink_.stream().seals.size(), 1u);
    EXPECT_EQ(sink_.stream().seals[0].at, sink_.stream().tip);
}

TEST_F(SessionTest, ALostAcknowledgementDuplicatesNothing) {
    open_spool();
    append("a");
    connect();
    run();
    append("b", Sealing::Now);
    ASSERT_TRUE(guard_->advance().has_value());
    ASSERT_TRUE(core_->feed(guard_->take_output()).has_value());
    // The connection breaks here: the core has it, the guard does not know.
    connect();
    append("c");
    run();
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(sink_.stream().seals.size(), 1u);
}

TEST_F(SessionTest, AStolenNameWithoutItsKeyIsRefused) {
    open_spool();
    append("a");
    connect();
    run();
    // The same name, its own key: proven, but not the key the core knows.
    disk_.crash(1);
    spool_.reset();
    sim::SimDisk other;
    spool_ = Spool::open(other, random_, signing_key(2), secret(9), spool_options()).value();
    connect();
    run();
    EXPECT_EQ(refusal(), Code::Denied);
    spool_.reset();
}

TEST_F(SessionTest, AClaimedKeyMustSign) {
    open_spool();
    connect();
    ASSERT_TRUE(core_->feed(guard_->take_output()).has_value());
    core_->take_output();
    crypto::Signature signature = signing_key(2).sign(as_bytes("whatever"));
    EXPECT_FALSE(core_->feed(encode(Proof{signature})).has_value());
    EXPECT_FALSE(core_->source().has_value());
    const auto said = decode(ByteView(core_->take_output()).subspan(4));
    EXPECT_EQ(std::get<Refused>(said.value()).code, Code::Forged);
}

TEST_F(SessionTest, AProofServesOneConversation) {
    open_spool();
    connect();
    const Bytes hello = guard_->take_output();
    ASSERT_TRUE(core_->feed(hello).has_value());
    ASSERT_TRUE(guard_->feed(core_->take_output()).has_value());
    const Bytes proof = guard_->take_output();
    ASSERT_TRUE(core_->feed(proof).has_value());
    // Replayed as heard: the core asks something else this time.
    core_.emplace(sink_, Bytes{}, random_);
    ASSERT_TRUE(core_->feed(hello).has_value());
    EXPECT_FALSE(core_->feed(proof).has_value());
}

TEST_F(SessionTest, AProofIsBoundToItsConnection) {
    open_spool();
    connect(Bytes{1}, Bytes{2});
    run();
    EXPECT_EQ(refusal(), Code::Forged);
    connect(Bytes{1}, Bytes{1});
    run();
    EXPECT_TRUE(guard_->welcomed());
}

TEST_F(SessionTest, ALostSpoolIsRefusedUntilTheLossIsDeclared) {
    open_spool();
    for (int i = 0; i < 5; ++i) append(std::to_string(i));
    connect();
    run();
    spool_.reset();

    SpoolOptions options = spool_options("new");
    open_spool(options);
    append("after the loss");
    connect();
    run();
    EXPECT_EQ(refusal(), Code::Stale);
    EXPECT_NE(guard_status_.error().remedy.en.find("after counter 6"), std::string::npos);
    EXPECT_EQ(sink_.requests().size(), 5u);
    spool_.reset();

    options = spool_options("declared");
    options.start_after = 6;
    open_spool(options);
    append("after the declaration");
    connect();
    run();
    EXPECT_TRUE(guard_->welcomed());
    EXPECT_EQ(sink_.stream().gaps, (std::vector<Gap>{{6, 6}}));
    EXPECT_EQ(sink_.requests().back(), "after the declaration");
    EXPECT_EQ(sink_.stream().tip.counter, 7u);
}

TEST_F(SessionTest, ACoreRestoredFromAnOldCopyDeclaresWhatItLost) {
    SpoolOptions options = spool_options();
    options.segment_bytes = 1;
    open_spool(options);
    for (int i = 0; i < 5; ++i) append(std::to_string(i));
    ASSERT_TRUE(spool_->acknowledge(4).has_value());
    ASSERT_EQ(spool_->base(), 4u);
    connect();
    run();
    EXPECT_EQ(sink_.stream().gaps, (std::vector<Gap>{{1, 4}}));
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"4"}));
}

TEST_F(SessionTest, AnotherHistoryIsRefused) {
    open_spool();
    append("a");
    connect();
    run();
    spool_.reset();
    open_spool(spool_options("other"));
    append("not a");
    append("b");
    connect();
    run();
    EXPECT_EQ(refusal(), Code::Forged);
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a"}));
    // A core that only knows the counter cannot see it at once.
    sink_.forget_chains();
    connect();
    run();
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(SessionTest, AWrongSealIsRefusedWithItsEvents) {
    open_spool();
    append("a");
    connect();
    run();
    append("b", Sealing::Now);
    Batch batch = spool_->read(1).value();
    batch.seal->signature[5] ^= 1;
    EXPECT_FALSE(core_->feed(encode(batch)).has_value());
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a"}));
}

TEST_F(SessionTest, ABatchSentTwiceIsRefused) {
    open_spool();
    append("a");
    connect();
    run();
    EXPECT_FALSE(core_->feed(encode(spool_->read(0).value())).has_value());
    EXPECT_EQ(sink_.requests().size(), 1u);
}

TEST_F(SessionTest, WhatTheLedgerRefusesStaysInTheSpool) {
    open_spool();
    append("a");
    sink_.refusal = Error{Code::Full, {"plein", "full"}, {"agrandissez", "enlarge"}, {}};
    connect();
    run();
    EXPECT_EQ(refusal(), Code::Full);
    EXPECT_EQ(guard_status_.error().remedy.fr, "agrandissez");
    connect();
    run();
    EXPECT_EQ(sink_.requests(), (std::vector<std::string>{"a"}));
}

TEST_F(SessionTest, OrdersAreObeyedAndReported) {
    open_spool();
    connect();
    run();
    event::Order order;
    order.id = "o-1";
    order.target = "session-4";
    core_->order(order);
    order.id = "o-2";
    order.target = "absent";
    core_->order(order);
    run(1);
    ASSERT_EQ(obeyed_.size(), 2u);
    EXPECT_EQ(obeyed_[1], order);
    ASSERT_EQ(sink_.orders_done().size(), 2u);
    EXPECT_EQ(sink_.orders_done()[0], (OrderDone{"o-1", std::nullopt}));
    EXPECT_EQ(sink_.orders_done()[1].problem->code, Code::NotFound);
}

TEST_F(SessionTest, ABigFrameBeforeTheProofIsRefused) {
    open_spool();
    connect();
    Bytes length(4);
    store_be(length.data(), static_cast<std::uint32_t>(kHandshakeBytesMax + 1));
    EXPECT_FALSE(core_->feed(length).has_value());
}

TEST_F(SessionTest, AnotherVersionIsNamed) {
    open_spool();
    connect();
    const Hello hello{2, spool_->self(), 0, 0, {}};
    const Status fed = core_->feed(encode(hello));
    ASSERT_FALSE(fed.has_value());
    EXPECT_NE(fed.error().what.en.find("version 2"), std::string::npos);
}

TEST_F(SessionTest, WordsOutOfTurnEndTheSession) {
    open_spool();
    append("a");
    for (const Message& early : {Message(Proof{}), Message(spool_->read(0).value()),
                                 Message(Ack{1}), Message(Welcome{})}) {
        connect();
        EXPECT_FALSE(core_->feed(encode(early)).has_value());
        EXPECT_FALSE(core_->feed(encode(early)).has_value());
    }
    for (const Message& early : {Message(Ack{1}), Message(Welcome{}), Message(event::Order{})}) {
        connect();
        EXPECT_FALSE(guard_->feed(encode(early)).has_value());
    }
    connect();
    run();
    EXPECT_FALSE(guard_->feed(encode(Ack{2})).has_value());
}

}  // namespace
}  // namespace hygie::link
