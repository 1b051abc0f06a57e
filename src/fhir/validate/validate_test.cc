#include "fhir/validate/validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fhir/data/code_shape.h"
#include "fhir/data/validate_xhtml.h"

using namespace hygie;
using namespace hygie::fhir;

namespace {

std::vector<Issue> issues_of(std::string_view text, bool warnings = false) {
    const auto document = parse(text);
    if (!document) return {{Issue::Severity::Error, Issue::Type::Structure, "json", {}}};
    return validate(document->root, {.warnings = warnings}).issues;
}

/// The first issue as "type where"; empty when there is none.
std::string first_of(std::string_view text) {
    const auto issues = issues_of(text);
    if (issues.empty()) return {};
    return std::string(code_of(issues.front().type)) + " " + issues.front().where;
}

/// A patient with these members too.
std::string patient(std::string_view members) {
    return R"({"resourceType":"Patient",)" + std::string(members) + "}";
}
std::string observation(std::string_view members) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" +
           std::string(members) + "}";
}

}  // namespace

TEST(FhirValidate, ElementsAreThoseOfTheDefinition) {
    EXPECT_EQ(first_of(patient(R"("active":true)")), "");
    EXPECT_EQ(first_of(R"({"resourceType":"Nothing"})"), "structure Resource");
    EXPECT_EQ(first_of(R"({"resourceType":"DomainResource"})"), "structure Resource");
    EXPECT_EQ(first_of("[1]"), "structure Resource");
    EXPECT_EQ(first_of(patient(R"("colour":"blue")")), "structure Patient");
    EXPECT_EQ(first_of(patient(R"("name":[{"given":["a"],"nick":"b"}])")),
              "structure Patient.name[0]");
    EXPECT_EQ(first_of(patient(R"("name":{"family":"a"})")), "structure Patient.name");
    EXPECT_EQ(first_of(patient(R"("birthDate":["1970"])")), "structure Patient.birthDate");
    EXPECT_EQ(first_of(patient(R"("name":[])")), "structure Patient.name");
    EXPECT_EQ(first_of(patient(R"("name":[{}])")), "structure Patient.name[0]");
    EXPECT_EQ(first_of(patient(R"("name":["a"])")), "structure Patient.name[0]");
    EXPECT_EQ(first_of(patient(R"("contact":[{"name":{"family":"a"},"resourceType":"x"}])")),
              "structure Patient.contact[0]");
    EXPECT_EQ(first_of(patient(R"("maritalStatus":null)")), "structure Patient.maritalStatus");
}

TEST(FhirValidate, WhatIsMandatoryIsThere) {
    EXPECT_EQ(first_of(R"({"resourceType":"Observation","code":{"text":"x"}})"),
              "required Observation.status");
    EXPECT_EQ(first_of(patient(R"("link":[{"type":"seealso"}])")),
              "required Patient.link[0].other");
    EXPECT_EQ(first_of(patient(R"("link":[{"type":"seealso","other":{"display":"x"}}])")), "");
}

TEST(FhirValidate, AChoiceHasOneForm) {
    EXPECT_EQ(first_of(observation(R"("valueString":"a")")), "");
    EXPECT_EQ(first_of(observation(R"("valueString":"a","valueBoolean":true)")),
              "structure Observation.value");
    EXPECT_EQ(first_of(observation(R"("valueMoney":{"value":1})")), "structure Observation");
}

TEST(FhirValidate, PrimitivesHaveTheirFormat) {
    const std::pair<std::string_view, bool> rows[] = {
        {R"("birthDate":"1970-02-28")", true},
        {R"("birthDate":"1970")", true},
        {R"("birthDate":"1970-02-30")", false},
        {R"("birthDate":"not a date")", false},
        {R"("birthDate":1970)", false},
        {R"("active":"true")", false},
        {R"("multipleBirthInteger":2)", true},
        {R"("multipleBirthInteger":2.5)", false},
        {R"("multipleBirthInteger":99999999999)", false},
        {R"("deceasedDateTime":"2015-02-07T13:28:17+01:00")", true},
        {R"("deceasedDateTime":"2015-02-07T13:28:17")", false},
        {R"("deceasedDateTime":"2015-02-07T13:28")", false},
        {R"("id":"a-b.c")", true},
        {R"("id":"a/b")", false},
        {R"("language":" fr")", false},
        {R"("implicitRules":"http://a b")", false},
        {R"("name":[{"family":""}])", false},
        {R"("name":[{"family":"a\u0007"}])", false},
        {R"("photo":[{"contentType":"image/png","data":"aGk="}])", true},
        {R"("photo":[{"contentType":"image/png","data":"%%%"}])", false},
    };
    for (const auto& [members, valid] : rows)
        EXPECT_EQ(issues_of(patient(members)).empty(), valid) << members;
}

TEST(FhirValidate, APrimitiveMayHaveExtensionsInstead) {
    constexpr std::string_view kUnknown =
        R"([{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode":"unknown"}])";
    const std::string extension(kUnknown);
    EXPECT_EQ(first_of(patient(R"("_birthDate":{"extension":)" + extension + "}")), "");
    EXPECT_EQ(first_of(patient(R"("_birthDate":{"id":"x"})")), "structure Patient.birthDate");
    EXPECT_EQ(first_of(patient(R"("_birthDate":{})")), "structure Patient.birthDate");
    EXPECT_EQ(first_of(patient(R"("_maritalStatus":{"id":"x"})")),
              "structure Patient.maritalStatus");
    EXPECT_EQ(first_of(patient(R"("name":[{"given":["a",null],"_given":[null,{"extension":)" +
                               extension + "}]}]")),
              "");
    EXPECT_EQ(first_of(patient(R"("name":[{"given":["a",null]}])")),
              "structure Patient.name[0].given[1]");
    EXPECT_EQ(first_of(patient(R"("name":[{"given":["a"],"_given":[null,null]}])")),
              "structure Patient.name[0].given");
}

TEST(FhirValidate, ExtensionsOfR4StandWhereR4PutsThem) {
    const auto extension = [](std::string_view name, std::string_view value) {
        return R"("extension":[{"url":"http://hl7.org/fhir/StructureDefinition/)" +
               std::string(name) + R"(",)" + std::string(value) + "}]";
    };
    const std::string place = extension("patient-birthPlace", R"("valueAddress":{"city":"Lyon"})");
    EXPECT_EQ(first_of(patient(place)), "");
    EXPECT_EQ(first_of(patient(R"("name":[{"family":"a",)" + place + "}]")),
              "structure Patient.name[0].extension[0]");
    EXPECT_EQ(first_of(observation(place)), "structure Observation.extension[0]");
    const std::string part = extension("humanname-own-name", R"("valueString":"a")");
    EXPECT_EQ(first_of(patient(R"("name":[{"_family":{)" + part + "}}]")), "");
    EXPECT_EQ(first_of(patient(R"("name":[{"family":"a",)" + part + "}]")),
              "structure Patient.name[0].extension[0]");
    const std::string absent = extension("data-absent-reason", R"("valueCode":"unknown")");

    EXPECT_EQ(first_of(patient(R"("maritalStatus":{)" + absent + "}")), "");
    EXPECT_EQ(
        first_of(R"({"resourceType":"List","status":"current","mode":"working","contained":[)" +
                 patient(place + R"(,"id":"p")") + R"(],"subject":{"reference":"#p"}})"),
        "");
}

TEST(FhirValidate, RequiredCodesAreOfTheirSet) {
    EXPECT_EQ(first_of(patient(R"("gender":"female")")), "");
    EXPECT_EQ(first_of(patient(R"("gender":"femme")")), "code-invalid Patient.gender");
    EXPECT_EQ(first_of(patient(R"("photo":[{"contentType":"picture"}])")),
              "code-invalid Patient.photo[0].contentType");
    constexpr std::string_view kCondition =
        R"({"resourceType":"Condition","subject":{"display":"x"},
        "clinicalStatus":{"coding":[{
         "system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"CODE"}]}})";
    std::string condition(kCondition);
    condition.replace(condition.find("CODE"), 4, "active");
    EXPECT_EQ(first_of(condition), "");
    condition.replace(condition.find("active"), 6, "asleep");
    EXPECT_EQ(first_of(condition), "code-invalid Condition.clinicalStatus");
    EXPECT_EQ(first_of(R"({"resourceType":"Condition","subject":{"display":"x"},
                           "clinicalStatus":{"text":"active"}})"),
              "code-invalid Condition.clinicalStatus")
        << "words are no code";
}

TEST(FhirValidate, WhatTellsSystemsApartIsAbsolute) {
    for (const auto& [system, valid] :
         {std::pair("urn:oid:1.2.250", true), {"http://x.example", true}, {"1.2.250.1", false}}) {
        const std::string at = R"([{"system":")" + std::string(system) + R"(","SAYS":"1"}])";
        std::string identifier = at;
        std::string coding = at;
        identifier.replace(identifier.find("SAYS"), 4, "value");
        coding.replace(coding.find("SAYS"), 4, "code");
        EXPECT_EQ(first_of(patient("\"identifier\":" + identifier)),
                  valid ? "" : "value Patient.identifier[0].system");
        EXPECT_EQ(first_of(patient("\"maritalStatus\":{\"coding\":" + coding + "}")),
                  valid ? "" : "value Patient.maritalStatus.coding[0].system");
    }
    EXPECT_EQ(first_of(patient(R"("extension":[{"url":"colour","valueString":"blue"}])")),
              "value Patient.extension[0].url");
    EXPECT_EQ(first_of(patient(R"("extension":[{"url":"urn:x","extension":[{"url":"colour",)"
                               R"("valueString":"blue"}]}])")),
              "");
}

TEST(FhirValidate, ElementsHaveIdsOfTheirOwn) {
    EXPECT_EQ(first_of(patient(R"("name":[{"id":"a","text":"x"},{"id":"b","text":"x"}])")), "");
    EXPECT_EQ(first_of(patient(R"("name":[{"id":"a","text":"x"}],"_birthDate":{"id":"a"},)"
                               R"("birthDate":"1970")")),
              "structure Patient.birthDate");
    EXPECT_EQ(first_of(patient(R"("id":"a","name":[{"id":"a","text":"x"}])")), "");
}

TEST(FhirValidate, WhatAQuestionDependsOnIsAnotherQuestion) {
    const auto depends_on = [](std::string_view id) {
        return first_of(
            R"({"resourceType":"Questionnaire","status":"draft","item":[)"
            R"({"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"string"}]},)"
            R"({"linkId":"2","type":"group","item":[{"linkId":"2.1","type":"string"}],)"
            R"("enableWhen":[{"question":")" +
            std::string(id) + R"(","operator":"exists","answerBoolean":true}]}]})");
    };
    EXPECT_EQ(depends_on("1.1"), "");
    for (const std::string_view wrong : {"2", "2.1", "3"})
        EXPECT_EQ(depends_on(wrong), "not-found Questionnaire.item[1].enableWhen[0]") << wrong;
}

TEST(FhirValidate, ProfilesCountInNumbers) {
    const auto most = [](std::string_view max) {
        return first_of(
            R"({"resourceType":"StructureDefinition","url":"http://x.example","name":"X",)"
            R"("status":"draft","kind":"resource","abstract":false,"type":"Patient",)"
            R"("baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",)"
            R"("derivation":"constraint","differential":{"element":[{"id":"Patient.name",)"
            R"("path":"Patient.name","max":")" +
            std::string(max) + R"("}]}})");
    };
    EXPECT_EQ(most("1"), "");
    EXPECT_EQ(most("*"), "");
    EXPECT_EQ(most("many"), "invariant StructureDefinition.differential.element[0].max");
}

TEST(FhirValidate, ExtensionsOfR4HoldWhatR4Says) {
    const std::string of_r4 = "http://hl7.org/fhir/StructureDefinition/";
    const auto extended = [&](std::string_view name, std::string_view members) {
        return first_of(patient(R"("extension":[{"url":")" + of_r4 + std::string(name) + "\"," +
                                std::string(members) + "}]"));
    };
    EXPECT_EQ(extended("patient-mothersMaidenName", R"("valueString":"x")"), "");
    EXPECT_EQ(extended("patient-mothersMaidenName", R"("valueCode":"x")"),
              "structure Patient.extension[0]");
    EXPECT_EQ(extended("patient-mothersMaidenName",
                       R"("_valueString":{"extension":[{"url":"urn:x","valueCode":"y"}]})"),
              "");
    EXPECT_EQ(
        extended("patient-mothersMaidenName", R"("extension":[{"url":"urn:x","valueString":"y"}])"),
        "structure Patient.extension[0]");
    EXPECT_EQ(extended("patient-nationality",
                       R"("extension":[{"url":"code","valueCodeableConcept":{"text":"x"}}])"),
              "");
    EXPECT_EQ(extended("patient-nationality", R"("valueString":"x")"),
              "structure Patient.extension[0]");
    EXPECT_EQ(extended("data-absent-reason", R"("valueCode":"unknown")"), "");
    EXPECT_EQ(extended("data-absent-reason", R"("valueCode":"lost")"),
              "code-invalid Patient.extension[0].value");
    EXPECT_EQ(extended("data-absent-reason", R"("_valueCode":{"id":"a"},"valueCode":"lost")"),
              "code-invalid Patient.extension[0].value");
    // The codes of what describes definitions go on: a working group of today.
    EXPECT_EQ(extended("structuredefinition-wg", R"("valueCode":"cgp")"), "");
    EXPECT_EQ(extended("structuredefinition-wg", R"("valueString":"cgp")"),
              "structure Patient.extension[0]");
    EXPECT_EQ(extended("of-nobody", R"("valueCode":"x")"), "");
}

TEST(FhirValidate, RulesOfTheDefinitionAreKept) {
    EXPECT_EQ(first_of(patient(R"("contact":[{"gender":"male"}])")),
              "invariant Patient.contact[0]");
    EXPECT_EQ(first_of(observation(R"("valueString":"a","dataAbsentReason":{"text":"b"})")),
              "invariant Observation");
    EXPECT_EQ(
        first_of(observation(R"("effectivePeriod":{"start":"2020-02-02","end":"2020-01-01"})")),
        "invariant Observation.effective");
    EXPECT_EQ(
        first_of(observation(R"("effectivePeriod":{"start":"2020-02-02","end":"2020-02-02"})")),
        "");
    EXPECT_EQ(first_of(observation(R"("valueQuantity":{"value":1,"code":"mg"})")),
              "invariant Observation.value");
    EXPECT_EQ(first_of(observation(R"("referenceRange":[{"appliesTo":[{"text":"a"}]}])")),
              "invariant Observation.referenceRange[0]");
    EXPECT_EQ(first_of(patient(R"("extension":[{"url":"http://x.example"}])")),
              "invariant Patient.extension[0]");
    EXPECT_EQ(first_of(patient(R"("extension":[{"valueString":"a"}])")),
              "required Patient.extension[0].url");
}

TEST(FhirValidate, RulesThatWarnAreAskedFor) {
    EXPECT_TRUE(issues_of(patient(R"("active":true)")).empty());
    const auto issues = issues_of(patient(R"("active":true)"), true);
    ASSERT_EQ(issues.size(), 1U);
    EXPECT_EQ(issues.front().severity, Issue::Severity::Warning);
    EXPECT_TRUE(issues.front().text.en.starts_with("Rule dom-6"));
}

TEST(FhirValidate, WordsThatNameAnotherCodeAreWarnedOf) {
    const auto warned = [](const std::string& words) {
        return std::ranges::count_if(
            issues_of(R"({"resourceType":"Encounter","status":"finished","class":{"system":)"
                      R"("http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"EMER",)"
                      R"("display":")" +
                          words + "\"}}",
                      true),
            [](const Issue& issue) {
                return issue.where == "Encounter.class.display" &&
                       issue.severity == Issue::Severity::Warning;
            });
    };
    EXPECT_EQ(warned("ambulatory"), 1);
    EXPECT_EQ(warned("Ambulatory"), 1);
    EXPECT_EQ(warned("Emergency"), 0);
    EXPECT_EQ(warned("EMER"), 0);
    EXPECT_EQ(warned("urgences"), 0) << "a translation";
}

TEST(FhirValidate, ReferencesMeanTheTypesAllowed) {
    EXPECT_EQ(first_of(observation(R"("subject":{"reference":"Patient/1"})")), "");
    EXPECT_EQ(first_of(observation(R"("subject":{"reference":"http://a.example/fhir/Patient/1"})")),
              "");
    EXPECT_EQ(first_of(observation(R"("subject":{"reference":"Medication/1"})")),
              "structure Observation.subject");
    EXPECT_EQ(first_of(observation(R"("subject":{"type":"Medication","display":"x"})")),
              "structure Observation.subject");
    EXPECT_EQ(first_of(observation(R"("subject":{"reference":"Patient/1","type":"Group"})")),
              "structure Observation.subject");
    EXPECT_EQ(first_of(observation(R"("focus":[{"reference":"Medication/1"}])")), "");
}

TEST(FhirValidate, ContainedResourcesAreReferredTo) {
    const std::string contained = R"("contained":[{"resourceType":"Patient","id":"p"}],)";
    EXPECT_EQ(first_of(observation(contained + R"("subject":{"reference":"#p"})")), "");
    EXPECT_EQ(first_of(observation(contained + R"("subject":{"reference":"#q"})")),
              "invariant Observation.subject");
    EXPECT_EQ(first_of(observation(contained + R"("subject":{"display":"x"})")),
              "invariant Observation.contained[0]");
    EXPECT_EQ(first_of(observation(R"("contained":[{"resourceType":"Medication","id":"p"}],)"
                                   R"("subject":{"reference":"#p"})")),
              "structure Observation.subject");
    EXPECT_EQ(first_of(observation(
                  R"("contained":[{"resourceType":"Patient","id":"p"},)"
                  R"({"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"})")),
              "structure Observation.contained[1]");
    // Provenance-like: what refers to its container needs nobody else.
    EXPECT_EQ(first_of(observation(
                  R"("contained":[{"resourceType":"Condition","id":"c",)"
                  R"("subject":{"display":"x"},"evidence":[{"detail":[{"reference":"#"}]}]}])")),
              "");
    EXPECT_EQ(first_of(observation(R"("contained":[{"resourceType":"Patient","id":"p",)"
                                   R"("meta":{"versionId":"1"}}],"subject":{"reference":"#p"})")),
              "invariant Observation.contained[0]");
}

TEST(FhirValidate, NarrativesAreHarmless) {
    const auto narrative = [](std::string_view inside) {
        return check_narrative("<div xmlns=\"http://www.w3.org/1999/xhtml\">" +
                               std::string(inside) + "</div>")
            .has_value();
    };
    EXPECT_TRUE(narrative("<p style=\"color: red\">a <b>b</b> &#233; &amp;</p><br/>"));
    EXPECT_FALSE(narrative("<script>alert(1)</script>"));
    EXPECT_FALSE(narrative("<p onclick=\"x()\">a</p>"));
    EXPECT_FALSE(narrative("<a href=\"java\tscript:x()\">a</a>"));
    EXPECT_FALSE(narrative("<a href=\"&#106;avascript:x()\">a</a>"));
    EXPECT_FALSE(narrative("<p>a"));
    EXPECT_FALSE(narrative("&nbsp;"));
    EXPECT_FALSE(narrative(" "));
    EXPECT_FALSE(check_narrative("<div>a</div>").has_value());
    EXPECT_EQ(first_of(patient(R"("text":{"status":"generated","div":"<div>a</div>"})")),
              "invariant Patient.text.div");
}

TEST(FhirValidate, BundlesHoldTogether) {
    const auto bundle = [](std::string_view type, std::string_view members) {
        return first_of(R"({"resourceType":"Bundle","type":")" + std::string(type) + R"(",)" +
                        std::string(members) + "}");
    };
    const std::string entry =
        R"({"fullUrl":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "resource":{"resourceType":"Medication"}})";
    EXPECT_EQ(bundle("collection", R"("entry":[)" + entry + "]"), "");
    EXPECT_EQ(bundle("collection", R"("entry":[)" + entry + "," + entry + "]"),
              "invariant Bundle.entry[1]");
    EXPECT_EQ(bundle("collection", R"("total":1)"), "invariant Bundle");
    EXPECT_EQ(bundle("collection",
                     R"("entry":[{"fullUrl":"Patient/1","resource":{"resourceType":"Patient"}}])"),
              "value Bundle.entry[0]");
    EXPECT_EQ(bundle("searchset",
                     R"("link":[{"relation":"self","url":"a"},{"relation":"self","url":"b"}])"),
              "structure Bundle.link[1]");
    EXPECT_EQ(bundle("collection", R"("entry":[{"resource":{"resourceType":"Observation"}}])"),
              "required Bundle.entry[0].resource.status");
    const auto nowhere = issues_of(
        R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)" +
            observation(
                R"("subject":{"reference":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c0"})") +
            "}]}",
        true);
    EXPECT_TRUE(std::ranges::any_of(nowhere, [](const Issue& issue) {
        return issue.type == Issue::Type::NotFound && issue.severity == Issue::Severity::Warning;
    }));
    // A reference is followed to the entry that it means.
    EXPECT_EQ(
        bundle(
            "collection",
            R"("entry":[)" + entry +
                R"(,{"fullUrl":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c9","resource":)" +
                observation(
                    R"("subject":{"reference":"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"})") +
                "}]"),
        "structure Bundle.entry[1].resource.subject");
}

TEST(FhirValidate, ADocumentHoldsWhatItsCompositionRefersTo) {
    const auto document = [](std::string_view author, std::string_view section,
                             std::string_view id) {
        return first_of(
            R"({"resourceType":"Bundle","type":"document","timestamp":"2026-01-01T00:00:00Z",)"
            R"("identifier":{"system":"urn:x","value":"1"},"entry":[)"
            R"({"fullUrl":"http://x.example/Composition/c","resource":{)"
            R"("resourceType":"Composition","id":"c","status":"final","type":{"text":"x"},)"
            R"("date":"2026","title":"x","author":[{"reference":")" +
            std::string(author) + R"("}],"section":[{"title":"x","section":[{"entry":[)" +
            std::string(section) + R"(]}]}]}},{"fullUrl":"http://x.example/Patient/)" +
            std::string(id) + R"(","resource":{"resourceType":"Patient","id":"p"}}]})");
    };
    constexpr std::string_view kPart = R"({"display":"x"})";
    EXPECT_EQ(document("Patient/p", kPart, "p"), "");
    EXPECT_EQ(document("http://x.example/Patient/p", kPart, "p"), "");
    EXPECT_EQ(document("Patient/p", R"({"reference":"Patient/p/_history/2"})", "p"), "");
    EXPECT_EQ(document("Practitioner/d", kPart, "p"), "not-found Bundle.entry[0]");
    EXPECT_EQ(document("Patient/p", R"({"reference":"Observation/o"})", "p"),
              "not-found Bundle.entry[0]");
}

TEST(FhirValidate, OnlyWhatRepeatsBeginsWithSeveralAnswers) {
    const auto item = [](std::string_view members) {
        return first_of(R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1",)"
                        R"("type":"string","initial":[{"valueString":"a"},{"valueString":"b"}])" +
                        std::string(members) + "}]}");
    };
    EXPECT_EQ(item(R"(,"repeats":true)"), "");
    EXPECT_EQ(item(R"(,"repeats":false)"), "invariant Questionnaire.item[0]");
    EXPECT_EQ(item(""), "invariant Questionnaire.item[0]");
}

TEST(FhirValidate, CodesOfLargeSystemsAreKnownByTheirShape) {
    EXPECT_EQ(fit_of("http://snomed.info/sct", "22298006"), CodeFit::Fits);
    EXPECT_EQ(fit_of("http://snomed.info/sct", "22298007"), CodeFit::WrongKey);
    EXPECT_EQ(fit_of("http://snomed.info/sct", "22298x"), CodeFit::WrongShape);
    EXPECT_EQ(fit_of("http://snomed.info/sct", "22298006:363698007=80891009"), CodeFit::Fits);
    EXPECT_EQ(fit_of("http://loinc.org", "8310-5"), CodeFit::Fits);
    EXPECT_EQ(fit_of("http://loinc.org", "8310-6"), CodeFit::WrongKey);
    EXPECT_EQ(fit_of("http://loinc.org", "8310"), CodeFit::WrongShape);
    EXPECT_EQ(fit_of("http://x.example", "8310"), CodeFit::Fits);
}

TEST(FhirValidate, CurrenciesAreThoseOfTheStandard) {
    const auto invoice = [](std::string_view currency) {
        return first_of(R"({"resourceType":"Invoice","status":"issued","totalNet":{"currency":")" +
                        std::string(currency) + R"("}})");
    };
    EXPECT_EQ(invoice("EUR"), "");
    EXPECT_EQ(invoice("EURO"), "code-invalid Invoice.totalNet.currency");
}

TEST(FhirValidate, StopsAtTheNumberOfIssuesAskedFor) {
    std::string names;
    for (int i = 0; i < 500; ++i) names += i == 0 ? R"("")" : R"(,"")";
    const auto document = parse(patient(R"("name":[{"given":[)" + names + "]}]"));
    EXPECT_EQ(validate(document->root, {.issues_max = 7}).issues.size(), 7U);
}

TEST(FhirValidate, IssuesHoldNothingOfTheInput) {
    const auto issues = issues_of(
        patient(R"("Dupont":"Dupont","gender":"Dupont","birthDate":"Dupont","name":[{"family":1}],)"
                R"("identifier":[{"Dupont":1}])"),
        true);
    EXPECT_GE(issues.size(), 5U);
    for (const Issue& issue : issues)
        EXPECT_FALSE((issue.where + issue.text.fr + issue.text.en).contains("Dupont"));
}
