#include "event/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/cbor.h"
#include "base/limits.h"
#include "event/any_event.h"
#include "event/uuid.h"

namespace hygie::event {
namespace {

const std::string kUuid = "01891f2e-5c3a-7d11-8a4b-0123456789ab";

/// The event as decode_body gives it back: source and node are the caller's.
Event without_source(Event event) {
    event.source = {};
    event.node = {};
    return event;
}

Code code_of_decoding(ByteView body) {
    const auto event = decode_body({}, body);
    EXPECT_FALSE(event.has_value());
    return event ? Code::Io : event.error().code;
}

RC_GTEST_PROP(Codec, decodes_what_it_encoded, ()) {
    const Event event = *any_event();
    const auto body = encode_body(event);
    RC_ASSERT(body.has_value());
    const auto again = decode_body(stamp_of(event), *body);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == without_source(event));
}

RC_GTEST_PROP(Codec, changed_bytes_are_refused_or_spell_another_event, ()) {
    const Event event = *any_event();
    auto body = encode_body(event).value();
    const auto at = *rc::gen::inRange<std::size_t>(0, body.size());
    body[at] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
    const auto other = decode_body(stamp_of(event), body);
    if (other) RC_ASSERT(encode_body(*other).value() == body);
}

TEST(Codec, writes_the_bytes_of_the_format) {
    Event event;
    event.id = kUuid;
    event.action = Action::Read;
    event.actor.id = ActorId("rpps");
    event.detail = {{"b", "2"}, {"aa", "1"}};
    // {1: h'01891f2e…', 2: "rpps", 15: 2, 19: {"b": "2", "aa": "1"}}
    EXPECT_EQ(to_hex(encode_body(event).value()),
              "a4"
              "0150"
              "01891f2e5c3a7d118a4b0123456789ab"
              "02"
              "6472707073"
              "0f02"
              "13a2"
              "6162"
              "6132"
              "626161"
              "6131");
    EXPECT_EQ(to_hex(encode_body(Event{}).value()), "a0");
}

TEST(Codec, has_one_spelling_only) {
    for (const char* body : {
             "",                              // nothing
             "a000",                          // bytes left over
             "bf05617aff",                    // indefinite length
             "a20261620161ff",                // keys out of order
             "a2026162026162",                // a key twice
             "a10260",                        // an empty field
             "a10f00",                        // a default spelled out
             "a10f05",                        // an action that is none
             "a11001",                        // an outcome that is none
             "a111f4",                        // break_glass false
             "a113a0",                        // no details spelled out
             "a113a2626161613161626132",      // details out of order
             "a114616a",                      // a key of no field
             "a100616a",                      // key 0
             "a1180261",                      // a long head for a small key
             "a10141ff",                      // bytes that are no UUID
             "a10161ff",                      // no UTF-8
             "a11283030080",                  // a level that is none
             "a112830019ffff80",              // a score above 1
             "a1128300009bffffffffffffffff",  // more reasons than there are bytes
         }) {
        EXPECT_EQ(code_of_decoding(from_hex(body).value()), Code::Corrupt) << body;
    }
    Bytes uuid_as_text;
    cbor::Writer writer(uuid_as_text);
    writer.map(1);
    writer.number(1);
    writer.text(kUuid);
    EXPECT_EQ(code_of_decoding(uuid_as_text), Code::Corrupt);
}

TEST(Codec, refuses_what_it_could_not_read_back) {
    Event event;
    event.query = "\xff";
    EXPECT_EQ(encode_body(event).error().code, Code::BadInput);
    event.query = "";
    event.time = WallTime(Micros(-1));
    EXPECT_EQ(encode_body(event).error().code, Code::BadInput);
    event.time = {};
    event.verdict = Verdict{Level::Clean, kScorePermilleMax + 1, {}};
    EXPECT_EQ(encode_body(event).error().code, Code::BadInput);
}

TEST(Codec, keeps_to_the_limit_of_an_entry) {
    Event event;
    event.query = std::string(limits::kEventBytesMax - 5, 'q');
    EXPECT_EQ(encode_body(event).value().size(), limits::kEventBytesMax);
    event.query += 'q';
    EXPECT_EQ(encode_body(event).error().code, Code::BadInput);
}

TEST(Codec, every_link_of_a_chain_depends_on_all_of_it) {
    const Stamp stamp{Type::RecordRead, WallTime(Micros(1'000'000)), 7, Retention::Trace1Year};
    const Bytes body{0xA0};
    const auto link = chain({}, stamp, body);
    // 32 zero bytes ‖ [32, 1000000, 7, 1] ‖ {}
    const auto expected = from_hex(std::string(64, '0') + "8418201a000f42400701" + "a0").value();
    EXPECT_EQ(link, crypto::sha256(expected));
    Stamp later = stamp;
    later.counter = 8;
    EXPECT_NE(link, chain({}, later, body));
    EXPECT_NE(link, chain(link, stamp, body));
    EXPECT_NE(link, chain({}, stamp, Bytes{0xA1}));
}

TEST(Names, are_read_back) {
    int types = 0;
    for (unsigned code = 0; code <= 0xFFFF; ++code) {
        const auto type = static_cast<Type>(code);
        if (name_of(type).empty()) continue;
        ++types;
        EXPECT_EQ(type_named(name_of(type)), type);
    }
    EXPECT_EQ(types, 36);
    for (const auto retention : {Retention::Trace1Year, Retention::System})
        EXPECT_EQ(retention_named(name_of(retention)), retention);
    for (const auto action : {Action::Create, Action::Read, Action::Update, Action::Delete})
        EXPECT_EQ(action_named(name_of(action)), action);
    for (const auto outcome : {Outcome::Success, Outcome::MajorFailure})
        EXPECT_EQ(outcome_named(name_of(outcome)), outcome);
    EXPECT_EQ(level_named("malicious"), Level::Malicious);
    EXPECT_EQ(type_named(""), std::nullopt);
    EXPECT_EQ(type_named("record.reads"), std::nullopt);
    EXPECT_EQ(name_of(static_cast<Retention>(9)), "");
}

TEST(Names, retention_ends_except_for_the_system_class) {
    EXPECT_EQ(duration_of(Retention::Trace1Year), parse_duration("1y").value());
    EXPECT_EQ(duration_of(Retention::Control3Years), parse_duration("3y").value());
    EXPECT_EQ(duration_of(Retention::Record10Years), parse_duration("10y").value());
    EXPECT_EQ(duration_of(Retention::Record20Years), parse_duration("20y").value());
    EXPECT_EQ(duration_of(Retention::System), std::nullopt);
}

TEST(Uuid, has_one_spelling) {
    EXPECT_EQ(print_uuid(parse_uuid(kUuid).value()), kUuid);
    for (const char* text :
         {"", "01891F2E-5c3a-7d11-8a4b-0123456789ab", "01891f2e-5c3a-7d11-8a4b-0123456789a",
          "01891f2e5c3a7d118a4b0123456789ab", "01891f2e-5c3a-7d11-8a4b-0123456789ag"})
        EXPECT_EQ(parse_uuid(text), std::nullopt) << text;
}

struct Ones final : Random {
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, 0xFF); }
};

TEST(Uuid, new_ones_carry_time_version_and_variant) {
    Ones ones;
    // The time of RFC 9562's own example (§A.6).
    const auto time = from_rfc3339("2022-02-22T19:22:22.000999Z").value();
    EXPECT_EQ(print_uuid(make_uuid(time, ones)), "017f22e2-79b0-7fff-bfff-ffffffffffff");
}

}  // namespace
}  // namespace hygie::event
