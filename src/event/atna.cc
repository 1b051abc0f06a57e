#include "event/atna.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/bytes.h"
#include "event/act_codes.h"
#include "event/clean_text.h"

namespace hygie::event {

namespace {

using pugi::xml_node;

constexpr std::string_view kDcm = "DCM";
constexpr std::string_view kObjectIds = "RFC-3881";

void set(xml_node node, const char* name, std::string_view value) {
    node.append_attribute(name).set_value(clean_text(value).c_str());
}

/// A CodedValueType of the schema.
void add_code(xml_node parent, const char* element, std::string_view code, std::string_view system,
              std::string_view text) {
    xml_node node = parent.append_child(element);
    set(node, "csd-code", code);
    set(node, "codeSystemName", system);
    set(node, "originalText", text);
}

std::string_view system_name(const Coding& coding) {
    return coding.system == systems::kDicom ? kDcm : coding.system;
}

void add_event(xml_node message, const Event& e) {
    const auto codes = codes_of(e.type);
    xml_node node = message.append_child("EventIdentification");
    set(node, "EventActionCode", std::string(1, static_cast<char>(e.action)));
    set(node, "EventDateTime", to_rfc3339(e.time));
    set(node, "EventOutcomeIndicator", std::to_string(static_cast<int>(e.outcome)));
    add_code(node, "EventID", codes.event.code, kDcm, codes.event.display);
    add_code(node, "EventTypeCode", codes.subtype.code, system_name(codes.subtype),
             codes.subtype.display);
}

struct Participant {
    std::string_view user_id;
    bool requestor = false;
    std::string_view address;
    Coding role;
};

void add_participant(xml_node message, const Participant& participant) {
    xml_node node = message.append_child("ActiveParticipant");
    set(node, "UserID", participant.user_id);
    set(node, "UserIsRequestor", participant.requestor ? "true" : "false");
    if (!participant.address.empty()) {
        set(node, "NetworkAccessPointID", participant.address);
        // 1 is a machine name, 2 an IP address.
        const bool is_ip = participant.address.find_first_not_of("0123456789abcdefABCDEF.:") ==
                           std::string_view::npos;
        set(node, "NetworkAccessPointTypeCode", is_ip ? "2" : "1");
    }
    if (!participant.role.code.empty())
        add_code(node, "RoleIDCode", participant.role.code, system_name(participant.role),
                 participant.role.display);
}

std::string source_id(const Event& e) {
    return e.node.empty() ? e.source.str() : e.source.str() + '@' + e.node.str();
}

void add_participants(xml_node message, const Event& e) {
    const auto& codes = agents_of(e.type);
    const std::string served_by = source_id(e);
    const bool has_user = !e.actor.id.empty();
    if (has_user) add_participant(message, {e.actor.id.str(), true, e.network.address, codes.user});
    if (!e.actor.on_behalf_of.empty())
        add_participant(message, {e.actor.on_behalf_of.str(), false, {}, {}});
    if (!e.network.device.empty())
        add_participant(message, {e.network.device, !has_user, e.network.address, codes.client});
    add_participant(message, {served_by, false, e.node.str(), codes.server});
}

void add_source(xml_node message, const Event& e, const Place& place) {
    xml_node node = message.append_child("AuditSourceIdentification");
    set(node, "AuditEnterpriseSiteID", place.origin);
    set(node, "AuditSourceID", source_id(e));
    // 4: application server process (PS3.15 A.5.1.2.1).
    set(node.append_child("AuditSourceTypeCode"), "csd-code", "4");
}

struct ObjectKind {
    const char* type;
    const char* role;
    const char* id_code;  ///< RFC 3881 §5.5.4
    const char* id_text;
};
constexpr ObjectKind kPatient{"1", "1", "2", "Patient Number"};
constexpr ObjectKind kResource{"2", "4", "12", "URI"};
constexpr ObjectKind kQuery{"2", "24", "10", "Search Criteria"};
constexpr ObjectKind kSecurityLog{"2", "13", "12", "URI"};

xml_node add_object(xml_node message, const ObjectKind& kind, std::string_view id) {
    xml_node node = message.append_child("ParticipantObjectIdentification");
    set(node, "ParticipantObjectID", id);
    set(node, "ParticipantObjectTypeCode", kind.type);
    set(node, "ParticipantObjectTypeCodeRole", kind.role);
    add_code(node, "ParticipantObjectIDTypeCode", kind.id_code, kObjectIds, kind.id_text);
    return node;
}

void set_name(xml_node object, std::string_view name) {
    object.append_child("ParticipantObjectName").text().set(clean_text(name).c_str());
}

/// Values are base64 in the schema, so that hostile text cannot break out of the message.
void add_detail(xml_node object, std::string_view type, std::string_view value) {
    if (type.empty() || value.empty()) return;
    xml_node node = object.append_child("ParticipantObjectDetail");
    set(node, "type", type);
    set(node, "value", to_base64(as_bytes(value)));
}

/// What the schema has no place for, hung on the object that the event is about.
void add_details(xml_node object, const Event& e, const Place& place) {
    add_detail(object, "ledger.index", std::to_string(place.index));
    add_detail(object, "event.id", e.id);
    add_detail(object, "purpose", e.purpose);
    add_detail(object, "break_glass", e.break_glass ? "true" : "");
    add_detail(object, "request_id", e.request_id);
    add_detail(object, "basis", e.basis);
    if (e.verdict) {
        add_detail(object, "verdict.level", name_of(e.verdict->level));
        for (const auto& reason : e.verdict->reasons) add_detail(object, reason.id, reason.text.fr);
    }
    for (const auto& [name, value] : e.detail) add_detail(object, name, value);
}

void add_objects(xml_node message, const Event& e, const Place& place) {
    if (!e.subject.patient.empty())
        set_name(add_object(message, kPatient, e.subject.patient.str()), "");
    if (!e.query.empty()) {
        xml_node query = add_object(message, kQuery, name_of(e.type));
        query.append_child("ParticipantObjectQuery")
            .text()
            .set(to_base64(as_bytes(e.query)).c_str());
    }
    const bool on_ledger = is_about_ledger(e.type);
    const std::string& object = e.subject.object.str();
    xml_node node = add_object(message, on_ledger ? kSecurityLog : kResource,
                               on_ledger || object.empty() ? place.origin : object);
    set_name(node, on_ledger ? "Security Audit Log" : name_of(e.type));
    if (on_ledger) add_detail(node, "object", object);
    add_details(node, e, place);
}

struct StringWriter final : pugi::xml_writer {
    void write(const void* data, std::size_t size) override {
        text.append(static_cast<const char*>(data), size);
    }
    std::string text;
};

/// A header field of RFC 5424: printable ASCII without spaces, at most `size` of it; "-" when
/// nothing is left.
std::string header_field(std::string_view text, std::size_t size) {
    std::string field;
    for (const char c : text.substr(0, size)) field += c > ' ' && c < '\x7f' ? c : '_';
    return field.empty() ? "-" : field;
}

}  // namespace

std::string to_dicom_xml(const Event& event, const Place& place) {
    pugi::xml_document document;
    xml_node message = document.append_child("AuditMessage");
    add_event(message, event);
    add_participants(message, event);
    add_source(message, event, place);
    add_objects(message, event, place);
    StringWriter writer;
    document.save(writer, "", pugi::format_raw, pugi::encoding_utf8);
    return std::move(writer.text);
}

std::string to_syslog(const Event& event, const Place& place) {
    constexpr int kFacility = 10;  // security and authorization
    const int severity = event.outcome == Outcome::Success ? 5 : 4;
    constexpr std::size_t kHostNameMax = 255;
    // The byte order mark says that what follows is UTF-8 (RFC 5424 §6.4).
    return fmt::format("<{}>1 {} {} hygie - DICOM+RFC3881 - \xEF\xBB\xBF{}",
                       kFacility * 8 + severity, to_rfc3339(event.time),
                       header_field(event.node.str(), kHostNameMax), to_dicom_xml(event, place));
}

std::string octet_counted(std::string_view message) {
    return fmt::format("{} {}", message.size(), message);
}

}  // namespace hygie::event
