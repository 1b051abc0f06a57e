#include "access/decision.h"

#include <algorithm>
#include <array>
#include <optional>

#include "access/circle_scope.h"

namespace hygie::access {

std::string_view name_of(Role role) {
    switch (role) {
        case Role::Care:
            return "care";
        case Role::Desk:
            return "desk";
        case Role::Security:
            return "security";
        case Role::Operations:
            return "operations";
        case Role::Patient:
            return "patient";
        case Role::Program:
            return "program";
    }
    return "";
}

namespace {

using event::Action;
using Kind = Relation::Kind;

/// Identity, agenda and coverage: what a reception desk works with, nothing clinical.
constexpr std::array<std::string_view, 12> kDeskTypes = {"Account",
                                                         "Appointment",
                                                         "AppointmentResponse",
                                                         "Coverage",
                                                         "CoverageEligibilityRequest",
                                                         "Patient",
                                                         "Person",
                                                         "CoverageEligibilityResponse",
                                                         "Schedule",
                                                         "RelatedPerson",
                                                         "Slot",
                                                         "Organization"};

/// A closed encounter is still followed up: letters, results that arrive late.
constexpr Micros kAfterEncounter = std::chrono::days(30);
/// An appointment is prepared before and written up after.
constexpr Micros kAroundAppointment = std::chrono::hours(48);

bool is_reading(Action action) {
    return action == Action::Read || action == Action::Execute;
}

Decision permit(std::string id, Text text, std::string evidence = {}) {
    return {.permitted = true,
            .reasons = {
                {.id = std::move(id), .text = std::move(text), .evidence = std::move(evidence)}}};
}

Decision refuse(std::string id, Text text) {
    return {.permitted = false,
            .reasons = {{.id = std::move(id), .text = std::move(text), .evidence = {}}}};
}

/// `time` moved, without running over an end that is open.
WallTime moved(WallTime time, Micros by) {
    return time == WallTime::min() || time == WallTime::max() ? time : time + by;
}

bool holds(const Relation& relation, WallTime now) {
    const bool booked = relation.kind == Kind::Appointment;
    const Micros before = booked ? kAroundAppointment : Micros(0);
    const Micros after = booked                             ? kAroundAppointment
                         : relation.kind == Kind::Encounter ? kAfterEncounter
                                                            : Micros(0);
    return moved(relation.start, -before) <= now && now < moved(relation.end, after);
}

Text sentence_of(Kind kind) {
    switch (kind) {
        case Kind::CareTeam:
            return {"Autorisé : vous faites partie de l'équipe de soins de ce patient.",
                    "Permitted: you belong to the care team of this patient."};
        case Kind::Encounter:
            return {"Autorisé : vous prenez part à une venue de ce patient, en cours ou récente.",
                    "Permitted: you take part in an encounter of this patient, open or recent."};
        case Kind::Appointment:
            return {"Autorisé : ce patient a rendez-vous avec vous.",
                    "Permitted: this patient has an appointment with you."};
        case Kind::GeneralPractitioner:
            return {"Autorisé : vous êtes le médecin traitant de ce patient.",
                    "Permitted: you are the general practitioner of this patient."};
        case Kind::EpisodeOfCare:
            return {"Autorisé : vous suivez ce patient dans un épisode de soins.",
                    "Permitted: you follow this patient in an episode of care."};
        case Kind::OpenedRecord:
            return {"Autorisé : vous avez ouvert ce dossier ici.",
                    "Permitted: you opened this record here."};
    }
    return {};
}

std::string_view id_of(Kind kind) {
    switch (kind) {
        case Kind::CareTeam:
            return "circle.care_team";
        case Kind::Encounter:
            return "circle.encounter";
        case Kind::Appointment:
            return "circle.appointment";
        case Kind::GeneralPractitioner:
            return "circle.general_practitioner";
        case Kind::EpisodeOfCare:
            return "circle.episode";
        case Kind::OpenedRecord:
            return "circle.opened_record";
    }
    return "";
}

Decision decide_care(const Actor& actor, const Ask& ask) {
    if (ask.type == "AuditEvent")
        return refuse("circle.trace",
                      {"Refusé : les traces d'accès sont lues par le patient et par le responsable "
                       "de la sécurité.",
                       "Refused: access traces are read by the patient and the security officer."});
    const auto mine = [&](const Relation& relation) {
        return !relation.person.empty() &&
               (relation.person == actor.person || relation.person == actor.organisation) &&
               holds(relation, ask.now);
    };
    const auto found = std::ranges::find_if(ask.relations, mine);
    if (found == ask.relations.end())
        return refuse("circle.none",
                      {"Refusé : rien dans ce dossier ne montre que vous soignez ce patient "
                       "maintenant. Un rendez-vous, "
                       "une venue ou une équipe de soins qui vous nomme ouvre l'accès.",
                       "Refused: nothing in this record shows that you treat this patient now. An "
                       "appointment, an "
                       "encounter or a care team that names you opens it."});
    return permit(std::string(id_of(found->kind)), sentence_of(found->kind), found->evidence);
}

Decision decide_desk(const Ask& ask) {
    if (std::ranges::find(kDeskTypes, ask.type) == kDeskTypes.end())
        return refuse(
            "circle.desk.clinical",
            {"Refusé : l'accueil voit l'identité, l'agenda et les droits, rien de médical.",
             "Refused: the desk sees identity, agenda and coverage, nothing clinical."});
    if (ask.action == Action::Delete)
        return refuse("circle.desk.delete", {"Refusé : l'accueil n'efface rien, il annule.",
                                             "Refused: the desk deletes nothing, it cancels."});
    return permit("circle.desk", {"Autorisé : donnée administrative, pour l'accueil.",
                                  "Permitted: administrative data, for the desk."});
}

Decision decide_patient(const Actor& actor, const Ask& ask) {
    constexpr std::string_view kPrefix = "Patient/";
    const bool own =
        actor.person.starts_with(kPrefix) && actor.person.substr(kPrefix.size()) == ask.patient;
    if (!own)
        return refuse("circle.patient.other", {"Refusé : ce dossier n'est pas le vôtre.",
                                               "Refused: this record is not yours."});
    if (!is_reading(ask.action))
        return refuse(
            "circle.patient.write",
            {"Refusé : vous lisez votre dossier ; demandez une rectification à qui vous soigne.",
             "Refused: you read your record; ask whoever treats you for a rectification."});
    return permit("circle.self",
                  {"Autorisé : c'est votre dossier.", "Permitted: this is your record."},
                  actor.person);
}

Decision decide_trace(const Ask& ask) {
    if (ask.type == "AuditEvent" && is_reading(ask.action))
        return permit("circle.trace", {"Autorisé : lecture des traces, pour la sécurité.",
                                       "Permitted: reading traces, for security."});
    return refuse("circle.role", {"Refusé : votre rôle ne donne accès à aucun dossier.",
                                  "Refused: your role gives access to no record."});
}

/// Directories (practitioners, organisations, places…) are about no patient.
Decision decide_directory(const Actor& actor, const Ask& ask) {
    if (ask.type == "AuditEvent" && is_reading(ask.action) &&
        (actor.role == Role::Security || actor.role == Role::Operations))
        return permit("circle.trace", {"Autorisé : trace qui ne concerne aucun patient.",
                                       "Permitted: a trace about no patient."});
    const bool staff = actor.role == Role::Care || actor.role == Role::Desk;
    if (ask.type != "AuditEvent" && (staff ? ask.action != Action::Delete : is_reading(ask.action)))
        return permit("circle.directory", {"Autorisé : donnée qui ne concerne aucun patient.",
                                           "Permitted: data about no patient."});
    return refuse("circle.role", {"Refusé : votre rôle ne permet pas cet acte.",
                                  "Refused: your role does not permit this act."});
}

Decision decide_role(const Actor& actor, const Ask& ask) {
    if (actor.role == Role::Program)
        return permit("circle.program", {"Autorisé : ce programme a cette portée.",
                                         "Permitted: this program has this scope."});
    if (ask.patient.empty()) return decide_directory(actor, ask);
    switch (actor.role) {
        case Role::Care:
            return decide_care(actor, ask);
        case Role::Desk:
            return decide_desk(ask);
        case Role::Patient:
            return decide_patient(actor, ask);
        case Role::Security:
            return decide_trace(ask);
        case Role::Operations:
        case Role::Program:
            break;
    }
    return refuse("circle.role", {"Refusé : votre rôle ne donne accès à aucun dossier.",
                                  "Refused: your role gives access to no record."});
}

}  // namespace

Decision decide(const Actor& actor, const Ask& ask) {
    const bool bounded = !actor.scopes.empty() || actor.role == Role::Program;
    if (bounded && !within_scopes(actor, ask.action, ask.type))
        return refuse("circle.scope", {"Refusé : la portée accordée au programme ne couvre pas cet "
                                       "acte. Demandez-la à l'inscription du "
                                       "programme.",
                                       "Refused: the scope granted to the program does not cover "
                                       "this act. Ask for it when the program "
                                       "is registered."});
    return decide_role(actor, ask);
}

}  // namespace hygie::access
