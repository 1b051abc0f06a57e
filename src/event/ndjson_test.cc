#include "event/ndjson.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.h"
#include "event/any_event.h"
#include "event/test_origin.h"
#include "event/uuid.h"

namespace hygie::event {
namespace {

constexpr std::string_view kWhole =
    R"({"id":"01891f2e-5c3a-7d11-8a4b-0123456789ab",)"
    R"("type":"record.read","time":"2026-11-24T08:30:00.000000Z",)"
    R"("source":"records","node":"cabinet-1","counter":7,)"
    R"("actor":{"id":"99700212964","role":"10","auth":"psc",)"
    R"("on_behalf_of":"99700167721","organisation":"990000127"},)"
    R"("patient":"p-42","object":"Observation/42",)"
    R"("action":"read","outcome":"minor_failure",)"
    R"("purpose":"TREAT","break_glass":true,)"
    R"("network":{"address":"192.0.2.17","device":"poste-2"},)"
    R"("request_id":"r-1","basis":"Consent/3","query":"name=\"é\"",)"
    R"("retention":"record_10y",)"
    R"("verdict":{"level":"suspicious","score_permille":812,)"
    R"("reasons":[{"id":"x.y","fr":"Pourquoi.","en":"Why.",)"
    R"("evidence":"From"},{"id":"z"}]},)"
    R"("detail":{"a":"1","b":"\u0000\n"}})";

Event parsed(std::string_view line) {
    TestOrigin origin;
    auto event = parse_line(line, origin.origin());
    EXPECT_TRUE(event.has_value()) << (event ? "" : event.error().what.en);
    return event ? *event : Event{};
}

/// The sentence a refused line gets.
std::string refusal(std::string_view line) {
    TestOrigin origin;
    const auto event = parse_line(line, origin.origin());
    EXPECT_FALSE(event.has_value()) << line;
    if (event) return "";
    EXPECT_EQ(event.error().code, Code::BadInput);
    EXPECT_FALSE(event.error().what.fr.empty());
    return event.error().what.en;
}

bool speaks_of(const std::string& sentence, std::string_view field) {
    return sentence.find("“" + std::string(field) + "”") != std::string::npos;
}

TEST(Ndjson, a_whole_line_is_read_and_printed_back) {
    const Event event = parsed(kWhole);
    EXPECT_EQ(event.type, Type::RecordRead);
    EXPECT_EQ(event.outcome, Outcome::MinorFailure);
    EXPECT_EQ(event.actor.on_behalf_of.str(), "99700167721");
    EXPECT_EQ(event.query, "name=\"é\"");
    EXPECT_EQ(event.verdict->reasons[0].text.fr, "Pourquoi.");
    EXPECT_EQ(event.detail.at("b"), std::string("\0\n", 2));
    std::string line;
    print_line(event, line);
    EXPECT_EQ(line, kWhole);
}

TEST(Ndjson, what_a_line_leaves_out_is_filled) {
    const Event event = parsed(R"( {"type" : "record.delete"} )");
    EXPECT_TRUE(parse_uuid(event.id));
    EXPECT_EQ(event.time, TestOrigin::kNow);
    EXPECT_EQ(event.source.str(), "default-source");
    EXPECT_EQ(event.node.str(), "default-node");
    EXPECT_EQ(event.action, Action::Delete);
    EXPECT_EQ(event.retention, Retention::Trace1Year);
    EXPECT_EQ(event.counter, 0u);
}

RC_GTEST_PROP(Ndjson, parsing_gives_back_what_was_printed, ()) {
    Event event = *any_event();
    if (is_about_ledger(event.type)) event.type = Type::Reported;
    event.id = "01891f2e-5c3a-7d11-8a4b-0123456789ab";
    if (event.retention == Retention::System) event.retention = Retention::Record10Years;
    if (event.source.empty()) event.source = SourceId("s");
    if (event.node.empty()) event.node = NodeId("n");
    std::string line;
    print_line(event, line);
    RC_ASSERT(line.find('\n') == line.npos);
    TestOrigin origin;
    const auto again = parse_line(line, origin.origin());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == event);
}

TEST(Ndjson, every_character_survives) {
    Event event = parsed(kWhole);
    event.query.clear();
    for (int c = 0; c < 0x80; ++c) event.query += static_cast<char>(c);
    event.query += "\u0080\u07ff\uffff\U0010ffff";
    std::string line;
    print_line(event, line);
    EXPECT_EQ(line.find('\n'), line.npos);
    EXPECT_EQ(parsed(line), event);
}

TEST(Ndjson, refuses_a_field_by_its_name) {
    const std::pair<const char*, const char*> kCases[] = {
        {R"({})", "type"},
        {R"({"type":"record.reads"})", "type"},
        {R"({"type":5})", "type"},
        {R"({"type":null})", "type"},
        {R"({"type":"record.read","type":"record.read"})", "type"},
        {R"({"type":"ledger.shred"})", "type"},
        {R"({"type":"record.read","retention":"system"})", "retention"},
        {R"({"type":"record.read","surprise":1})", "n° 2"},
        {R"({"type":"record.read","id":"DUPONT"})", "id"},
        {R"({"type":"record.read","time":"yesterday"})", "time"},
        {R"({"type":"record.read","time":"1969-12-31T00:00:00Z"})", "time"},
        {R"({"type":"record.read","counter":-1})", "counter"},
        {R"({"type":"record.read","counter":1.5})", "counter"},
        {R"({"type":"record.read","counter":"1"})", "counter"},
        {R"({"type":"record.read","break_glass":"true"})", "break_glass"},
        {R"({"type":"record.read","actor":"me"})", "actor"},
        {R"({"type":"record.read","actor":{"id":"a","name":"DUPONT"}})", "actor.n° 2"},
        {R"({"type":"record.read","actor":{"id":"a","id":"a"}})", "actor.id"},
        {R"({"type":"record.read","network":{"address":["x"]}})", "network.address"},
        {R"({"type":"record.read","verdict":{"level":"bad"}})", "verdict.level"},
        {R"({"type":"record.read","verdict":{"score_permille":1001}})", "verdict.score_permille"},
        {R"({"type":"record.read","verdict":{"reasons":{}}})", "verdict.reasons"},
        {R"({"type":"record.read","verdict":{"reasons":[{"id":1}]}})", "verdict.reasons.id"},
        {R"({"type":"record.read","detail":{"a":1}})", "detail"},
        {R"({"type":"record.read","detail":{"a":"1","a":"2"}})", "detail"},
    };
    for (const auto& [line, field] : kCases)
        EXPECT_TRUE(speaks_of(refusal(line), field)) << line << "\n" << refusal(line);
}

TEST(Ndjson, refuses_what_is_no_line_of_json) {
    for (const char* line : {"", " ", "[]", "null", "{", "{}{}", R"({"type":"record.read"} x)",
                             R"({"type":"record.read",})", R"({type:"record.read"})",
                             "{\"type\":\"record.read\",\"query\":\"\xff\"}",
                             "{\"type\":\"record.read\",\"query\":\"\xed\xa0\x80\"}",
                             R"({"type":"record.read","query":"\ud800"})"})
        refusal(line);
    const std::string deep(limits::kJsonDepthMax + 1, '[');
    refusal(R"({"type":"record.read","detail":)" + deep);
    refusal(R"({"type":"record.read","query":")" + std::string(limits::kEventBytesMax, 'q') +
            "\"}");
}

TEST(Ndjson, errors_never_repeat_a_value) {
    for (const char* line :
         {R"({"type":"DUPONT"})", R"({"type":"record.read","DUPONT":1})",
          R"({"type":"record.read","time":"DUPONT"})", R"({"type":"record.read","id":"DUPONT"})",
          R"({"type":"record.read","detail":{"DUPONT":1}})", R"({"resourceType":"DUPONT"})",
          R"({"resourceType":"AuditEvent","DUPONT":1,"DUPONT":2})",
          R"({"type":"record.read","detail":{"fhir":"DUPONT"}})", R"({"DUPONT)"}) {
        TestOrigin origin;
        const auto error = parse_line(line, origin.origin()).error();
        for (const auto& text : {error.what, error.remedy})
            for (const auto& sentence : {text.fr, text.en})
                EXPECT_EQ(sentence.find("DUPONT"), sentence.npos) << sentence;
    }
}

}  // namespace
}  // namespace hygie::event
