#include <gtest/gtest.h>

#include <algorithm>

#include "access/decide/cosign.h"
#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

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

TEST(BreakGlass, TakesAPurposeOfHl7ForAMotive) {
    const auto body = [](const std::string& code) {
        return R"({"resourceType":"Parameters","parameter":[)"
               R"({"name":"code","valueCoding":{"code":")" +
               code + R"("}},{"name":"reason","valueString":"Patient inconscient aux urgences"}]})";
    };
    House house;
    const access::Actor bob = physician(house.bob);
    EXPECT_EQ(house.post(bob, "Patient/a/$break-glass", body("HMARKT")).status, 400);
    ASSERT_EQ(house.post(bob, "Patient/a/$break-glass", body("ETREAT")).status, 200);
    EXPECT_EQ(house.trace.take().back().detail.at("motive"), "emergency");
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
    EXPECT_EQ(house.post(bob, "Patient/a/$break-glass", std::string(kMotive)).status, 202);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404) << "it waits for a colleague";
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

/// What $co-sign is sent.
std::string signature(const std::string& code, bool agrees = true) {
    std::string body = R"({"resourceType":"Parameters","parameter":[{"name":"request",)"
                       R"("valueString":")" +
                       code + R"("})";
    if (agrees) body += R"(,{"name":"agree","valueBoolean":true})";
    return body + "]}";
}

std::string text_of(const Answered& answer, std::string_view name) {
    for (const fhir::Json parameter : answer.json()["parameter"].items())
        if (parameter["name"].text() == name) return std::string(parameter["valueString"].text());
    return {};
}

std::string ask_to_sign(House& house, const access::Actor& who) {
    const auto answer = house.post(who, "Patient/a/$break-glass", std::string(kMotive));
    EXPECT_EQ(answer.status, 202) << answer.body;
    return text_of(answer, "request");
}

TEST(BreakGlass, AColleagueSignsInPlaceOfASecondFactor) {
    House house;
    access::Actor bob = physician(house.bob);
    bob.auth = "pwd";
    const access::Actor anne = physician(house.anne);
    const std::string code = ask_to_sign(house, bob);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404) << "nobody signed";
    EXPECT_EQ(house.trace.take().front().detail.at("kind"), "cosign_asked");

    const auto shown = house.post(anne, "$co-sign", signature(code, false));
    ASSERT_EQ(shown.status, 200) << shown.body;
    EXPECT_EQ(text_of(shown, "asker"), "dr-bob");
    EXPECT_EQ(text_of(shown, "reason"), "Patient inconscient aux urgences");
    EXPECT_EQ(house.trace.take().front().detail.at("kind"), "cosign_shown");
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404) << "she only read it";
    house.trace.take();

    ASSERT_EQ(house.post(anne, "$co-sign", signature(code)).status, 200);
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 2U);
    const event::Event& act = events[0];
    const event::Event& sign = events[1];
    EXPECT_EQ(act.type, event::Type::BreakGlass);
    EXPECT_EQ(act.actor.id, bob.id);
    EXPECT_EQ(act.subject.patient.str(), "a");
    EXPECT_EQ(act.detail.at("cosigned_by"), "dr-anne");
    EXPECT_EQ(act.detail.at("cosign"), "event/" + sign.id);
    EXPECT_EQ(act.detail.at("tell"), "patient,officer");
    EXPECT_EQ(sign.actor.id, anne.id);
    EXPECT_EQ(sign.detail.at("of"), act.id);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 200);
    EXPECT_EQ(house.get(bob, "Observation/oa1").status, 200);
    EXPECT_EQ(house.get(bob, "Patient/b").status, 404);
    const auto read = house.trace.take().front();
    EXPECT_TRUE(read.break_glass);
    EXPECT_EQ(read.basis, "event/" + act.id);
    EXPECT_EQ(read.detail.at("why"), "circle.break_glass.cosigned");
    EXPECT_EQ(house.post(anne, "$co-sign", signature(code)).status, 404) << "a code serves once";

    house.restart();
    house.door().remember(act);
    EXPECT_EQ(house.get(bob, "Patient/a").status, 200) << "a restart forgets no signature";
    house.machine.clock.advance(std::chrono::hours(1));
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404);
}

TEST(BreakGlass, OnlyAColleagueWhoMightOpenItSigns) {
    House house;
    access::Actor bob = physician(house.bob);
    bob.auth = "pwd";
    const std::string code = ask_to_sign(house, bob);
    const access::Actor strong_self = physician(house.bob);
    access::Actor twin = physician(house.anne);  // another account of the same human
    twin.person = bob.person;
    access::Actor weak = physician(house.anne);
    weak.auth = "pwd";
    access::Actor aide = physician(house.anne);
    aide.profession = "35";
    const access::Actor officer =
        with_role("officer", access::Role::Security, "Practitioner/officer");
    house.trace.take();
    for (const access::Actor& who : {strong_self, twin, weak, aide, officer, house.program}) {
        EXPECT_EQ(house.post(who, "$co-sign", signature(code)).status, 403) << who.id.str();
        EXPECT_EQ(house.trace.take().front().type, event::Type::AccessRefused);
    }
    const access::Actor anne = physician(house.anne);
    EXPECT_EQ(house.post(anne, "$co-sign", signature("nocode99")).status, 404);
    house.frozen = bob.id;
    EXPECT_EQ(house.post(anne, "$co-sign", signature(code)).status, 403) << "he is held";
    house.frozen = anne.id;
    EXPECT_EQ(house.post(anne, "$co-sign", signature(code)).status, 403) << "she is held";
    house.frozen = {};
    house.machine.clock.advance(access::kCosignWait);
    EXPECT_EQ(house.post(anne, "$co-sign", signature(code)).status, 404) << "too late";
    EXPECT_EQ(house.get(bob, "Patient/a").status, 404);
    // A nurse's aide opens none, alone or not; a motive must say something first.
    EXPECT_EQ(house.post(weak, "Patient/a/$break-glass", R"({"resourceType":"Parameters"})").status,
              400);
    aide.auth = "pwd";
    EXPECT_EQ(house.post(aide, "Patient/a/$break-glass", std::string(kMotive)).status, 403);
}

}  // namespace
}  // namespace hygie::records
