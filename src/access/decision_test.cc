#include "access/decision.h"

#include <gtest/gtest.h>

#include <array>

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
    return decide(
        who,
        {.action = action, .type = type, .patient = patient, .relations = relations, .now = kNow});
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
    later.start = kNow + Micros(1);
    expect_said(read(doctor, {later}), false);
}

TEST(Decision, ClosedEncountersAndAppointmentsKeepTheirWindow) {
    const Actor doctor = actor(Role::Care);
    Relation encounter = relation(Kind::Encounter);
    encounter.end = kNow - std::chrono::days(30) + Micros(1);
    expect_said(read(doctor, {encounter}), true);
    encounter.end = kNow - std::chrono::days(30);
    expect_said(read(doctor, {encounter}), false);
    Relation booked = relation(Kind::Appointment);
    booked.start = kNow + std::chrono::hours(48);
    booked.end = booked.start + std::chrono::minutes(20);
    expect_said(read(doctor, {booked}), true);
    booked.start += Micros(1);
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
    expect_said(read(actor(Role::Patient, ""), {}, "Observation", Action::Read, ""), true);
}

TEST(Decision, SecurityAndOperationsSeeNoRecord) {
    for (const Role role : {Role::Security, Role::Operations}) {
        expect_said(read(actor(role), {relation(Kind::CareTeam)}), false);
        expect_said(read(actor(role), {}, "Patient"), false);
        expect_said(read(actor(role), {}, "AuditEvent", Action::Read, ""), true);
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
    program.scopes = {"patient/*.cruds", "system/Observation.rs?category=laboratory", "openid"};
    expect_said(read(program, {}), false);
    Actor doctor = actor(Role::Care);
    doctor.scopes = {"user/*.read"};
    expect_said(read(doctor, {}), false);
    expect_said(read(doctor, {relation(Kind::CareTeam)}), true);
    expect_said(read(doctor, {relation(Kind::CareTeam)}, "Observation", Action::Update), false);
}

}  // namespace
}  // namespace hygie::access
