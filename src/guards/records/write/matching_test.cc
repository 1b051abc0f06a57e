#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door/door_kit.h"

/// Whether a patient is here already: Patient/$match, and the word of warning of a second record.
namespace hygie::records {
namespace {

using namespace kit;

std::string person(const std::string& family, const std::string& given, const std::string& birth,
                   const std::string& more = "") {
    return R"({"resourceType":"Patient","name":[{"family":")" + family + R"(","given":[")" + given +
           R"("]}],"gender":"female","birthDate":")" + birth + R"(")" + more + "}";
}

std::string asking(const std::string& patient, const std::string& more = "") {
    return R"({"resourceType":"Parameters","parameter":[{"name":"resource","resource":)" + patient +
           "}" + more + "]}";
}

std::string grade_of(fhir::Json entry) {
    return std::string(entry["search"]["extension"].items()[0]["valueCode"].text());
}

class Matching : public testing::Test {
  protected:
    Answered match(const access::Actor& actor, const std::string& patient,
                   const std::string& more = "") {
        return house_.post(actor, "Patient/$match", asking(patient, more));
    }
    House house_;
};

TEST_F(Matching, GradesWhoIsOpenToTheAsker) {
    const auto found = match(house_.anne, person("MARTIN", "Camille", "1979-02-14"));
    ASSERT_EQ(found.status, 200) << found.body;
    ASSERT_EQ(found.references().front(), "Patient/a") << found.body;
    const fhir::Json first = found.json()["entry"].items()[0];
    EXPECT_EQ(grade_of(first), "probable");
    EXPECT_EQ(first["search"]["score"].text(), "0.833");
    EXPECT_EQ(first["search"]["mode"].text(), "match");
    EXPECT_FALSE(found.body.contains("Patient/c")) << "closed to her";
    EXPECT_EQ(match(house_.anne, person("Petit", "Camille", "1979-02-14")).body.find("\"c\""),
              std::string::npos);
    EXPECT_EQ(match(house_.program, person("Petit", "Camille", "1979-02-14")).references().front(),
              "Patient/c");
    EXPECT_TRUE(match(house_.anne, person("Xyz", "Zoé", "1901-01-01")).references().empty());
    EXPECT_EQ(match(house_.anne, person("Martyn", "Camille", "1979-02-14")).references().front(),
              "Patient/a")
        << "a slip";
}

TEST_F(Matching, CountsAndGivesOnlyWhoIsCertain) {
    const std::string martin = person("Martin", "Camille", "1979-02-14");
    EXPECT_EQ(
        match(house_.program, martin, R"(,{"name":"count","valueInteger":1})").references().size(),
        1U);
    const std::string only = R"(,{"name":"onlyCertainMatches","valueBoolean":true})";
    EXPECT_TRUE(match(house_.program, martin, only).references().empty());
    const std::string ins =
        R"(,"identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.10","value":"285052B99012437"}])";
    const std::string known = person("Leca", "Ghjulia", "1985-05-20", ins);
    const auto stored = house_.post(house_.program, "Patient", known);
    ASSERT_EQ(stored.status, 201) << stored.body;
    const auto certain = match(house_.program, known, only);
    EXPECT_EQ(certain.references(), std::vector<std::string>{"Patient/" + stored.id()});
    EXPECT_EQ(grade_of(certain.json()["entry"].items()[0]), "certain");
}

TEST_F(Matching, EndsAtWhatIsNoQuestion) {
    EXPECT_EQ(house_.post(house_.anne, "Patient/$match", "{}").status, 400);
    EXPECT_EQ(
        house_.post(house_.anne, "Patient/$match", asking(R"({"resourceType":"Practitioner"})"))
            .status,
        400);
    EXPECT_EQ(match(house_.anne, R"({"resourceType":"Patient"})").json()["total"].text(), "0");
    EXPECT_EQ(match(house_.anne, person("x", "y", "1979-02-14"),
                    R"(,{"name":"nonsense","valueString":"1"})")
                  .status,
              400);
}

TEST_F(Matching, IsTracedForEachWhoIsShown) {
    house_.trace.take();
    ASSERT_EQ(match(house_.anne, person("Martin", "Camille", "1979-02-14")).status, 200);
    const auto events = house_.trace.take();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(std::ranges::count(events, "a",
                                 [](const event::Event& e) { return e.subject.patient.str(); }),
              1);
}

TEST_F(Matching, ASecondRecordOfOnePersonIsNeverSilent) {
    const std::string martin = person("Martin", "Camille", "1979-02-14");
    const http::Headers tell = {{"prefer", "return=OperationOutcome"}};
    const auto warned = house_.post(house_.anne, "Patient", martin, tell);
    ASSERT_EQ(warned.status, 201) << warned.body;
    EXPECT_TRUE(warned.body.contains(R"("code":"duplicate")")) << warned.body;
    EXPECT_TRUE(warned.body.contains("Patient/a")) << "which one it is";
    EXPECT_NE(warned.header("X-Warnings"), "");
    for (const auto& [family, given] : std::vector<std::pair<std::string, std::string>>{
             {"Marten", "Camille"}, {"Martin", "Kamille"}})
        EXPECT_TRUE(house_.post(house_.anne, "Patient", person(family, given, "1979-02-14"), tell)
                        .body.contains("Patient/a"))
            << "a slip in " << family << ' ' << given;
    const auto closed =
        house_.post(house_.anne, "Patient", person("Petit", "Camille", "1979-02-14"), tell);
    EXPECT_EQ(closed.status, 201);
    EXPECT_FALSE(closed.body.contains("Patient/c")) << "closed to her";
    const auto fresh =
        house_.post(house_.anne, "Patient", person("Nouvelle", "Inès", "1999-12-31"), tell);
    EXPECT_FALSE(fresh.body.contains("duplicate")) << fresh.body;
}

TEST_F(Matching, TwoOfOneBundleAreComparedToo) {
    const std::string entry = R"({"request":{"method":"POST","url":"Patient"},"resource":)" +
                              person("Nouvelle", "Inès", "1999-12-31") + "}";
    const auto sent = house_.post(
        house_.program, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[)" + entry + "," + entry + "]}");
    ASSERT_EQ(sent.status, 200) << sent.body;
    EXPECT_TRUE(sent.body.contains(R"("code":"duplicate")")) << sent.body;
}

TEST_F(Matching, ANumberOfAnotherHouseThatTwoHaveWarns) {
    const std::string number = R"(,"identifier":[{"system":"urn:x:ipp","value":"1,001"}])";
    ASSERT_EQ(
        house_.post(house_.program, "Patient", person("Nouvelle", "Inès", "1999-12-31", number))
            .status,
        201);
    const auto second =
        house_.post(house_.program, "Patient", person("Autre", "Paul", "1950-01-01", number),
                    {{"prefer", "return=OperationOutcome"}});
    EXPECT_EQ(second.status, 201);
    EXPECT_TRUE(second.body.contains(R"("code":"duplicate")")) << second.body;
    EXPECT_FALSE(second.body.contains("1,001"));
}

}  // namespace
}  // namespace hygie::records
