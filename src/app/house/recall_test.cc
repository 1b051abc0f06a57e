#include "app/house/recall.h"

#include <gtest/gtest.h>

#include "ledger/log/test_log.h"

namespace hygie::app {
namespace {

using ledger::TestLog;

class RecallTest : public testing::Test {
  protected:
    RecallTest()
        : clerk_(log_.doors(), NodeId("node-1"), OpenLedger{std::move(log_.log), {}, {}}),
          audit_(clerk_) {}

    void append(const std::string& actor, const std::string& patient, event::Type type) {
        event::Event event = TestLog::event(actor, patient);
        event.type = type;
        event.time = log_.clock.now();
        ASSERT_TRUE(clerk_.append({*ledger::draft_of(event)}));
    }
    std::unique_ptr<Recall> start() {
        return std::make_unique<Recall>(audit_, log_.clock, [this](const event::Event& event) {
            told_.push_back(event.actor.id.str() + " " + event.subject.patient.str());
        });
    }
    static access::Actor actor(const std::string& id, access::Role role = access::Role::Care) {
        return {.id = ActorId(id), .role = role};
    }

    TestLog log_;
    LedgerClerk clerk_;
    LedgerAudit audit_;
    std::vector<std::string> told_;
};

TEST_F(RecallTest, TellsTheLastDayOfWhoAsksOnceAndOfNobodyElse) {
    append("anne", "yesterday", event::Type::RecordRead);
    log_.clock.sleep_for(kRemembered);
    append("anne", "one", event::Type::RecordRead);
    append("bob", "two", event::Type::RecordRead);
    append("anne", "three", event::Type::RecordCreated);
    append("anne", "four", event::Type::BreakGlass);
    log_.clock.sleep_for(std::chrono::seconds(1));
    const auto recall = start();
    append("anne", "of this run", event::Type::RecordRead);
    EXPECT_FALSE(recall->is_done(actor("anne")));
    ASSERT_TRUE(recall->make_sure(actor("anne")));
    EXPECT_EQ(told_, (std::vector<std::string>{"anne one", "anne four"}));
    EXPECT_TRUE(recall->is_done(actor("anne")));
    EXPECT_FALSE(recall->is_done(actor("bob")));
    ASSERT_TRUE(recall->make_sure(actor("anne")));
    EXPECT_EQ(told_.size(), 2U) << "once";
    EXPECT_TRUE(recall->is_done(actor("import", access::Role::Program))) << "has no habits";
}

TEST_F(RecallTest, OpeningsOfOneRecordWithinAMinuteAreToldOnce) {
    const auto append_shown = [&](const std::string& patient, const std::string& shown) {
        event::Event event = TestLog::event("anne", patient);
        event.type = event::Type::RecordSearched;
        event.time = log_.clock.now();
        event.detail["shown"] = shown;
        ASSERT_TRUE(clerk_.append({*ledger::draft_of(event)}));
    };
    append_shown("one", "0");
    append("anne", "one", event::Type::RecordRead);
    append_shown("one", "3");
    append("anne", "two", event::Type::RecordRead);
    append("anne", "one", event::Type::BreakGlass);
    append("anne", "one", event::Type::RecordRead);
    log_.clock.sleep_for(kSameVisit);
    append("anne", "one", event::Type::RecordRead);
    append("anne", "two", event::Type::RecordRead);
    log_.clock.sleep_for(std::chrono::seconds(1));
    ASSERT_TRUE(start()->make_sure(actor("anne")));
    EXPECT_EQ(told_, (std::vector<std::string>{"anne one", "anne one", "anne two", "anne one",
                                               "anne one", "anne two"}))
        << "what showed nothing is no opening, emergencies are all told, and a minute later anew";
}

TEST_F(RecallTest, WhoseDayCannotBeReadStaysUnknown) {
    append("anne", "one", event::Type::RecordRead);
    log_.clock.sleep_for(std::chrono::seconds(1));
    const auto recall = start();
    log_.disk.inject(sim::Fault::SyncFails, "checkpoint");
    append("bob", "two", event::Type::RecordRead);
    EXPECT_FALSE(recall->make_sure(actor("anne")));
    EXPECT_FALSE(recall->is_done(actor("anne"))) << "who is not known is not answered";
    EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace hygie::app
