#include "app/ledger/ledger_evidence.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "ledger/log/test_log.h"

namespace hygie::app {
namespace {

using ledger::TestLog;

constexpr std::uint64_t kCommits = 600;  // more than two bundles

crypto::Hash digest(std::uint64_t counter) {
    return crypto::sha256(as_bytes(std::to_string(counter)));
}

class LedgerEvidenceTest : public testing::Test {
  protected:
    void SetUp() override {
        clerk_ = std::make_unique<LedgerClerk>(log_.doors(), NodeId("node-1"),
                                               OpenLedger{std::move(log_.log), {}, {}});
        for (std::uint64_t counter = 1; counter <= kCommits; ++counter)
            commit(counter, counter % 2 == 0 ? "even" : "odd");
    }
    void commit(std::uint64_t counter, const std::string& patient) {
        event::Event event = TestLog::event("nurse-1", patient);
        event.source = SourceId("vault");
        event.counter = counter;
        event.time = log_.clock.now();
        event.detail["digest"] = to_hex(digest(counter));
        ASSERT_TRUE(clerk_->append({*ledger::draft_of(event)}));
    }
    /// "seen", "erased", "unknown" or what is wrong.
    std::string says(std::uint64_t counter) {
        const auto evidence = LedgerEvidence::read(*clerk_);
        if (!evidence) return evidence.error().what.en;
        const auto told = evidence->digest_of(counter);
        if (!told) return told.error().code == Code::Erased ? "erased" : told.error().what.en;
        if (!*told) return "unknown";
        return **told == digest(counter) ? "seen" : "another digest";
    }

    TestLog log_;
    std::unique_ptr<LedgerClerk> clerk_;
};

TEST_F(LedgerEvidenceTest, TellsWhatItSawFromWhatItNeverSaw) {
    EXPECT_EQ(says(1), "seen");
    EXPECT_EQ(says(kCommits), "seen");
    EXPECT_EQ(says(kCommits + 1), "unknown");
}

TEST_F(LedgerEvidenceTest, ErasedTracesAreNoFaultOfTheVault) {
    ASSERT_TRUE(clerk_->shred({PatientId("odd"), {}, ActorId("dpo"), "art. 17"}));
    EXPECT_EQ(says(1), "erased");
    EXPECT_EQ(says(2), "seen");
    EXPECT_EQ(says(kCommits + 1), "unknown");
}

TEST_F(LedgerEvidenceTest, TracesWhoseTimeIsOverAreNoFaultOfTheVault) {
    log_.clock.advance(std::chrono::days(3 * 366));
    commit(kCommits + 1, "odd");
    const auto pruned = clerk_->prune(ActorId("dpo"), false);
    ASSERT_TRUE(pruned);
    ASSERT_GT(pruned->bundles, 0U);
    EXPECT_EQ(says(1), "erased") << "its bundle is gone";
    EXPECT_EQ(says(kCommits), "erased") << "its key is gone";
    EXPECT_EQ(says(kCommits + 1), "seen");
    EXPECT_EQ(says(kCommits + 2), "unknown");
}

TEST_F(LedgerEvidenceTest, WhoseRecordIsHereLosesNoTrace) {
    clerk_->guard_with([](const PatientId& patient) -> Status {
        if (patient.str() != "odd") return {};
        return fail(Code::Denied, {"ici", "here"});
    });
    EXPECT_EQ(clerk_->shred({PatientId("odd"), {}, ActorId("dpo"), ""}).error().code, Code::Denied);
    EXPECT_EQ(says(1), "seen");
    EXPECT_TRUE(clerk_->shred({PatientId("even"), {}, ActorId("dpo"), ""}));
    EXPECT_EQ(says(2), "erased");
}

}  // namespace
}  // namespace hygie::app
