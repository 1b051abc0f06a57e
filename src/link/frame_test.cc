#include "link/frame.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "event/any_event.h"
#include "link/test_kit.h"

namespace hygie::link {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> any_array() {
    return *rc::gen::container<std::array<std::uint8_t, N>>(rc::gen::arbitrary<std::uint8_t>());
}

std::string any_name() {
    return *rc::gen::element<std::string>("mail", "fichiers", "cabinet-1.local",
                                          std::string(128, 'n'));
}

std::uint64_t any_counter() {
    return *rc::gen::element<std::uint64_t>(0, 1, 23, 24, 255, 65'536, std::uint64_t{1} << 40);
}

std::string any_text() {
    return *event::any_text();
}

Refused any_refusal() {
    return {*rc::gen::element(Code::BadInput, Code::Stale, Code::Erased),
            {any_text(), any_text()},
            {any_text(), any_text()}};
}

Batch any_batch() {
    Batch batch{{any_counter(), any_array<32>()}, {}, {}};
    const int count = *rc::gen::inRange(1, 5);
    for (int i = 1; i <= count; ++i) {
        event::Event event = *rc::gen::suchThat(
            event::any_event(), [](const auto& e) { return guard_may_report(e.type); });
        event.counter = batch.after.counter + static_cast<std::uint64_t>(i);
        batch.events.push_back({event::stamp_of(event), event::encode_body(event).value()});
    }
    if (*rc::gen::arbitrary<bool>())
        batch.seal = Seal{{batch.after.counter + 1, {}}, any_array<64>()};
    return batch;
}

Message any_message() {
    switch (*rc::gen::inRange(0, 10)) {
        case 0:
            return Hello{any_counter(),
                         {SourceId(any_name()), NodeId(any_name()), any_array<32>()},
                         3,
                         any_counter() + 3,
                         any_array<32>()};
        case 1:
            return Challenge{any_counter(), any_array<32>()};
        case 2:
            return Proof{any_array<64>()};
        case 3:
            return Welcome{any_counter()};
        case 4:
            return Ack{any_counter()};
        case 5:
            return event::Order{any_text(),
                                *rc::gen::element(event::Order::Kind::CutSession,
                                                  event::Order::Kind::RequireStepUp),
                                any_text(),
                                {any_text(), {any_text(), any_text()}, any_text()},
                                WallTime(Micros(static_cast<std::int64_t>(any_counter())))};
        case 6:
            return OrderDone{any_text(), std::nullopt};
        case 7:
            return OrderDone{any_text(), any_refusal()};
        case 8:
            return any_refusal();
        default:
            return any_batch();
    }
}

ByteView payload_of(const Bytes& frame) {
    return ByteView(frame).subspan(4);
}

RC_GTEST_PROP(Frame, EveryMessageComesBackAsItWas, ()) {
    const Message message = any_message();
    const Bytes frame = encode(message);
    const auto read = decode(payload_of(frame));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == message);
}

RC_GTEST_PROP(Frame, AcceptedBytesHaveOneSpelling, ()) {
    Bytes payload = to_bytes(payload_of(encode(any_message())));
    const auto at = *rc::gen::inRange<std::size_t>(0, payload.size());
    payload[at] = *rc::gen::arbitrary<std::uint8_t>();
    payload.resize(*rc::gen::element(payload.size(), at, payload.size() + 1));
    if (const auto read = decode(payload))
        RC_ASSERT(to_bytes(payload_of(encode(*read))) == payload);
}

RC_GTEST_PROP(Frame, TheReaderDoesNotMindHowBytesArrive, ()) {
    const std::vector<Message> sent{any_message(), any_message(), any_message()};
    Bytes bytes;
    for (const Message& message : sent) append(bytes, encode(message));
    FrameReader reader;
    std::vector<Message> got;
    for (ByteView rest = bytes; !rest.empty();) {
        const auto size = std::min(*rc::gen::inRange<std::size_t>(1, 200), rest.size());
        reader.feed(rest.first(size));
        rest = rest.subspan(size);
        for (;;) {
            const auto next = reader.next(kFrameBytesMax);
            RC_ASSERT(next.has_value());
            if (!*next) break;
            got.push_back(**next);
        }
    }
    RC_ASSERT(got == sent);
}

TEST(Frame, ALengthAboveTheLimitIsRefusedBeforeTheBytesCome) {
    FrameReader reader;
    reader.feed(Bytes{0x7F, 0xFF, 0xFF, 0xFF});
    const auto next = reader.next(kFrameBytesMax);
    ASSERT_FALSE(next.has_value());
    EXPECT_EQ(next.error().code, Code::BadInput);
}

TEST(Frame, ARefusalIsCutBetweenCharactersAndNeverUnreadable) {
    Refused refusal{Code::Io, {std::string(kTextBytesMax - 1, 'x') + "é", "\xFF"}, {}};
    const Bytes frame = encode(refusal);
    const auto read = decode(payload_of(frame));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(std::get<Refused>(*read).what.fr, std::string(kTextBytesMax - 1, 'x'));
    EXPECT_EQ(std::get<Refused>(*read).what.en, "");
}

TEST(Frame, AnOrderThatCannotTravelIsRefused) {
    event::Order order;
    order.id = "1";
    EXPECT_TRUE(check_order(order).has_value());
    order.target = "\xC3";
    EXPECT_FALSE(check_order(order).has_value());
    order.target = std::string(kTextBytesMax + 1, 'x');
    EXPECT_FALSE(check_order(order).has_value());
}

TEST(Frame, TheFullestBatchFitsAFrame) {
    Batch batch{{std::uint64_t{1} << 48, {}}, {}, Seal{{(std::uint64_t{1} << 48) + 1, {}}, {}}};
    std::size_t bytes = 0;
    for (std::uint64_t i = 1; i <= kBatchEventsMax; ++i) {
        const event::Stamp stamp{event::Type::RecordRead, WallTime(Micros(1'795'500'000'000'000)),
                                 batch.after.counter + i, event::Retention::System};
        StampedBody event{stamp, Bytes(kBatchBytesMax / kBatchEventsMax - 20)};
        bytes += weight(event);
        batch.events.push_back(event);
    }
    ASSERT_EQ(bytes, kBatchBytesMax);
    const Bytes frame = encode(batch);
    EXPECT_TRUE(decode(payload_of(frame)).has_value());
    batch.events.push_back(batch.events.back());
    Bytes more;
    cbor::Writer writer(more);
    write_batch(writer, batch);
    cbor::Reader reader(more);
    EXPECT_FALSE(read_batch(reader, batch.after).has_value());
}

TEST(Frame, AGuardCannotSpeakForTheLedger) {
    const StampedBody forged{{event::Type::KeyShredded, WallTime{}, 1, event::Retention::System},
                             Bytes{0xA0}};
    const Bytes frame = encode(Batch{{}, {forged}, {}});
    EXPECT_FALSE(decode(payload_of(frame)).has_value());
    EXPECT_TRUE(guard_may_report(event::Type::Heartbeat));
    EXPECT_FALSE(guard_may_report(event::Type::SourceGap));
    EXPECT_FALSE(guard_may_report(static_cast<event::Type>(60'000)));
}

TEST(Frame, CodesKeepTheirNumbers) {
    // FORMAT.md: number of each code, by the byte that carries it.
    const std::pair<Code, std::uint8_t> numbers[] = {
        {Code::BadInput, 0}, {Code::NotFound, 1},    {Code::AlreadyThere, 2}, {Code::Corrupt, 3},
        {Code::Forged, 4},   {Code::Stale, 5},       {Code::Denied, 6},       {Code::Busy, 7},
        {Code::Full, 8},     {Code::Unavailable, 9}, {Code::Io, 10},          {Code::Erased, 11}};
    for (const auto& [code, number] : numbers) {
        const Bytes frame = encode(Refused{code, {}, {}});
        EXPECT_EQ(to_hex(payload_of(frame)), "8609" + to_hex(Bytes{number}) + "60606060");
    }
}

}  // namespace
}  // namespace hygie::link
