#include "guards/records/door/door_kit.h"

/// Profiles that are stored like any resource, and what is written against them.
namespace hygie::records {
namespace {

constexpr std::string_view kUrl = "https://cabinet.example/profile/pesee";

std::string profile(const std::string& elements) {
    return R"({"resourceType":"StructureDefinition","url":")" + std::string(kUrl) +
           R"(","name":"Pesee","status":"active","kind":"resource","abstract":false,)"
           R"("type":"Observation","derivation":"constraint",)"
           R"("baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation",)"
           R"("differential":{"element":[)" +
           elements + "]}}";
}
std::string element(const std::string& path, const std::string& more) {
    return R"({"id":")" + path + R"(","path":")" + path + R"(",)" + more + "}";
}
std::string weight(const std::string& more, bool claims = true) {
    return R"({"resourceType":"Observation",)" +
           (claims ? R"("meta":{"profile":[")" + std::string(kUrl) + R"("]},)" : std::string()) +
           R"("status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},)"
           R"("subject":{"reference":"Patient/a"})" +
           more + "}";
}
const std::string kKilos =
    R"(,"valueQuantity":{"value":70,"system":"http://unitsofmeasure.org","code":"kg"})";

class Stored : public testing::Test {
  protected:
    void store(const std::string& body, const std::string& type = "StructureDefinition") {
        const auto stored = house_.post(house_.program, type, body);
        ASSERT_EQ(stored.status, 201) << stored.body;
    }
    int write(const std::string& more) {
        return house_.post(house_.anne, "Observation", weight(more)).status;
    }
    kit::House house_;
};

TEST_F(Stored, CardinalityTypePatternAndRules) {
    EXPECT_EQ(write(""), 201) << "not known yet: warned about, no more";
    store(profile(
        element("Observation",
                R"("constraint":[{"key":"poids-1","severity":"error","human":"kilos",)"
                R"("expression":"value.ofType(Quantity).code = 'kg'"}])") +
        "," + element("Observation.value[x]", R"("min":1,"type":[{"code":"Quantity"}])") + "," +
        element("Observation.code", R"("patternCodeableConcept":{"coding":[{"code":"29463-7"}]})") +
        "," + element("Observation.note", R"("max":"0")")));
    EXPECT_EQ(write(kKilos), 201);
    EXPECT_EQ(write(""), 400) << "a value is needed";
    EXPECT_EQ(write(R"(,"valueString":"70")"), 400) << "of that type";
    EXPECT_EQ(write(kKilos + R"(,"note":[{"text":"x"}])"), 400) << "no note";
    EXPECT_EQ(write(R"(,"valueQuantity":{"value":70,"code":"g"})"), 400) << "the rule";
    // Who does not claim it is not held to it, unless asked.
    EXPECT_EQ(house_.post(house_.anne, "Observation", weight("", false)).status, 201);
    const auto judged = house_.post(
        house_.anne, "Observation/$validate?profile=" + std::string(kUrl), weight("", false));
    EXPECT_TRUE(judged.body.contains(R"("severity":"error")")) << judged.body;
    const auto good = house_.post(house_.anne, "Observation/$validate?profile=" + std::string(kUrl),
                                  weight(kKilos, false));
    EXPECT_FALSE(good.body.contains(R"("severity":"error")")) << good.body;
}

TEST_F(Stored, SlicesByPatternAndBindingsToStoredValueSets) {
    store(R"({"resourceType":"ValueSet","status":"active","url":"https://cabinet.example/vs/bras",)"
          R"("compose":{"include":[{"system":"urn:cabinet","concept":[{"code":"gauche"}]}]}})",
          "ValueSet");
    store(profile(
        element("Observation.category",
                R"("min":1,"slicing":{"discriminator":[{"type":"pattern","path":"$this"}],)"
                R"("rules":"open"})") +
        R"(,{"id":"Observation.category:vs","path":"Observation.category","sliceName":"vs",)"
        R"("min":1,"max":"1","patternCodeableConcept":{"coding":[{"code":"vital-signs"}]}})" +
        "," +
        element(
            "Observation.bodySite",
            R"("binding":{"strength":"required","valueSet":"https://cabinet.example/vs/bras"})")));
    const std::string category = R"(,"category":[{"coding":[{"code":"vital-signs"}]}])";
    const auto site = [](const std::string& code) {
        return R"(,"bodySite":{"coding":[{"system":"urn:cabinet","code":")" + code + R"("}]})";
    };
    EXPECT_EQ(write(category), 201);
    EXPECT_EQ(write(R"(,"category":[{"coding":[{"code":"exam"}]}])"), 400);
    EXPECT_EQ(write(category + site("gauche")), 201);
    EXPECT_EQ(write(category + site("milieu")), 400);
}

TEST_F(Stored, AChangedProfileCountsAtOnceAndADeletedOneNoMore) {
    const auto stored = house_.post(house_.program, "StructureDefinition",
                                    profile(element("Observation.value[x]", R"("min":1)")));
    EXPECT_EQ(write(""), 400);
    std::string looser = stored.body;
    looser.replace(looser.find("\"min\":1"), 7, "\"min\":0");
    const std::string url = "StructureDefinition/" + stored.id();
    ASSERT_EQ(house_.put(house_.program, url, looser, "W/\"1\"").status, 200);
    EXPECT_EQ(write(""), 201);
    ASSERT_EQ(house_.ask(house_.program, {.method = "DELETE", .url = url}).status, 204);
    const auto judged = house_.post(house_.anne, "Observation/$validate", weight(kKilos));
    EXPECT_TRUE(judged.body.contains("n’est pas connu ici")) << judged.body;
}

TEST_F(Stored, WhatR4DefinesIsNotReplaced) {
    store(R"({"resourceType":"ValueSet","status":"active",)"
          R"("url":"http://hl7.org/fhir/ValueSet/observation-status",)"
          R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"mine"}]}]}})",
          "ValueSet");
    std::string mine = weight("", false);
    mine.replace(mine.find("final"), 5, "mine");
    EXPECT_EQ(house_.post(house_.anne, "Observation", mine).status, 400);
    EXPECT_EQ(house_.post(house_.anne, "Observation", weight("", false)).status, 201);
}

}  // namespace
}  // namespace hygie::records
