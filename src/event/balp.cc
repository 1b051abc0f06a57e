#include "event/balp.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "event/act_codes.h"
#include "event/clean_text.h"

namespace hygie::event {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kProfiles = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/";
constexpr std::string_view kActReason = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
constexpr Coding kPerson{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"};
constexpr Coding kObject{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "2",
                         "System Object"};
constexpr Coding kOther{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "4", "Other"};
constexpr Coding kPatientRole{"http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"};
constexpr Coding kDomainRole{"http://terminology.hl7.org/CodeSystem/object-role", "4",
                             "Domain Resource"};
constexpr Coding kQueryRole{"http://terminology.hl7.org/CodeSystem/object-role", "24", "Query"};
constexpr Coding kConsent{"http://hl7.org/fhir/resource-types", "Consent", "Consent"};
constexpr Coding kRequestId{"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                            "XrequestId",
                            "transport specific unique identifier where http X-Request-Id is used"};
constexpr Coding kOrganisation{"http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV",
                               "healthcare provider"};
constexpr Coding kDelegator{"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "DELEGATOR",
                            "delegator"};
constexpr Coding kApplicationServer{"http://terminology.hl7.org/CodeSystem/security-source-type",
                                    "4", "Application Server"};

Json coding(const Coding& c) {
    Json made{{"system", c.system}, {"code", c.code}};
    if (!c.display.empty()) made["display"] = c.display;
    return made;
}

Json concept_of(const Coding& c) {
    return {{"coding", Json::array({coding(c)})}};
}

bool is_fhir_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '.';
    });
}

/// "Observation/42": a relative reference of FHIR R4 §2.3.0.
bool is_reference(std::string_view text) {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && slash > 0 && text[0] >= 'A' && text[0] <= 'Z' &&
           is_fhir_id(text.substr(0, slash)) && is_fhir_id(text.substr(slash + 1));
}

/// A Reference to what our events name by a word: literal when the word is a FHIR reference,
/// logical otherwise.
Json reference(const std::string& name) {
    if (is_reference(name)) return {{"reference", name}};
    return {{"identifier", {{"value", clean_text(name)}}}};
}

Json patient_reference(const std::string& id) {
    if (is_fhir_id(id)) return {{"reference", "Patient/" + id}};
    Json logical = reference(id);
    logical["type"] = "Patient";
    return logical;
}

/// Who speaks in the ledger: it observes the event and, in an exchange, serves it.
std::string observer_of(const Event& e) {
    if (e.node.empty()) return e.source.empty() ? "hygie" : e.source.str();
    return e.source.str() + '@' + e.node.str();
}

Json agent(const Coding& type, Json who, bool requestor) {
    return {{"type", concept_of(type)}, {"who", std::move(who)}, {"requestor", requestor}};
}

Json network(const std::string& address) {
    // 2 is an IP address, 1 a machine name, 5 a URI (FHIR network-type).
    const bool is_uri = address.find("://") != std::string_view::npos;
    const bool is_ip =
        !is_uri && (address.find(':') != std::string_view::npos ||
                    address.find_first_not_of("0123456789.") == std::string_view::npos);
    return {{"address", clean_text(address)}, {"type", is_uri ? "5" : is_ip ? "2" : "1"}};
}

bool has_client(const Event& e) {
    return !e.network.address.empty();
}

Json client_agent(const Event& e, const Coding& type) {
    const auto& name = e.network.device.empty() ? e.network.address : e.network.device;
    Json client = agent(type, reference(name), false);
    client["network"] = network(e.network.address);
    return client;
}

Json server_agent(const Event& e, const Coding& type) {
    Json server = agent(type, {{"display", clean_text(observer_of(e))}}, false);
    // The authorizer of AuthZ-Consent has no network, every server of an exchange has one.
    if (!e.node.empty() && e.type != Type::ConsentDecided)
        server["network"] = network(e.node.str());
    return server;
}

/// A purpose of use: a code of v3-ActReason such as "TREAT", or somebody's own words.
Json purpose_of_use(const std::string& purpose) {
    const bool is_code = std::ranges::all_of(purpose, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (is_code) return concept_of({kActReason, purpose, {}});
    return {{"text", clean_text(purpose)}};
}

Json user_agent(const Event& e, const Coding& type) {
    Json user = agent(type, reference(e.actor.id.str()), true);
    if (!e.actor.role.empty()) user["role"] = Json::array({{{"text", clean_text(e.actor.role)}}});
    if (!e.purpose.empty()) user["purposeOfUse"] = Json::array({purpose_of_use(e.purpose)});
    if (!e.actor.auth.empty())
        user["extension"] =
            Json::array({{{"url", std::string(kProfiles) + "ihe-assuranceLevel"},
                          {"valueCodeableConcept", {{"text", clean_text(e.actor.auth)}}}}});
    return user;
}

Json agents(const Event& e) {
    const auto& codes = agents_of(e.type);
    Json list = Json::array();
    if (has_client(e)) list.push_back(client_agent(e, codes.client));
    list.push_back(server_agent(e, codes.server));
    if (!e.actor.id.empty()) list.push_back(user_agent(e, codes.user));
    if (!e.actor.organisation.empty())
        list.push_back(agent(kOrganisation, reference(e.actor.organisation), false));
    if (!e.actor.on_behalf_of.empty())
        list.push_back(agent(kDelegator, reference(e.actor.on_behalf_of.str()), false));
    return list;
}

Json entity(const Coding& type, std::optional<Coding> role, Json what) {
    Json made{{"type", coding(type)}};
    if (role) made["role"] = coding(*role);
    if (!what.is_null()) made["what"] = std::move(what);
    return made;
}

Json query_entity(const Event& e) {
    Json query = entity(kObject, kQueryRole, nullptr);
    query["description"] = clean_text(e.query);
    query["query"] = to_base64(as_bytes(e.query));
    return query;
}

/// What no element of AuditEvent is for: the verdict and the details of the type, as named strings.
Json rest_entity(const Event& e) {
    Json details = Json::array();
    const auto add = [&](std::string_view name, std::string_view value) {
        if (name.empty() || value.empty()) return;
        details.push_back({{"type", clean_text(name)}, {"valueString", clean_text(value)}});
    };
    if (e.verdict) {
        add("verdict.level", name_of(e.verdict->level));
        add("verdict.score_permille", std::to_string(e.verdict->score_permille));
        for (const auto& reason : e.verdict->reasons) add(reason.id, reason.text.fr);
    }
    for (const auto& [name, value] : e.detail) add(name, value);
    if (details.empty()) return nullptr;
    return {{"type", coding(kOther)}, {"name", name_of(e.type)}, {"detail", std::move(details)}};
}

Json entities(const Event& e) {
    Json list = Json::array();
    if (!e.subject.patient.empty())
        list.push_back(entity(kPerson, kPatientRole, patient_reference(e.subject.patient.str())));
    if (!e.basis.empty()) list.push_back(entity(kConsent, std::nullopt, reference(e.basis)));
    // AuthZ-Consent allows no other entity.
    if (e.type == Type::ConsentDecided) return list;
    // In a query the one system object is the query itself.
    if (!e.query.empty())
        list.push_back(query_entity(e));
    else if (!e.subject.object.empty())
        list.push_back(entity(kObject, kDomainRole, reference(e.subject.object.str())));
    if (!e.request_id.empty())
        list.push_back(entity(kRequestId, std::nullopt,
                              {{"identifier", {{"value", clean_text(e.request_id)}}}}));
    if (Json rest = rest_entity(e); !rest.is_null()) list.push_back(std::move(rest));
    return list;
}

/// The profile of a REST exchange that succeeded: the action and a client are there, and what it
/// was about.
std::string_view rest_profile(const Event& e) {
    const bool patient = !e.subject.patient.empty();
    const bool object = !e.subject.object.empty() && e.query.empty();
    switch (e.type) {
        case Type::RecordRead:
            return !object ? "" : patient ? "PatientRead" : "Read";
        case Type::RecordCreated:
            return !object ? "" : patient ? "PatientCreate" : "Create";
        case Type::RecordUpdated:
            return !object ? "" : patient ? "PatientUpdate" : "Update";
        case Type::RecordDeleted:
            return !object ? "" : patient ? "PatientDelete" : "Delete";
        case Type::RecordSearched:
            return e.query.empty() ? "" : patient ? "PatientQuery" : "Query";
        default:
            return "";
    }
}

/// The BALP profile this event has everything for; empty when there is none.
std::string_view profile_of(const Event& e) {
    if (!has_client(e) || e.node.empty() || e.action != usual_action(e.type)) return "";
    const bool patient = !e.subject.patient.empty();
    if (e.type == Type::ConsentDecided)
        return patient && !e.actor.id.empty() && !e.actor.organisation.empty() && !e.basis.empty()
                   ? "AuthZconsent"
                   : "";
    if (e.type == Type::RecordExported) return patient ? "PrivacyDisclosure.Source" : "";
    return e.outcome == Outcome::Success ? rest_profile(e) : "";
}

Json meta(const Event& e, const Place& place) {
    Json made{{"source", fmt::format("{}#{}", clean_text(place.origin), place.index)}};
    if (const auto profile = profile_of(e); !profile.empty())
        made["profile"] = Json::array({fmt::format("{}IHE.BasicAudit.{}", kProfiles, profile)});
    return made;
}

}  // namespace

std::string to_audit_event(const Event& e, const Place& place) {
    if (const auto kept = e.detail.find(std::string(kFhirDetail)); kept != e.detail.end())
        return kept->second;
    const auto codes = codes_of(e.type);
    const Coding rest{systems::kAuditEventType, "rest", "RESTful Operation"};
    Json out{{"resourceType", "AuditEvent"}};
    if (is_fhir_id(e.id)) out["id"] = e.id;
    out["meta"] = meta(e, place);
    out["type"] = coding(codes.is_rest() ? rest : codes.event);
    out["subtype"] = Json::array({coding(codes.subtype)});
    out["action"] = std::string(1, static_cast<char>(e.action));
    out["recorded"] = to_rfc3339(e.time);
    out["outcome"] = std::to_string(static_cast<int>(e.outcome));
    if (e.break_glass)
        out["purposeOfEvent"] = Json::array({concept_of({kActReason, "BTG", "break the glass"})});
    out["agent"] = agents(e);
    out["source"] = {{"site", clean_text(place.origin)},
                     {"observer", {{"display", clean_text(observer_of(e))}}},
                     {"type", Json::array({coding(kApplicationServer)})}};
    if (Json list = entities(e); !list.empty()) out["entity"] = std::move(list);
    // An event that never went through the ledger may hold bytes that are no UTF-8: they are
    // replaced, too.
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hygie::event
