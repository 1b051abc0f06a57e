#include "access/circles/circle_world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/circles/circle_accesses.h"

namespace hygie::access {
namespace {

/// A hospital in a few lines: each JSON text is one resource.
CircleWorld world_of(std::initializer_list<std::string_view> resources,
                     const Policy& policy = default_policy()) {
    ReadFacts facts;
    for (const std::string_view text : resources) {
        const auto document = fhir::parse(text);
        EXPECT_TRUE(document) << text;
        if (document) read_resource(document->root, facts);
    }
    return CircleWorld::build(std::move(facts), policy);
}

/// As past accesses are judged: a desk must have had to do with that patient.
const Policy& strict_policy() {
    static const Policy strict = [] {
        Policy policy = default_policy();
        policy.desk_needs_reason = true;
        return policy;
    }();
    return strict;
}

Finding access(const CircleWorld& world, std::string actor, std::string patient,
               std::string_view time, std::string resource = "") {
    const PastAccess past{.id = "",
                          .actor = std::move(actor),
                          .patient = std::move(patient),
                          .resource = std::move(resource),
                          .time = from_rfc3339(time).value(),
                          .cause = ""};
    return judge(world.index(), resolve(world, past));
}

constexpr std::string_view kNoon = "2026-11-24T12:00:00Z";
constexpr std::string_view kNurse =
    R"({"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/n"},
        "location":[{"reference":"Location/ward"}],"period":{"start":"2026-01-01",
             "end":"2026-11-30"}})";
constexpr std::string_view kWard =
    R"({"resourceType":"Location","id":"ward","physicalType":{"coding":[{"code":"wa"}]}})";
constexpr std::string_view kBed =
    R"({"resourceType":"Location","id":"bed","partOf":{"reference":"Location/ward"}})";
constexpr std::string_view kStay =
    R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"IMP"},
        "subject":{"reference":"Patient/p"},"period":{"start":"2026-11-21"},
        "location":[{"location":{"reference":"Location/bed"},
                     "period":{"start":"2026-11-21","end":"2026-11-25"}}],
        "participant":[{"individual":{"reference":"Practitioner/d"}}]})";

TEST(CircleWorld, AWardSeesWhoLiesInItsBedsWhileTheyDo) {
    const CircleWorld world = world_of({kNurse, kWard, kBed, kStay});
    EXPECT_EQ(access(world, "Practitioner/n", "Patient/p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "PractitionerRole/r", "p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/d", "Patient/p", "2027-06-01"), Finding::Explained);
    // Gone from the ward, and the assignment over.
    EXPECT_EQ(access(world, "Practitioner/n", "Patient/p", "2026-11-29"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/n", "Patient/p", "2026-10-01"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/x", "Patient/p", kNoon), Finding::UnknownActor);
    EXPECT_EQ(access(world, "Practitioner/n", "Patient/x", kNoon), Finding::UnknownPatient);
}

TEST(CircleWorld, AProofNamesEveryStepAndItsResource) {
    const CircleWorld world = world_of({kNurse, kWard, kBed, kStay});
    const auto decision =
        world.explain(*world.find_actor("n"), *world.find_patient("p"),
                      {.now = second_of(from_rfc3339(kNoon).value()), .data = DataClass::Measures});
    ASSERT_TRUE(decision.permitted);
    ASSERT_EQ(decision.proof.size(), 2U);
    EXPECT_EQ(decision.proof[0].evidence, "PractitionerRole/r");
    EXPECT_EQ(decision.proof[1].subject, "Location/ward");
    EXPECT_EQ(decision.proof[1].object, "Patient/p");
    EXPECT_EQ(decision.proof[1].evidence, "Encounter/e");
    EXPECT_EQ(decision.reasons.front().id, "circle.presence");
}

TEST(CircleWorld, AWholeHospitalIsNoCircle) {
    ReadFacts facts;
    const auto read = [&](const std::string& text) {
        const auto document = fhir::parse(text);
        ASSERT_TRUE(document) << text;
        read_resource(document->root, facts);
    };
    read(R"({"resourceType":"Organization","id":"h","type":[{"coding":[{"code":"prov"}]}]})");
    for (int i = 0; i < 40; ++i)
        read(R"({"resourceType":"PractitionerRole","id":"r)" + std::to_string(i) +
             R"(","practitioner":{"reference":"Practitioner/)" + std::to_string(i) +
             R"("},"organization":{"reference":"Organization/h"}})");
    read(R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"AMB"},
             "subject":{"reference":"Patient/p"},"period":{"start":"2026-11-24"},
             "serviceProvider":{"reference":"Organization/h"},
             "participant":[{"individual":{"reference":"Practitioner/1"}}]})");
    const CircleWorld world = CircleWorld::build(std::move(facts), default_policy());
    EXPECT_EQ(access(world, "Practitioner/1", "Patient/p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/2", "Patient/p", kNoon), Finding::Unexplained);
}

/// A hold on a pole holds its wards; one on a bed, or on another ward, holds nobody here.
TEST(CircleWorld, AHeldUnitHoldsWhoWorksInItOrInAPartOfIt) {
    const auto held_by = [](const std::string& unit) {
        CircleWorld world = world_of(
            {kNurse, kWard, kBed, kStay,
             R"({"resourceType":"Location","id":"other","partOf":{"reference":"Organization/h"}})",
             R"({"resourceType":"PractitionerRole","id":"s",
                 "practitioner":{"reference":"Practitioner/n"},
                 "organization":{"reference":"Organization/h"}})"});
        world.hold({.unit = unit,
                    .since = from_rfc3339("2026-11-24T11:00:00Z").value(),
                    .until = from_rfc3339("2026-11-24T13:00:00Z").value(),
                    .evidence = "event/1"});
        const auto at = [&](std::string_view time) {
            return world.explain(
                *world.find_actor("n"), *world.find_patient("p"),
                {.now = second_of(from_rfc3339(time).value()), .data = DataClass::Measures});
        };
        EXPECT_TRUE(at("2026-11-24T10:59:59Z").permitted) << unit;
        EXPECT_TRUE(at("2026-11-24T13:00:00Z").permitted) << unit;
        return at(kNoon);
    };
    for (const std::string unit : {"Location/ward", "Organization/h"}) {
        const Decision decision = held_by(unit);
        ASSERT_FALSE(decision.permitted) << unit;
        EXPECT_EQ(decision.reasons.front().id, "circle.contained");
        EXPECT_EQ(decision.reasons.front().evidence, "event/1");
        ASSERT_EQ(decision.proof.size(), 2U);
        EXPECT_EQ(decision.proof[0].subject, "Practitioner/n");
        EXPECT_EQ(decision.proof[0].object, unit);
        EXPECT_EQ(decision.proof[1].subject, unit);
    }
    for (const std::string unit : {"Location/bed", "Location/other", "Location/unknown"})
        EXPECT_TRUE(held_by(unit).permitted) << unit;
}

TEST(CircleWorld, TeleconsultationsEndWithTheConsultation) {
    const CircleWorld world =
        world_of({R"({"resourceType":"Encounter","id":"t","status":"finished","class":{"code":"VR"},
             "subject":{"reference":"Patient/p"},
             "period":{"start":"2026-11-24T11:50:00Z","end":"2026-11-24T12:10:00Z"},
             "participant":[{"individual":{"reference":"Practitioner/far"}}]})"});
    EXPECT_EQ(access(world, "Practitioner/far", "p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/far", "p", "2026-11-24T12:10:01Z"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/far", "p", "2026-11-24T11:49:59Z"), Finding::Unexplained);
}

TEST(CircleWorld, EveryKindOfResourceIsAReasonForItsTime) {
    const std::string_view resources[] = {
        R"({"resourceType":"CareTeam","id":"x","status":"active",
             "subject":{"reference":"Patient/p"},
            "participant":[{"member":{"reference":"Practitioner/a"}}]})",
        R"({"resourceType":"Appointment","id":"x","status":"booked","start":"2026-11-25T09:00:00Z",
            "participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"},
                           {"actor":{"reference":"Practitioner/a"},"status":"accepted"}]})",
        R"({"resourceType":"Patient","id":"p",
             "generalPractitioner":[{"reference":"Practitioner/a"}]})",
        R"({"resourceType":"EpisodeOfCare","id":"x","status":"active",
             "patient":{"reference":"Patient/p"},
            "careManager":{"reference":"Practitioner/a"},"period":{"start":"2026-01-01"}})",
        R"({"resourceType":"ServiceRequest","id":"x","status":"active",
             "subject":{"reference":"Patient/p"},
            "authoredOn":"2026-11-01","performer":[{"reference":"Practitioner/a"}]})",
        R"({"resourceType":"MedicationRequest","id":"x","status":"active","authoredOn":"2026-11-20",
            "subject":{"reference":"Patient/p"},"requester":{"reference":"Practitioner/a"}})",
        R"({"resourceType":"MedicationDispense","id":"x","status":"completed",
            "subject":{"reference":"Patient/p"},"whenHandedOver":"2026-11-20",
            "performer":[{"actor":{"reference":"Practitioner/a"}}]})",
        R"({"resourceType":"DiagnosticReport","id":"x","status":"final",
             "issued":"2026-11-20T08:00:00Z",
            "subject":{"reference":"Patient/p"},
             "resultsInterpreter":[{"reference":"Practitioner/a"}]})",
        R"({"resourceType":"DocumentReference","id":"x","status":"current",
             "date":"2026-11-20T08:00:00Z",
            "subject":{"reference":"Patient/p"},"author":[{"reference":"Practitioner/a"}]})",
        R"({"resourceType":"Task","id":"x","status":"accepted","authoredOn":"2026-11-20",
            "for":{"reference":"Patient/p"},"owner":{"reference":"Practitioner/a"}})",
        R"({"resourceType":"Communication","id":"x","status":"completed",
             "sent":"2026-11-20T08:00:00Z",
            "subject":{"reference":"Patient/p"},"recipient":[{"reference":"Practitioner/a"}]})",
        R"({"resourceType":"Consent","id":"x","status":"active","patient":{"reference":"Patient/p"},
            "dateTime":"2026-01-01","provision":{"type":"permit",
            "actor":[{"reference":{"reference":"Practitioner/a"}}]}})",
        R"({"resourceType":"DeviceUseStatement","id":"x","status":"active",
             "recordedOn":"2026-11-20",
            "recorded":"2026-11-20","subject":{"reference":"Patient/p"},
            "performer":{"reference":"Practitioner/a"}})",
    };
    for (const std::string_view text : resources) {
        const CircleWorld world = world_of({text, R"({"resourceType":"Practitioner","id":"a"})",
                                            R"({"resourceType":"Practitioner","id":"b"})",
                                            R"({"resourceType":"Patient","id":"q"})"});
        EXPECT_EQ(access(world, "Practitioner/a", "p", kNoon), Finding::Explained) << text;
        EXPECT_EQ(access(world, "Practitioner/b", "p", kNoon), Finding::Unexplained) << text;
        EXPECT_EQ(access(world, "Practitioner/a", "q", kNoon), Finding::Unexplained) << text;
        std::string undone(text);
        const auto status = undone.find("\"status\":\"");
        if (status == std::string::npos) continue;
        const auto end = undone.find('"', status + 10);
        undone.replace(status, end - status, "\"status\":\"entered-in-error");
        const CircleWorld without = world_of({undone, R"({"resourceType":"Practitioner","id":"a"})",
                                              R"({"resourceType":"Patient","id":"p"})"});
        EXPECT_EQ(access(without, "Practitioner/a", "p", kNoon), Finding::Unexplained) << undone;
    }
}

TEST(CircleWorld, OppositionAndItsException) {
    const CircleWorld world = world_of({kNurse, kWard, kBed, kStay,
                                        R"({"resourceType":"Consent","id":"c","status":"active",
             "patient":{"reference":"Patient/p"},
             "dateTime":"2026-11-23","provision":{"type":"deny","provision":[{"type":"permit",
             "actor":[{"reference":{"reference":"Practitioner/d"}}]}]}})"});
    EXPECT_EQ(access(world, "Practitioner/n", "p", kNoon, "Observation/1"), Finding::Against);
    EXPECT_EQ(access(world, "Practitioner/d", "p", kNoon, "Observation/1"), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/n", "p", "2026-11-22", "Observation/1"),
              Finding::Explained);
}

TEST(CircleWorld, ParentsUntilMajorityGuardiansAsLongAsTheyAre) {
    const CircleWorld world =
        world_of({R"({"resourceType":"Patient","id":"p","birthDate":"2009-03-01"})",
                  R"({"resourceType":"RelatedPerson","id":"m","patient":{"reference":"Patient/p"},
             "relationship":[{"coding":[{"code":"MTH"}]}]})",
                  R"({"resourceType":"RelatedPerson","id":"g","patient":{"reference":"Patient/p"},
             "relationship":[{"coding":[{"code":"GUARD"}]}]})",
                  R"({"resourceType":"RelatedPerson","id":"n","patient":{"reference":"Patient/p"},
             "relationship":[{"coding":[{"code":"NBOR"}]}]})"});
    EXPECT_EQ(access(world, "RelatedPerson/m", "p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "RelatedPerson/m", "p", "2027-04-01"), Finding::Unexplained);
    EXPECT_EQ(access(world, "RelatedPerson/g", "p", "2027-04-01"), Finding::Explained);
    EXPECT_EQ(access(world, "RelatedPerson/n", "p", kNoon), Finding::UnknownActor);
    EXPECT_EQ(access(world, "Patient/p", "p", kNoon), Finding::Explained);
}

TEST(CircleWorld, DesksSeePapersOfTheirOwnPatientsAlone) {
    const CircleWorld world = world_of({R"({"resourceType":"PractitionerRole","id":"s",
             "practitioner":{"reference":"Practitioner/sec"},
             "organization":{"reference":"Organization/o"},
             "code":[{"text":"Secrétaire médicale"}]})",
                                        R"({"resourceType":"PractitionerRole","id":"g",
             "practitioner":{"reference":"Practitioner/gp"},
             "organization":{"reference":"Organization/o"}})",
                                        R"({"resourceType":"Patient","id":"p",
             "generalPractitioner":[{"reference":"Practitioner/gp"}]})",
                                        R"({"resourceType":"Patient","id":"q"})"},
                                       strict_policy());
    EXPECT_EQ(access(world, "Practitioner/sec", "p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/sec", "p", kNoon, "Observation/1"), Finding::Against);
    EXPECT_EQ(access(world, "Practitioner/sec", "q", kNoon), Finding::Unexplained);
}

/// Admissions are for the whole establishment, the desk of a ward for that ward.
TEST(CircleWorld, AdmissionsKeepThePapersOfEveryStay) {
    const auto desk = [](std::string_view who, std::string_view what) {
        return fmt::format(R"({{"resourceType":"PractitionerRole","id":"{0}",
            "practitioner":{{"reference":"Practitioner/{0}"}},
            "organization":{{"reference":"Organization/{0}-office"}},"code":[{{"text":"{1}"}}]}})",
                           who, what);
    };
    const std::string admissions = desk("a", "Admissions"), secretary = desk("s", "Secrétaire");
    const CircleWorld world = world_of(
        {R"({"resourceType":"Organization","id":"a-office",
             "partOf":{"reference":"Organization/h"}})",
         R"({"resourceType":"Organization","id":"s-office",
             "partOf":{"reference":"Organization/h"}})",
         R"({"resourceType":"Organization","id":"ward","partOf":{"reference":"Organization/h"}})",
         admissions, secretary, R"({"resourceType":"Patient","id":"q"})",
         R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"IMP"},
             "subject":{"reference":"Patient/p"},"period":{"start":"2026-11-21"},
             "serviceProvider":{"reference":"Organization/ward"}})"},
        strict_policy());
    EXPECT_EQ(access(world, "Practitioner/a", "p", kNoon, "Patient/p"), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/a", "p", kNoon, "Condition/c"), Finding::Against);
    EXPECT_EQ(access(world, "Practitioner/a", "q", kNoon, "Patient/q"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/s", "p", kNoon, "Patient/p"), Finding::Unexplained);
}

/// In other countries a registrar is a physician.
TEST(CircleWorld, ARegistrarIsNoDesk) {
    const CircleWorld world = world_of({R"({"resourceType":"PractitionerRole","id":"r",
             "practitioner":{"reference":"Practitioner/r"},
             "code":[{"text":"Specialist registrar"}]})",
                                        R"({"resourceType":"Patient","id":"p",
             "generalPractitioner":[{"reference":"Practitioner/r"}]})"});
    EXPECT_EQ(access(world, "Practitioner/r", "p", kNoon, "Condition/c"), Finding::Explained);
}

TEST(CircleWorld, DesksAdmitAndReadNoFindings) {
    const CircleWorld world = world_of({R"({"resourceType":"PractitionerRole","id":"s",
                      "practitioner":{"reference":"Practitioner/adm"},
                      "organization":{"reference":"Organization/h"},
                      "code":[{"text":"Admissions"}]})",
                                        R"({"resourceType":"Patient","id":"p",
                      "managingOrganization":{"reference":"Organization/h"}})"});
    EXPECT_EQ(access(world, "Practitioner/adm", "p", kNoon, "Encounter/e"), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/adm", "p", kNoon, "Condition/c"), Finding::Against);
}

/// CSP L.6113-7: who codes reads the stays of that establishment, not after its window, not
/// elsewhere, and changes no finding.
TEST(CircleWorld, MedicalInformationReadsTheStaysThatItCodes) {
    const CircleWorld world = world_of(
        {R"({"resourceType":"Organization","id":"dept","partOf":{"reference":"Organization/h"}})",
         R"({"resourceType":"Organization","id":"dim","partOf":{"reference":"Organization/h"}})",
         R"({"resourceType":"PractitionerRole","id":"t",
             "practitioner":{"reference":"Practitioner/tim"},
             "organization":{"reference":"Organization/dim"},
             "code":[{"coding":[{"code":"TIM"}]}]})",
         R"({"resourceType":"PractitionerRole","id":"u",
             "practitioner":{"reference":"Practitioner/elsewhere"},
             "organization":{"reference":"Organization/z"},"code":[{"text":"Codage PMSI"}]})",
         R"({"resourceType":"Patient","id":"p"})", R"({"resourceType":"Patient","id":"q"})",
         R"({"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"IMP"},
             "subject":{"reference":"Patient/p"},
             "period":{"start":"2026-11-10","end":"2026-11-14"},
             "serviceProvider":{"reference":"Organization/dept"}})"});
    EXPECT_EQ(access(world, "Practitioner/tim", "p", kNoon, "Condition/c"), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/tim", "p", kNoon, "Consent/c"), Finding::Against);
    EXPECT_EQ(access(world, "Practitioner/tim", "q", kNoon, "Condition/c"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/tim", "p", "2027-02-01", "Condition/c"),
              Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/elsewhere", "p", kNoon, "Condition/c"),
              Finding::Unexplained);
}

TEST(CircleWorld, OtherSpellingsOfANameAreTheSamePerson) {
    const CircleWorld world = world_of({R"({"resourceType":"Bundle","type":"transaction","entry":[
            {"fullUrl":"urn:uuid:9b1d","resource":{"resourceType":"Practitioner",
             "identifier":[{"system":"urn:x:rpps","value":"899700000001"}]}},
            {"fullUrl":"urn:uuid:77aa","resource":{"resourceType":"Patient"}},
            {"fullUrl":"urn:uuid:0e0e","resource":{"resourceType":"Encounter",
             "status":"in-progress",
             "class":{"code":"AMB"},"subject":{"reference":"urn:uuid:77aa"},
             "period":{"start":"2026-11-24"},"participant":[{"individual":
             {"reference":"Practitioner?identifier=urn:x:rpps|899700000001"}}]}}]})"});
    EXPECT_EQ(access(world, "899700000001", "urn:uuid:77aa", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/9b1d", "77aa", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "https://x.example/fhir/Practitioner/9b1d", "77aa", kNoon),
              Finding::UnknownActor);
}

TEST(CircleWorld, AValueOfTheWrongShapeSaysNothing) {
    const CircleWorld world = world_of(
        {R"({"resourceType":"Practitioner","id":"a","name":{"family":"x"},"qualification":"y"})",
         R"({"resourceType":"Patient","id":"p","generalPractitioner":"Practitioner/a"})"});
    EXPECT_EQ(access(world, "Practitioner/a", "p", kNoon), Finding::Unexplained);
}

/// Shapes that other programs write: each ties Practitioner/a to Patient/p at noon, and no other.
TEST(CircleWorld, OthersSpellTheSameThingsInManyWays) {
    const std::string_view at = R"("2026-11-24T11:00:00Z")";
    const auto with = [&](std::string text) {
        for (std::size_t i; (i = text.find("NOON")) != text.npos;) text.replace(i, 4, at);
        return text;
    };
    const std::vector<std::vector<std::string>> shapes = {
        // An appointment that names a slot alone.
        {R"({"resourceType":"Schedule","id":"s","actor":[{"reference":"Practitioner/a"}]})",
         R"({"resourceType":"Slot","id":"t","schedule":{"reference":"Schedule/s"},"status":"busy",
             "start":NOON,"end":"2026-11-24T13:00:00Z"})",
         R"({"resourceType":"Appointment","id":"x","status":"booked","start":NOON,
             "end":"2026-11-24T13:00:00Z","slot":[{"reference":"Slot/t"}],"participant":[
             {"actor":{"reference":"Patient/p"},"status":"accepted"}]})"},
        // A task about a request, which names the patient.
        {R"({"resourceType":"ServiceRequest","id":"q","status":"active","intent":"order",
             "subject":{"reference":"Patient/p"},"authoredOn":NOON})",
         R"({"resourceType":"Task","id":"x","status":"in-progress","intent":"order",
             "authoredOn":NOON,"focus":{"reference":"ServiceRequest/q"},
             "owner":{"reference":"Practitioner/a"}})"},
        // A message within a stay.
        {R"({"resourceType":"Encounter","id":"e","status":"in-progress","class":{"code":"IMP"},
             "subject":{"reference":"Patient/p"}})",
         R"({"resourceType":"Communication","id":"x","status":"completed","sent":NOON,
             "encounter":{"reference":"Encounter/e"},
             "recipient":[{"reference":"Practitioner/a"}]})"},
        // People kept inside the resource that names them.
        {R"({"resourceType":"Observation","id":"x","status":"final",
             "subject":{"reference":"Patient/p"},"effectiveDateTime":NOON,
             "contained":[{"resourceType":"PractitionerRole","id":"r",
             "practitioner":{"reference":"Practitioner/a"}}],"performer":[{"reference":"#r"}]})"},
        {R"({"resourceType":"Practitioner","id":"a","identifier":[{"system":"rpps","value":"1"}]})",
         R"({"resourceType":"Procedure","id":"x","status":"completed",
             "subject":{"reference":"Patient/p"},"performedDateTime":NOON,"contained":[
             {"resourceType":"Practitioner","id":"c","identifier":[{"system":"rpps","value":"1"}]}],
             "performer":[{"actor":{"reference":"#c"}}]})"},
        // R5 spellings.
        {R"({"resourceType":"Encounter","id":"x","status":"in-progress","class":[{"coding":[{"code":
             "IMP"}]}],"subject":{"reference":"Patient/p"},"actualPeriod":{"start":NOON},
             "participant":[{"actor":{"reference":"Practitioner/a"}}]})"},
        {R"({"resourceType":"Consent","id":"x","status":"active",
             "subject":{"reference":"Patient/p"},"date":"2026-11-01","decision":"permit",
             "provision":[{"actor":[{"reference":
             {"reference":"Practitioner/a"}}]}]})"},
        // Who is to read a document.
        {R"({"resourceType":"DocumentManifest","id":"x","status":"current",
             "subject":{"reference":"Patient/p"},"created":NOON,
             "recipient":[{"reference":"Practitioner/a"}]})"},
    };
    for (const auto& shape : shapes) {
        ReadFacts facts;
        std::vector<std::string> texts = shape;
        texts.emplace_back(R"({"resourceType":"Practitioner","id":"b"})");
        texts.emplace_back(R"({"resourceType":"Patient","id":"p"})");
        for (const std::string& text : texts) {
            const auto document = fhir::parse(with(text));
            ASSERT_TRUE(document) << text;
            read_resource(document->root, facts);
        }
        const auto world = CircleWorld::build(std::move(facts), default_policy());
        EXPECT_EQ(access(world, "Practitioner/a", "Patient/p", kNoon), Finding::Explained)
            << shape.back();
        EXPECT_EQ(access(world, "Practitioner/b", "Patient/p", kNoon), Finding::Unexplained)
            << shape.back();
    }
}

TEST(CircleWorld, ATeleconsultationByAppointmentLeavesWithIt) {
    const CircleWorld world = world_of(
        {R"({"resourceType":"Appointment","id":"x","status":"booked","serviceType":[{"text":
             "Téléconsultation"}],"start":"2026-11-24T11:00:00Z","end":"2026-11-24T13:00:00Z",
             "participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"},
             {"actor":{"reference":"Practitioner/a"},"status":"accepted"}]})"});
    EXPECT_EQ(access(world, "Practitioner/a", "p", kNoon), Finding::Explained);
    EXPECT_EQ(access(world, "Practitioner/a", "p", "2026-11-24T13:00:01Z"), Finding::Unexplained);
    EXPECT_EQ(access(world, "Practitioner/a", "p", "2026-11-24T10:59:00Z"), Finding::Unexplained);
}

TEST(CircleAccesses, AuditEventsEventLinesAndPlainObjectsAreUnderstood) {
    const std::string_view lines[] = {
        R"({"resourceType":"AuditEvent","recorded":"2026-11-24T12:00:00Z","agent":[
            {"who":{"reference":"Device/d"},"requestor":false},
            {"who":{"reference":"Practitioner/a"},"requestor":true}],
            "entity":[{"what":{"reference":"Observation/1"}},{"what":{"reference":"Patient/p"}}]})",
        R"({"type":"record.read","time":"2026-11-24T12:00:00Z","actor":{"id":"Practitioner/a"},
            "subject":{"patient":"Patient/p","object":"Observation/1"}})",
        R"({"who":"Practitioner/a","patient":{"reference":"Patient/p"},"resource":"Observation/1",
            "when":"2026-11-24T13:00:00+01:00","cause":"ward round"})",
        R"({"practitioner":"Practitioner/a","patient_id":"Patient/p","object":"Observation/1",
            "timestamp":"2026-11-24T12:00:00"})",
    };
    for (const std::string_view line : lines) {
        const auto document = fhir::parse(line);
        ASSERT_TRUE(document) << line;
        const auto access = parse_access(document->root);
        ASSERT_TRUE(access) << line;
        EXPECT_EQ(access->actor, "Practitioner/a") << line;
        EXPECT_EQ(access->patient, "Patient/p") << line;
        EXPECT_EQ(access->resource, "Observation/1") << line;
        EXPECT_EQ(access->time, from_rfc3339(kNoon).value()) << line;
        EXPECT_FALSE(access->break_glass) << line;
    }
    for (const std::string_view line : {R"([])", R"({"actor":"a","patient":"p"})",
                                        R"({"actor":"a","time":"2026-11-24T12:00:00Z"})",
                                        R"({"patient":"p","time":"2026-11-24T12:00:00Z"})",
                                        R"({"actor":"a","patient":"p","time":"noon"})"}) {
        const auto document = fhir::parse(line);
        ASSERT_TRUE(document);
        EXPECT_FALSE(parse_access(document->root)) << line;
    }
}

}  // namespace
}  // namespace hygie::access
