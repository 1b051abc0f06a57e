#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door/door_kit.h"

/// The door with everything that circles know: labels, wards and teams, parents, habits, motives.
namespace hygie::records {
namespace {

using namespace kit;

std::string labelled(const std::string& id, const std::string& patient, const std::string& code) {
    std::string text = vault::kit::observation(id, patient, "7.77");
    text.insert(text.find(R"("status")"), R"("meta":{"security":[{"code":")" + code + R"("}]},)");
    return text;
}

std::string encounter(const std::string& status, const std::string& more) {
    return R"({"resourceType":"Encounter","id":"e","status":")" + status +
           R"(","class":{"code":"IMP"},"subject":{"reference":"Patient/d"},)" + more + "}";
}

TEST(Circles, AFrozenAccountIsToldSoAndSeesNothing) {
    House house;
    house.frozen = house.anne.id;
    for (const std::string url :
         {"Observation/oa1", "Observation?patient=a", "Patient/a/$everything"}) {
        const auto answer = house.get(house.anne, url);
        EXPECT_EQ(answer.status, 403) << url;
        EXPECT_FALSE(answer.body.contains("5.40")) << url;
    }
    EXPECT_EQ(house.get(house.bob, "Observation/oc1").status, 200);
    house.frozen = {};
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 200);
}

TEST(Circles, AHeldUnitIsClosedAtOnceButForEmergenciesAndOpensAgain) {
    House house;
    store(house,
          {R"({"resourceType":"Location","id":"pole"})",
           R"({"resourceType":"Location","id":"ward","partOf":{"reference":"Location/pole"}})",
           R"({"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":)"
           R"("Practitioner/dr-anne"},"location":[{"reference":"Location/ward"}]})"});
    const access::Actor bob = house.bob;
    access::Actor anne = house.anne;
    ASSERT_EQ(house.get(anne, "Observation/oa1").status, 200);
    ASSERT_EQ(house.post(anne, "Patient/b/$break-glass", std::string(kMotive)).status, 200);
    house.machine.clock.advance(Micros(1));
    house.trace.take();
    const auto held = std::make_shared<const std::vector<access::UnitHold>>(
        1,
        access::UnitHold{
            .unit = "Location/pole", .since = house.machine.clock.now(), .evidence = "event/hold"});
    house.holds = held;
    for (const std::string url : {"Observation/oa1", "Observation?patient=a",
                                  "Patient/a/$everything", "Observation/_history", "Patient/b"}) {
        const auto answer = house.get(anne, url);
        EXPECT_EQ(answer.status, 403) << url << answer.body;
        EXPECT_FALSE(answer.body.contains("5.40")) << url;
        EXPECT_TRUE(answer.body.contains("$break-glass")) << url << answer.body;
        const event::Event refused = house.trace.take().back();
        EXPECT_EQ(refused.type, event::Type::AccessRefused);
        EXPECT_EQ(refused.verdict->reasons.front().id, "circle.contained");
        EXPECT_EQ(refused.verdict->reasons.front().evidence, "event/hold");
    }
    EXPECT_EQ(house.get(bob, "Observation/oc1").status, 200) << "he works elsewhere";
    EXPECT_EQ(house.get(house.program, "Observation/oa1").status, 200);
    // One patient at a time, declared since.
    ASSERT_EQ(house.post(anne, "Patient/a/$break-glass", std::string(kMotive)).status, 200);
    house.trace.take();
    EXPECT_EQ(house.get(anne, "Observation/oa1").status, 200);
    EXPECT_EQ(house.trace.take().back().detail["why"], "circle.break_glass.emergency");
    EXPECT_EQ(house.get(anne, "Observation/ob1").status, 403);
    // Who is held vouches for nobody.
    access::Actor weak = bob;
    weak.auth = "pwd";
    const auto asked = house.post(weak, "Patient/a/$break-glass", std::string(kMotive));
    ASSERT_EQ(asked.status, 202);
    const std::string code((*asked.json()["parameter"].items().begin())["valueString"].text());
    EXPECT_EQ(house
                  .post(anne, "$co-sign",
                        R"({"resourceType":"Parameters","parameter":[{"name":"request",)"
                        R"("valueString":")" +
                            code + R"("},{"name":"agree","valueBoolean":true}]})")
                  .status,
              403);
    house.holds = nullptr;
    EXPECT_EQ(house.get(anne, "Observation/ob1").status, 200);
}

TEST(Circles, WhatIsMaskedIsNowhere) {
    House house;
    store(house, {labelled("om", "a", "MASQUE_PS")});
    for (const std::string url :
         {"Observation?patient=a", "Observation?patient=a&_summary=count", "Patient/a/$everything",
          "Patient/a/Observation", "Observation/_history", "Observation?value-quantity=7.77"}) {
        const auto answer = house.get(house.anne, url);
        EXPECT_EQ(answer.status, 200) << url;
        EXPECT_FALSE(answer.body.contains(R"("id":"om")") || answer.body.contains("Observation/om"))
            << url;
    }
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_summary=count").json()["total"].text(),
              "2");
    EXPECT_EQ(house.get(house.anne, "Observation/om").status, 404);
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 200);
    // Without the label it is there again; with one that means nothing here, too.
    store(house, {labelled("om", "a", "N")});
    EXPECT_EQ(house.get(house.anne, "Observation/om").status, 200);
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_summary=count").json()["total"].text(),
              "3");
}

TEST(Circles, APatientSeesWhatIsNotHeldUntilSomebodyTellsIt) {
    House house;
    const auto patient = with_role("lea", access::Role::Patient, "Patient/a");
    store(house, {labelled("oh", "a", "INVISIBLE_PATIENT")});
    EXPECT_EQ(house.get(patient, "Observation/oa1").status, 200);
    EXPECT_EQ(house.get(patient, "Observation/oh").status, 404);
    EXPECT_EQ(house.get(patient, "Observation?patient=a&_summary=count").json()["total"].text(),
              "2");
    EXPECT_EQ(house.get(patient, "Patient/b").status, 404);
    EXPECT_EQ(house.get(house.anne, "Observation/oh").status, 200);
}

TEST(Circles, AWardTiesItsPeopleToItsBedsAsLongAsBothAreThere) {
    House house;
    const std::string role =
        R"({"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":)"
        R"("Practitioner/dr-bob"},"location":[{"reference":"Location/ward"}],"active":)";
    store(house,
          {R"({"resourceType":"Location","id":"ward","physicalType":{"coding":[{"code":"wa"}]}})",
           R"({"resourceType":"Location","id":"bed","partOf":{"reference":"Location/ward"}})",
           role + "true}",
           encounter("in-progress", R"("location":[{"location":{"reference":"Location/bed"}}])")});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 200);
    EXPECT_EQ(house.get(house.bob, "Patient?family=Durand&birthdate=1979-02-14").references(),
              (std::vector<std::string>{"Patient/d"}));
    EXPECT_EQ(house.get(house.anne, "Patient/d").status, 404);
    // Nobody lists who sees what: the search without a patient finds the ward.
    EXPECT_EQ(house.get(house.bob, "Observation?code=4548-4&_summary=count").json()["total"].text(),
              "2");
    store(house, {role + "false}"});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404);
    store(house, {role + "true}"});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 200);
    store(house,
          {encounter("cancelled", R"("location":[{"location":{"reference":"Location/bed"}}])")});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404);
}

TEST(Circles, ATeamOfTheHouseAndADelegationCount) {
    House house;
    store(house,
          {R"({"resourceType":"CareTeam","id":"pain","status":"active","participant":[)"
           R"({"member":{"reference":"Practitioner/dr-bob"}}]})",
           R"({"resourceType":"CareTeam","id":"of-d","status":"active","subject":{"reference":)"
           R"("Patient/d"},"participant":[{"member":{"reference":"CareTeam/pain"}}]})"});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 200);
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 404);
    store(house,
          {R"({"resourceType":"Task","id":"locum","status":"in-progress","intent":"order","code":)"
           R"({"text":"Remplacement"},"requester":{"reference":"Practitioner/dr-anne"},"owner":)"
           R"({"reference":"Practitioner/dr-bob"}})"});
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 200);
    store(house,
          {R"({"resourceType":"Task","id":"locum","status":"cancelled","intent":"order","code":)"
           R"({"text":"Remplacement"},"requester":{"reference":"Practitioner/dr-anne"},"owner":)"
           R"({"reference":"Practitioner/dr-bob"}})"});
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 404);
}

TEST(Circles, NobodyLetsThemselvesIn) {
    House house;
    store(house,
          {R"({"resourceType":"Location","id":"ward","physicalType":{"coding":[{"code":"wa"}]}})",
           R"({"resourceType":"Location","id":"bed"})",
           encounter("in-progress", R"("location":[{"location":{"reference":"Location/bed"}}])")});
    const std::string self = R"("practitioner":{"reference":"Practitioner/dr-bob"})";
    for (const std::string& body :
         {R"({"resourceType":"PractitionerRole","active":true,)" + self +
              R"(,"location":[{"reference":"Location/bed"}]})",
          std::string(R"({"resourceType":"Task","status":"in-progress","intent":"order","code":)"
                      R"({"text":"Remplacement"},"requester":{"reference":"Practitioner/dr-anne"},)"
                      R"("owner":{"reference":"Practitioner/dr-bob"}})"),
          std::string(R"({"resourceType":"Schedule","actor":[{"reference":"Practitioner/dr-bob"},)"
                      R"({"reference":"Location/bed"}]})"),
          std::string(
              R"({"resourceType":"Person","link":[{"target":{"reference":)"
              R"("Practitioner/dr-bob"}},{"target":{"reference":"Practitioner/dr-anne"}}]})")}) {
        const std::string type(fhir::parse(body).value().root["resourceType"].text());
        const auto answer = house.post(house.bob, type, body);
        EXPECT_EQ(answer.status, 403) << body << answer.body;
    }
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404);
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 404);
    // Another's identifier makes nobody that other.
    store(house, {R"({"resourceType":"Practitioner","id":"dr-bob","identifier":[{"system":"s",)"
                  R"("value":"v"}]})",
                  R"({"resourceType":"Practitioner","id":"dr-anne","identifier":[{"system":"s",)"
                  R"("value":"v"}]})"});
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 404);
    // Who delegates may, and who keeps the house.
    const auto task = house.post(
        house.anne, "Task",
        R"({"resourceType":"Task","status":"in-progress","intent":"order","code":{"text":)"
        R"("Remplacement"},"requester":{"reference":"Practitioner/dr-anne"},"owner":)"
        R"({"reference":"Practitioner/dr-bob"}})");
    EXPECT_EQ(task.status, 201) << task.body;
    EXPECT_EQ(house.get(house.bob, "Patient/a").status, 200);
    const auto keeper = with_role("exploitation", access::Role::Operations);
    const auto role = house.post(keeper, "PractitionerRole",
                                 R"({"resourceType":"PractitionerRole","active":true,)" + self +
                                     R"(,"location":[{"reference":"Location/bed"}]})");
    EXPECT_EQ(role.status, 201) << role.body;
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 200);
    EXPECT_EQ(house.get(keeper, "Patient/d").status, 404);
}

TEST(Circles, NobodyLetsThemselvesInByAnotherNameOrTime) {
    House house;
    const std::string bob = R"("practitioner":{"reference":"Practitioner/dr-bob"})";
    store(house,
          {R"({"resourceType":"Location","id":"ward","physicalType":{"coding":[{"code":"wa"}]}})",
           R"({"resourceType":"Organization","id":"own","name":"Unité"})",
           R"({"resourceType":"Organization","id":"other","name":"Unité"})",
           R"({"resourceType":"PractitionerRole","id":"r","active":true,)" + bob +
               R"(,"organization":{"reference":"Organization/own"}})",
           R"({"resourceType":"PractitionerRole","id":"past","active":true,)" + bob +
               R"(,"location":[{"reference":"Location/ward"}],"period":{"end":"2020-01-01"}})",
           R"({"resourceType":"Schedule","id":"shifts","actor":[{"reference":)"
           R"("PractitionerRole/r"},{"reference":"Location/ward"}],)"
           R"("planningHorizon":{"start":"2020-01-01","end":"2020-01-02"}})",
           encounter("in-progress", R"("serviceProvider":{"reference":"Organization/other"},)"
                                    R"("location":[{"location":{"reference":"Location/ward"}}])")});
    ASSERT_EQ(house.get(house.bob, "Patient/d").status, 404);
    const std::string position = R"({"reference":"PractitionerRole/r"})";
    for (const std::string& body :
         {R"({"resourceType":"CareTeam","status":"active","participant":[{"member":)" + position +
              R"(}],"managingOrganization":[{"reference":"Organization/other"}]})",
          R"({"resourceType":"Schedule","actor":[)" + position +
              R"(,{"reference":"Location/ward"}]})",
          R"({"resourceType":"PractitionerRole","active":true,)" + bob +
              R"(,"location":[{"reference":"Location/ward"}]})",
          std::string(R"({"resourceType":"Slot","status":"busy","schedule":{"reference":)"
                      R"("Schedule/shifts"},"start":"2020-01-01T08:00:00Z",)"
                      R"("end":"2099-01-01T08:00:00Z"})")}) {
        const std::string type(fhir::parse(body).value().root["resourceType"].text());
        const auto answer = house.post(house.bob, type, body);
        EXPECT_EQ(answer.status, 403) << body << answer.body;
        EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404) << type;
    }
    // Where one belongs already, one may say so again.
    const auto again = house.post(
        house.bob, "CareTeam",
        R"({"resourceType":"CareTeam","status":"active","participant":[{"member":)" + position +
            R"(}],"managingOrganization":[{"reference":"Organization/own"}]})");
    EXPECT_EQ(again.status, 201) << again.body;
}

TEST(Circles, NobodyLetsAnotherIn) {
    House house;
    const std::string anne = R"({"reference":"Practitioner/dr-anne"})";
    store(house,
          {R"({"resourceType":"Location","id":"ward","physicalType":{"coding":[{"code":"wa"}]}})",
           R"({"resourceType":"Location","id":"room","physicalType":{"coding":[{"code":"wa"}]}})",
           R"({"resourceType":"PractitionerRole","id":"here","active":true,"practitioner":)" +
               anne + R"(,"location":[{"reference":"Location/room"}]})",
           encounter("in-progress", R"("location":[{"location":{"reference":"Location/ward"}}])")});
    ASSERT_EQ(house.get(house.anne, "Patient/d").status, 404);
    const auto desk = with_role("accueil", access::Role::Desk);
    const auto placed = [&](const std::string& place) {
        return std::vector<std::string>{
            R"({"resourceType":"PractitionerRole","active":true,"practitioner":)" + anne +
                R"(,"location":[{"reference":"Location/)" + place + R"("}]})",
            R"({"resourceType":"Schedule","actor":[)" + anne + R"(,{"reference":"Location/)" +
                place + R"("}]})"};
    };
    for (const access::Actor& writer : {house.bob, desk}) {
        for (const std::string& body : placed("ward")) {
            const std::string type(fhir::parse(body).value().root["resourceType"].text());
            const auto answer = house.post(writer, type, body);
            EXPECT_EQ(answer.status, 403) << body << answer.body;
            EXPECT_EQ(house.get(house.anne, "Patient/d").status, 404) << type;
        }
    }
    EXPECT_EQ(house.post(desk, "PractitionerRole", placed("room").front()).status, 201);
    const auto keeper = with_role("exploitation", access::Role::Operations);
    EXPECT_EQ(house.post(keeper, "PractitionerRole", placed("ward").front()).status, 201);
    EXPECT_EQ(house.get(house.anne, "Patient/d").status, 200);
}

TEST(Circles, ATeleconsultationEndsWithItself) {
    House house;
    const auto call = [](const std::string& status) {
        return R"({"resourceType":"Encounter","id":"tc","status":")" + status +
               R"(","class":{"code":"VR"},"subject":{"reference":"Patient/d"},"participant":[)"
               R"({"individual":{"reference":"Practitioner/dr-bob"}}]})";
    };
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404);
    store(house, {call("in-progress")});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 200);
    store(house, {call("finished")});
    EXPECT_EQ(house.get(house.bob, "Patient/d").status, 404);
}

TEST(Circles, ParentsSeeUntilMajorityAndGuardiansAsLongAsTheyAre) {
    House house;
    const auto born = [&](const std::string& day) {
        store(house, {R"({"resourceType":"Patient","id":"kid","birthDate":")" + day + R"("})"});
    };
    const auto kin = [](const std::string& id, const std::string& code) {
        return R"({"resourceType":"RelatedPerson","id":")" + id +
               R"(","patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"code":")" +
               code + R"("}]}]})";
    };
    born("2020-05-12");
    store(house, {kin("mum", "MTH"), kin("tutor", "GUARD"), kin("friend", "FRND")});
    const auto asks = [&](const std::string& who) {
        return house
            .get(with_role(who, access::Role::Patient, "RelatedPerson/" + who), "Patient/kid")
            .status;
    };
    EXPECT_EQ(asks("mum"), 200);
    EXPECT_EQ(asks("tutor"), 200);
    EXPECT_EQ(asks("friend"), 404);
    born("2001-05-12");
    EXPECT_EQ(asks("mum"), 404);
    EXPECT_EQ(asks("tutor"), 200);
    // Patients of the house themselves, by the Person that says who is who.
    born("2020-05-12");
    store(house, {R"({"resourceType":"Person","id":"p","link":[{"target":{"reference":)"
                  R"("RelatedPerson/mum"}},{"target":{"reference":"Patient/b"}}]})"});
    EXPECT_EQ(house.get(with_role("b", access::Role::Patient, "Patient/b"), "Patient/kid").status,
              200);
}

TEST(Circles, DesksSeeWhenAndWhereSomebodyStaysAndNotWhy) {
    House house;
    const auto desk = with_role("accueil-lea", access::Role::Desk, "Practitioner/desk");
    constexpr std::string_view kWhy = "chute";
    store(house,
          {R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"IMP"},)"
           R"("subject":{"reference":"Patient/a"},"reasonCode":[{"text":"chute","coding":)"
           R"([{"system":"urn:x","code":"chute"}]}],"text":{"status":"generated","div":)"
           R"("<div xmlns=\"http://www.w3.org/1999/xhtml\">chute</div>"}})"});
    const auto sees = [&](const access::Actor& actor, const std::string& url) {
        const auto answer = house.get(actor, url);
        EXPECT_EQ(answer.status, 200) << url << answer.body;
        EXPECT_TRUE(answer.body.contains("IMP")) << url << answer.body;
        return answer.body.contains(kWhy);
    };
    for (const std::string url :
         {"Encounter/e", "Encounter/e/_history/1", "Encounter/e/_history", "Encounter?_id=e",
          "Patient/a/$everything?_type=Encounter", "Encounter/e?_elements=reasonCode,class",
          "Patient?_id=a&_revinclude=Encounter:subject"}) {
        EXPECT_FALSE(sees(desk, url)) << url;
        EXPECT_TRUE(sees(house.anne, url)) << url;
    }
    for (const std::string url :
         {"Encounter?reason-code=chute", "Patient?_has:Encounter:subject:reason-code=chute"}) {
        EXPECT_EQ(house.get(desk, url).references().size(), 0U) << url;
        EXPECT_EQ(house.get(house.anne, url).references().size(), 1U) << url;
    }
    const auto ended = house.ask(desk, {.method = "PATCH",
                                        .url = "Encounter/e",
                                        .body = R"([{"op":"replace","path":"/status","value":)"
                                                R"("finished"}])",
                                        .headers = {{"content-type", "application/json-patch+json"},
                                                    {"if-match", "W/\"1\""}}});
    EXPECT_EQ(ended.status, 200) << ended.body;
    EXPECT_FALSE(ended.body.contains(kWhy)) << ended.body;
    EXPECT_TRUE(sees(house.anne, "Encounter/e")) << "what a desk does not see, it leaves";
}

TEST(Circles, WhateverComesAlongIsJudgedByItsOwnType) {
    House house;
    const auto desk = with_role("accueil-lea", access::Role::Desk, "Practitioner/desk");
    for (const std::string url :
         {"Patient?_id=a&_revinclude=*", "Patient?_id=a&_revinclude=Observation:*"}) {
        const auto comes = [&](const access::Actor& actor) {
            const auto found = house.get(actor, url).references();
            EXPECT_EQ(std::ranges::count(found, "Patient/a"), 1) << url;
            return std::ranges::count(found, "Observation/oa1") > 0;
        };
        EXPECT_TRUE(comes(house.anne)) << url;
        EXPECT_FALSE(comes(desk)) << url;
    }
}

TEST(Circles, DesksSeePapersAlone) {
    House house;
    const auto desk = with_role("accueil-lea", access::Role::Desk, "Practitioner/desk");
    EXPECT_EQ(house.get(desk, "Patient/a").status, 200);
    EXPECT_EQ(house.get(desk, "Observation/oa1").status, 404);
    EXPECT_EQ(house.get(desk, "Patient/a/$everything").references(),
              (std::vector<std::string>{"Patient/a"}));
}

TEST(Circles, WhatNeedsASecondFactorSaysSo) {
    House house;
    auto policy = std::make_shared<access::Policy>(access::default_policy());
    policy->step_up = access::bit(access::class_of("Observation"));
    house.policy = policy;
    access::Actor weak = house.anne;
    weak.auth = "pwd";
    for (const std::string url : {"Observation/oa1", "Observation?patient=a", "Patient/a/*",
                                  "Patient/a/$everything", "Observation/_history"}) {
        const auto answer = house.get(weak, url);
        EXPECT_EQ(answer.status, 401) << url << answer.body;
        EXPECT_TRUE(answer.header("WWW-Authenticate").contains("insufficient_user")) << url;
        EXPECT_EQ(house.get(house.anne, url).status, 200) << url;
    }
    EXPECT_EQ(house.get(weak, "Patient/a").status, 200);
    // Outside the circle it says nothing of the kind.
    EXPECT_EQ(house.get(weak, "Observation/oc1").status, 404);
}

}  // namespace
}  // namespace hygie::records
