#include "ledger/log/appender.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "ledger/log/layout.h"
#include "ledger/log/test_log.h"
#include "ledger/proofs/verifier.h"

namespace hygie::ledger {
namespace {

std::vector<Draft> drafts(std::size_t count) {
    return std::vector(count, *draft_of(TestLog::event("nurse-1", "patient-1")));
}

TEST(Appender, ManyWritersEachGetTheirOwnSequences) {
    TestLog test;
    std::vector<std::uint64_t> all;
    std::mutex mutex;
    {
        Appender appender(*test.log, {}, {});
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < 8; ++writer)
            writers.emplace_back([&] {
                for (std::size_t i = 0; i < 50; ++i) {
                    const auto sequences = appender.append(drafts(1 + i % 3));
                    ASSERT_TRUE(sequences);
                    ASSERT_EQ(sequences->size(), 1 + i % 3);
                    const std::lock_guard lock(mutex);
                    for (const auto sequence : *sequences) all.push_back(sequence.value());
                }
            });
        writers.clear();
        ASSERT_TRUE(appender.close());
    }
    const std::set<std::uint64_t> distinct(all.begin(), all.end());
    EXPECT_EQ(distinct.size(), all.size());
    test.open();
    EXPECT_GE(test.log->applied_size(), all.size());
    DirReader reader(test.disk, TestLog::kDir);
    EXPECT_TRUE(verify_log(reader, Policy::trusting(test.log->signer().verifier()), {}));
}

TEST(Appender, PublishCoversWhatWasAcknowledgedAndWaitsForNoTick) {
    TestLog test;
    AppenderOptions options;
    options.checkpoint_interval = std::chrono::hours(4);
    options.heartbeat = std::chrono::hours(4);
    Appender appender(*test.log, {}, options);
    const auto sequences = appender.append(drafts(3));
    ASSERT_TRUE(sequences);
    ASSERT_TRUE(appender.publish());
    const auto shown = *read_signed(test.disk, layout::checkpoint(TestLog::kDir));
    EXPECT_GT(shown->checkpoint.size, sequences->back().value());
}

TEST(Appender, AFailedDiskRefusesEverythingThatFollows) {
    TestLog test;
    Appender appender(*test.log, {}, {});
    ASSERT_TRUE(appender.append(drafts(1)));
    test.disk.inject(sim::Fault::SyncFails, "wal");
    EXPECT_FALSE(appender.append(drafts(1)));
    EXPECT_FALSE(appender.append(drafts(1)));
    EXPECT_FALSE(appender.health());
    EXPECT_FALSE(appender.close());
    test.open();
    EXPECT_TRUE(test.log->append(drafts(1)));
}

TEST(Appender, ExclusiveTasksSeeAQuietLog) {
    TestLog test;
    Appender appender(*test.log, {}, {});
    std::atomic<bool> stop = false;
    std::jthread writer([&] {
        while (!stop) ASSERT_TRUE(appender.append(drafts(2)));
    });
    for (int i = 0; i < 5; ++i) {
        const Status done = appender.exclusive([](Log& log) -> Status {
            EXPECT_EQ(log.applied_size(), log.durable_size());
            TRY(log.shred(PatientId("patient-1"), std::nullopt, TestLog::event("dpo-1", "")));
            return {};
        });
        ASSERT_TRUE(done);
    }
    stop = true;
    writer.join();
    ASSERT_TRUE(appender.close());
    test.open();
    DirReader reader(test.disk, TestLog::kDir);
    EXPECT_TRUE(verify_log(reader, Policy::trusting(test.log->signer().verifier()), {}));
}

TEST(Appender, AWitnessThatHangsDoesNotStopAppending) {
    TestLog test;
    std::atomic<bool> asked = false;
    std::atomic<bool> let_go = false;
    const Cosigner hanging = [&](const SignedCheckpoint&) {
        asked = true;
        let_go.wait(false);
        return std::vector<NoteSignature>();
    };
    AppenderOptions options;
    options.checkpoint_interval = std::chrono::milliseconds(1);
    Appender appender(*test.log, hanging, options);
    while (!asked) ASSERT_TRUE(appender.append(drafts(1)));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(appender.append(drafts(1)));
    let_go = true;
    let_go.notify_all();
    EXPECT_TRUE(appender.close());
}

}  // namespace
}  // namespace hygie::ledger
