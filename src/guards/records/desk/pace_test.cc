#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

/// How many records of patients one account may open in a while before it is slowed, asked, cut.
namespace hygie::records {
namespace {

using namespace kit;

std::shared_ptr<access::Policy> tight() {
    auto policy = std::make_shared<access::Policy>(access::default_policy());
    policy->rates = {.window = 3600, .floor = 1, .slow = 1, .justify = 2, .cut = 4};
    return policy;
}

/// Patients p1… of Anne.
void add_patients(House& house, int count) {
    std::vector<std::string> resources;
    for (int i = 1; i <= count; ++i) {
        const std::string id = "p" + std::to_string(i);
        resources.push_back(vault::kit::patient(id, "Nom"));
        resources.push_back(
            R"({"resourceType":"CareTeam","id":"t)" + id +
            R"(","status":"active","subject":{"reference":"Patient/)" + id +
            R"("},"participant":[{"member":{"reference":"Practitioner/dr-anne"}}]})");
    }
    store(house, resources);
}

TEST(Pace, TooManyRecordsSlowThenAskThenCut) {
    House house;
    house.policy = tight();
    add_patients(house, 8);
    EXPECT_EQ(house.get(house.anne, "Patient/p1").status, 200);
    EXPECT_FALSE(house.trace.take().front().detail.contains("pressure"));
    EXPECT_EQ(house.get(house.anne, "Patient/p1").status, 200);  // the same one, again
    EXPECT_FALSE(house.trace.take().front().detail.contains("pressure"));
    const auto before = house.machine.clock.steady();
    EXPECT_EQ(house.get(house.anne, "Patient/p2").status, 200);
    EXPECT_GE(house.machine.clock.steady() - before, std::chrono::seconds(1));
    EXPECT_EQ(house.trace.take().front().detail["pressure"], "slow");

    const auto asked = house.get(house.anne, "Patient/p3");
    EXPECT_EQ(asked.status, 403);
    EXPECT_TRUE(asked.body.contains("$justify")) << asked.body;
    EXPECT_FALSE(asked.body.contains("Nom"));
    auto events = house.trace.take();
    EXPECT_EQ(events.front().type, event::Type::AccessRefused);
    EXPECT_EQ(events.front().verdict->reasons.front().id, "circle.justify");
    EXPECT_EQ(house.post(house.anne, "$justify", R"({"resourceType":"Parameters"})").status, 400);
    EXPECT_EQ(house.post(house.anne, "$justify", std::string(kMotive)).status, 200);
    EXPECT_EQ(house.trace.take().back().detail["kind"], "justify");
    EXPECT_EQ(house.get(house.anne, "Patient/p3").status, 200);
    EXPECT_EQ(house.get(house.anne, "Patient/p4").status, 200);
    EXPECT_TRUE(house.cut.empty());
    // All at once by a search is no way around it.
    const auto cut = house.get(house.anne, "Patient?_count=100");
    EXPECT_EQ(cut.status, 403);
    EXPECT_FALSE(cut.body.contains("Nom"));
    EXPECT_EQ(house.cut, (std::vector<ActorId>{house.anne.id}));
    EXPECT_EQ(house.get(house.anne, "Patient/p1").status, 403);
    EXPECT_EQ(house.get(house.bob, "Patient/c").status, 200);
}

TEST(Pace, ARestartForgetsNoEmergencyMotiveOrHabit) {
    House house;
    house.policy = tight();
    add_patients(house, 4);
    access::Actor bob = house.bob;
    ASSERT_EQ(house.post(bob, "Patient/d/$break-glass", std::string(kMotive)).status, 200);
    ASSERT_EQ(house.get(bob, "Patient/d").status, 200);
    for (const std::string p : {"?_id=p1", "/p2", "/p3"}) house.get(house.anne, "Patient" + p);
    ASSERT_EQ(house.post(house.anne, "$justify", std::string(kMotive)).status, 200);
    const auto events = house.trace.take();
    house.restart();
    EXPECT_EQ(house.get(bob, "Patient/d").status, 404);
    house.restart();
    for (const event::Event& event : events) house.door().remember(event);
    EXPECT_EQ(house.get(bob, "Patient/d").status, 200);
    house.get(house.anne, "Patient/p3");
    EXPECT_EQ(house.trace.take().back().detail["pressure"], "justify");
    house.machine.clock.advance(std::chrono::hours(2));
    EXPECT_EQ(house.get(bob, "Patient/d").status, 404);
}

TEST(Pace, WhatAWriteShowsCountsLikeReading) {
    House house;
    house.policy = tight();
    add_patients(house, 8);
    int shown = 0;
    for (int i = 1; i <= 8; ++i) {
        const std::string id = "p" + std::to_string(i);
        const auto answer = house.post(house.anne, "Patient", vault::kit::patient("x", "Autre"),
                                       {{"if-none-exist", "_id=" + id}});
        shown += answer.body.contains("Nom") ? 1 : 0;
    }
    EXPECT_EQ(shown, 2);
    EXPECT_EQ(house.get(house.anne, "Patient/p1").status, 403);
}

}  // namespace
}  // namespace hygie::records
