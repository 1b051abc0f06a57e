#include "fhir/validate/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fhir/terminology/terminology.h"
#include "fhir/validate/definition_set.h"
#include "fhir/validate/validate.h"

using namespace hygie;
using namespace hygie::fhir;

namespace {

namespace fs = std::filesystem;

/// Profiles and what they are tried on.
class FhirProfile : public ::testing::Test {
  protected:
    Json json(std::string_view text) {
        auto document = parse(text);
        EXPECT_TRUE(document) << text;
        kept_.push_back(std::move(*document));
        return kept_.back().root;
    }
    Status learn(std::string_view name, std::string_view elements,
                 std::string_view base = "http://hl7.org/fhir/StructureDefinition/Patient") {
        return profiles_.add(json(
            R"({"resourceType":"StructureDefinition","url":"http://x.example/)" +
            std::string(name) + R"(","type":"Patient","baseDefinition":")" + std::string(base) +
            R"(","differential":{"element":[)" + std::string(elements) + "]}}"));
    }
    /// The first issue of a patient against a profile as "type where".
    std::string first(std::string_view members, std::string_view profile = "http://x.example/p") {
        const auto document = parse(R"({"resourceType":"Patient",)" + std::string(members) + "}");
        const auto issues =
            validate(document->root, {.known = &profiles_, .profiles = {profile}}).issues;
        if (issues.empty()) return {};
        return std::string(code_of(issues.front().type)) + " " + issues.front().where;
    }

    std::deque<Document> kept_;
    Profiles profiles_;
};

}  // namespace

TEST_F(FhirProfile, NumbersAndFixedValues) {
    ASSERT_TRUE(learn("p", R"({"id":"Patient.name","path":"Patient.name","min":1,"max":"2"},
        {"id":"Patient.name.family","path":"Patient.name.family","min":1},
        {"id":"Patient.gender","path":"Patient.gender","fixedCode":"female"},
        {"id":"Patient.photo","path":"Patient.photo","max":"0"},
        {"id":"Patient.maritalStatus","path":"Patient.maritalStatus",
         "patternCodeableConcept":{"coding":[{"code":"M"}]}})"));
    EXPECT_EQ(first(R"("name":[{"family":"a"}])"), "");
    EXPECT_EQ(first(R"("active":true)"), "required Patient.name");
    EXPECT_EQ(first(R"("name":[{"text":"a"}])"), "required Patient.name[0].family");
    EXPECT_EQ(first(R"("name":[{"family":"a"},{"family":"b"},{"family":"c"}])"),
              "structure Patient.name");
    EXPECT_EQ(first(R"("name":[{"family":"a"}],"gender":"male")"), "value Patient.gender");
    EXPECT_EQ(first(R"("name":[{"family":"a"}],"photo":[{"url":"x:y"}])"),
              "structure Patient.photo");
    EXPECT_EQ(first(R"("name":[{"family":"a"}],"maritalStatus":{"coding":[{"code":"S"}]})"),
              "value Patient.maritalStatus");
    EXPECT_EQ(first(R"("name":[{"family":"a"}],"maritalStatus":{"text":"x","coding":[
              {"code":"a"},{"system":"urn:s","code":"M"}]})"),
              "")
        << "a pattern may be exceeded";
}

TEST_F(FhirProfile, TypesTargetsRulesAndBindings) {
    ASSERT_TRUE(learn("p", R"j(
        {"id":"Patient","path":"Patient","constraint":[{"key":"x-1","severity":"error",
         "human":"h","expression":"name.exists() or identifier.exists()"}]
},
        {"id":"Patient.deceased[x]","path":"Patient.deceased[x]","type":[{"code":"dateTime"}]},
        {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner",
         "type":[{"code":"Reference",
          "targetProfile":["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]},
        {"id":"Patient.language","path":"Patient.language","binding":{"strength":"required",
         "valueSet":"http://hl7.org/fhir/ValueSet/administrative-gender"}})j"));
    const std::string name = R"("name":[{"family":"a"}])";
    EXPECT_EQ(first(name), "");
    EXPECT_EQ(first(R"("active":true)"), "invariant Patient");
    EXPECT_EQ(first(name + R"(,"deceasedBoolean":true)"), "structure Patient.deceased");
    EXPECT_EQ(first(name + R"(,"deceasedDateTime":"2020")"), "");
    EXPECT_EQ(first(name + R"(,"generalPractitioner":[{"reference":"Organization/1"}])"),
              "structure Patient.generalPractitioner[0]");
    EXPECT_EQ(first(name + R"(,"language":"fr")"), "code-invalid Patient.language");
}

TEST_F(FhirProfile, SlicesAreToldApart) {
    ASSERT_TRUE(learn("p", R"(
        {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"rules":"closed",
         "discriminator":[{"type":"value","path":"system"}]}},
        {"id":"Patient.identifier:ins","path":"Patient.identifier","sliceName":"ins","min":1,
         "max":"1"},
        {"id":"Patient.identifier:ins.system","path":"Patient.identifier.system",
         "fixedUri":"urn:ins"},
        {"id":"Patient.identifier:ins.value","path":"Patient.identifier.value","min":1},
        {"id":"Patient.identifier:ipp","path":"Patient.identifier","sliceName":"ipp"},
        {"id":"Patient.identifier:ipp.system","path":"Patient.identifier.system",
         "patternUri":"urn:ipp"})"));
    const std::string ins = R"({"system":"urn:ins","value":"1"})";
    EXPECT_EQ(first(R"("identifier":[)" + ins + R"(,{"system":"urn:ipp"}])"), "");
    EXPECT_EQ(first(R"("identifier":[{"system":"urn:ipp"}])"), "required Patient.identifier");
    EXPECT_EQ(first(R"("identifier":[{"system":"urn:ins"}])"),
              "required Patient.identifier[0].value");
    EXPECT_EQ(first(R"("identifier":[)" + ins + "," + ins + "]"), "structure Patient.identifier");
    EXPECT_EQ(first(R"("identifier":[)" + ins + R"(,{"system":"urn:other"}])"),
              "structure Patient.identifier[1]");
    // A profile on top keeps what its base asks for, slices and all.
    ASSERT_TRUE(learn("q", R"({"id":"Patient.identifier:ipp","path":"Patient.identifier",
        "sliceName":"ipp","min":1})",
                      "http://x.example/p"));
    EXPECT_EQ(first(R"("identifier":[)" + ins + "]", "http://x.example/q"),
              "required Patient.identifier");
    EXPECT_EQ(first(R"("identifier":[{"system":"urn:ipp"}])", "http://x.example/q|1.0"),
              "required Patient.identifier");
}

TEST_F(FhirProfile, ExtensionsAreToldByTheirUrl) {
    ASSERT_TRUE(learn("p", R"({"id":"Patient.extension:a","path":"Patient.extension",
        "sliceName":"a","min":1,
        "type":[{"code":"Extension","profile":["http://x.example/ext"]}]})"));
    EXPECT_EQ(first(R"("extension":[{"url":"http://x.example/ext","valueBoolean":true}])"), "");
    EXPECT_EQ(first(R"("extension":[{"url":"http://x.example/no","valueBoolean":true}])"),
              "required Patient.extension");
}

TEST_F(FhirProfile, WhatIsNotKnownIsNotPassedOver) {
    EXPECT_EQ(first(R"("active":true)", "http://x.example/unknown"), "not-found Patient");
    const auto document = parse(
        R"({"resourceType":"Patient","active":true,
            "meta":{"profile":["http://x.example/unknown"]}})");
    EXPECT_TRUE(validate(document->root).issues.empty());
    const auto warned = validate(document->root, {.warnings = true}).issues;
    ASSERT_FALSE(warned.empty());
    EXPECT_TRUE(std::ranges::any_of(
        warned, [](const Issue& issue) { return issue.type == Issue::Type::NotFound; }));
    EXPECT_EQ(first(R"("active":true)", "http://hl7.org/fhir/StructureDefinition/Observation"),
              "structure Patient");
    EXPECT_EQ(first(R"("active":true)", "http://hl7.org/fhir/StructureDefinition/DomainResource"),
              "");
}

TEST_F(FhirProfile, WhatCannotBeCheckedIsNotLearnt) {
    EXPECT_FALSE(learn("a", R"({"id":"Patient.contact","path":"Patient.contact","slicing":{
        "discriminator":[{"type":"profile","path":"$this"}]}})"));
    EXPECT_FALSE(learn("b", "", "http://x.example/unknown"));
    EXPECT_FALSE(learn("c", R"({"id":"Patient","path":"Patient","constraint":[
        {"key":"x-1","expression":"name.("}]})"));
    ASSERT_TRUE(learn("p", R"({"id":"Patient","path":"Patient"})"));
    EXPECT_EQ(learn("p", R"({"id":"Patient","path":"Patient"})").error().code, Code::AlreadyThere);
}

TEST_F(FhirProfile, TheAuditExamplesOfIheKeepTheirProfiles) {
    const char* given = std::getenv("HYGIE_DATA");
    const char* source = std::getenv("HYGIE_SOURCE");
    const fs::path data =
        given ? fs::path(given) : fs::path(source ? source : ".") / "../shared/data";
    const fs::path folder = data / "records/audit";
    if (!fs::exists(folder)) GTEST_SKIP() << "no audit profiles here; set HYGIE_DATA to read them";
    const auto read = [&](const fs::path& path) {
        std::ifstream in(path, std::ios::binary);
        return json(std::string(std::istreambuf_iterator<char>(in), {}));
    };
    Terminology terminology;
    std::deque<Json> left;
    for (const std::string_view kind : {"CodeSystem", "ValueSet", "StructureDefinition"})
        for (const auto& file : fs::directory_iterator(folder / "profiles")) {
            if (!file.path().filename().string().starts_with(kind)) continue;
            const Json resource = read(file.path());
            if (kind == "StructureDefinition")
                left.push_back(resource);
            else
                EXPECT_TRUE(terminology.add(resource)) << file.path();
        }
    // Each base before what stands on it.
    std::size_t tries = left.size() * left.size();
    for (; !left.empty() && tries > 0; --tries) {
        if (!profiles_.add(left.front())) left.push_back(left.front());
        left.pop_front();
    }
    EXPECT_LE(left.size(), 1U) << "one slices by an extension";
    int claimed = 0;
    for (const auto& file : fs::directory_iterator(folder / "examples")) {
        const Json resource = read(file.path());
        claimed += resource["meta"]["profile"] ? 1 : 0;
        const auto outcome = validate(resource, {.terminology = &terminology, .known = &profiles_});
        for (const Issue& issue : outcome.issues)
            ADD_FAILURE() << file.path().filename() << " " << issue.where << ": " << issue.text.en;
    }
    EXPECT_GT(claimed, 40);
}

TEST(FhirProfilesOfR4, VitalSignsAreCheckedInFull) {
    const DefinitionSet& own = DefinitionSet::r4();
    EXPECT_EQ(own.left_out(),
              std::vector<std::string>{"http://hl7.org/fhir/StructureDefinition/lipidprofile"})
        << "it slices by what a reference leads to";
    EXPECT_EQ(own.learnt(), 47U);
    const auto weight = [&](std::string_view unit, std::string_view code) {
        const auto document = parse(
            R"({"resourceType":"Observation","status":"final","category":[{"coding":[{)"
            R"("system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
            R"("code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":")" +
            std::string(code) +
            R"("}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2026-01-02",)"
            R"("valueQuantity":{"value":70,"unit":"x","system":"http://unitsofmeasure.org",)"
            R"("code":")" +
            std::string(unit) + R"("}})");
        const ValidateOptions options{
            .terminology = &own.terminology(),
            .known = &own.profiles(),
            .profiles = {"http://hl7.org/fhir/StructureDefinition/bodyweight"}};
        std::size_t errors = 0;
        for (const Issue& issue : validate(document->root, options).issues)
            errors += issue.severity == Issue::Severity::Error;
        return errors;
    };
    EXPECT_EQ(weight("kg", "29463-7"), 0U);
    EXPECT_GT(weight("cm", "29463-7"), 0U) << "a weight in centimetres";
    EXPECT_GT(weight("kg", "8302-2"), 0U) << "a height";
}
