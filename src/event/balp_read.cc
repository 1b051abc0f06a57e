#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "event/act_codes.h"
#include "event/balp.h"
#include "event/json_parser.h"
#include "event/uuid.h"

namespace hygie::event {

namespace {

using simdjson::dom::element;

std::unexpected<Error> bad_element(std::string_view name, std::string_view fr,
                                   std::string_view en) {
    return fail(Code::BadInput,
                {fmt::format("AuditEvent, élément « {} » : {}.", name, fr),
                 fmt::format("AuditEvent, element “{}”: {}.", name, en)},
                {"Voyez AuditEvent dans FHIR R4.", "See AuditEvent in FHIR R4."});
}

/// The string at a JSON pointer (RFC 6901), empty when there is none.
std::string_view text_at(element at, std::string_view pointer) {
    std::string_view text;
    return at.at_pointer(pointer).get(text) ? std::string_view{} : text;
}

/// The items of the array of that name; none when there is no such array.
std::vector<element> items_of(element at, std::string_view name) {
    simdjson::dom::array array;
    if (at[name].get(array)) return {};
    return {array.begin(), array.end()};
}

/// A name twice in one object: readers would disagree on what it says.
bool has_duplicate_names(element at) {
    simdjson::dom::object object;
    simdjson::dom::array array;
    if (!at.get(object)) {
        std::set<std::string_view> names;
        return std::ranges::any_of(object, [&](const auto& field) {
            return !names.insert(field.key).second || has_duplicate_names(field.value);
        });
    }
    return !at.get(array) && std::ranges::any_of(array, has_duplicate_names);
}

Result<element> parse(simdjson::dom::parser& parser, std::string_view json) {
    element root;
    if (json.size() > limits::kEventBytesMax || parser.parse(json.data(), json.size()).get(root))
        return fail(Code::BadInput,
                    {"L’AuditEvent n’est pas du JSON valide, ou il est trop long ou trop profond.",
                     "The AuditEvent is not valid JSON, or it is too long or too deep."},
                    {"Écrivez un AuditEvent complet de moins de 60 000 octets par ligne.",
                     "Write one whole AuditEvent of less than 60,000 bytes a line."});
    if (text_at(root, "/resourceType") != "AuditEvent")
        return bad_element("resourceType", "seul AuditEvent est accepté ici",
                           "only AuditEvent is accepted here");
    if (has_duplicate_names(root))
        return bad_element("AuditEvent", "un nom y vient deux fois", "a name comes twice in it");
    return root;
}

struct Alias {
    std::string_view code;
    Type type;
};
// Interactions of http://hl7.org/fhir/restful-interaction beside those of our own table.
constexpr Alias kRestAliases[] = {
    {"vread", Type::RecordRead},           {"history-instance", Type::RecordRead},
    {"search-type", Type::RecordSearched}, {"search-system", Type::RecordSearched},
    {"patch", Type::RecordUpdated},
};

std::optional<Type> type_of_subtype(std::string_view event, const Coding& subtype) {
    if (subtype.system == systems::kHygie) return type_named(subtype.code);
    for (const auto& codes : all_codes())
        if (codes.subtype.system == subtype.system && codes.subtype.code == subtype.code &&
            (codes.is_rest() ? event == "rest" : event == codes.event.code))
            return codes.type;
    if (subtype.system == systems::kRest && event == "rest")
        for (const auto& alias : kRestAliases)
            if (alias.code == subtype.code) return alias.type;
    return std::nullopt;
}

/// The type an AuditEvent stands for. What the ledger alone may write, or nobody here knows, is
/// Reported.
Type type_of(element root, Outcome outcome) {
    const auto event = text_at(root, "/type/code");
    for (const auto subtype : items_of(root, "subtype")) {
        const auto type =
            type_of_subtype(event, {text_at(subtype, "/system"), text_at(subtype, "/code"), {}});
        if (!type || is_about_ledger(*type)) continue;
        if (*type == Type::SignedIn && outcome != Outcome::Success) return Type::SignInRefused;
        return *type;
    }
    return Type::Reported;
}

Result<Outcome> read_outcome(element root) {
    const auto code = text_at(root, "/outcome");
    if (code.empty() || code == "0") return Outcome::Success;
    if (code == "4") return Outcome::MinorFailure;
    if (code == "8") return Outcome::SeriousFailure;
    if (code == "12") return Outcome::MajorFailure;
    return bad_element("outcome", "il faut 0, 4, 8 ou 12", "0, 4, 8 or 12 is needed");
}

Result<Action> read_action(element root, Type type) {
    const auto code = text_at(root, "/action");
    if (code.empty()) return usual_action(type);
    const auto action = static_cast<Action>(code[0]);
    if (code.size() != 1 || name_of(action).empty())
        return bad_element("action", "il faut C, R, U, D ou E", "C, R, U, D or E is needed");
    return action;
}

/// Whom a Reference or an agent means: its reference, identifier or name, the first there is.
std::string name_of_who(element at) {
    for (const auto pointer : {"/who/reference", "/who/identifier/value", "/altId", "/name",
                               "/who/display", "/what/reference", "/what/identifier/value"})
        if (const auto text = text_at(at, pointer); !text.empty()) return std::string(text);
    return {};
}

bool has_type(element agent, std::string_view code) {
    simdjson::dom::array codings;
    if (agent.at_pointer("/type/coding").get(codings)) return false;
    return std::ranges::any_of(codings,
                               [&](element coding) { return text_at(coding, "/code") == code; });
}

void read_user(element agent, Event& event) {
    event.actor.id = ActorId(name_of_who(agent));
    event.actor.role = text_at(agent, "/role/0/coding/0/code");
    if (event.actor.role.empty()) event.actor.role = text_at(agent, "/role/0/text");
    event.purpose = text_at(agent, "/purposeOfUse/0/coding/0/code");
}

Status read_agents(element root, Event& event) {
    const auto agents = items_of(root, "agent");
    if (agents.empty()) return bad_element("agent", "il manque", "it is missing");
    const auto& codes = agents_of(event.type);
    bool user_seen = false;
    for (const auto agent : agents) {
        bool requestor = false;
        if (agent["requestor"].get(requestor))
            return bad_element("agent.requestor", "il faut true ou false",
                               "true or false is needed");
        if (requestor && !std::exchange(user_seen, true)) read_user(agent, event);
        if (has_type(agent, "PROV")) event.actor.organisation = name_of_who(agent);
        if (has_type(agent, codes.client.code))
            event.network = {std::string(text_at(agent, "/network/address")), name_of_who(agent)};
    }
    return {};
}

/// "Patient/42", "Patient/42/_history/1" → "42"; any other reference as it is.
std::string patient_id(std::string reference) {
    constexpr std::string_view kPrefix = "Patient/";
    if (!reference.starts_with(kPrefix)) return reference;
    const auto id = reference.substr(kPrefix.size());
    return id.substr(0, id.find('/'));
}

void read_entities(element root, Event& event) {
    std::set<std::string> patients;
    for (const auto entity : items_of(root, "entity")) {
        const auto type = text_at(entity, "/type/code");
        const auto role = text_at(entity, "/role/code");
        if (type == "1" && role == "1") {
            patients.insert(patient_id(name_of_who(entity)));
        } else if (type == "XrequestId") {
            event.request_id = name_of_who(entity);
        } else if (type == "Consent") {
            event.basis = name_of_who(entity);
        } else if (role == "24") {
            const auto query = from_base64(text_at(entity, "/query"));
            if (query && is_utf8(as_text(*query))) event.query = as_text(*query);
        } else if (event.subject.object.empty()) {
            event.subject.object = ObjectId(name_of_who(entity));
        }
    }
    if (patients.size() == 1) event.subject.patient = PatientId(*patients.begin());
}

void read_purpose(element root, Event& event) {
    for (const auto purpose : items_of(root, "purposeOfEvent")) {
        const auto code = text_at(purpose, "/coding/0/code");
        if (code == "BTG")
            event.break_glass = true;
        else if (event.purpose.empty())
            event.purpose = code;
    }
    if (event.purpose == "BTG") event.break_glass = true;
}

std::string minified(std::string_view json) {
    std::string out(json.size(), '\0');
    std::size_t size = 0;
    // Never fails here: the text has been parsed.
    if (simdjson::minify(json.data(), json.size(), out.data(), size)) return std::string(json);
    out.resize(size);
    return out;
}

}  // namespace

Result<Event> from_audit_event(std::string_view json) {
    thread_local auto parser = make_json_parser();
    const auto root = TRY(parse(parser, json));
    if (text_at(root, "/type/code").empty())
        return bad_element("type.code", "il manque", "it is missing");
    if (root["source"]["observer"].error())
        return bad_element("source.observer", "il manque", "it is missing");
    const auto recorded = from_rfc3339(text_at(root, "/recorded"));
    if (!recorded || recorded->time_since_epoch().count() < 0)
        return bad_element("recorded", "il faut un instant à partir de 1970",
                           "an instant from 1970 on is needed");
    Event event;
    event.time = *recorded;
    event.outcome = TRY(read_outcome(root));
    event.type = type_of(root, event.outcome);
    event.action = TRY(read_action(root, event.type));
    if (const auto id = text_at(root, "/id"); parse_uuid(id)) event.id = id;
    TRY_STATUS(read_agents(root, event));
    read_entities(root, event);
    read_purpose(root, event);
    event.detail.emplace(kFhirDetail, minified(json));
    return event;
}

Status check_audit_event(std::string_view json) {
    TRY(from_audit_event(json));
    return {};
}

}  // namespace hygie::event
