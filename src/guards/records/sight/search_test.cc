#include <gtest/gtest.h>

#include <algorithm>

#include "guards/records/door/door_kit.h"

namespace hygie::records {
namespace {

using namespace kit;

using References = std::vector<std::string>;

References sorted(References references) {
    std::ranges::sort(references);
    return references;
}

/// Anne's patient a with an encounter, a condition and observations over time.
class Clinic : public House {
  public:
    Clinic() {
        program_writes("Encounter/ea",
                       R"("status":"finished","class":{"code":"AMB"},)"
                       R"("subject":{"reference":"Patient/a"},)"
                       R"("participant":[{"individual":{"reference":"Practitioner/dr-anne"}}],)"
                       R"("period":{"start":"2026-03-01T10:00:00Z","end":"2026-03-01T10:30:00Z"})");
        program_writes(
            "Condition/ca",
            R"("code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006"}]},)"
            R"("subject":{"reference":"Patient/a"},"encounter":{"reference":"Encounter/ea"})");
        for (const auto& [id, day, value] : {std::tuple("o1", "2026-01-05", "80"),
                                             {"o2", "2026-02-05", "82"},
                                             {"o3", "2026-03-01", "85.5"}})
            program_writes(
                std::string("Observation/") + id,
                R"("status":"final",)"
                R"("code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},)"
                R"("subject":{"reference":"Patient/a"},"encounter":{"reference":"Encounter/ea"},)"
                R"("effectiveDateTime":")" +
                    std::string(day) + R"(","valueQuantity":{"value":)" + value +
                    R"(,"system":"http://unitsofmeasure.org","code":"kg","unit":"kg"})");
    }

    void program_writes(const std::string& reference, const std::string& members) {
        const auto slash = reference.find('/');
        const auto put =
            this->put(program, reference,
                      R"({"resourceType":")" + reference.substr(0, slash) + R"(","id":")" +
                          reference.substr(slash + 1) + "\"," + members + "}");
        EXPECT_EQ(put.status, 201) << put.body;
    }

    References found(const std::string& url) {
        const auto answer = get(anne, url);
        EXPECT_EQ(answer.status, 200) << url << '\n' << answer.body;
        return answer.references();
    }
};

TEST(Search, IdentifiersAreFoundByTheirType) {
    Clinic clinic;
    clinic.program_writes(
        "Patient/typed",
        R"("identifier":[{"type":{"coding":[{"system":"urn:types","code":"INS-NIR"},)"
        R"({"system":"urn:other","code":"NH"}]},"system":"urn:s","value":"123"},)"
        R"({"type":{"coding":[{"system":"urn:types","code":"PI"}]},"value":"456"}])");
    const auto by = [&](const std::string& value) {
        const auto answer = clinic.get(clinic.program, "Patient?identifier:of-type=" + value);
        EXPECT_EQ(answer.status, 200) << value << answer.body;
        return answer.references();
    };
    EXPECT_EQ(by("urn:types|INS-NIR|123"), References{"Patient/typed"});
    EXPECT_EQ(by("urn:other|nh|123"), References{"Patient/typed"});
    EXPECT_EQ(by("urn:none|X|1,urn:types|PI|456"), References{"Patient/typed"});
    EXPECT_EQ(by("urn:types|PI|123"), References{}) << "type and value of one identifier";
    EXPECT_EQ(by("urn:other|INS-NIR|123"), References{});
    for (const std::string code : {"INS-NIR", "PI"})
        EXPECT_EQ(clinic.get(clinic.program, "Patient?identifier=" + code).references(),
                  References{})
            << "a type is no value";
    for (const std::string wrong :
         {"Patient?identifier:of-type=urn:types|123", "Patient?identifier:of-type=|PI|456",
          "Patient?gender:of-type=a|b|c", "Observation?code:of-type=a|b|c"})
        EXPECT_EQ(clinic.get(clinic.anne, wrong).status, 400) << wrong;
}

TEST(Search, WhoCallsIsFoundHoweverTheNumberIsWritten) {
    Clinic clinic;
    clinic.program_writes("Patient/mobile",
                          R"("telecom":[{"system":"phone","value":"+33 (0)6 39 98 79 21"},)"
                          R"({"system":"email","value":"a.b@c.example"}])");
    clinic.program_writes("Patient/fixed",
                          R"("telecom":[{"system":"phone","value":"01.99.00.12.34"}])");
    const auto by = [&](const std::string& query) {
        return clinic.get(clinic.program, "Patient?" + query).references();
    };
    for (const std::string number : {"0639987921", "06%2039%2098%2079%2021", "%2B33639987921",
                                     "0033639987921", "06-39-98-79-21"})
        for (const std::string param : {"phone=", "telecom="})
            EXPECT_EQ(by(param + number), References{"Patient/mobile"}) << param << number;
    EXPECT_EQ(by("phone=%2B33199001234"), References{"Patient/fixed"});
    EXPECT_EQ(by("email=a.b@c.example"), References{"Patient/mobile"});
    EXPECT_EQ(by("phone=0639987920"), References{});
    EXPECT_EQ(by("telecom=3998"), References{}) << "the whole number";
}

TEST(Search, WhateverRefersComesAlong) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.found("Encounter?patient=a&_revinclude=*")),
              (References{"Condition/ca", "Encounter/ea", "Observation/o1", "Observation/o2",
                          "Observation/o3"}));
    EXPECT_EQ(clinic.get(clinic.bob, "Encounter?patient=a&_revinclude=*").references(),
              References{});
    EXPECT_EQ(clinic.get(clinic.anne, "Encounter?_revinclude:iterate=*").status, 400);
}

TEST(Search, CompartmentsOfOthersThanPatients) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.found("Encounter/ea/Observation")),
              (References{"Observation/o1", "Observation/o2", "Observation/o3"}));
    EXPECT_EQ(clinic.found("Encounter/ea/Observation?date=ge2026-03"),
              References{"Observation/o3"});
    EXPECT_EQ(sorted(clinic.found("Encounter/ea/*?_type=Condition,Encounter")),
              (References{"Condition/ca", "Encounter/ea"}));
    EXPECT_EQ(clinic.found("Practitioner/dr-anne/Encounter"), References{"Encounter/ea"});
    EXPECT_EQ(sorted(clinic.found("Practitioner/dr-anne/CareTeam")),
              (References{"CareTeam/team-a", "CareTeam/team-b"}));
    EXPECT_EQ(clinic.found("Practitioner/dr-anne/Practitioner"),
              References{"Practitioner/dr-anne"});
    EXPECT_EQ(clinic.found("Encounter/none/Observation"), References{});
    EXPECT_EQ(clinic.get(clinic.bob, "Encounter/ea/Observation").references(), References{});
    EXPECT_EQ(clinic.get(clinic.bob, "Practitioner/dr-anne/Encounter").references(), References{});
    for (const std::string url : {"Encounter/ea/Patient", "Organization/o/Encounter",
                                  "Patient/a/Practitioner", "Patient/a/Slot"})
        EXPECT_EQ(clinic.get(clinic.anne, url).status, 404) << url;
    EXPECT_EQ(clinic.found("Device/d/Observation"), References{});
}

TEST(Search, ByPatientCodeDateAndValue) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.found("Observation?patient=a&code=http://loinc.org|29463-7")),
              (References{"Observation/o1", "Observation/o2", "Observation/o3"}));
    EXPECT_EQ(clinic.found("Observation?patient=a&code=29463-7&_sort=-date"),
              (References{"Observation/o3", "Observation/o2", "Observation/o1"}));
    EXPECT_EQ(clinic.found("Observation?subject=Patient/a&date=ge2026-02-01&date=lt2026-03-01"),
              (References{"Observation/o2"}));
    EXPECT_EQ(clinic.found("Observation?patient=a&value-quantity=gt82||kg"),
              (References{"Observation/o3"}));
    EXPECT_EQ(clinic.found("Observation?patient=a&code-value-quantity=29463-7$lt81"),
              (References{"Observation/o1"}));
    EXPECT_EQ(clinic.found("Observation?patient=a&_id=o1,o2&_sort=_id"),
              (References{"Observation/o1", "Observation/o2"}));
}

/// Whose parts R4 gives the way to each other's values.
TEST(Search, DocumentsByWhatTheyAreToAnother) {
    Clinic clinic;
    const std::string common = R"("status":"current","subject":{"reference":"Patient/a"},)"
                               R"("content":[{"attachment":{"contentType":"text/plain"}}])";
    clinic.program_writes("DocumentReference/d1", common);
    clinic.program_writes("DocumentReference/d2",
                          common + R"(,"relatesTo":[{"code":"replaces","target":{"reference":)"
                                   R"("DocumentReference/d1"}}])");
    const std::string url = "DocumentReference?patient=a&relationship=DocumentReference/d1$";
    EXPECT_EQ(clinic.found(url + "replaces"), References{"DocumentReference/d2"});
    EXPECT_EQ(clinic.found(url + "appends"), References{});
}

TEST(Search, WhatLastsIsFoundByEachDayThatItTouches) {
    Clinic clinic;
    clinic.program_writes("Encounter/night", R"("status":"finished","class":{"code":"IMP"},)"
                                             R"("subject":{"reference":"Patient/a"},)"
                                             R"("period":{"start":"2026-04-10T20:00:00Z",)"
                                             R"("end":"2026-04-11T06:00:00Z"})");
    for (const auto& [dates, some] : {std::pair("date=ge2026-04-11", true),
                                      {"date=le2026-04-10", true},
                                      {"date=ge2026-04-11&date=le2026-04-11", true},
                                      {"date=ge2026-04-11T06:00:00Z", true},
                                      {"date=ge2026-04-12", false},
                                      {"date=2026-04-11", false},
                                      {"date=le2026-04-09", false}})
        EXPECT_EQ(clinic.found(std::string("Encounter?class=IMP&") + dates).size(), some ? 1U : 0U)
            << dates;
}

TEST(Search, ChainsAndReverseChains) {
    Clinic clinic;
    EXPECT_EQ(clinic.found("Condition?encounter.date=2026-03-01"), (References{"Condition/ca"}));
    EXPECT_EQ(clinic.found("Observation?patient.family=martin&_count=1&_sort=date"),
              (References{"Observation/o1"}));
    EXPECT_EQ(clinic.found("Encounter?practitioner.family=Lemoine"), (References{"Encounter/ea"}));
    EXPECT_EQ(clinic.found("Practitioner?_has:Encounter:practitioner:status=finished"),
              (References{"Practitioner/dr-anne"}));
    EXPECT_EQ(clinic.found("Patient?_has:Condition:patient:code=44054006"),
              (References{"Patient/a"}));
    EXPECT_EQ(clinic.found("Patient?_has:Condition:patient:code=nothing"), References{});
}

TEST(Search, ChainsOfManyLinks) {
    Clinic clinic;
    clinic.program_writes("Organization/o", R"("name":"Maison","active":true)");
    clinic.program_writes("PractitionerRole/r",
                          R"("practitioner":{"reference":"Practitioner/dr-anne"},)"
                          R"("organization":{"reference":"Organization/o"})");
    clinic.program_writes("Encounter/eb",
                          R"("status":"finished","class":{"code":"AMB"},)"
                          R"("subject":{"reference":"Patient/a"},"participant":[{"individual":)"
                          R"({"reference":"PractitionerRole/r"}}])");
    clinic.program_writes("Condition/cb", R"("subject":{"reference":"Patient/a"},)"
                                          R"("encounter":{"reference":"Encounter/eb"})");
    EXPECT_EQ(clinic.found("Condition?encounter.participant:PractitionerRole.organization.name="
                           "Maison"),
              References{"Condition/cb"});
    EXPECT_EQ(clinic.found("Organization?_has:PractitionerRole:organization:_has:Encounter:"
                           "participant:_has:Condition:encounter:patient=Patient/a"),
              References{"Organization/o"});
    const std::string part = "partof.";
    EXPECT_EQ(clinic.found("Organization?" + part + part + part + part + "name=Maison"),
              References{});
    const auto refused =
        clinic.get(clinic.anne, "Organization?" + part + part + part + part + part + "name=Maison");
    EXPECT_EQ(refused.status, 400) << refused.body;
}

/// A practitioner lies in the house; who refers to one lies in the patients' records.
TEST(Search, WhatRefersIsFoundWhereverItLies) {
    Clinic clinic;
    EXPECT_EQ(clinic.found("Practitioner?_id=dr-anne&_has:Encounter:practitioner:status=finished"),
              (References{"Practitioner/dr-anne"}));
    EXPECT_EQ(clinic.found("Practitioner?_id=dr-anne&_has:Encounter:practitioner:status=planned"),
              References{});
    EXPECT_EQ(sorted(clinic.found("Practitioner?_id=dr-anne&_revinclude=Encounter:practitioner")),
              (References{"Encounter/ea", "Practitioner/dr-anne"}));
    EXPECT_EQ(clinic.get(clinic.bob, "Practitioner?_id=dr-anne&_revinclude=Encounter:practitioner")
                  .references(),
              References{"Practitioner/dr-anne"});
}

TEST(Search, IncludesWhatIsReferredTo) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.found("Condition?patient=a&_include=Condition:encounter"
                                  "&_include:iterate=Encounter:participant")),
              (References{"Condition/ca", "Encounter/ea", "Practitioner/dr-anne"}));
    EXPECT_EQ(sorted(clinic.found("Condition?patient=a&_include=*")),
              (References{"Condition/ca", "Encounter/ea", "Patient/a"}));
    EXPECT_EQ(sorted(clinic.found("Encounter?patient=a&_revinclude=Condition:encounter")),
              (References{"Condition/ca", "Encounter/ea"}));
}

TEST(Search, AcrossPatientsInTheCircleOnly) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.found("Patient?_sort=family")), (References{"Patient/a", "Patient/b"}));
    EXPECT_EQ(clinic.found("Patient?name=mart"), (References{"Patient/a"}));
    EXPECT_EQ(clinic.found("Patient?family=petit"), References{});
    EXPECT_EQ(clinic.found("Patient?identifier=2790299a"), (References{"Patient/a"}));
    EXPECT_EQ(clinic.found("Encounter?date=2026-03-01"), (References{"Encounter/ea"}));
}

TEST(Search, AcrossPatientsSeesEveryChangeAtOnce) {
    Clinic clinic;
    EXPECT_EQ(clinic.found("Patient?name=mart"), (References{"Patient/a"}));
    EXPECT_EQ(
        clinic.put(clinic.anne, "Patient/a", vault::kit::patient("a", "Roux"), "W/\"1\"").status,
        200);
    EXPECT_EQ(clinic.found("Patient?name=mart"), References{});
    EXPECT_EQ(clinic.found("Patient?name=roux"), (References{"Patient/a"}));
    clinic.program_writes("Appointment/r1",
                          R"("status":"booked","start":"2026-12-01T09:00:00Z",)"
                          R"("end":"2026-12-01T09:15:00Z","participant":[{"status":"accepted",)"
                          R"("actor":{"reference":"Patient/a"}}])");
    EXPECT_EQ(clinic.found("Appointment?date=2026-12-01"), (References{"Appointment/r1"}));
    EXPECT_EQ(clinic.ask(clinic.program, {.method = "DELETE", .url = "Appointment/r1"}).status,
              204);
    EXPECT_EQ(clinic.found("Appointment?date=2026-12-01"), References{});
    EXPECT_EQ(clinic.found("Patient?name=roux"), (References{"Patient/a"}));
}

TEST(Search, AProgramLooksIntoAllRecordsWhereNothingNarrows) {
    Clinic clinic;
    EXPECT_EQ(sorted(clinic.get(clinic.program, "Patient?gender=female").references()),
              (References{"Patient/a", "Patient/b", "Patient/c", "Patient/d"}));
    EXPECT_EQ(sorted(clinic.get(clinic.program, "Observation?code=4548-4").references()),
              (References{"Observation/oa1", "Observation/oa2", "Observation/ob1",
                          "Observation/oc1", "Observation/od1"}));
    EXPECT_EQ(clinic.get(clinic.program, "Observation/_history").references().size(), 8u);
}

TEST(Search, PagesHoldEverythingOnce) {
    Clinic clinic;
    References all;
    std::string url = "Observation?patient=a&_count=2&_sort=date";
    for (int page = 0; !url.empty(); ++page) {
        ASSERT_LT(page, 5);
        const auto answer = clinic.get(clinic.anne, url);
        ASSERT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.json()["total"].text(), "5");
        EXPECT_LE(answer.references().size(), 2U);
        for (const auto& reference : answer.references()) all.push_back(reference);
        url = answer.link("next");
    }
    EXPECT_EQ(sorted(all), (References{"Observation/o1", "Observation/o2", "Observation/o3",
                                       "Observation/oa1", "Observation/oa2"}));
}

TEST(Search, SaysOnlyWhatWasAskedFor) {
    Clinic clinic;
    const auto counted = clinic.get(clinic.anne, "Observation?patient=a&_summary=count");
    EXPECT_EQ(counted.json()["total"].text(), "5");
    EXPECT_EQ(counted.json()["entry"].size(), 0U);
    const auto cut = clinic.get(clinic.anne, "Observation?_id=o1&_elements=status");
    const auto resource = cut.json()["entry"].items()[0]["resource"];
    EXPECT_EQ(resource["status"].text(), "final");
    EXPECT_FALSE(resource["valueQuantity"]);
    EXPECT_EQ(resource["meta"]["tag"].items()[0]["code"].text(), "SUBSETTED");
}

TEST(Search, AnUnknownParameterIsAnErrorUnlessHandlingIsLenient) {
    Clinic clinic;
    const auto strict = clinic.get(clinic.anne, "Observation?patient=a&colour=red");
    EXPECT_EQ(strict.status, 400);
    const auto lenient = clinic.ask(clinic.anne, {.url = "Observation?patient=a&colour=red",
                                                  .headers = {{"prefer", "handling=lenient"}}});
    EXPECT_EQ(lenient.status, 200) << lenient.body;
    EXPECT_FALSE(lenient.link("self").contains("colour"));
    EXPECT_TRUE(lenient.body.contains("OperationOutcome"));
}

TEST(Search, ByForm) {
    Clinic clinic;
    const auto answer = clinic.ask(
        clinic.anne, {.method = "POST",
                      .url = "Observation/_search",
                      .body = "patient=a&code=29463-7&_sort=date&_count=1",
                      .headers = {{"content-type", "application/x-www-form-urlencoded"}}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.references(), (References{"Observation/o1"}));
    const auto next = clinic.get(clinic.anne, answer.link("next"));
    EXPECT_EQ(next.references(), (References{"Observation/o2"}));
}

TEST(Search, InACompartmentAndOverSeveralTypes) {
    Clinic clinic;
    EXPECT_EQ(clinic.found("Patient/a/Condition"), (References{"Condition/ca"}));
    EXPECT_EQ(clinic.found("Patient/c/Observation"), References{});
    const auto types = clinic.found("?_type=Condition,Encounter");
    EXPECT_EQ(sorted(types), (References{"Condition/ca", "Encounter/ea"}));
    EXPECT_EQ(clinic.get(clinic.anne, "").status, 400);
}

TEST(Search, Everything) {
    Clinic clinic;
    const auto everything = clinic.found("Patient/a/$everything?_count=100");
    for (const std::string_view one : {"Patient/a", "Condition/ca", "Encounter/ea",
                                       "Observation/o1", "CareTeam/team-a", "Practitioner/dr-anne"})
        EXPECT_TRUE(std::ranges::count(everything, one)) << one;
    const auto some = clinic.found("Patient/a/$everything?_type=Condition");
    EXPECT_TRUE(std::ranges::count(some, "Condition/ca"));
    EXPECT_FALSE(std::ranges::count(some, "Observation/o1"));
}

TEST(Search, TheBaseWithoutItsSlashIsTheBase) {
    House house;
    for (const std::string base : {"/fhir", "/fhir/"}) {
        const auto answer = house.get(house.anne, base + "?_type=Patient,CareTeam");
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.references().size(), 4U);
        EXPECT_TRUE(answer.link("self").starts_with("/fhir/?_type=Patient%2CCareTeam"))
            << answer.link("self");
    }
}

TEST(Search, TheNextPageOfEverythingKeepsWhatTheBodyAsked) {
    House house;
    const auto first = house.post(
        house.anne, "Patient/a/$everything",
        R"({"resourceType":"Parameters","parameter":[{"name":"_count","valueInteger":1},)"
        R"({"name":"_type","valueString":"Observation"}]})");
    EXPECT_EQ(first.references(), References{"Observation/oa1"});
    EXPECT_EQ(house.get(house.anne, first.link("next")).references(),
              References{"Observation/oa2"});
}

TEST(Search, AllButOneById) {
    House house;
    EXPECT_EQ(sorted(house.get(house.anne, "Patient?_id:not=a").references()),
              References{"Patient/b"});
    EXPECT_EQ(sorted(house.get(house.anne, "Observation?patient=a&_id:not=oa1").references()),
              References{"Observation/oa2"});
    EXPECT_EQ(house.get(house.anne, "Patient?_id:not=c").references().size(), 2U);
}

TEST(Search, SaysWhichParameterIsWrong) {
    House house;
    const auto issue = [&](const std::string& url) {
        const auto answer = house.get(house.anne, url);
        EXPECT_EQ(answer.status, 400) << answer.body;
        return answer.body;
    };
    const auto date = issue("Patient?name=x&birthdate=hier");
    EXPECT_TRUE(date.contains("birthdate :")) << date;
    EXPECT_TRUE(date.contains(R"("expression":["http.birthdate"])")) << date;
    EXPECT_FALSE(date.contains("hier"));
    EXPECT_TRUE(issue("Patient?birthdate=2026-01-02T23:30:00+01:00").contains("%2B"));
    const auto unknown = issue("Patient?name=x&Dupont=1");
    EXPECT_TRUE(unknown.contains("n° 2")) << unknown;
    EXPECT_FALSE(unknown.contains("Dupont"));
    EXPECT_TRUE(issue("Patient?birthDate=2026").contains("Peut-être birthdate"));
}

TEST(Search, UnitsAreConvertedWhereTheyMeasureTheSame) {
    House house;
    const auto store = [&](const std::string& code, const std::string& value,
                           const std::string& unit) {
        return house.post(
            house.anne, "Observation",
            R"({"resourceType":"Observation","status":"final","subject":{"reference":"Patient/a"},)"
            R"("code":{"coding":[{"system":"http://loinc.org","code":")" +
                code + R"("}]},"valueQuantity":{"value":)" + value +
                R"(,"system":"http://unitsofmeasure.org","code":")" + unit + R"("}})");
    };
    ASSERT_EQ(store("29463-7", "7.0", "kg").status, 201);
    ASSERT_EQ(store("8302-2", "100", "cm").status, 201);
    ASSERT_EQ(store("8310-5", "37.0", "Cel").status, 201);
    ASSERT_EQ(store("2339-0", "100", "mg/dL").status, 201);
    const auto total = [&](const std::string& value) {
        return std::string(
            house.get(house.anne, "Observation?value-quantity=" + value).json()["total"].text());
    };
    const std::string ucum = "%7Chttp://unitsofmeasure.org%7C";
    EXPECT_EQ(total("7000" + ucum + "g"), "1");
    EXPECT_EQ(total("7" + ucum + "kg"), "1");
    EXPECT_EQ(total("7001" + ucum + "g"), "0");
    EXPECT_EQ(total("gt6999" + ucum + "g"), "1");
    EXPECT_EQ(total("1" + ucum + "m"), "1");
    EXPECT_EQ(total("98.6" + ucum + "%5BdegF%5D"), "1");
    EXPECT_EQ(total("1" + ucum + "g/L"), "1");
    EXPECT_EQ(total("5.55" + ucum + "mmol/L"), "0") << "which substance, no unit says";
    EXPECT_EQ(total("7000%7C%7Cg"), "1");
    EXPECT_EQ(total("7000%7Curn:x%7Cg"), "0");
}

}  // namespace
}  // namespace hygie::records
