#include "access/decide/decision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "access/decide/circle.h"

namespace hygie::access {
namespace {

using event::Action;
using Kind = Relation::Kind;

const WallTime kNow = from_rfc3339("2026-11-24T10:00:00Z").value();

Actor actor(Role role, std::string person = "Practitioner/1") {
    return {.id = ActorId("a"),
            .role = role,
            .person = std::move(person),
            .organisation = "Organization/u"};
}

Relation relation(Kind kind, std::string person = "Practitioner/1") {
    return {.person = std::move(person), .kind = kind, .evidence = "Encounter/e"};
}

Decision read(const Actor& who, std::vector<Relation> relations,
              std::string_view type = "Observation", Action action = Action::Read,
              std::string_view patient = "p") {
    Ask ask{
        .action = action, .type = type, .patient = patient, .relations = relations, .now = kNow};
    const Decision decision = decide(who, ask);
    // Filtering many is the same question, over relations in order.
    std::ranges::sort(relations, {}, &Relation::person);
    ask.by_person = true;
    EXPECT_EQ(may(who, ask), decision.permitted);
    return decision;
}

void expect_said(const Decision& decision, bool permitted) {
    EXPECT_EQ(decision.permitted, permitted);
    ASSERT_FALSE(decision.reasons.empty());
    for (const event::Reason& reason : decision.reasons) {
        EXPECT_FALSE(reason.id.empty());
        EXPECT_FALSE(reason.text.fr.empty());
        EXPECT_FALSE(reason.text.en.empty());
    }
}

TEST(Decision, CareNeedsARelationThatHoldsNow) {
    const Actor doctor = actor(Role::Care);
    expect_said(read(doctor, {}), false);
    expect_said(read(doctor, {relation(Kind::CareTeam, "Practitioner/2")}), false);
    const Decision open = read(doctor, {relation(Kind::CareTeam)});
    expect_said(open, true);
    EXPECT_EQ(open.reasons.front().evidence, "Encounter/e");
    Relation over = relation(Kind::CareTeam);
    over.end = kNow;
    expect_said(read(doctor, {over}), false);
    Relation later = relation(Kind::CareTeam);
    later.start = kNow + std::chrono::seconds(1);
    expect_said(read(doctor, {later}), false);
}

TEST(Decision, ClosedEncountersAndAppointmentsKeepTheirWindow) {
    const Actor doctor = actor(Role::Care);
    Relation encounter = relation(Kind::Encounter);
    encounter.end = kNow - std::chrono::days(30) + std::chrono::seconds(1);
    expect_said(read(doctor, {encounter}), true);
    encounter.end = kNow - std::chrono::days(30);
    expect_said(read(doctor, {encounter}), false);
    Relation booked = relation(Kind::Appointment);
    booked.start = kNow + std::chrono::hours(48);
    booked.end = booked.start + std::chrono::minutes(20);
    expect_said(read(doctor, {booked}), true);
    booked.start += std::chrono::seconds(1);
    expect_said(read(doctor, {booked}), false);
}

TEST(Decision, EveryKindOfRelationSaysItself) {
    for (const Kind kind : {Kind::CareTeam, Kind::Encounter, Kind::Appointment,
                            Kind::GeneralPractitioner, Kind::EpisodeOfCare, Kind::OpenedRecord})
        expect_said(read(actor(Role::Care), {relation(kind)}), true);
    expect_said(read(actor(Role::Care), {relation(Kind::Encounter, "Organization/u")}), true);
}

TEST(Decision, DeskSeesOnlyAdministrativeData) {
    const Actor desk = actor(Role::Desk);
    for (const std::string_view type : {"Patient", "Appointment", "Coverage"}) {
        expect_said(read(desk, {}, type), true);
        expect_said(read(desk, {}, type, Action::Update), true);
        expect_said(read(desk, {}, type, Action::Delete), false);
    }
    for (const std::string_view type :
         {"Observation", "Condition", "MedicationRequest", "AuditEvent"})
        expect_said(read(desk, {relation(Kind::CareTeam)}, type), false);
}

TEST(Decision, PatientsReadTheirOwnRecordOnly) {
    const Actor patient = actor(Role::Patient, "Patient/p");
    expect_said(read(patient, {}), true);
    expect_said(read(patient, {}, "AuditEvent"), true);
    expect_said(read(patient, {}, "Observation", Action::Update), false);
    expect_said(read(patient, {}, "Observation", Action::Read, "q"), false);
    expect_said(read(actor(Role::Patient, ""), {}, "Practitioner", Action::Read, ""), true);
    for (const std::string_view type : {"Task", "Provenance", "Basic", "Person", "Observation"})
        expect_said(read(patient, {}, type, Action::Read, ""), false);
    expect_said(read(actor(Role::Care), {}, "Task", Action::Read, ""), true);
}

TEST(Decision, SecurityAndOperationsSeeNoRecord) {
    for (const Role role : {Role::Security, Role::Operations}) {
        expect_said(read(actor(role), {relation(Kind::CareTeam)}), false);
        expect_said(read(actor(role), {}, "Patient"), false);
        expect_said(read(actor(role), {}, "AuditEvent", Action::Read, ""), true);
        expect_said(read(actor(role), {}, "Task", Action::Read, ""), false);
    }
    expect_said(read(actor(Role::Security), {}, "AuditEvent"), true);
    expect_said(read(actor(Role::Operations), {}, "AuditEvent"), false);
}

TEST(Decision, ScopesAreCeilings) {
    Actor program = actor(Role::Program, "");
    expect_said(read(program, {}), false);
    program.scopes = {"system/Observation.rs"};
    expect_said(read(program, {}), true);
    expect_said(read(program, {}, "Observation", Action::Execute), true);
    expect_said(read(program, {}, "Observation", Action::Create), false);
    expect_said(read(program, {}, "Condition"), false);
    program.scopes = {"patient/*.cruds", "openid"};
    expect_said(read(program, {}), false);
    // Which resources a search leaves is judged where they are known (records' scopes_test).
    program.scopes.push_back("system/Observation.rs?category=laboratory");
    expect_said(read(program, {}), true);
    expect_said(read(program, {}, "Condition"), false);
    expect_said(read(program, {}, "Observation", Action::Update), false);
    Actor doctor = actor(Role::Care);
    doctor.scopes = {"user/*.read"};
    expect_said(read(doctor, {}), false);
    expect_said(read(doctor, {relation(Kind::CareTeam)}), true);
    expect_said(read(doctor, {relation(Kind::CareTeam)}, "Observation", Action::Update), false);
}

Actor physician() {
    Actor doctor = actor(Role::Care);
    doctor.profession = "10";
    doctor.auth = "otp";
    return doctor;
}

Decision ask(const Actor& who, std::vector<Relation> relations, Ask more) {
    more.type = more.type.empty() ? "Observation" : more.type;
    more.patient = "p";
    more.relations = relations;
    more.now = kNow;
    return decide(who, more);
}

TEST(Decision, OppositionOverridesEveryCircle) {
    const Actor doctor = physician();
    const Relation team = relation(Kind::CareTeam);
    const Relation named = relation(Kind::Opposition);
    Relation all = relation(Kind::Opposition, "");
    expect_said(read(doctor, {team}), true);
    expect_said(read(doctor, {team, named}), false);
    EXPECT_EQ(read(doctor, {named, team}).reasons.front().id, "circle.opposed");
    expect_said(read(doctor, {team, relation(Kind::Opposition, "Practitioner/2")}), true);
    expect_said(read(doctor, {team, all}), false);
    // Explicit consent is the exception to an opposition to everybody, never to one that names.
    expect_said(read(doctor, {relation(Kind::Consent), all}), true);
    expect_said(read(doctor, {relation(Kind::Consent), named}), false);
    all.classes = bit(DataClass::Medication);
    expect_said(read(doctor, {team, all}), true);
    expect_said(read(doctor, {team, all}, "MedicationRequest"), false);
}

TEST(Decision, NobodyIsTiedByARelationWithoutAParty) {
    Actor nobody = physician();
    nobody.person.clear();
    nobody.organisation.clear();
    for (const Kind kind : {Kind::CareTeam, Kind::GeneralPractitioner, Kind::Consent})
        expect_said(read(nobody, {relation(kind, "")}), false);
}

TEST(Decision, LabelsHideFromThoseWhoAreNotNamed) {
    const Actor doctor = physician();
    const Relation by_unit = relation(Kind::Encounter, "Organization/u");
    expect_said(ask(doctor, {by_unit}, {.labels = 0}), true);
    expect_said(ask(doctor, {by_unit}, {.labels = kRestricted}), false);
    expect_said(ask(doctor, {relation(Kind::Encounter)}, {.labels = kRestricted}), true);
    expect_said(ask(doctor, {relation(Kind::Encounter)}, {.labels = kMasked}), false);
    expect_said(ask(doctor, {relation(Kind::GeneralPractitioner)}, {.labels = kMasked}), true);
    const Actor patient = actor(Role::Patient, "Patient/p");
    expect_said(ask(patient, {}, {.labels = kMasked}), true);
    expect_said(ask(patient, {}, {.labels = kHiddenFromPatient}), false);
}

TEST(Decision, ProxiesReadUntilTheyAreNoLonger) {
    const Actor mother = actor(Role::Patient, "RelatedPerson/m");
    Relation proxy = relation(Kind::Proxy, "RelatedPerson/m");
    proxy.end = kNow + std::chrono::seconds(1);
    expect_said(ask(mother, {proxy}, {}), true);
    expect_said(ask(mother, {proxy}, {.action = Action::Update}), false);
    expect_said(ask(mother, {proxy}, {.labels = kHiddenFromProxies}), false);
    proxy.end = kNow;
    expect_said(ask(mother, {proxy}, {}), false);
    // Being family opens nothing at work.
    Actor nurse = physician();
    nurse.person = "RelatedPerson/m";
    proxy.end = WallTime::max();
    expect_said(ask(nurse, {proxy}, {}), false);
}

TEST(Decision, BreakGlassIsForOneHourAProfessionAndASecondFactor) {
    const BreakGlass glass{.start = kNow, .end = kNow + std::chrono::minutes(60), .evidence = "b"};
    Actor doctor = physician();
    const Decision open = ask(doctor, {}, {.break_glass = &glass});
    expect_said(open, true);
    EXPECT_EQ(open.obligations, kTellPatient | kTellOfficer | kReview);
    EXPECT_EQ(open.reasons.front().evidence, "b");
    expect_said(ask(doctor, {relation(Kind::Opposition)}, {.break_glass = &glass}), true);
    expect_said(ask(doctor, {}, {.labels = kMasked, .break_glass = &glass}), false);
    BreakGlass vital = glass;
    vital.vital = true;
    expect_said(ask(doctor, {}, {.labels = kMasked, .break_glass = &vital}), true);

    BreakGlass long_one = glass;
    long_one.end += std::chrono::seconds(1);
    expect_said(ask(doctor, {}, {.break_glass = &long_one}), false);
    BreakGlass over{.start = kNow - std::chrono::minutes(60), .end = kNow};
    expect_said(ask(doctor, {}, {.break_glass = &over}), false);
    doctor.auth = "pwd";
    expect_said(ask(doctor, {}, {.break_glass = &glass}), false);
    doctor.auth = "otp";
    doctor.profession = "35";
    expect_said(ask(doctor, {}, {.break_glass = &glass}), false);
    doctor.role = Role::Desk;
    expect_said(ask(doctor, {}, {.break_glass = &glass}), false);
}

TEST(Decision, AColleagueWhoSignsStandsForASecondFactorAndIsInTheProof) {
    BreakGlass glass{.start = kNow, .end = kNow + std::chrono::minutes(60), .evidence = "b"};
    Actor doctor = physician();
    doctor.auth = "pwd";
    expect_said(ask(doctor, {}, {.break_glass = &glass}), false);
    glass.cosigner = "Practitioner/2";
    glass.cosign_evidence = "c";
    const Decision open = ask(doctor, {}, {.break_glass = &glass});
    expect_said(open, true);
    EXPECT_EQ(open.reasons.front().id, "circle.break_glass.cosigned");
    EXPECT_TRUE(open.reasons.front().text.fr.contains("contresigné"));
    EXPECT_EQ(open.obligations, kTellPatient | kTellOfficer | kReview);
    ASSERT_EQ(open.proof.size(), 2U);
    EXPECT_EQ(open.proof[0].subject, "Practitioner/1");
    EXPECT_EQ(open.proof[0].evidence, "b");
    EXPECT_EQ(open.proof[1].subject, "Practitioner/2");
    EXPECT_EQ(open.proof[1].relation, "co-sign");
    EXPECT_EQ(open.proof[1].object, "Practitioner/1");
    EXPECT_EQ(open.proof[1].evidence, "c");
    // It is a second factor and nothing more.
    doctor.profession = "35";
    expect_said(ask(doctor, {}, {.break_glass = &glass}), false);
    doctor.profession = "10";
    expect_said(ask(doctor, {}, {.labels = kMasked, .break_glass = &glass}), false);
}

TEST(Decision, AHeldUnitSeesNothingButByABreakGlassDeclaredSince) {
    const UnitHold hold{.unit = "Location/ward", .since = kNow, .evidence = "event/h"};
    Actor nurse = physician();
    nurse.belongs = {{.party = "Location/ward", .post = 4, .evidence = "PractitionerRole/r"}};
    const std::vector<Relation> team = {relation(Kind::CareTeam)};
    const Decision held = ask(nurse, team, {.holds = {&hold, 1}});
    expect_said(held, false);
    EXPECT_EQ(held.reasons.front().id, "circle.contained");
    EXPECT_EQ(held.reasons.front().evidence, "event/h");
    EXPECT_EQ(held.reasons[1].id, "circle.remedy");
    ASSERT_EQ(held.proof.size(), 2U);
    EXPECT_EQ(held.proof[0].subject, "Practitioner/1");
    EXPECT_EQ(held.proof[0].object, "Location/ward");
    EXPECT_EQ(held.proof[0].evidence, "PractitionerRole/r");
    EXPECT_EQ(held.proof[1].relation, "contained");
    EXPECT_EQ(held.proof[1].evidence, "event/h");

    BreakGlass glass{.start = kNow, .end = kNow + std::chrono::minutes(60), .evidence = "b"};
    const Decision emergency = ask(nurse, team, {.break_glass = &glass, .holds = {&hold, 1}});
    expect_said(emergency, true);
    EXPECT_EQ(emergency.reasons.front().id, "circle.break_glass.emergency");
    EXPECT_EQ(emergency.obligations, kTellPatient | kTellOfficer | kReview);
    EXPECT_EQ(emergency.proof.size(), 3U);
    glass.start -= Micros(1);
    glass.end -= Micros(1);
    expect_said(ask(nurse, team, {.break_glass = &glass, .holds = {&hold, 1}}), false);

    // Not whom it is not about: elsewhere, in a part of it, before, after, patients, officers.
    nurse.belongs[0].is_part = true;
    expect_said(ask(nurse, team, {.holds = {&hold, 1}}), true);
    nurse.belongs[0].is_part = false;
    nurse.belongs[0].end = kNow;
    expect_said(ask(nurse, team, {.holds = {&hold, 1}}), true);
    UnitHold other = hold;
    other.unit = "Organization/u";  // the account's own
    expect_said(ask(nurse, team, {.holds = {&other, 1}}), false);
    nurse.role = Role::Patient;
    nurse.person = "Patient/p";
    expect_said(ask(nurse, {}, {.holds = {&other, 1}}), true);
    UnitHold over = other;
    over.until = kNow;
    Actor doctor = physician();
    expect_said(ask(doctor, team, {.holds = {&over, 1}}), true);
    over.until += Micros(1);
    expect_said(ask(doctor, team, {.holds = {&over, 1}}), false);
}

TEST(Decision, APurposeBesideCareStandsOnItsLeaveAloneAndIsMinimised) {
    Actor clerk = physician();
    const std::vector<Relation> team = {relation(Kind::CareTeam)};
    const auto asked = [&](const std::vector<Relation>& relations, std::uint8_t labels = 0) {
        return ask(clerk, relations, {.labels = labels, .purpose = Purpose::Research});
    };
    EXPECT_EQ(asked(team).reasons.front().id, "circle.no_grant") << "a circle is no leave";
    clerk.grants = {{.purpose = Purpose::Quality, .since = kNow, .until = WallTime::max()},
                    {.purpose = Purpose::Research,
                     .since = kNow,
                     .until = kNow + std::chrono::hours(1),
                     .evidence = "event/g"}};
    const Decision open = asked({});
    expect_said(open, true);
    EXPECT_EQ(open.reasons.front().id, "circle.purpose");
    EXPECT_EQ(open.reasons.front().evidence, "event/g");
    EXPECT_TRUE(open.reasons.front().text.fr.contains("la recherche"));
    EXPECT_EQ(open.obligations, kMinimise);
    ASSERT_EQ(open.proof.size(), 1U);
    EXPECT_EQ(open.proof[0].object, "research");
    EXPECT_EQ(open.proof[0].evidence, "event/g");
    expect_said(ask(clerk, {}, {}), false);  // and leave is no circle
    expect_said(asked({relation(Kind::Opposition, "")}), false);
    expect_said(asked({relation(Kind::Opposition, ""), relation(Kind::Consent)}), false);
    expect_said(asked({relation(Kind::Restriction, "")}), false);
    expect_said(asked(team, kMasked), false);
    expect_said(asked(team, kRestricted), false);
    const auto of = [&](std::string_view type, Action action = Action::Read,
                        std::string_view patient = "p") {
        return decide(clerk, {.action = action,
                              .type = type,
                              .patient = patient,
                              .now = kNow,
                              .purpose = Purpose::Research})
            .permitted;
    };
    EXPECT_TRUE(of("Patient"));
    EXPECT_FALSE(of("Coverage"));
    EXPECT_FALSE(of("Consent"));
    EXPECT_FALSE(of("Observation", Action::Update));
    EXPECT_FALSE(of("Practitioner", Action::Read, ""));
    clerk.grants[1].until = kNow;
    expect_said(asked({}), false);
    clerk.grants[1].until += Micros(1);
    expect_said(asked({}), true);
    clerk.auth = "pwd";
    EXPECT_EQ(asked({}).obligations, kStepUp);
    clerk.auth = "otp";
    clerk.role = Role::Patient;
    expect_said(asked({}), false);
}

TEST(Decision, ProfessionsAreCeilings) {
    Actor ambulance = physician();
    ambulance.profession = "36";
    expect_said(read(ambulance, {relation(Kind::CareTeam)}, "Patient"), true);
    expect_said(read(ambulance, {relation(Kind::CareTeam)}, "DiagnosticReport"), false);
    EXPECT_EQ(read(ambulance, {relation(Kind::CareTeam)}, "DiagnosticReport").reasons.front().id,
              "circle.ceiling");
}

TEST(Decision, IncidentsAndPressureHoldWhatCirclesOpen) {
    const Actor doctor = physician();
    const std::vector<Relation> team = {relation(Kind::CareTeam)};
    expect_said(ask(doctor, team, {.frozen = true}), false);
    const Decision slow = ask(doctor, team, {.pressure = Pressure::Slow});
    expect_said(slow, true);
    EXPECT_EQ(slow.obligations, kSlow);
    const Decision justify = ask(doctor, team, {.pressure = Pressure::Justify});
    expect_said(justify, false);
    EXPECT_NE(justify.obligations & kJustify, 0);
    expect_said(ask(doctor, team, {.pressure = Pressure::Justify, .justified = true}), true);
    const Decision cut = ask(doctor, team, {.pressure = Pressure::Cut, .justified = true});
    expect_said(cut, false);
    EXPECT_NE(cut.obligations & kCut, 0);
}

TEST(Decision, TheProofLeadsFromTheActorToThePatient) {
    Actor nurse = physician();
    nurse.belongs = {{.party = "Location/ward", .post = 4, .evidence = "PractitionerRole/r"}};
    Relation presence = relation(Kind::Presence, "Location/ward");
    const Decision decision = read(nurse, {presence});
    expect_said(decision, true);
    ASSERT_EQ(decision.proof.size(), 2U);
    EXPECT_EQ(decision.proof[0].subject, "Practitioner/1");
    EXPECT_EQ(decision.proof[0].object, "Location/ward");
    EXPECT_EQ(decision.proof[0].evidence, "PractitionerRole/r");
    EXPECT_EQ(decision.proof[1].subject, "Location/ward");
    EXPECT_EQ(decision.proof[1].evidence, "Encounter/e");
    // Delegates act for a person, they do not inherit consent or wards.
    nurse.belongs = {{.party = "Practitioner/2", .post = 6}};
    expect_said(read(nurse, {relation(Kind::GeneralPractitioner, "Practitioner/2")}), true);
    expect_said(read(nurse, {relation(Kind::Consent, "Practitioner/2")}), false);
    expect_said(read(nurse, {relation(Kind::Teleconsultation, "Practitioner/2")}), false);
}

}  // namespace
}  // namespace hygie::access
