#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hygie::records
