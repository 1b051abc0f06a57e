#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <pugixml.hpp>
#include <set>

#include "base/bytes.h"
#include "event/any_event.h"
#include "event/atna.h"
#include "event/cef.h"
#include "host/process.h"

namespace hygie::event {
namespace {

const Place kPlace{"hopital.example/journal", 12};
const std::string kHostile = "\"<!--]]>&amp;\x01\x1f\xEF\xBF\xBE=|\\\r\n</AuditMessage>";

Event hostile(Type type) {
    Event e;
    e.type = type;
    e.action = Action::Read;
    e.outcome = Outcome::SeriousFailure;
    e.time = WallTime(Micros(1'795'509'000'000'000));
    e.source = SourceId("records" + kHostile);
    e.node = NodeId("cabinet 1");
    e.actor = {ActorId("a" + kHostile), kHostile, kHostile, ActorId(kHostile), kHostile};
    e.subject = {PatientId("p" + kHostile), ObjectId("o" + kHostile)};
    e.network = {"192.0.2.17", kHostile};
    e.query = kHostile;
    e.detail = {{kHostile, kHostile}};
    e.verdict = Verdict{Level::Malicious, 999, {{kHostile, {kHostile, kHostile}, kHostile}}};
    return e;
}

pugi::xml_document read_xml(const std::string& xml) {
    pugi::xml_document document;
    const auto parsed = document.load_string(xml.c_str());
    EXPECT_TRUE(parsed) << parsed.description() << "\n" << xml;
    return document;
}

/// PS3.15 A.5.1: order and cardinality of the elements, and the attributes each must have.
void expect_schema(const pugi::xml_node& message) {
    std::string order;
    for (const auto child : message.children())
        order += child.name()[0] == 'E'   ? 'E'
                 : child.name()[1] == 'c' ? 'P'
                 : child.name()[0] == 'A' ? 'S'
                                          : 'O';
    EXPECT_EQ(order.find_first_not_of('E'), 1u) << order;
    EXPECT_TRUE(std::ranges::is_sorted(order, {}, [](char c) {
        return std::string_view("EPSO").find(c);
    })) << order;
    EXPECT_EQ(std::ranges::count(order, 'S'), 1);
    EXPECT_GE(std::ranges::count(order, 'P'), 1);
    const auto event = message.child("EventIdentification");
    EXPECT_TRUE(event.child("EventID").attribute("csd-code"));
    EXPECT_TRUE(event.attribute("EventDateTime"));
    EXPECT_TRUE(event.attribute("EventOutcomeIndicator"));
    for (const auto participant : message.children("ActiveParticipant")) {
        EXPECT_TRUE(participant.attribute("UserID"));
        EXPECT_TRUE(participant.attribute("UserIsRequestor"));
    }
    EXPECT_TRUE(message.child("AuditSourceIdentification").attribute("AuditSourceID"));
    for (const auto object : message.children("ParticipantObjectIdentification")) {
        EXPECT_TRUE(object.attribute("ParticipantObjectID"));
        EXPECT_TRUE(object.child("ParticipantObjectIDTypeCode"));
        EXPECT_TRUE(bool(object.child("ParticipantObjectName")) !=
                    bool(object.child("ParticipantObjectQuery")));
    }
}

TEST(Atna, every_type_makes_a_message_of_the_schema) {
    for (unsigned code = 0; code < 256; ++code) {
        const auto type = static_cast<Type>(code);
        if (name_of(type).empty()) continue;
        const auto document = read_xml(to_dicom_xml(hostile(type), kPlace));
        expect_schema(document.child("AuditMessage"));
    }
}

RC_GTEST_PROP(Atna, any_event_makes_well_formed_xml, ()) {
    const Event event = *any_event();
    const auto document = read_xml(to_dicom_xml(event, kPlace));
    expect_schema(document.child("AuditMessage"));
}

TEST(Atna, an_independent_reader_finds_it_well_formed) {
    const auto xml = to_dicom_xml(hostile(Type::RecordSearched), kPlace);
    const auto read = real_process().run({"xmllint", "--noout", "-"}, as_bytes(xml), {});
    if (!read && read.error().code == Code::NotFound) GTEST_SKIP() << "xmllint is not installed";
    EXPECT_EQ(read->exit_code, 0) << as_text(read->err) << xml;
}

TEST(Atna, says_who_what_and_how_it_ended) {
    Event event = hostile(Type::RecordSearched);
    event.actor.id = ActorId("99700212964");
    event.subject.patient = PatientId("p-42");
    auto document = read_xml(to_dicom_xml(event, kPlace));
    auto message = document.child("AuditMessage");
    const auto identification = message.child("EventIdentification");
    EXPECT_STREQ(identification.child("EventID").attribute("csd-code").value(), "110112");
    EXPECT_STREQ(identification.attribute("EventOutcomeIndicator").value(), "8");
    EXPECT_STREQ(identification.attribute("EventDateTime").value(), "2026-11-24T08:30:00.000000Z");
    EXPECT_STREQ(message.child("ActiveParticipant").attribute("UserID").value(), "99700212964");
    EXPECT_STREQ(
        message.child("ParticipantObjectIdentification").attribute("ParticipantObjectID").value(),
        "p-42");
    const auto query = message.find_node([](const pugi::xml_node& node) {
        return std::string(node.name()) == "ParticipantObjectQuery";
    });
    EXPECT_EQ(from_base64(query.text().get()), to_bytes(as_bytes(kHostile)));
}

TEST(Atna, reading_the_ledger_is_audit_log_used) {
    Event event;
    event.type = Type::LedgerRead;
    event.source = SourceId("ledger");
    event.actor.id = ActorId("dpo");
    auto document = read_xml(to_dicom_xml(event, kPlace));
    auto message = document.child("AuditMessage");
    EXPECT_STREQ(
        message.child("EventIdentification").child("EventID").attribute("csd-code").value(),
        "110101");
    const auto log = message.child("ParticipantObjectIdentification");
    EXPECT_STREQ(log.attribute("ParticipantObjectTypeCode").value(), "2");
    EXPECT_STREQ(log.attribute("ParticipantObjectTypeCodeRole").value(), "13");
    EXPECT_STREQ(log.child("ParticipantObjectIDTypeCode").attribute("csd-code").value(), "12");
    EXPECT_STREQ(log.child("ParticipantObjectName").text().get(), "Security Audit Log");
    EXPECT_STREQ(log.attribute("ParticipantObjectID").value(), kPlace.origin.c_str());
}

TEST(Atna, syslog_carries_it_whole) {
    Event event = hostile(Type::RecordRead);
    event.query = std::string(40'000, 'q');
    const auto message = to_syslog(event, kPlace);
    const std::string head =
        "<84>1 2026-11-24T08:30:00.000000Z cabinet_1 hygie - DICOM+RFC3881 - \xEF\xBB\xBF";
    EXPECT_TRUE(message.starts_with(head + "<?xml") || message.starts_with(head + "<AuditMessage"))
        << message.substr(0, 120);
    EXPECT_GT(message.size(), 50'000u);
    EXPECT_EQ(message.find('\n'), message.npos);
    event.outcome = Outcome::Success;
    event.node = {};
    EXPECT_TRUE(to_syslog(event, kPlace).starts_with("<85>1 2026-11-24T08:30:00.000000Z - hygie"));
    EXPECT_EQ(octet_counted("é"), "2 é");
}

/// Splits a CEF line as a receiver does: seven bars, then keys and values, undoing the escapes.
std::map<std::string, std::string> read_cef(const std::string& line) {
    std::map<std::string, std::string> fields;
    std::size_t at = 0;
    for (int bar = 0; bar < 7; ++at) {
        if (line.at(at) == '\\')
            ++at;
        else if (line.at(at) == '|')
            ++bar;
    }
    std::string key;
    std::string value;
    for (bool in_key = true; at <= line.size(); ++at) {
        if (at == line.size()) {
            fields[key] = value;
        } else if (in_key) {
            if (line[at] == '=')
                in_key = false;
            else
                key += line[at];
        } else if (line[at] == '\\') {
            const char c = line.at(++at);
            value += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        } else if (line[at] == '=') {
            // The word before an unescaped sign is the next key.
            const auto space = value.rfind(' ');
            fields[key] = value.substr(0, space);
            key = value.substr(space + 1);
            value.clear();
        } else {
            value += line[at];
        }
    }
    return fields;
}

TEST(Cef, hostile_text_stays_inside_its_field) {
    const auto line = to_cef(hostile(Type::MailHeld), kPlace);
    EXPECT_TRUE(
        line.starts_with("CEF:0|Hygie|Hygie|" HYGIE_VERSION "|97|mail.hold|9|rt=1795509000000 "))
        << line;
    EXPECT_EQ(line.find('\n'), line.npos);
    const auto fields = read_cef(line);
    const std::string cleaned = "\"<!--]]>&amp;\uFFFD\uFFFD\uFFFD=|\\\r\n</AuditMessage>";
    EXPECT_EQ(fields.at("suser"), "a" + cleaned);
    EXPECT_EQ(fields.at("request"), cleaned);
    EXPECT_EQ(fields.at("cs1"), "hopital.example/journal#12");
    EXPECT_EQ(fields.at("cs2"), "p" + cleaned);
    EXPECT_EQ(fields.at("src"), "192.0.2.17");
    EXPECT_EQ(fields.at("outcome"), "serious_failure");
}

RC_GTEST_PROP(Cef, any_event_is_one_line_that_splits_again, ()) {
    const Event event = *any_event();
    const auto line = to_cef(event, kPlace);
    RC_ASSERT(line.find('\n') == line.npos);
    const auto fields = read_cef(line);
    static const std::set<std::string> kKnown{"rt",
                                              "externalId",
                                              "act",
                                              "outcome",
                                              "dvchost",
                                              "deviceFacility",
                                              "suser",
                                              "spriv",
                                              "src",
                                              "shost",
                                              "sourceServiceName",
                                              "duser",
                                              "fname",
                                              "request",
                                              "requestContext",
                                              "reason",
                                              "msg"};
    for (const auto& [key, value] : fields)
        RC_ASSERT(kKnown.contains(key) || key.starts_with("cs"));
}

TEST(Cef, severity_follows_verdict_and_outcome) {
    Event event;
    EXPECT_NE(to_cef(event, kPlace).find("|3|rt="), std::string::npos);
    event.outcome = Outcome::MinorFailure;
    EXPECT_NE(to_cef(event, kPlace).find("|6|rt="), std::string::npos);
    event.verdict = Verdict{Level::Suspicious, 500, {}};
    EXPECT_NE(to_cef(event, kPlace).find("|7|rt="), std::string::npos);
}

}  // namespace
}  // namespace hygie::event
