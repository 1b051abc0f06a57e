#include "access/circles/worklist.h"

#include <gtest/gtest.h>

namespace hygie::access {
namespace {

const WallTime kNow = from_rfc3339("2026-11-24T10:00:00Z").value();

event::Event act(event::Type type, std::string id, Micros ago,
                 std::map<std::string, std::string> detail = {}) {
    event::Event event;
    event.type = type;
    event.id = std::move(id);
    event.time = kNow - ago;
    event.actor.id = ActorId("dr.bob");
    event.subject.patient = PatientId("p");
    event.detail = std::move(detail);
    return event;
}

std::vector<event::Event> week() {
    using std::chrono::hours;
    return {
        act(event::Type::BreakGlass, "late", hours(80), {{"reason", "Inconscient"}}),
        act(event::Type::BreakGlass, "young", hours(2), {{"copied", "true"}}),
        act(event::Type::ConsentDecided, "why", hours(5), {{"kind", "justify"}}),
        act(event::Type::SignedOut, "cut", hours(1), {{"why", "circle.cut"}}),
        act(event::Type::SignedOut, "left", hours(1)),
        act(event::Type::RecordRead, "read", hours(1)),
    };
}

TEST(WorkList, HoldsWhatIsToBeReviewedTheMostUrgentFirst) {
    const auto duties = duties_of(week());
    ASSERT_EQ(duties.size(), 4U);
    EXPECT_EQ(duties[0].event, "late");
    EXPECT_TRUE(duties[0].is_late(kNow));
    EXPECT_EQ(duties[0].words, "Inconscient");
    EXPECT_EQ(duties[1].kind, Duty::Kind::Motive);
    EXPECT_EQ(duties[2].event, "young");
    EXPECT_FALSE(duties[2].is_late(kNow));
    EXPECT_EQ(duties[2].signs.size(), 1U);
    EXPECT_EQ(duties[3].kind, Duty::Kind::Cut);
}

TEST(WorkList, AReviewClosesOneOnceWithGroundsAndByAnother) {
    auto events = week();
    const Duty first = duties_of(events).front();
    const std::string words = "Vérifié auprès des urgences";
    EXPECT_EQ(review_of(first, ActorId("officer"), Conclusion::Justified, "ok").error().code,
              Code::BadInput);
    EXPECT_EQ(review_of(first, ActorId("dr.bob"), Conclusion::Justified, words).error().code,
              Code::Denied);
    event::Event review =
        review_of(first, ActorId("officer"), Conclusion::Unjustified, words).value();
    EXPECT_EQ(review.subject.patient, PatientId("p"));
    review.time = kNow;
    events.push_back(review);
    // Another one for the same act changes nothing.
    review.detail["finding"] = "justified";
    events.push_back(review);
    const auto duties = duties_of(events);
    ASSERT_EQ(duties.size(), 4U);
    const Duty& closed = duties.back();
    EXPECT_EQ(closed.event, "late");
    ASSERT_TRUE(closed.review);
    EXPECT_EQ(closed.review->conclusion, Conclusion::Unjustified);
    EXPECT_FALSE(closed.is_late(kNow));
    EXPECT_EQ(review_of(closed, ActorId("officer"), Conclusion::Justified, words).error().code,
              Code::AlreadyThere);
}

TEST(WorkList, WhoSignedABreakGlassIsNamedAndDoesNotReviewIt) {
    const Duty duty = duties_of(std::vector{act(event::Type::BreakGlass, "two", Micros(1),
                                                {{"cosigned_by", "dr.anne"}})})
                          .front();
    EXPECT_EQ(duty.cosigner, ActorId("dr.anne"));
    ASSERT_EQ(duty.signs.size(), 1U);
    EXPECT_TRUE(duty.signs.front().fr.contains("dr.anne"));
    EXPECT_TRUE(duties_json({&duty, 1}, kNow).contains(R"("cosigner":"dr.anne")"));
    const std::string words = "Vérifié auprès des urgences";
    EXPECT_EQ(review_of(duty, ActorId("dr.anne"), Conclusion::Justified, words).error().code,
              Code::Denied);
    EXPECT_TRUE(review_of(duty, ActorId("officer"), Conclusion::Justified, words));
}

TEST(WorkList, AnAccessThatNothingExplainsIsReviewedAsTheAccessItWas) {
    const Unexplained access{.event = "read-1",
                             .time = kNow - std::chrono::hours(30),
                             .actor = ActorId("dr.bob"),
                             .role = "10",
                             .patient = PatientId("p"),
                             .finding = "unexplained",
                             .times = 3};
    event::Event finding = finding_of(access);
    finding.time = kNow - std::chrono::hours(1);
    finding.actor.id = ActorId("hygie");
    EXPECT_TRUE(is_finding(finding));
    EXPECT_EQ(key_of(finding), key_of(access));
    const auto duties = duties_of(std::vector{finding});
    ASSERT_EQ(duties.size(), 1U);
    const Duty& duty = duties.front();
    EXPECT_EQ(duty.kind, Duty::Kind::Unexplained);
    EXPECT_EQ(duty.event, "read-1");
    EXPECT_EQ(duty.time, access.time);
    EXPECT_EQ(duty.due, finding.time + kReviewWithin);
    EXPECT_EQ(duty.actor.id, access.actor);
    EXPECT_EQ(duty.signs.size(), 2U) << "what was found, and how often";
    EXPECT_EQ(
        review_of(duty, ActorId("dr.bob"), Conclusion::Justified, "j'étais de garde").error().code,
        Code::Denied);
    const auto review = review_of(duty, ActorId("officer"), Conclusion::Justified,
                                  "remplaçait le médecin de garde");
    ASSERT_TRUE(review);
    EXPECT_EQ(review->detail.at("about"), "unexplained");
    EXPECT_TRUE(duties_of(std::vector{finding, *review}).front().review);
}

}  // namespace
}  // namespace hygie::access
