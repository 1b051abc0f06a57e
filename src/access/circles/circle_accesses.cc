#include "access/circles/circle_accesses.h"

#include <algorithm>

#include "base/check.h"

namespace hygie::access {
namespace {

using fhir::Json;

constexpr std::size_t kAhead = 24;
constexpr std::size_t kAheadBonds = 12;

/// The text of a value that may be a string, a Reference or an object with an id.
std::string text_in(Json value) {
    if (value.is_string() || value.is_number()) return std::string(value.text());
    if (value.is_array()) return value.size() > 0 ? text_in(value.items()[0]) : std::string();
    if (!value.is_object()) return {};
    if (std::string name = reference_name(value); !name.empty()) return name;
    for (const std::string_view key : {"id", "value", "code", "text", "display"})
        if (value[key].is_string()) return std::string(value[key].text());
    return {};
}

std::string first_of(Json object, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (std::string text = text_in(object[name]); !text.empty()) return text;
    return {};
}

Result<WallTime> time_in(std::string_view text) {
    const bool zoned = text.ends_with('Z') || text.rfind('+') != std::string_view::npos ||
                       text.rfind('-') > text.find('T');
    if (text.contains('T') && !zoned) return from_rfc3339(std::string(text) + 'Z');
    return from_rfc3339(text);
}

bool says_emergency(std::string_view text) {
    std::string upper(text);
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
    return upper == "BTG" || upper == "ETREAT" || upper.contains("BREAK") ||
           upper.contains("BRIS") || upper == "TRUE";
}

std::unexpected<Error> missing(Text what) {
    return fail(Code::BadInput,
                {"un accès est incomplet : il manque " + what.fr,
                 "an access is incomplete: it lacks " + what.en},
                {"donnez des AuditEvent FHIR, ou des objets avec actor, patient et time",
                 "give FHIR AuditEvents, or objects with actor, patient and time"});
}

void read_agents(Json event, PastAccess& access) {
    for (const Json& agent : event["agent"].items()) {
        const std::string who = text_in(agent["who"]);
        const bool device = who.starts_with("Device/") || who.starts_with("Organization/");
        const bool requestor = agent["requestor"].text() == "true";
        if (!device && (access.actor.empty() || requestor))
            access.actor = who.empty() ? text_in(agent["altId"]) : who;
        each_at(agent, "purposeOfUse.coding.code", [&](Json code) {
            access.break_glass = access.break_glass || says_emergency(code.text());
        });
    }
    each_at(event, "purposeOfEvent.coding.code", [&](Json code) {
        access.break_glass = access.break_glass || says_emergency(code.text());
        if (access.cause.empty()) access.cause = code.text();
    });
}

void read_entities(Json event, PastAccess& access) {
    for (const Json& entity : event["entity"].items()) {
        const std::string what = text_in(entity["what"]);
        const bool person = entity["role"]["code"].text() == "1";
        if (what.starts_with("Patient/") || (person && access.patient.empty()))
            access.patient = what;
        else if (access.resource.empty() && what.contains('/'))
            access.resource = what;
        each_at(entity, "detail", [&](Json detail) {
            if (detail["type"].text() == "cause") access.cause = detail["valueString"].text();
        });
    }
}

PastAccess read_audit_event(Json event) {
    PastAccess access;
    read_agents(event, access);
    read_entities(event, access);
    if (std::string patient = text_in(event["patient"]); !patient.empty()) access.patient = patient;
    const std::string_view action = event["action"].text();
    access.writing = action == "C" || action == "U" || action == "D";
    return access;
}

PastAccess read_plain(Json object) {
    PastAccess access;
    const Json subject = object["subject"];
    access.actor = first_of(object, {"actor", "who", "user", "practitioner", "agent", "by",
                                     "professional", "person", "actor_id", "user_id", "login"});
    access.patient = first_of(object, {"patient", "patient_id", "record", "about", "dossier"});
    if (access.patient.empty() && subject.is_object() && !subject["patient"].absent())
        access.patient = text_in(subject["patient"]);
    else if (access.patient.empty())
        access.patient = text_in(subject);
    access.resource = first_of(object, {"resource", "object", "entity", "resourceType", "what",
                                        "resource_type", "data_class"});
    if (access.resource.empty() && subject.is_object())
        access.resource = text_in(subject["object"]);
    access.cause = first_of(object, {"cause", "reason", "why", "motive", "purpose", "label"});
    const std::string glass =
        first_of(object, {"break_glass", "breakGlass", "btg", "emergency", "purpose"});
    const bool flagged = object["break_glass"].text() == "true" ||
                         object["breakGlass"].text() == "true" ||
                         object["emergency"].text() == "true";
    access.break_glass = flagged || says_emergency(glass);
    const std::string action = first_of(object, {"action"});
    access.writing = action == "create" || action == "update" || action == "delete" ||
                     action == "C" || action == "U" || action == "D";
    return access;
}

std::string time_text(Json object) {
    std::string text = first_of(object, {"recorded", "time", "when", "at", "timestamp", "date",
                                         "datetime", "occurredDateTime", "instant"});
    if (text.empty()) text = object["period"]["start"].text();
    return text;
}

}  // namespace

Result<PastAccess> parse_access(Json line) {
    if (!line.is_object()) return missing({"l'objet JSON", "the JSON object"});
    PastAccess access =
        line["resourceType"].text() == "AuditEvent" ? read_audit_event(line) : read_plain(line);
    access.id = first_of(line, {"id", "event", "event_id"});
    const auto time = time_in(time_text(line));
    if (!time) return missing({"l'heure (time, RFC 3339)", "the time (time, RFC 3339)"});
    access.time = *time;
    if (access.actor.empty()) return missing({"l'acteur (actor)", "the actor (actor)"});
    if (access.patient.empty() && access.resource.empty())
        return missing({"le patient (patient)", "the patient (patient)"});
    return access;
}

Access resolve(const CircleWorld& world, const PastAccess& past) {
    Access access{
        .time = second_of(past.time), .break_glass = past.break_glass, .writing = past.writing};
    if (const auto actor = world.find_actor(past.actor)) access.actor = *actor;
    if (const auto patient = world.find_patient(past.patient); patient && !past.patient.empty())
        access.patient = *patient;
    else if (const auto about = world.patient_of(past.resource))
        access.patient = *about;
    const std::string_view type =
        std::string_view(past.resource).substr(0, past.resource.find('/'));
    if (!type.empty() && type[0] >= 'A' && type[0] <= 'Z') {
        const DataClass data = class_of(type);
        // A trace or a place read for a patient's sake is no clinical data.
        const bool about = data != DataClass::Trace && data != DataClass::Directory;
        access.data = about ? data : DataClass::Identity;
    }
    return access;
}

std::string_view name_of(Finding finding) {
    switch (finding) {
        case Finding::Explained:
            return "explained";
        case Finding::ToReview:
            return "to_review";
        case Finding::Unexplained:
            return "unexplained";
        case Finding::Against:
            return "against";
        case Finding::UnknownActor:
            return "unknown_actor";
        case Finding::UnknownPatient:
            return "unknown_patient";
    }
    return "";
}

Finding finding_named(std::string_view name) {
    for (std::size_t i = 0; i < kFindings; ++i)
        if (name_of(static_cast<Finding>(i)) == name) return static_cast<Finding>(i);
    return Finding::Explained;
}

Text sentence_of(Finding finding) {
    switch (finding) {
        case Finding::Explained:
            return {"expliqué", "explained"};
        case Finding::ToReview:
            return {"urgence déclarée, à relire", "declared emergency, to review"};
        case Finding::Unexplained:
            return {"rien ne reliait cette personne à ce patient", "nothing tied them together"};
        case Finding::Against:
            return {"opposition, masquage ou profession contraire",
                    "against an opposition, a label or the profession"};
        case Finding::UnknownActor:
            return {"personne inconnue", "unknown person"};
        case Finding::UnknownPatient:
            return {"patient inconnu", "unknown patient"};
    }
    return {};
}

Query query_of(const Access& access) {
    return {.now = access.time, .data = access.data, .writing = access.writing, .strong = true};
}

Finding judge(const CircleIndex& index, const Access& access) {
    if (access.actor == kNobody) return Finding::UnknownActor;
    if (access.patient == kNobody) return Finding::UnknownPatient;
    const Rule rule = index.decide(access.actor, access.patient, query_of(access)).rule;
    if (permits(rule)) return Finding::Explained;
    if (access.break_glass && index.actor(access.actor).role == Role::Care)
        return Finding::ToReview;
    return rule == Rule::None ? Finding::Unexplained : Finding::Against;
}

std::array<std::uint64_t, kFindings> replay(const CircleIndex& index,
                                            std::span<const Access> accesses) {
    std::array<std::uint64_t, kFindings> counts{};
    const auto ahead = [&](std::size_t i) {
        return i < accesses.size() && accesses[i].patient < index.patients() &&
               accesses[i].actor < index.actors();
    };
    for (std::size_t i = 0; i < accesses.size(); ++i) {
        if (ahead(i + kAhead))
            index.prefetch(accesses[i + kAhead].actor, accesses[i + kAhead].patient);
        if (ahead(i + kAheadBonds)) index.prefetch_bonds(accesses[i + kAheadBonds].patient);
        ++counts[static_cast<std::size_t>(judge(index, accesses[i]))];
    }
    return counts;
}

}  // namespace hygie::access
