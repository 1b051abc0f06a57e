#include "app/ledger/control_session.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "app/ledger/test_clerk.h"
#include "sim/sim_random.h"

namespace hygie::app {
namespace {

using namespace control;

class ControlSessionTest : public testing::Test {
  protected:
    ControlSessionTest() { challenge_ = std::get<Challenge>(answer()); }

    Answer answer() {
        link::FrameCutter cutter;
        const Bytes out = session_.take_output();
        cutter.feed(out);
        const auto payload = cutter.next(kMessageBytesMax);
        EXPECT_TRUE(payload && *payload) << "no answer";
        EXPECT_EQ(cutter.waiting(), 0u) << "more than one answer";
        return payload && *payload ? *decode_answer(**payload) : Answer(link::Refused{});
    }
    Answer ask(const Ask& ask) {
        last_ = session_.feed(link::framed(encode(ask)));
        return answer();
    }
    void prove() {
        EXPECT_TRUE(std::holds_alternative<Welcome>(ask(Proof{proof_of(key_, challenge_.nonce)})));
    }
    static SentEvent an_event() { return *sent(TestClerk::an_event()); }

    crypto::Secret32 key_;
    sim::SimRandom random_{5};
    TestClerk clerk_;
    ControlSession session_{clerk_, key_, random_};
    Challenge challenge_;
    Status last_;
};

TEST_F(ControlSessionTest, NothingIsAskedOfTheClerkBeforeTheProof) {
    for (const Ask& early : {Ask(Read{}), Ask(Rotate{}), Ask(Rewrap{}), Ask(Next{})}) {
        ControlSession stranger(clerk_, key_, random_);
        EXPECT_FALSE(stranger.feed(link::framed(encode(early))));
        EXPECT_FALSE(stranger.is_proven());
    }
    EXPECT_TRUE(clerk_.asked.empty());
}

TEST_F(ControlSessionTest, AnotherKeyIsDenied) {
    crypto::Secret32 other;
    other.mutable_view()[0] = 1;
    const Answer answer = ask(Proof{proof_of(other, challenge_.nonce)});
    EXPECT_FALSE(last_);
    EXPECT_EQ(std::get<link::Refused>(answer).code, Code::Denied);
    EXPECT_FALSE(session_.is_proven());
}

TEST_F(ControlSessionTest, AProofServesOnce) {
    const Word32 heard = proof_of(key_, challenge_.nonce);
    ControlSession another(clerk_, key_, random_);
    EXPECT_FALSE(another.feed(link::framed(encode(Ask(Proof{heard})))));
    prove();
    EXPECT_TRUE(std::holds_alternative<link::Refused>(ask(Proof{heard}))) << "proven already";
}

TEST_F(ControlSessionTest, AStrangerIsGivenNoRoom) {
    Bytes head(4);
    store_be(head.data(), static_cast<std::uint32_t>(kProofBytesMax + 1));
    EXPECT_FALSE(session_.feed(head));
}

TEST_F(ControlSessionTest, WhatIsAskedIsCarriedOut) {
    prove();
    EXPECT_EQ(ask(Append{{an_event(), an_event()}}), Answer(Appended{{41, std::nullopt}}));
    EXPECT_EQ(ask(Erasure{PatientId("p"), {}, ActorId("a"), "r"}), Answer(Count{3}));
    EXPECT_EQ(ask(Prune{ActorId("a"), true}), Answer(Dropped{256, 1, 2}));
    EXPECT_EQ(ask(Rotate{}), Answer(NewKey{"a.example+key"}));
    EXPECT_EQ(ask(Rewrap{}), Answer(Count{3}));
    EXPECT_EQ(clerk_.asked,
              (std::vector<std::string>{"append", "shred", "prune", "rotate", "rewrap"}));
}

TEST_F(ControlSessionTest, AReadingComesProofsFirstThenEntriesAndEnds) {
    clerk_.proofs = {Bytes(kPartBytesMax + 1, 'p'), {'q'}};
    prove();
    EXPECT_EQ(ask(Read{ActorId("dr"), {}}), Answer(Found{7, "", 2}));
    EXPECT_EQ(ask(Next{}), Answer(Part{Bytes(kPartBytesMax, 'p'), false}));
    EXPECT_EQ(ask(Next{}), Answer(Part{{'p'}, true}));
    EXPECT_EQ(ask(Next{}), Answer(Part{{'q'}, true}));
    const auto entries = std::get<Entries>(ask(Next{}));
    ASSERT_EQ(entries.entries.size(), 1u);
    EXPECT_EQ(received(*entries.entries[0].event), TestClerk::an_event());
    EXPECT_TRUE(entries.is_last);
    EXPECT_TRUE(std::holds_alternative<link::Refused>(ask(Next{}))) << "it has ended";
}

TEST_F(ControlSessionTest, WhatTheClerkRefusesIsAnAnswerAndTheVisitGoesOn) {
    prove();
    clerk_.refusal = Error{Code::NotFound, {"rien", "nothing"}, {"cherchez", "look"}, {}};
    EXPECT_EQ(ask(Read{}),
              Answer(link::Refused{Code::NotFound, {"rien", "nothing"}, {"cherchez", "look"}}));
    EXPECT_TRUE(last_);
    EXPECT_EQ(ask(Rewrap{}), Answer(Count{3}));
}

TEST_F(ControlSessionTest, NobodySpeaksForTheLedger) {
    prove();
    const auto refused = [&](auto change) {
        SentEvent event = an_event();
        change(event);
        EXPECT_TRUE(std::holds_alternative<link::Refused>(ask(Append{{event}})));
    };
    refused([](SentEvent& event) { event.source.clear(); });
    refused([](SentEvent& event) { event.stamp.type = event::Type::KeyShredded; });
    refused([](SentEvent& event) { event.stamp.retention = event::Retention::System; });
    refused([](SentEvent& event) { event.body = {0xFF}; });
    EXPECT_TRUE(clerk_.asked.empty());
}

TEST_F(ControlSessionTest, TwoAsksAtOnceAreOneTooMany) {
    prove();
    Bytes both = link::framed(encode(Ask(Rewrap{})));
    append(both, link::framed(encode(Ask(Rewrap{}))));
    EXPECT_FALSE(session_.feed(both));
    EXPECT_TRUE(clerk_.asked.empty());
}

// ---- words

std::vector<Bytes> some_messages() {
    const SentEvent event = *sent(TestClerk::an_event());
    const Question question{.kind = Question::Kind::Query,
                            .number = 3,
                            .actor = ActorId("a"),
                            .patient = PatientId("p"),
                            .object = ObjectId("o"),
                            .since = WallTime(Micros(5)),
                            .until = {},
                            .proof = true};
    return {encode(Ask(Proof{})),
            encode(Ask(Append{{event, event}})),
            encode(Ask(Read{ActorId("dr"), question})),
            encode(Ask(Next{})),
            encode(Ask(Erasure{PatientId("p"), event::Retention::Trace1Year, ActorId("a"), "r"})),
            encode(Ask(Prune{ActorId("a"), true}))};
}

TEST(ControlWords, WhatWasSaidIsHeard) {
    for (const Bytes& said : some_messages()) {
        const auto heard = decode_ask(said);
        ASSERT_TRUE(heard);
        EXPECT_EQ(encode(*heard), said);
    }
}

TEST(ControlWords, AcceptedBytesHaveOneSpelling) {
    const std::vector<Bytes> messages = some_messages();
    EXPECT_TRUE(rc::check([&] {
        Bytes bytes = *rc::gen::elementOf(messages);
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        bytes[at] = *rc::gen::arbitrary<std::uint8_t>();
        if (const auto ask = decode_ask(bytes)) RC_ASSERT(encode(*ask) == bytes);
        if (const auto answer = decode_answer(bytes)) RC_ASSERT(encode(*answer) == bytes);
        bytes.resize(at);
        RC_ASSERT(!decode_ask(bytes));
        RC_ASSERT(!decode_answer(bytes));
    }));
}

}  // namespace
}  // namespace hygie::app
