#include <gtest/gtest.h>

#include <thread>

#include "guards/records/door/door_kit.h"
#include "guards/records/request/negotiate.h"

namespace hygie::records {
namespace {

using namespace kit;
using vault::kit::observation;

TEST(Operation, ValidateTellsWithoutStoring) {
    House house;
    const auto good = house.post(house.anne, "Observation/$validate", observation("x", "a"));
    EXPECT_EQ(good.status, 200) << good.body;
    const auto bad = house.post(house.anne, "Observation/$validate",
                                R"({"resourceType":"Observation","status":"nonsense",)"
                                R"("code":{"text":"x"},"subject":{"reference":"Patient/a"}})");
    EXPECT_EQ(bad.status, 200);
    EXPECT_TRUE(bad.body.contains("Observation.status")) << bad.body;
    EXPECT_TRUE(bad.body.contains(R"("severity":"error")"));
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_summary=count").json()["total"].text(),
              "2");
}

TEST(Operation, WhatIsNotValidIsNotStored) {
    House house;
    for (const std::string bad :
         {R"("status":"nonsense","code":{"text":"x"})", R"("code":{"text":"x"})",
          R"("status":"final","code":{"text":"x"},"unknown":1)",
          R"("status":"final","code":{"text":"x"},"effectiveDateTime":"2026-02-31")",
          R"("status":"final","code":{"text":"x"},"valueString":"a","valueInteger":1)"}) {
        const auto refused =
            house.post(house.anne, "Observation",
                       R"({"resourceType":"Observation","subject":{"reference":"Patient/a"},)" +
                           std::string(bad) + "}");
        EXPECT_EQ(refused.status, 400) << bad << refused.body;
        EXPECT_TRUE(refused.body.contains("Observation")) << refused.body;
    }
}

TEST(Operation, WhatMaySpeakOfAPatientIsOpenToHisCircleAlone) {
    House house;
    for (const std::string body :
         {R"({"resourceType":"Observation","status":"final","code":{"text":"x"}})",
          R"({"resourceType":"Binary","contentType":"text/plain","data":"TWFydGlu"})",
          R"({"resourceType":"Bundle","type":"collection"})"}) {
        const std::string type = body.substr(17, body.find('"', 17) - 17);
        const auto of_nobody = house.post(house.anne, type, body);
        ASSERT_EQ(of_nobody.status, 201) << of_nobody.body;
        EXPECT_EQ(house.get(house.bob, type + '/' + of_nobody.id()).status, 404) << body;
    }
    const auto letter =
        house.post(house.anne, "Binary",
                   R"({"resourceType":"Binary","contentType":"text/plain","data":"TWFydGlu",)"
                   R"("securityContext":{"reference":"Patient/a"}})");
    ASSERT_EQ(letter.status, 201) << letter.body;
    EXPECT_EQ(house.get(house.bob, "Binary/" + letter.id()).status, 404);
    const auto task = house.post(house.anne, "Task",
                                 R"({"resourceType":"Task","status":"requested","intent":"order",)"
                                 R"("for":{"reference":"Patient/a"}})");
    ASSERT_EQ(task.status, 201) << task.body;
    EXPECT_EQ(house.get(house.bob, "Task/" + task.id()).status, 404);
    const std::vector<std::string> found = {"Task/" + task.id()};
    EXPECT_EQ(house.get(house.anne, "Task?patient=Patient/a").references(), found);
    EXPECT_EQ(house.get(house.anne, "Task?status=requested").references(), found);
    EXPECT_TRUE(house.get(house.bob, "Task?status=requested").references().empty());
}

TEST(Operation, MetaIsAddedAndTaken) {
    House house;
    const std::string label =
        R"({"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":)"
        R"({"tag":[{"system":"urn:essai","code":"a-revoir"}]}}]})";
    const auto added = house.post(house.anne, "Observation/oa1/$meta-add", label);
    ASSERT_EQ(added.status, 200) << added.body;
    EXPECT_TRUE(house.get(house.anne, "Observation/oa1/$meta").body.contains("a-revoir"));
    EXPECT_EQ(house.get(house.anne, "Observation?patient=a&_tag=urn:essai|a-revoir").references(),
              std::vector<std::string>{"Observation/oa1"});
    ASSERT_EQ(house.post(house.anne, "Observation/oa1/$meta-delete", label).status, 200);
    EXPECT_FALSE(house.get(house.anne, "Observation/oa1/$meta").body.contains("a-revoir"));
}

std::string merging(const std::string& source, const std::string& more = {}) {
    return R"({"resourceType":"Parameters","parameter":[)"
           R"({"name":"source-patient","valueReference":{"reference":"Patient/)" +
           source + R"("}},{"name":"target-patient","valueReference":{"reference":"Patient/a"}})" +
           more + "]}";
}

TEST(Operation, AMergeIsShownBeforeItIsDone) {
    House house;
    house.trace.take();
    const std::string preview = R"(,{"name":"preview","valueBoolean":true})";
    const auto shown = house.post(house.anne, "Patient/$merge", merging("b", preview));
    ASSERT_EQ(shown.status, 200) << shown.body;
    EXPECT_EQ(house.trace.take().size(), 2U) << "both were read";
    const fhir::Json kept = shown.json()["parameter"].items()[1]["resource"];
    EXPECT_EQ(kept["link"].items()[0]["type"].text(), "replaces") << shown.body;
    EXPECT_EQ(house.get(house.anne, "Observation/ob1").json()["subject"]["reference"].text(),
              "Patient/b");
    EXPECT_FALSE(house.get(house.anne, "Patient/b").body.contains("replaced-by"));
    EXPECT_EQ(house.post(house.anne, "Patient/$merge", merging("c", preview)).status, 404);
}

TEST(Operation, TwoRecordsOfOnePersonAreMerged) {
    House house;
    const auto merged = house.post(house.anne, "Patient/$merge", merging("b"));
    ASSERT_EQ(merged.status, 200) << merged.body;
    EXPECT_EQ(house.get(house.anne, "Observation/ob1").json()["subject"]["reference"].text(),
              "Patient/a");
    EXPECT_EQ(house.get(house.anne, "CareTeam/team-b").status, 200) << "now of the one record";
    const auto source = house.get(house.program, "Patient/b");
    ASSERT_EQ(source.status, 200) << source.body;
    EXPECT_EQ(source.json()["active"].text(), "false");
    EXPECT_EQ(source.json()["link"].items()[0]["type"].text(), "replaced-by");
    EXPECT_EQ(house.post(house.anne, "Patient/$merge", merging("c")).status, 404);
}

TEST(Operation, ValidatingSaysWhatWritingWouldSay) {
    House house;
    std::string before_birth = vault::kit::observation("x", "a");
    const std::string_view day = "2026-03-02";
    before_birth.replace(before_birth.find(day), day.size(), "1950-03-02");
    const auto written = house.post(house.anne, "Observation", before_birth);
    ASSERT_EQ(written.status, 201);
    ASSERT_EQ(written.header("X-Warnings"), "1");
    house.trace.take();
    const auto judged = house.post(house.anne, "Observation/$validate", before_birth);
    EXPECT_TRUE(judged.body.contains("naissance")) << judged.body;
    const auto events = house.trace.take();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events.front().subject.patient.str(), "a") << "looked at beside this record";
    EXPECT_FALSE(
        house.post(house.bob, "Observation/$validate", before_birth).body.contains("naissance"));
}

TEST(Operation, ValidatingAnswersForTheModeItIsAskedIn) {
    House house;
    const auto ask = [&](const std::string& url, const std::string& mode,
                         const std::string& resource = {}) {
        std::string body = R"({"resourceType":"Parameters","parameter":[{"name":"mode",)"
                           R"("valueCode":")" +
                           mode + "\"}";
        if (!resource.empty()) body += R"(,{"name":"resource","resource":)" + resource + "}";
        return house.post(house.anne, url + "/$validate", body + "]}");
    };
    const auto is_fine = [](const Answered& answer) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        return !answer.body.contains(R"("severity":"error")");
    };
    EXPECT_TRUE(is_fine(ask("Observation/oa1", "delete")));
    EXPECT_FALSE(is_fine(ask("Patient/a", "delete"))) << "the record would be left without";
    EXPECT_EQ(house.get(house.anne, "Observation/oa1").status, 200) << "nothing is deleted";
    EXPECT_EQ(ask("Observation/oc1", "delete").status, 404) << "of Bob's patient";
    const std::string own = observation("oa1", "a");
    EXPECT_TRUE(is_fine(ask("Observation/oa1", "update", own)));
    EXPECT_FALSE(is_fine(ask("Observation/oa2", "update", own))) << "another id";
    EXPECT_TRUE(is_fine(ask("Observation", "create", own)));
    EXPECT_TRUE(is_fine(ask("Observation", "profile", own)));
    for (const std::string at_instance_alone : {"update", "delete", "nonsense"})
        EXPECT_EQ(ask("Observation", at_instance_alone, own).status, 400) << at_instance_alone;
}

TEST(Operation, AnExportIsSealedTracedAndOpensForItsOwnerOnly) {
    House house;
    const Sent by_person{.url = "Patient/$export", .headers = {{"prefer", "respond-async"}}};
    EXPECT_EQ(house.ask(house.anne, by_person).status, 403);
    const auto started = house.ask(house.program, {.url = "Patient/$export?_type=Observation",
                                                   .headers = {{"prefer", "respond-async"}}});
    ASSERT_EQ(started.status, 202) << started.body;
    const std::string status =
        started.header("Content-Location").substr(sizeof "https://hygie.test" - 1);
    Answered ready;
    for (int i = 0; i < 2000 && ready.status != 200; ++i) {
        ready = house.get(house.program, status);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(ready.status, 200) << ready.body;
    const auto expires = parse_http_date(ready.header("Expires"));
    ASSERT_TRUE(expires) << ready.header("Expires");
    EXPECT_GT(*expires, house.machine.clock.now());
    ASSERT_EQ(ready.json()["output"].size(), 1U) << ready.body;
    const std::string url(ready.json()["output"].items()[0]["url"].text());
    const std::string file = url.substr(sizeof "https://hygie.test" - 1);
    const auto lines = house.get(house.program, file);
    ASSERT_EQ(lines.status, 200);
    EXPECT_TRUE(lines.body.contains("\"oa1\"") && lines.body.contains("\"ob1\"")) << lines.body;
    const auto another = with_role("autre", access::Role::Program);
    EXPECT_EQ(house.get(another, file).status, 404);
    EXPECT_EQ(house.get(house.bob, file).status, 404);
    EXPECT_EQ(house.get(house.bob, status).status, 404);
    std::set<std::string> told;
    for (const auto& event : house.trace.take()) {
        if (event.type == event::Type::RecordExported) told.insert(event.subject.patient.str());
    }
    EXPECT_TRUE(told.contains("a") && told.contains("b"));
    EXPECT_EQ(house.ask(house.program, {.method = "DELETE", .url = status}).status, 202);
    EXPECT_EQ(house.get(house.program, file).status, 404);
}

/// https://hl7.org/fhir/uv/bulkdata/STU2/export.html#query-parameters
TEST(Operation, AnExportLeavesOutWhatItDoesNotKnowWhereItMay) {
    House house;
    const auto started = [&](const std::string& query, const std::string& prefer) {
        return house.ask(house.program,
                         {.url = "Patient/$export?" + query, .headers = {{"prefer", prefer}}});
    };
    EXPECT_EQ(started("_elements=id", "respond-async").status, 400);
    EXPECT_EQ(started("_elements=id", "respond-async, handling=lenient").status, 202);
    EXPECT_EQ(started("_outputFormat=xml", "respond-async, handling=lenient").status, 400);
    // A comma in a query is no end of it; the next query has its own "?".
    const std::string filters =
        "_typeFilter=Observation%3Fstatus%3Dfinal,amended,Patient%3Factive"
        "%3Dtrue";
    EXPECT_EQ(started(filters, "respond-async").status, 202);
    EXPECT_EQ(started("_typeFilter=status%3Dfinal", "respond-async").status, 400);
}

TEST(Operation, AnExportLeavesNothingOnTheDisk) {
    House house;
    auto& disk = house.machine.disk;
    const std::string left = "exports/0123456789abcdef0123456789abcdef";
    ASSERT_TRUE(disk.make_dirs(left));
    ASSERT_TRUE(disk.replace_file(left + "/Patient-1", as_bytes("sealed")));
    house.restart();
    EXPECT_TRUE(disk.list("exports")->empty()) << "of a process that was killed";
    const Sent asks{.url = "Patient/$export", .headers = {{"prefer", "respond-async"}}};
    for (int i = 0; i < 7; ++i)
        EXPECT_EQ(house.ask(house.program, asks).status, i < 4 ? 202 : 413) << i;
    EXPECT_EQ(disk.list("exports")->size(), 4U) << "what is refused takes no room";
    house.restart();
    EXPECT_TRUE(disk.list("exports")->empty());
}

TEST(Operation, AProgramImportsLines) {
    House house;
    const Sent lines{.method = "POST",
                     .url = "$import",
                     .body = vault::kit::patient("imported", "Ligne") + "\n" +
                             observation("i1", "imported") + "\n",
                     .headers = {{"content-type", "application/fhir+ndjson"}}};
    EXPECT_EQ(house.ask(house.anne, lines).status, 403);
    const auto imported = house.ask(house.program, lines);
    ASSERT_EQ(imported.status, 200) << imported.body;
    EXPECT_EQ(house.get(house.program, "Observation/i1").status, 200);
}

TEST(Contradiction, IsToldAndKept) {
    House house;
    const auto shot = [](const std::string& day) {
        return R"({"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[)"
               R"({"system":"http://hl7.org/fhir/sid/cvx","code":"140"}]},)"
               R"("patient":{"reference":"Patient/a"},"occurrenceDateTime":")" +
               day + "\"}";
    };
    const http::Headers outcome = {{"prefer", "return=OperationOutcome"}};
    EXPECT_FALSE(house.post(house.anne, "Immunization", shot("2026-01-05"), outcome)
                     .body.contains("warning"));
    const auto again = house.post(house.anne, "Immunization", shot("2026-01-15"), outcome);
    EXPECT_EQ(again.status, 201);
    EXPECT_TRUE(again.body.contains(R"("severity":"warning")")) << again.body;
    EXPECT_FALSE(house.post(house.anne, "Immunization", shot("2026-03-15"), outcome)
                     .body.contains("warning"));
    const auto kept = house.get(house.anne, "DetectedIssue?patient=a");
    ASSERT_EQ(kept.references().size(), 1U) << kept.body;
    EXPECT_TRUE(kept.body.contains("DOSEIVL"));
    EXPECT_EQ(house.get(house.bob, "DetectedIssue?patient=a").references().size(), 0U);
}

std::string prescription(const std::string& medicine, const std::string& dose) {
    return R"({"resourceType":"MedicationRequest","status":"active","intent":"order",)"
           R"("authoredOn":"2026-01-10","requester":{"display":"Dr Anne"},)"
           R"("medicationCodeableConcept":{"coding":[)" +
           medicine + R"(]},"subject":{"reference":"Patient/a"},)" +
           R"("dosageInstruction":[{"doseAndRate":[{"doseQuantity":)" + dose + "}]}]}";
}

constexpr char kBareObservation[] =
    R"({"resourceType":"Observation","status":"final","code":{"text":"poids"},)"
    R"("subject":{"reference":"Patient/a"},"effectiveDateTime":"2026-01-10")";

TEST(Complete, WhatR4AllowsIsStoredAndWhatItLacksIsTold) {
    House house;
    const http::Headers outcome = {{"prefer", "return=OperationOutcome"}};
    const auto told =
        house.post(house.anne, "Observation", std::string(kBareObservation) + "}", outcome);
    EXPECT_EQ(told.status, 201) << told.body;
    EXPECT_TRUE(told.body.contains(R"("severity":"warning")")) << told.body;
    EXPECT_TRUE(told.body.contains("Observation.value")) << told.body;
    EXPECT_EQ(house.get(house.anne, "DetectedIssue?patient=a").references().size(), 0U)
        << "what is missing contradicts nothing";
    const auto patient = house.post(house.program, "Patient", R"({"resourceType":"Patient"})");
    EXPECT_EQ(patient.status, 201) << patient.body;
    const auto bundled = house.post(
        house.program, "",
        R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":)"
        R"("Patient"},"request":{"method":"POST","url":"Patient"}}]})");
    ASSERT_EQ(bundled.status, 200) << bundled.body;
    EXPECT_TRUE(bundled.body.contains("la date de naissance"))
        << "the outcome of the entry says it";
}

TEST(Complete, AWrongInsIsRefusedByEveryPractice) {
    for (const Completeness one : {Completeness::Lenient, Completeness::Strict}) {
        House house(true, one);
        const auto patient = [](const std::string& ins) {
            return R"({"resourceType":"Patient","gender":"female","birthDate":"1979-04-01",)"
                   R"("name":[{"family":"Martin"}],"identifier":[{"system":)"
                   R"("urn:oid:1.2.250.1.213.1.4.8","value":")" +
                   ins + "\"}]}";
        };
        EXPECT_EQ(house.post(house.program, "Patient", patient("279047512300177")).status, 201);
        EXPECT_EQ(house.post(house.program, "Patient", patient("279047512300178")).status, 400);
    }
}

TEST(Complete, AStrictPracticeRefusesWhatIsIncomplete) {
    House house(true, Completeness::Strict);
    const std::string bare = kBareObservation;
    const auto refused = house.post(house.anne, "Observation", bare + "}");
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_TRUE(refused.body.contains("Observation.value")) << refused.body;
    EXPECT_EQ(house.post(house.anne, "Observation", bare + R"(,"valueString":"70 kg"})").status,
              201);
}

TEST(Contradiction, TimesAgainstThePatientAreToldAndThoseWithinRefused) {
    House house;
    const auto condition = [](const std::string& times) {
        return R"({"resourceType":"Condition","code":{"text":"x"},"clinicalStatus":{"coding":[{)"
               R"("system":"http://terminology.hl7.org/CodeSystem/condition-clinical",)"
               R"("code":"resolved"}]},)"
               R"("subject":{"reference":"Patient/a"},)" +
               times + "}";
    };
    const http::Headers outcome = {{"prefer", "return=OperationOutcome"}};
    const auto early =
        house.post(house.anne, "Condition", condition(R"("onsetDateTime":"1970")"), outcome);
    EXPECT_EQ(early.status, 201) << early.body;
    EXPECT_TRUE(early.body.contains("naissance")) << early.body;
    EXPECT_EQ(house.get(house.anne, "DetectedIssue?patient=a").references().size(), 1U);
    EXPECT_EQ(house
                  .post(house.anne, "Condition",
                        condition(R"("onsetDateTime":"2020","abatementDateTime":"2018")"))
                  .status,
              422);
}

TEST(Contradiction, AMedicineAgainstAnAllergy) {
    House house;
    const auto allergy = house.post(
        house.anne, "AllergyIntolerance",
        R"({"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/a"},)"
        R"("clinicalStatus":{"coding":[{"system":)"
        R"("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},)"
        R"("code":{"coding":[{"system":"http://snomed.info/sct","code":"372687004",)"
        R"("display":"Amoxicillin"}]}})");
    ASSERT_EQ(allergy.status, 201) << allergy.body;
    const http::Headers outcome = {{"prefer", "return=OperationOutcome"}};
    const std::string plain_dose = R"({"value":500,"unit":"mg"})";
    const auto by_name = house.post(
        house.anne, "MedicationRequest",
        prescription(R"({"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"308182",)"
                     R"("display":"amoxicillin 250 MG Oral Capsule"})",
                     plain_dose),
        outcome);
    ASSERT_EQ(by_name.status, 201) << by_name.body;
    EXPECT_TRUE(by_name.body.contains("allergi")) << by_name.body;
    const std::string paracetamol = R"({"system":"urn:essai","code":"p","display":"Paracetamol"})";
    EXPECT_FALSE(
        house.post(house.anne, "MedicationRequest", prescription(paracetamol, plain_dose), outcome)
            .body.contains("warning"));
    const auto dose =
        house.post(house.anne, "MedicationRequest",
                   prescription(paracetamol, R"({"value":500000,"unit":"mg"})"), outcome);
    EXPECT_TRUE(dose.body.contains("plausible")) << dose.body;
    EXPECT_TRUE(dose.body.contains("déjà prescrit")) << dose.body;
    EXPECT_EQ(house.get(house.anne, "DetectedIssue?patient=a").references().size(), 3U);
}

}  // namespace
}  // namespace hygie::records
