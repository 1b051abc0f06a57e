#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

/// What a patient's opposition closes, from when; and who has the file that they made.
namespace hygie::records {
namespace {

using namespace kit;

std::string opposition(const std::string& more) {
    return R"({"resourceType":"Consent","id":"no","status":"active","scope":{"coding":[{"code":)"
           R"("patient-privacy"}]},"category":[{"coding":[{"code":"59284-0"}]}],"patient":)"
           R"({"reference":"Patient/a"},"policyRule":{"coding":[{"code":"OPTOUT"}]})" +
           more + "}";
}
const std::string kAnne =
    R"(,"provision":{"type":"deny","actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":)"
    R"({"reference":"Practitioner/dr-anne"}}]})";
const std::string kStay =
    R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"IMP"},)"
    R"("subject":{"reference":"Patient/a"},"reasonCode":[{"text":"chute"}]})";

TEST(Consents, OneWhomThePatientNamesSeesNothingOfTheRecord) {
    House house;
    store(house, {kStay});
    ASSERT_EQ(house.get(house.anne, "Patient/a").status, 200);
    store(house, {opposition(kAnne)});
    for (const std::string url :
         {"Patient/a", "Encounter/e", "Observation/oa1", "Consent/no", "Patient/a/$everything"})
        EXPECT_EQ(house.get(house.anne, url).status, 404) << url;
    for (const std::string url : {"Patient?_id=a", "Encounter?patient=a", "Appointment?patient=a",
                                  "Coverage?patient=a", "Observation?patient=a"})
        EXPECT_TRUE(house.get(house.anne, url).references().empty()) << url;
    // A desk still receives and bills the patient, and others are not meant.
    EXPECT_EQ(house.get(with_role("accueil", access::Role::Desk), "Patient/a").status, 200);
    EXPECT_EQ(house.get(house.anne, "Patient/b").status, 200);
}

TEST(Consents, ARefusalToAllClosesCareAndLeavesAppointmentsWithoutTheirReasons) {
    House house;
    store(house, {kStay});
    store(house, {opposition(R"(,"provision":{"type":"deny"})")});
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 404);
    EXPECT_EQ(house.get(house.anne, "Patient/a").status, 200);
    const auto stay = house.get(house.anne, "Encounter/e");
    EXPECT_EQ(stay.status, 200) << stay.body;
    EXPECT_FALSE(stay.body.contains("chute")) << stay.body;
}

TEST(Consents, AnOppositionCountsAtOnceWhateverTheClockOfItsWriterSays) {
    for (const auto& [time, more] :
         {std::pair{Micros(0), ""}, std::pair{Micros(900'000), ""},
          std::pair{Micros(std::chrono::minutes(7)), " (a clock that is ahead)"}}) {
        House house;
        // Within a second that has begun already: a whole second would be late.
        house.machine.clock.advance(std::chrono::milliseconds(300));
        const std::string said = to_rfc3339(house.machine.clock.now() + time);
        ASSERT_EQ(house.get(house.anne, "Observation/oa1").status, 200);
        store(house, {opposition(R"(,"dateTime":")" + said + '"' + kAnne)});
        EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 404) << said << more;
    }
}

TEST(Consents, OneThatBeginsLaterWaitsForItsPeriod) {
    House house;
    const std::string start = to_rfc3339(house.machine.clock.now() + std::chrono::hours(1));
    std::string later = kAnne;
    later.insert(later.size() - 1, R"(,"period":{"start":")" + start + "\"}");
    store(house, {opposition(later)});
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 200);
    house.machine.clock.advance(std::chrono::hours(1));
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 404);
}

TEST(Consents, WhoMakesAFileHasItAtOnce) {
    House house;
    house.machine.clock.advance(std::chrono::milliseconds(300));
    const std::string patient =
        R"({"resourceType":"Patient","identifier":[{"system":"urn:x","value":"A"}]})";
    const auto made = house.post(house.bob, "Patient", patient);
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string url = "Patient/" + made.id();
    EXPECT_EQ(house.get(house.bob, url).status, 200);
    EXPECT_EQ(house
                  .post(house.bob, "Observation",
                        R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)"
                        R"("subject":{"reference":")" +
                            url + R"("}})")
                  .status,
              201);
    EXPECT_EQ(house.get(house.anne, url).status, 404);
    // And is not made twice.
    const auto again =
        house.post(house.bob, "Patient", patient, {{"if-none-exist", "identifier=urn:x|A"}});
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.id(), made.id());
}

}  // namespace
}  // namespace hygie::records
