#include "guards/records/door/door_kit.h"

/// One person, one identity: INS numbers and qualified identities through the door.
namespace hygie::records {
namespace {

constexpr std::string_view kNumber = "213022299082985";
constexpr std::string_view kOther = "285052B99012338";

std::string validated() {
    return R"("extension":[{"url":")"
           R"(https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability",)"
           R"("extension":[{"url":"identityStatus","valueCoding":{"code":"VALI"}}]}],)";
}

std::string person(std::string_view number, const std::string& family = "Diallo",
                   const std::string& more = {}) {
    return R"({"resourceType":"Patient",)" + more +
           R"("identifier":[{"use":"official","system":"urn:oid:1.2.250.1.213.1.4.10","value":")" +
           std::string(number) + R"("}],"name":[{"use":"official","family":")" + family +
           R"(","given":["Oksana"]}],"gender":"female","birthDate":"2013-02-06"})";
}

std::string with_id(std::string body, const std::string& id) {
    return body.insert(body.find(',') + 1, R"("id":")" + id + R"(",)");
}

TEST(Identity, ANumberIsOnePersons) {
    kit::House house;
    const auto first = house.post(house.program, "Patient", person(kNumber));
    ASSERT_EQ(first.status, 201) << first.body;
    const auto second = house.post(house.program, "Patient", person(kNumber, "Autre"));
    EXPECT_EQ(second.status, 422) << second.body;
    EXPECT_TRUE(second.body.contains("$merge")) << second.body;
    EXPECT_FALSE(second.body.contains(kNumber));
    EXPECT_EQ(house.post(house.program, "Patient", person(kOther)).status, 201);
    // The same record keeps its number.
    const auto again = house.put(house.program, "Patient/" + first.id(),
                                 with_id(person(kNumber, "Diallo"), first.id()), "W/\"1\"");
    EXPECT_EQ(again.status, 200) << again.body;
}

TEST(Identity, TwoOfOneBundleCannotShareANumber) {
    kit::House house;
    const std::string entry = R"({"request":{"method":"POST","url":"Patient"},"resource":)";
    const auto both =
        house.post(house.program, "",
                   R"({"resourceType":"Bundle","type":"transaction","entry":[)" + entry +
                       person(kNumber) + "}," + entry + person(kNumber, "Autre") + "}]}");
    EXPECT_EQ(both.status, 422) << both.body;
    EXPECT_EQ(house.get(house.program, "Patient?family=Diallo").references().size(), 0U);
}

TEST(Identity, ANumberBehindAClosedDoorIsTakenAndNoMoreIsSaid) {
    kit::House house;
    const auto first = house.post(house.bob, "Patient", person(kNumber));
    ASSERT_EQ(first.status, 201);
    const auto closed = house.post(house.anne, "Patient", person(kNumber, "Autre"));
    const auto open = house.post(house.bob, "Patient", person(kNumber, "Autre"));
    EXPECT_EQ(closed.status, 422) << closed.body;
    EXPECT_EQ(closed.body, open.body) << "the same words, whoever may see that record";
    EXPECT_FALSE(closed.body.contains(first.id()));
    const auto found =
        house.get(house.program, "Patient?identifier=" + std::string(kNumber)).references();
    EXPECT_EQ(found, std::vector<std::string>{"Patient/" + first.id()});
}

TEST(Identity, AQualifiedIdentityIsNotWrittenOver) {
    kit::House house;
    const auto made = house.post(house.program, "Patient", person(kNumber, "Diallo", validated()));
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string url = "Patient/" + made.id();
    const auto renamed = house.put(
        house.program, url, with_id(person(kNumber, "Diop", validated()), made.id()), "W/\"1\"");
    EXPECT_EQ(renamed.status, 422) << renamed.body;
    EXPECT_FALSE(renamed.body.contains("Diop"));
    const auto patched =
        house.ask(house.program, {.method = "PATCH",
                                  .url = url,
                                  .body = R"([{"op":"replace","path":"/birthDate",)"
                                          R"("value":"2013-02-07"}])",
                                  .headers = {{"content-type", "application/json-patch+json"}}});
    EXPECT_EQ(patched.status, 422) << patched.body;
    // Spelled otherwise is not another name, and what is no trait changes freely.
    const auto spelled =
        house.put(house.program, url,
                  with_id(person(kNumber, "DIALLO", validated() + R"("active":true,)"), made.id()),
                  "W/\"1\"");
    EXPECT_EQ(spelled.status, 200) << spelled.body;
    // Without its validation it can be mended, and the writer is told.
    const auto mended =
        house.ask(house.program,
                  {.method = "PUT",
                   .url = url,
                   .body = with_id(person(kNumber, "Diop"), made.id()),
                   .headers = {{"if-match", "W/\"2\""}, {"prefer", "return=OperationOutcome"}}});
    ASSERT_EQ(mended.status, 200) << mended.body;
    EXPECT_TRUE(mended.body.contains("qualifiée")) << mended.body;
}

TEST(Identity, TheNumberOfAQualifiedIdentityIsNotExchanged) {
    kit::House house;
    const auto made = house.post(house.program, "Patient", person(kNumber, "Diallo", validated()));
    ASSERT_EQ(made.status, 201) << made.body;
    std::string other = with_id(person(kOther, "Diallo", validated()), made.id());
    const std::string url = "Patient/" + made.id();
    EXPECT_EQ(house.put(house.program, url, other, "W/\"1\"").status, 422);
    const std::string old = R"({"use":"old","system":"urn:oid:1.2.250.1.213.1.4.10","value":")" +
                            std::string(kNumber) + R"("},)";
    other.insert(other.find("[{\"use\":\"official\",\"system\"") + 1, old);
    const auto kept = house.put(house.program, url, other, "W/\"1\"");
    EXPECT_EQ(kept.status, 200) << kept.body;
}

kit::Answered merged(kit::House& house, const kit::Answered& source, const kit::Answered& target) {
    const auto reference = [](const std::string& name, const std::string& id) {
        return R"({"name":")" + name + R"(","valueReference":{"reference":"Patient/)" + id +
               R"("}})";
    };
    return house.post(house.program, "Patient/$merge",
                      R"({"resourceType":"Parameters","parameter":[)" +
                          reference("source-patient", source.id()) + "," +
                          reference("target-patient", target.id()) + "]}");
}

TEST(Identity, TwoPeopleAreNotMerged) {
    kit::House house;
    const auto one = house.post(house.program, "Patient", person(kNumber, "Diallo", validated()));
    const auto two = house.post(house.program, "Patient", person(kOther, "Durand", validated()));
    EXPECT_EQ(merged(house, one, two).status, 422) << "two qualified numbers";
    std::string elder = person(kOther, "Durand");
    elder.replace(elder.find("2013-02-06"), 10, "1950-02-06");
    elder.erase(elder.find(R"("identifier")"),
                elder.find(R"("name")") - elder.find(R"("identifier")"));
    const auto three = house.post(house.program, "Patient", elder);
    ASSERT_EQ(three.status, 201) << three.body;
    EXPECT_EQ(merged(house, three, one).status, 422) << "born on two days";
    elder.erase(elder.find(R"(,"birthDate")"), 25);
    const auto four = house.post(house.program, "Patient", elder);
    ASSERT_EQ(four.status, 201) << four.body;
    EXPECT_EQ(merged(house, four, one).status, 200) << "what is not said is no contradiction";
    EXPECT_EQ(merged(house, four, one).status, 422) << "merged already";
}

TEST(Identity, AMergedRecordKeepsItsNumberAndStandsForNobody) {
    kit::House house;
    const auto old = house.post(house.program, "Patient", person(kNumber));
    const auto kept = house.post(house.program, "Patient", person(kOther, "Durand"));
    ASSERT_EQ(merged(house, old, kept).status, 200);
    EXPECT_EQ(house.post(house.program, "Patient", person(kNumber, "Retour")).status, 201);
}

TEST(Identity, ANumberThatSaysOtherwiseThanTheTraitsIsFlagged) {
    kit::House house;
    std::string other = person(kNumber);
    other.replace(other.find("female"), 6, "male");
    const auto made =
        house.ask(house.program, {.method = "POST",
                                  .url = "Patient",
                                  .body = other,
                                  .headers = {{"prefer", "return=OperationOutcome"}}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_TRUE(made.body.contains("matricule INS dit autre chose")) << made.body;
    const auto issues = house.get(house.program, "DetectedIssue?code=KEY206");
    EXPECT_EQ(issues.references().size(), 1U) << issues.body;
}

}  // namespace
}  // namespace hygie::records
