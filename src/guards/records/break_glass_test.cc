#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

constexpr std::string_view kMotive =
    R"({"resourceType":"Parameters","parameter":[{"name":"motive","valueCode":"emergency"},)"
    R"({"name":"reason","valueString":"Patient inconscient aux urgences"}]})";

access::Actor physician(const access::Actor& who) {
    access::Actor doctor = who;
    doctor.profession = "10";
    doctor.auth = "otp";
    return doctor;
}

TEST(BreakGlass, OpensOneRecordOnceItsTraceIsKeptAndSaysItEachTime) {
    House house;
    const access::Actor bob = physician(house.bob);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404);
    const auto opened = house.post(bob, "Patient/a/$break-glass", std::string(kMotive));
    ASSERT_EQ(opened.status, 200) << opened.body;
    EXPECT_EQ(house.get(bob, "Patient/a").status, 200);
    EXPECT_EQ(house.get(bob, "Observation/oa1").status, 200);
    EXPECT_EQ(house.get(bob, "Patient/b").status, 404);
    bool told = false;
    bool marked = false;
    for (const event::Event& event : house.trace.take()) {
        told = told ||
               (event.type == event::Type::BreakGlass &&
                event.detail.at("tell") == "patient,officer" && event.detail.contains("review_by"));
        marked = marked || (event.type == event::Type::RecordRead && event.break_glass);
    }
    EXPECT_TRUE(told);
    EXPECT_TRUE(marked);
}

TEST(BreakGlass, IsRefusedWithoutAMotiveAProfessionOrASecondFactor) {
    House house;
    access::Actor bob = physician(house.bob);
    for (const std::string body :
         {R"({"resourceType":"Parameters","parameter":[]})",
          R"({"resourceType":"Parameters","parameter":[{"name":"motive","valueCode":"emergency"},)"
          R"({"name":"reason","valueString":"aaaaaaaaaaaaaaaaaaaaaaa"}]})",
          R"({"resourceType":"Parameters","parameter":[{"name":"motive","valueCode":"curiosity"},)"
          R"({"name":"reason","valueString":"Patient inconscient aux urgences"}]})"})
        EXPECT_EQ(house.post(bob, "Patient/a/$break-glass", body).status, 400) << body;
    bob.auth = "pwd";
    EXPECT_EQ(house.post(bob, "Patient/a/$break-glass", std::string(kMotive)).status, 403);
    bob.auth = "otp";
    bob.profession = "35";
    EXPECT_EQ(house.post(bob, "Patient/a/$break-glass", std::string(kMotive)).status, 403);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404);
}

TEST(BreakGlass, EveryWayThatShowsSomethingByItSaysSo) {
    House house;
    const access::Actor bob = physician(house.bob);
    ASSERT_EQ(house.post(bob, "Patient/a/$break-glass", std::string(kMotive)).status, 200);
    const std::string again = R"({"resourceType":"Observation","status":"final","code":)"
                              R"({"text":"x"},"subject":{"reference":"Patient/a"}})";
    const std::vector<Sent> ways = {{.url = "Observation?patient=a"},
                                    {.url = "Patient?_id=a&_revinclude=Observation:subject"},
                                    {.url = "Patient/a/Observation"},
                                    {.url = "Patient/a/$everything"},
                                    {.url = "Observation/oa1/_history"},
                                    {.url = "Observation/oa1/$meta"},
                                    {.method = "POST",
                                     .url = "Observation",
                                     .body = again,
                                     .headers = {{"if-none-exist", "_id=oa1"}}},
                                    {.method = "POST", .url = "Observation", .body = again}};
    for (const Sent& sent : ways) {
        house.trace.take();
        const auto answer = house.ask(bob, sent);
        EXPECT_LT(answer.status, 300) << sent.url << answer.body;
        const auto events = house.trace.take();
        EXPECT_TRUE(std::ranges::any_of(events,
                                        [](const event::Event& e) {
                                            return e.subject.patient.str() == "a" &&
                                                   e.break_glass && e.basis.starts_with("event/");
                                        }))
            << sent.method << ' ' << sent.url;
    }
    // Those of the own circle do not.
    ASSERT_EQ(house.get(bob, "Observation?patient=c").status, 200);
    EXPECT_FALSE(house.trace.take().front().break_glass);
}

}  // namespace
}  // namespace hygie::records
