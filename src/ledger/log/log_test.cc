#include "ledger/log/log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/log/layout.h"
#include "ledger/log/test_log.h"
#include "ledger/proofs/verifier.h"

namespace hygie::ledger {
namespace {

using Sequences = std::vector<std::optional<std::uint64_t>>;

Result<Report> verify(TestLog& test, std::optional<SignedCheckpoint> pin = {}) {
    DirReader reader(test.disk, TestLog::kDir);
    VerifyOptions options;
    options.moment = {test.clock.now(), {}};
    options.pin = std::move(pin);
    options.minimum_index = TRY(read_minimum_index(reader));
    return verify_log(reader, Policy::trusting(test.log->signer().verifier()), options);
}

TEST(Log, WhatGoesInComesOutAndVerifies) {
    TestLog test;
    const auto event = TestLog::event("nurse-1", "patient-1", "Observation/1");
    // A new source is registered first: sequence 0 is the ledger's own entry.
    EXPECT_EQ(test.append({event, event}), (Sequences{1, 2}));
    auto back = test.event_at(1);
    ASSERT_TRUE(back) << back.error().what.en;
    auto expected = event;
    expected.counter = 1;
    EXPECT_EQ(*back, expected);
    test.publish();
    const auto report = verify(test);
    ASSERT_TRUE(report) << report.error().what.en;
    EXPECT_EQ(report->entries_checked, 3u);
}

TEST(Log, ACounterSeenBeforeIsNotWrittenTwice) {
    TestLog test;
    auto event = TestLog::event("nurse-1", "patient-1");
    event.counter = 1;
    EXPECT_EQ(test.append({event}), (Sequences{1}));
    EXPECT_EQ(test.append({event}), (Sequences{std::nullopt}));
    event.counter = 2;
    EXPECT_EQ(test.append({event}), (Sequences{2}));
    test.publish();
    EXPECT_TRUE(verify(test));
}

TEST(Log, AGapIsDeclaredWhereItIsSeen) {
    TestLog test;
    auto event = TestLog::event("nurse-1", "patient-1");
    event.counter = 1;
    test.append({event});
    event.counter = 5;
    EXPECT_EQ(test.append({event}), (Sequences{3}));
    const auto gap = test.event_at(2);
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->type, event::Type::SourceGap);
    EXPECT_EQ(gap->detail.at("first"), "2");
    EXPECT_EQ(gap->detail.at("last"), "4");
    test.publish();
    EXPECT_TRUE(verify(test));
}

TEST(Log, ADeclaredGapIsRememberedByARestart) {
    TestLog test;
    auto event = TestLog::event("nurse-1", "patient-1");
    event.counter = 1;
    test.append({event});
    Draft lost = *draft_of(event);
    lost.gap_until = 4;
    ASSERT_TRUE(test.log->append({&lost, 1}));
    test.open();  // without close: from the write-ahead log
    event.counter = 5;
    EXPECT_EQ(test.append({event}), (Sequences{3})) << "the gap was declared already";
    test.publish();
    const auto report = verify(test);
    ASSERT_TRUE(report) << report.error().what.en;
}

TEST(Log, CountersGoOnAfterReopening) {
    TestLog test;
    const auto event = TestLog::event("nurse-1", "patient-1");
    test.append({event, event});
    ASSERT_TRUE(test.log->close());
    test.open();
    test.append({event});
    test.open();  // without close: from the write-ahead log
    EXPECT_EQ(test.append({event}), (Sequences{4}));
    EXPECT_EQ(test.event_at(4)->counter, 4u);
    EXPECT_EQ(test.event_at(4)->source, SourceId("records"));
    test.publish();
    EXPECT_TRUE(verify(test));
}

TEST(Log, SecondWriterIsToldSo) {
    TestLog test;
    const auto second = Log::open(test.doors(), TestLog::kDir, test.root);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::Busy);
}

TEST(Log, InitNeverOverwrites) {
    TestLog test;
    const Status again = Log::init(test.doors(), TestLog::kDir, "other.example", test.root);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::AlreadyThere);
}

TEST(Log, WrongRootKeyOpensNothing) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1")});
    ASSERT_TRUE(test.log->close());
    test.log.reset();
    crypto::Secret32 other;
    other.mutable_view()[0] = 1;
    EXPECT_FALSE(Log::open(test.doors(), TestLog::kDir, other));
    test.open();
}

TEST(Log, AClockThatStepsBackHarmsNothing) {
    TestLog test;
    auto event = TestLog::event("nurse-1", "patient-1");
    test.append({event});
    test.publish();
    test.clock.step(-std::chrono::hours(48));
    event.time -= std::chrono::hours(48);
    test.append({event});
    test.publish();
    EXPECT_TRUE(verify(test));
}

TEST(Log, ShreddingErasesOnePatientAndKeepsEveryProof) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1"), TestLog::event("nurse-1", "patient-2")});
    test.publish();
    const auto before = *read_signed(test.disk, layout::checkpoint(TestLog::kDir));
    event::Event why = TestLog::event("dpo-1", "");
    why.retention = event::Retention::Control3Years;
    const auto keys = test.log->shred(PatientId("patient-1"), std::nullopt, why);
    ASSERT_TRUE(keys) << keys.error().what.en;
    EXPECT_EQ(*keys, 2u);  // the body key and the token key
    EXPECT_EQ(test.event_at(1).error().code, Code::Erased);
    EXPECT_TRUE(test.event_at(2));
    EXPECT_FALSE(test.log->keys().known_patient_token(PatientId("patient-1")));
    const auto trace = test.event_at(3);
    ASSERT_TRUE(trace);
    EXPECT_EQ(trace->type, event::Type::KeyShredded);
    EXPECT_TRUE(trace->subject.patient.empty());
    test.publish();
    EXPECT_TRUE(verify(test, before));
    // New traces about the same patient start afresh.
    EXPECT_EQ(test.append({TestLog::event("nurse-1", "patient-1")}), (Sequences{4}));
    EXPECT_TRUE(test.event_at(4));
    test.open();
    EXPECT_EQ(test.event_at(1).error().code, Code::Erased);
}

TEST(Log, ReWrappingShutsOutOlderCopiesOfTheKeys) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1"), TestLog::event("nurse-1", "patient-2")});
    test.publish();
    const std::string slots = join(layout::key_table(TestLog::kDir), "slots");
    const Bytes older = *test.disk.read_file(slots, 1 << 20);
    ASSERT_TRUE(test.log->shred(PatientId("patient-1"), std::nullopt, TestLog::event("dpo-1", "")));
    ASSERT_TRUE(test.log->keys().rewrap());
    EXPECT_TRUE(test.event_at(2));
    ASSERT_TRUE(test.log->close());
    test.open();
    EXPECT_TRUE(test.event_at(2));
    ASSERT_TRUE(test.log->close());
    test.log.reset();
    ASSERT_TRUE(test.disk.replace_file(slots, older));
    EXPECT_FALSE(Log::open(test.doors(), TestLog::kDir, test.root));
}

TEST(Log, AReWrappingCutShortIsFinishedAtTheNextOpening) {
    for (std::uint64_t step = 1; step < 40; ++step) {
        TestLog test;
        test.append({TestLog::event("nurse-1", "patient-1")});
        ASSERT_TRUE(test.log->close());
        test.disk.crash_at_step(test.disk.steps() + step);
        (void)test.log->keys().rewrap();
        test.log.reset();
        test.disk.crash(step);
        test.open();
        ASSERT_TRUE(test.event_at(1)) << "step " << step;
    }
}

TEST(Log, ANewEpochIsSignedByBothKeysOnceThenByTheNewOneAlone) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1")});
    const VerifierKey old_key = test.log->signer().verifier();
    ASSERT_TRUE(test.log->rotate({}));
    const VerifierKey new_key = test.log->signer().verifier();
    ASSERT_NE(old_key, new_key);
    const auto both = *read_signed(test.disk, layout::checkpoint(TestLog::kDir));
    EXPECT_TRUE(Policy::trusting(old_key).judge(*both, {}));
    EXPECT_TRUE(Policy::trusting(new_key).judge(*both, {}));
    test.append({TestLog::event("nurse-1", "patient-1")});
    test.publish();
    const auto later = *read_signed(test.disk, layout::checkpoint(TestLog::kDir));
    EXPECT_FALSE(Policy::trusting(old_key).judge(*later, {}));
    EXPECT_TRUE(verify(test));
    DirReader reader(test.disk, TestLog::kDir);
    EXPECT_EQ(*read_verifier_keys(reader), (std::vector{old_key, new_key}));
    test.open();
    EXPECT_EQ(test.log->signer().verifier(), new_key);
}

TEST(Log, PruningDropsWhatHasExpiredAndNothingElse) {
    TestLog test;
    auto event = TestLog::event("nurse-1", "patient-1");
    event.retention = event::Retention::Trace1Year;
    test.append(std::vector(600, event));
    event.time += std::chrono::days(300);
    test.append(std::vector(300, event));
    test.publish();
    const auto pin = *read_signed(test.disk, layout::checkpoint(TestLog::kDir));
    const event::Event why = TestLog::event("dpo-1", "");
    const auto planned = test.log->prune(event.time + std::chrono::days(100), true, why);
    ASSERT_TRUE(planned) << planned.error().what.en;
    EXPECT_EQ(planned->minimum_index, 512u);
    EXPECT_TRUE(test.disk.exists("log/tile/entries/000"));
    const auto done = test.log->prune(event.time + std::chrono::days(100), false, why);
    ASSERT_TRUE(done) << done.error().what.en;
    EXPECT_EQ(done->bundles, 2u);
    EXPECT_FALSE(test.disk.exists("log/tile/entries/000"));
    EXPECT_FALSE(test.disk.exists("log/tile/entries/001"));
    EXPECT_TRUE(test.event_at(520));
    test.publish();
    const auto report = verify(test, pin);
    ASSERT_TRUE(report) << report.error().what.en;
    EXPECT_EQ(report->entries_absent, 512u);
    ASSERT_TRUE(test.log->close());
    test.open();
    EXPECT_EQ(test.log->prune(event.time + std::chrono::days(100), false, why)->bundles, 0u);
    EXPECT_TRUE(test.event_at(520));
}

TEST(Log, ExpiredYearsLoseTheirKeys) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1")});
    const event::Event why = TestLog::event("dpo-1", "");
    // A trace of 2026 kept a year may be of its last day: its key lives until the end of 2027.
    const WallTime end_of_2027 = std::chrono::sys_days(std::chrono::year(2027) / 12 / 31);
    EXPECT_EQ(test.log->prune(end_of_2027, false, why)->keys, 0u);
    EXPECT_TRUE(test.event_at(1));
    EXPECT_GE(test.log->prune(end_of_2027 + std::chrono::days(2), false, why)->keys, 1u);
    EXPECT_EQ(test.event_at(1).error().code, Code::Erased);
}

TEST(Log, NothingReadableAboutAPersonIsOnTheDisk) {
    TestLog test;
    auto event = TestLog::event("nurse-zephyrine", "patient-quixote", "Observation/xylophone");
    event.query = "name=wolverhampton";
    event.network.address = "203.0.113.77";
    test.append({event});
    test.publish();
    ASSERT_TRUE(test.log->index().flush());
    ASSERT_TRUE(test.log->close());
    std::vector<std::string> dirs{TestLog::kDir};
    std::size_t files = 0;
    while (!dirs.empty()) {
        const std::string dir = dirs.back();
        dirs.pop_back();
        const auto listed = test.disk.list(dir);
        ASSERT_TRUE(listed);
        for (const DirEntry& found : *listed) {
            const std::string path = join(dir, found.name);
            if (found.is_dir) {
                dirs.push_back(path);
                continue;
            }
            ++files;
            const Bytes bytes = *test.disk.read_file(path, 1 << 24);
            for (const char* word :
                 {"zephyrine", "quixote", "xylophone", "wolverhampton", "203.0.113.77"})
                EXPECT_EQ(as_text(bytes).find(word), std::string_view::npos)
                    << word << " in " << path;
        }
    }
    EXPECT_GT(files, 6u);
}

TEST(Log, OldPartialTilesGoOnceTheFullOneIsSettled) {
    TestLog test;
    for (int i = 0; i < 60; ++i) {
        test.append(std::vector(5, TestLog::event("nurse-1", "patient-1")));
        test.publish();
    }
    EXPECT_TRUE(test.disk.exists("log/tile/0/000.p"));
    ASSERT_TRUE(test.log->close());
    EXPECT_FALSE(test.disk.exists("log/tile/0/000.p"));
    EXPECT_FALSE(test.disk.exists("log/tile/entries/000.p"));
    EXPECT_TRUE(test.disk.exists("log/tile/0/000"));
    test.open();
    EXPECT_TRUE(verify(test));
}

TEST(Log, PartialTilesThatARunBeforeLeftGoToo) {
    TestLog test;
    test.append(std::vector(300, TestLog::event("nurse-1", "patient-1")));
    test.publish();
    EXPECT_TRUE(test.disk.exists("log/tile/0/001.p"));
    test.append(std::vector(300, TestLog::event("nurse-1", "patient-1")));
    test.open();  // as after a crash: the tile fills from the write-ahead log
    EXPECT_FALSE(test.disk.exists("log/tile/0/001.p"));
    EXPECT_FALSE(test.disk.exists("log/tile/entries/001.p"));
    EXPECT_TRUE(test.disk.exists("log/tile/0/001"));
    EXPECT_TRUE(verify(test));
}

TEST(Log, ALostIndexIsMadeAgain) {
    TestLog test;
    test.append({TestLog::event("nurse-1", "patient-1"), TestLog::event("nurse-2", "patient-1")});
    ASSERT_TRUE(test.log->close());
    test.log.reset();
    ASSERT_TRUE(QueryIndex::wipe(test.disk, layout::index(TestLog::kDir)));
    test.open();
    const auto tokens = test.log->keys().known_actor_tokens(ActorId("nurse-2"));
    ASSERT_EQ(tokens.size(), 1u);
    const auto found = test.log->index().find(Dimension::Actor, tokens[0], {0, 100});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ(found->front().first, 2u);
}

}  // namespace
}  // namespace hygie::ledger
