#include "guards/records/desk/purpose.h"

#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

const std::vector<std::pair<std::string, std::string>> kResearch = {
    {"x-purpose-of-use", "research"}};

/// Somebody of the house without a circle, with leave for research.
access::Actor student(House& house) {
    access::Actor who = doctor("dr-eve");
    who.grants = {{.purpose = access::Purpose::Research,
                   .since = house.machine.clock.now(),
                   .until = house.machine.clock.now() + std::chrono::hours(1),
                   .evidence = "event/leave"}};
    return who;
}

Answered ask(House& house, const access::Actor& who, const std::string& url,
             std::string method = "GET", std::string body = {}) {
    return house.ask(who, {.method = std::move(method),
                           .url = url,
                           .body = std::move(body),
                           .headers = {kResearch.front()}});
}

TEST(PurposeOfUse, ShowsRecordsWithoutWhatIdentifies) {
    House house;
    const access::Actor eve = student(house);
    EXPECT_EQ(house.get(eve, "Patient/a").status, 404) << "nothing declared, no circle";
    house.trace.take();
    const auto patient = ask(house, eve, "Patient/a");
    ASSERT_EQ(patient.status, 200) << patient.body;
    EXPECT_FALSE(patient.body.contains("Martin"));
    EXPECT_FALSE(patient.json()["name"]);
    EXPECT_FALSE(patient.json()["identifier"]);
    const event::Event read = house.trace.take().front();
    EXPECT_EQ(read.purpose, "HRESCH");
    EXPECT_EQ(read.subject.patient.str(), "a");
    EXPECT_EQ(read.basis, "event/leave");
    EXPECT_EQ(read.detail.at("why"), "circle.purpose");
    EXPECT_EQ(read.detail.at("purpose"), "research");

    const auto found = ask(house, eve, "Observation?status=final");
    ASSERT_EQ(found.status, 200) << found.body;
    EXPECT_EQ(found.references().size(), 5U) << "of every patient";
    EXPECT_TRUE(found.body.contains("5.40"));
    EXPECT_EQ(house.trace.take().size(), 4U) << "one entry for each patient";
    const auto all = ask(house, eve, "Patient?gender=male,female,unknown,other");
    EXPECT_EQ(all.status, 200);
    for (const std::string name : {"Martin", "Bernard", "Petit", "Durand"})
        EXPECT_FALSE(all.body.contains(name)) << name;
    // Who treats a patient sees no more of them under a purpose.
    access::Actor anne = house.anne;
    anne.grants = eve.grants;
    EXPECT_TRUE(house.get(anne, "Patient/a").body.contains("Martin"));
    EXPECT_FALSE(ask(house, anne, "Patient/a").body.contains("Martin"));
}

TEST(PurposeOfUse, FindsAndOpensNobodyByAnyOtherWay) {
    House house;
    const access::Actor eve = student(house);
    for (const std::string url : {"Patient?name=Martin",
                                  "Patient?family=Martin",
                                  "Patient?identifier=1",
                                  "Patient?birthdate=1970",
                                  "Patient?_sort=family",
                                  "Patient?gender:not=male",
                                  "Observation?patient.name=Martin",
                                  "Observation?_include=Observation:subject",
                                  "Patient?_revinclude=Observation:subject",
                                  "Patient?_has:Observation:patient:code=x",
                                  "Observation?_content=x",
                                  "Patient?_summary=text",
                                  "Patient/a/$everything",
                                  "Patient/a/Observation",
                                  "Observation/_history",
                                  "Observation/oa1/_history",
                                  "Observation/oa1/_history/1",
                                  "Patient/$export",
                                  "$export",
                                  "?_type=Patient",
                                  "Binary/b",
                                  "AuditEvent?patient=a",
                                  "metadata"}) {
        const auto answer = ask(house, eve, url);
        EXPECT_GE(answer.status, 400) << url << answer.body;
        EXPECT_FALSE(answer.body.contains("Martin")) << url;
        EXPECT_FALSE(answer.body.contains("5.40")) << url;
    }
    const std::string observation = vault::kit::observation("oz", "a", "1.00");
    EXPECT_EQ(ask(house, eve, "Observation/oz", "PUT", observation).status, 403);
    EXPECT_EQ(ask(house, eve, "Observation/oa1", "DELETE").status, 403);
    EXPECT_EQ(
        ask(house, eve, "Patient/$match", "POST", R"({"resourceType":"Parameters","parameter":[]})")
            .status,
        403);
    EXPECT_EQ(
        house.ask(eve, {.url = "Patient/a", .headers = {{"x-purpose-of-use", "curiosity"}}}).status,
        400);
}

TEST(PurposeOfUse, EndsWithItsLeaveAndStopsAtWhatPatientsSay) {
    House house;
    access::Actor eve = student(house);
    access::Actor bare = eve;
    bare.grants.clear();
    const auto refused = ask(house, bare, "Observation/oa1");
    EXPECT_EQ(refused.status, 403) << refused.body;
    EXPECT_EQ(house.trace.take().back().verdict->reasons.front().id, "circle.no_grant");
    access::Actor weak = eve;
    weak.auth = "pwd";
    EXPECT_EQ(ask(house, weak, "Observation/oa1").status, 401);
    vault::kit::commit(
        house.vault(),
        {vault::kit::put(R"({"resourceType":"Consent","id":"no","status":"active","scope":)"
                         R"({"coding":[{"code":"patient-privacy"}]},"category":[{"text":"x"}],)"
                         R"("patient":{"reference":"Patient/a"},"provision":{"type":"deny"}})")},
        "a");
    EXPECT_EQ(ask(house, eve, "Observation/oa1").status, 404);
    EXPECT_FALSE(ask(house, eve, "Observation?status=final").body.contains("oa1"));
    EXPECT_EQ(ask(house, eve, "Observation/ob1").status, 200);
    house.machine.clock.advance(std::chrono::hours(1));
    EXPECT_EQ(ask(house, eve, "Observation/ob1").status, 403);
}

}  // namespace
}  // namespace hygie::records
