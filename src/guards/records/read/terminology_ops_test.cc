#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

TEST(Terminology, CodesAreLookedUp) {
    House house;
    const auto expanded = house.get(
        house.anne, "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender");
    ASSERT_EQ(expanded.status, 200) << expanded.body;
    EXPECT_EQ(expanded.json()["expansion"]["contains"].size(), 4U);
    const auto filtered = house.get(
        house.anne,
        "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&filter=F%C3%89M");
    EXPECT_EQ(filtered.json()["expansion"]["contains"].size(), 1U) << "whatever case and accents";
    const auto valid =
        house.get(house.anne,
                  "ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender"
                  "&system=http://hl7.org/fhir/administrative-gender&code=female");
    EXPECT_TRUE(valid.body.contains(R"("valueBoolean":true)")) << valid.body;
    const auto known =
        house.get(house.anne,
                  "CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male");
    EXPECT_TRUE(known.body.contains("Male")) << known.body;
    EXPECT_EQ(house.get(house.anne, "ValueSet/$expand?url=urn:none").status, 404);
    const std::string second =
        R"({"resourceType":"Parameters","parameter":[{"name":"url","valueUri":)"
        R"("http://hl7.org/fhir/ValueSet/administrative-gender"},{"name":"codeableConcept",)"
        R"("valueCodeableConcept":{"coding":[{"system":"urn:other","code":"x"},)"
        R"({"system":"http://hl7.org/fhir/administrative-gender","code":"female"}]}}]})";
    EXPECT_TRUE(house.post(house.anne, "ValueSet/$validate-code", second)
                    .body.contains(R"("valueBoolean":true)"))
        << "one coding is enough";
    const std::string gender = "url=http://hl7.org/fhir/ValueSet/administrative-gender";
    EXPECT_EQ(house.get(house.anne, "ValueSet/$validate-code?" + gender).status, 400) << "no code";
    EXPECT_EQ(house.get(house.anne, "CodeSystem/$lookup?system=urn:x").status, 400);
    EXPECT_EQ(house.get(house.anne, "CodeSystem/$lookup?code=male").status, 400);
}

TEST(Terminology, AValueSetIsExpandedWithoutAnAddressAndWithWhatItStandsOn) {
    House house;
    const auto set = [](const std::string& more, const std::string& compose) {
        return R"({"resourceType":"ValueSet","status":"active",)" + more + R"("compose":{)" +
               compose + "}}";
    };
    const std::string genders =
        R"("include":[{"system":"http://hl7.org/fhir/administrative-gender"}])";
    const auto codes = [&](const std::string& body) {
        const auto expanded = house.post(
            house.anne, "ValueSet/$expand",
            R"({"resourceType":"Parameters","parameter":[{"name":"valueSet","resource":)" + body +
                "}]}");
        EXPECT_EQ(expanded.status, 200) << expanded.body;
        EXPECT_FALSE(expanded.json()["url"]) << expanded.body;
        return expanded.json()["expansion"]["contains"].size();
    };
    EXPECT_EQ(codes(set("", genders)), 4U);
    const auto store = [&](const std::string& body) {
        EXPECT_EQ(house.post(house.program, "ValueSet", body).status, 201);
    };
    store(
        set(R"("url":"urn:one",)", R"("include":[{"system":"urn:own","concept":[{"code":"a"}]}])"));
    store(set(R"("url":"urn:both",)", R"("include":[{"valueSet":["urn:one"]},{"system":"urn:own",)"
                                      R"("concept":[{"code":"b"}]}])"));
    EXPECT_EQ(codes(set("", R"("include":[{"valueSet":["urn:both"]}])")), 2U);
    EXPECT_EQ(codes(set("", R"("include":[{"valueSet":["urn:both"]}],)"
                            R"("exclude":[{"valueSet":["urn:one"]}])")),
              1U);
    store(set(R"("url":"urn:loop",)", R"("include":[{"valueSet":["urn:loop"]}])"));
    EXPECT_EQ(house.get(house.anne, "ValueSet/$expand?url=urn:loop").status, 400);
}

TEST(Terminology, CodesAreAboveOrBelowEachOther) {
    House house;
    const auto outcome = [&](const std::string& query) {
        const auto answer = house.get(house.anne, query);
        EXPECT_EQ(answer.status, 200) << query << answer.body;
        return std::string(answer.json()["parameter"].items()[0]["valueCode"].text());
    };
    const std::string roles =
        "CodeSystem/$subsumes?system=http://terminology.hl7.org/CodeSystem/v3-RoleCode&";
    EXPECT_EQ(outcome(roles + "codeA=FAMMEMB&codeB=MTH"), "subsumes");
    EXPECT_EQ(outcome(roles + "codeA=MTH&codeB=FAMMEMB"), "subsumed-by");
    EXPECT_EQ(outcome(roles + "codeA=MTH&codeB=MTH"), "equivalent");
    EXPECT_EQ(outcome(roles + "codeA=MTH&codeB=FTH"), "not-subsumed");
    const auto stored = house.post(
        house.program, "CodeSystem",
        R"({"resourceType":"CodeSystem","url":"urn:soins","status":"active","content":"complete",)"
        R"("concept":[{"code":"acte","concept":[{"code":"pansement"}]}]})");
    ASSERT_EQ(stored.status, 201) << stored.body;
    EXPECT_EQ(outcome("CodeSystem/$subsumes?system=urn:soins&codeA=acte&codeB=pansement"),
              "subsumes");
    EXPECT_EQ(outcome("CodeSystem/" + stored.id() + "/$subsumes?codeA=pansement&codeB=acte"),
              "subsumed-by");
    EXPECT_EQ(house.get(house.anne, roles + "codeA=MTH&codeB=none").status, 404);
    EXPECT_EQ(house.get(house.anne, "CodeSystem/$subsumes?system=urn:none&codeA=a&codeB=b").status,
              404);
}

TEST(Terminology, CodesAreTranslatedByAStoredMap) {
    House house;
    const auto stored = house.post(
        house.program, "ConceptMap",
        R"({"resourceType":"ConceptMap","url":"urn:table","status":"active","group":[{)"
        R"("source":"urn:a","target":"urn:b","element":[{"code":"1","target":[{"code":"un",)"
        R"("display":"Un","equivalence":"equivalent"},{"code":"uns","equivalence":"wider"}]},)"
        R"({"code":"2","target":[{"equivalence":"unmatched"}]}],"unmapped":{"mode":"fixed",)"
        R"("code":"autre"}}]})");
    ASSERT_EQ(stored.status, 201) << stored.body;
    const auto translated = [&](const std::string& query) {
        const auto answer = house.get(house.anne, query);
        EXPECT_EQ(answer.status, 200) << query << answer.body;
        std::vector<std::string> codes;
        for (const fhir::Json parameter : answer.json()["parameter"].items()) {
            if (parameter["name"].text() == "result")
                codes.emplace_back(fhir::to_text(parameter["valueBoolean"]));
            for (const fhir::Json part : parameter["part"].items())
                if (part["name"].text() == "equivalence")
                    codes.emplace_back(part["valueCode"].text());
                else if (part["name"].text() == "concept")
                    codes.emplace_back(part["valueCoding"]["code"].text());
        }
        return codes;
    };
    using Codes = std::vector<std::string>;
    const std::string by_url = "ConceptMap/$translate?url=urn:table&";
    EXPECT_EQ(translated(by_url + "system=urn:a&code=1"),
              (Codes{"true", "equivalent", "un", "wider", "uns"}));
    EXPECT_EQ(translated("ConceptMap/" + stored.id() + "/$translate?system=urn:a&code=1"),
              translated(by_url + "system=urn:a&code=1"));
    EXPECT_EQ(translated(by_url + "system=urn:b&code=uns&reverse=true"),
              (Codes{"true", "narrower", "1"}));
    EXPECT_EQ(translated(by_url + "system=urn:a&code=2").front(), "false");
    EXPECT_EQ(translated(by_url + "system=urn:a&code=9"), (Codes{"true", "inexact", "autre"}));
    EXPECT_EQ(translated(by_url + "system=urn:z&code=1"), Codes{"false"});
    EXPECT_EQ(house.get(house.anne, "ConceptMap/$translate?url=urn:none&code=1").status, 404);
    EXPECT_EQ(house.get(house.anne, "ConceptMap/$translate?code=1").status, 400);
}

}  // namespace
}  // namespace hygie::records
