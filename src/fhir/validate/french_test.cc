#include "fhir/validate/french.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace hygie;
using namespace hygie::fhir;

namespace {

constexpr std::string_view kTest = "urn:oid:1.2.250.1.213.1.4.10";

/// A patient who keeps every rule; `change` replaces the first text by the second.
std::string person(std::string_view from = {}, std::string_view to = {}) {
    std::string text = R"({"resourceType":"Patient",
 "meta":{"profile":["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"]},
 "extension":[
  {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability",
   "extension":[{"url":"identityStatus","valueCoding":{
    "system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445","code":"VALI"}}]},
  {"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{
   "city":"Saint-Brieuc","extension":[
    {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",
     "valueCoding":{"code":"22278"}}]}}],
 "identifier":[{"use":"official","system":"urn:oid:1.2.250.1.213.1.4.10",
  "type":{"coding":[{"code":"INS-NIR-TEST"}]},"value":"213022299082985"}],
 "name":[{"use":"official","family":"DIALLO","given":["OKSANA"],"extension":[
  {"url":"https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name",
   "valueString":"OKSANA AICHA"}]}],
 "gender":"female","birthDate":"2013-02-06"})";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return text;
}

std::string first_of(const std::string& text) {
    const auto document = parse(text);
    const auto issues = validate(document->root).issues;
    return issues.empty() ? "" : issues.front().where;
}

}  // namespace

TEST(French, AMatriculeHasItsShapeAndKey) {
    EXPECT_EQ(fit_of_ins(kTest, "213022299082985"), InsFit::Fits);
    EXPECT_EQ(fit_of_ins(kTest, "185052A99012361"), InsFit::Fits) << "Corse-du-Sud";
    EXPECT_EQ(fit_of_ins(kTest, "285052B99012338"), InsFit::Fits) << "Haute-Corse";
    EXPECT_EQ(fit_of_ins(kTest, "213022299082986"), InsFit::WrongKey);
    EXPECT_EQ(fit_of_ins(kTest, "213022299089285"), InsFit::WrongKey);
    EXPECT_EQ(fit_of_ins(kTest, "21302229908298"), InsFit::WrongShape);
    EXPECT_EQ(fit_of_ins(kTest, "2130222990829850"), InsFit::WrongShape);
    EXPECT_EQ(fit_of_ins(kTest, "213O22299082985"), InsFit::WrongShape);
    EXPECT_EQ(fit_of_ins(kTest, "913022299082985"), InsFit::WrongShape);
    EXPECT_EQ(fit_of_ins("urn:oid:1.2.3", "213022299082986"), InsFit::NotIns);
}

TEST(French, AgreesWithTheListOfNumbers) {
    const char* given = std::getenv("HYGIE_DATA");
    const char* source = std::getenv("HYGIE_SOURCE");
    const std::filesystem::path data =
        given ? std::filesystem::path(given)
              : std::filesystem::path(source ? source : ".") / "../shared/data";
    std::ifstream in(data / "records/french/ins.csv");
    if (!in) GTEST_SKIP() << "no list of numbers here; set HYGIE_DATA to read it";
    std::string line;
    std::getline(in, line);
    int numbers = 0;
    for (; std::getline(in, line); ++numbers) {
        std::istringstream fields(line);
        std::string value, system, valid;
        std::getline(fields, value, ',');
        std::getline(fields, system, ',');
        std::getline(fields, valid, ',');
        EXPECT_EQ(fit_of_ins(system, value) == InsFit::Fits, valid == "yes") << line;
    }
    EXPECT_EQ(numbers, 348);
}

TEST(French, AWrongNumberIsRefusedInAnyPatient) {
    const auto patient = [](std::string_view value) {
        return first_of(R"({"resourceType":"Patient","identifier":[{"system":")" +
                        std::string(kTest) + R"(","value":")" + std::string(value) + R"("}]})");
    };
    EXPECT_EQ(patient("213022299082985"), "");
    EXPECT_EQ(patient("213022299082984"), "Patient.identifier[0].value");
    EXPECT_EQ(patient("not a number"), "Patient.identifier[0].value");
}

TEST(French, AValidatedIdentityHasANumber) {
    const auto text = person("urn:oid:1.2.250.1.213.1.4.10", "urn:oid:1.2.250.1.71.4.2.7");
    EXPECT_EQ(first_of(text), "Patient.identifier");
    EXPECT_TRUE(has_qualified_identity(parse(person())->root));
    EXPECT_FALSE(has_qualified_identity(parse(text)->root));
    EXPECT_FALSE(has_qualified_identity(parse(person("VALI", "PROV"))->root));
    EXPECT_FALSE(has_qualified_identity(parse(person("082985", "082984"))->root));
}

TEST(French, TheProfileOfAPatientWithInsIsKept) {
    EXPECT_EQ(first_of(person()), "");
    EXPECT_EQ(first_of(person("fr-core-identity-reliability", "other")), "Patient.extension");
    EXPECT_EQ(first_of(person("fr-core-address-insee-code", "other")), "Patient.extension");
    EXPECT_EQ(first_of(person(R"("use":"official","system")", R"("use":"usual","system")")),
              "Patient.identifier[0].use");
    EXPECT_EQ(first_of(person("INS-NIR-TEST", "MR")), "Patient.identifier[0].type");
    EXPECT_EQ(first_of(person(R"("OKSANA"])", R"("OKSANA","AICHA"])")), "Patient.name[0].given");
    EXPECT_EQ(first_of(person("birth-list-given-name", "other")), "Patient.name[0].extension");
    EXPECT_EQ(first_of(person(R"("official","family")", R"("usual","family")")), "Patient.name");
    EXPECT_EQ(first_of(person(R"("gender":"female")", R"("gender":"other")")), "Patient.gender");
    EXPECT_EQ(first_of(person(R"(,"birthDate":"2013-02-06")", "")), "Patient.birthDate");
}

TEST(French, StrictTraitsAreComparedAsSpelled) {
    const auto before = parse(person());
    const auto traits = [&](std::string_view from, std::string_view to) {
        const auto after = parse(person(from, to));
        return changed_traits(before->root, after->root);
    };
    using Traits = std::vector<Trait>;
    EXPECT_EQ(traits("DIALLO", "diallo"), Traits{});
    EXPECT_EQ(traits("\"DIALLO\"", "\"DIOP\""), Traits{Trait::BirthName});
    EXPECT_EQ(traits("OKSANA AICHA", "OKSANA"), Traits{Trait::GivenNames});
    EXPECT_EQ(traits("\"gender\":\"female\"", "\"gender\":\"male\""), Traits{Trait::Sex});
    EXPECT_EQ(traits("2013-02-06", "2013-02-16"), Traits{Trait::BirthDate});
    EXPECT_EQ(traits("22278", "35238"), Traits{Trait::BirthPlace});
    EXPECT_EQ(traits("\"birthDate\":\"2013-02-06\"", "\"active\":true"), Traits{Trait::BirthDate});
    const auto bare = parse(R"({"resourceType":"Patient"})");
    EXPECT_EQ(changed_traits(bare->root, before->root), Traits{}) << "what was not there is added";
}

TEST(French, ANumberAndTheTraitsBesideIt) {
    const auto against = [](std::string_view from, std::string_view to) {
        const auto patient = parse(person(from, to));
        return traits_against_ins(patient->root);
    };
    using Traits = std::vector<Trait>;
    EXPECT_EQ(against("", ""), Traits{});
    EXPECT_EQ(against("\"gender\":\"female\"", "\"gender\":\"male\""), Traits{Trait::Sex});
    EXPECT_EQ(against("\"gender\":\"female\"", "\"gender\":\"unknown\""), Traits{});
    EXPECT_EQ(against("2013-02-06", "2013-03-06"), Traits{Trait::BirthDate});
    EXPECT_EQ(against("2013-02-06", "1913"), Traits{}) << "two digits of a year";
    EXPECT_EQ(against("\"use\":\"official\",\"system\"", "\"use\":\"old\",\"system\""), Traits{});
}
