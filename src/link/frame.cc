#include "link/frame.h"

#include <algorithm>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/sha256.h"

namespace hygie::link {
namespace {

constexpr std::string_view kProofDomain = "hygie/link-proof/1";

/// Messages by their number in the frame: 1 + their place in Message.
template <typename Kind, typename... Kinds>
constexpr std::uint64_t number_in(const std::variant<Kinds...>*) {
    std::uint64_t number = 0;
    bool found = false;
    ((found = found || std::is_same_v<Kind, Kinds>, number += !found), ...);
    return number + 1;
}
template <typename Kind>
constexpr std::uint64_t kNumber = number_in<Kind>(static_cast<const Message*>(nullptr));

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"trame hors du format du lien entre garde et cœur",
                 "frame outside the format of the link between guard and core"},
                {"mettez la garde et le cœur à la même version, et vérifiez l'adresse",
                 "bring the guard and the core to the same version, and check the address"},
                where);
}

// ---- writing: one overload per message, fields in the order of FORMAT.md

void head(cbor::Writer& out, std::uint64_t number, std::uint64_t fields) {
    out.array(1 + fields);
    out.number(number);
}

void write(cbor::Writer& out, const Hello& hello) {
    head(out, kNumber<Hello>, 7);
    out.number(hello.version);
    out.text(hello.self.source.str());
    out.text(hello.self.node.str());
    out.bytes(hello.self.key);
    out.number(hello.base);
    out.number(hello.last);
    out.bytes(hello.nonce);
}

void write(cbor::Writer& out, const Challenge& challenge) {
    head(out, kNumber<Challenge>, 2);
    out.number(challenge.version);
    out.bytes(challenge.nonce);
}

void write(cbor::Writer& out, const Proof& proof) {
    head(out, kNumber<Proof>, 1);
    out.bytes(proof.signature);
}

void write(cbor::Writer& out, const Welcome& welcome) {
    head(out, kNumber<Welcome>, 1);
    out.number(welcome.counter);
}

void write(cbor::Writer& out, const Batch& batch) {
    head(out, kNumber<Batch>, 4);
    out.number(batch.after.counter);
    out.bytes(batch.after.chain);
    write_batch(out, batch);
}

void write(cbor::Writer& out, const Ack& ack) {
    head(out, kNumber<Ack>, 1);
    out.number(ack.counter);
}

void write(cbor::Writer& out, const event::Order& order) {
    head(out, kNumber<event::Order>, 8);
    out.text(order.id);
    out.number(static_cast<std::uint64_t>(order.kind));
    out.text(order.target);
    out.text(order.reason.id);
    out.text(order.reason.text.fr);
    out.text(order.reason.text.en);
    out.text(order.reason.evidence);
    out.number(static_cast<std::uint64_t>(order.until.time_since_epoch().count()));
}

void write(cbor::Writer& out, const OrderDone& done) {
    head(out, kNumber<OrderDone>, done.problem ? 1 + kRefusalItems : 1);
    out.text(done.id);
    if (done.problem) write_refusal(out, *done.problem);
}

void write(cbor::Writer& out, const Refused& refused) {
    head(out, kNumber<Refused>, kRefusalItems);
    write_refusal(out, refused);
}

Bytes encode_payload(const Message& message) {
    Bytes out;
    cbor::Writer writer(out);
    std::visit([&](const auto& words) { write(writer, words); }, message);
    return out;
}

// ---- reading

template <std::size_t N>
Status read_exactly(cbor::Reader& in, std::array<std::uint8_t, N>& out) {
    const ByteView bytes = TRY(in.bytes());
    if (bytes.size() != N) return corrupt();
    std::ranges::copy(bytes, out.begin());
    return {};
}

Result<std::string> read_text(cbor::Reader& in) {
    const std::string_view text = TRY(in.text());
    if (text.size() > kTextBytesMax) return corrupt();
    return std::string(text);
}

Result<Message> read_hello(cbor::Reader& in) {
    Hello hello;
    hello.version = TRY(in.number());
    hello.self.source = SourceId(TRY(read_text(in)));
    hello.self.node = NodeId(TRY(read_text(in)));
    TRY_STATUS(check_names(hello.self));
    TRY_STATUS(read_exactly(in, hello.self.key));
    hello.base = TRY(in.number());
    hello.last = TRY(in.number());
    if (hello.last < hello.base) return corrupt();
    TRY_STATUS(read_exactly(in, hello.nonce));
    return hello;
}

Result<Message> read_challenge(cbor::Reader& in) {
    Challenge challenge;
    challenge.version = TRY(in.number());
    TRY_STATUS(read_exactly(in, challenge.nonce));
    return challenge;
}

Result<Message> read_proof(cbor::Reader& in) {
    Proof proof;
    TRY_STATUS(read_exactly(in, proof.signature));
    return proof;
}

Result<Message> read_events(cbor::Reader& in) {
    Point point;
    point.counter = TRY(in.number());
    TRY_STATUS(read_exactly(in, point.chain));
    return TRY(read_batch(in, point));
}

Result<Message> read_order(cbor::Reader& in) {
    event::Order order;
    order.id = TRY(read_text(in));
    const std::uint64_t kind = TRY(in.number());
    if (kind < static_cast<std::uint64_t>(event::Order::Kind::CutSession) ||
        kind > static_cast<std::uint64_t>(event::Order::Kind::RequireStepUp))
        return corrupt();
    order.kind = static_cast<event::Order::Kind>(kind);
    order.target = TRY(read_text(in));
    order.reason.id = TRY(read_text(in));
    order.reason.text.fr = TRY(read_text(in));
    order.reason.text.en = TRY(read_text(in));
    order.reason.evidence = TRY(read_text(in));
    const std::uint64_t until = TRY(in.number());
    if (until > static_cast<std::uint64_t>(Micros::max().count())) return corrupt();
    order.until = WallTime(Micros(static_cast<std::int64_t>(until)));
    return order;
}

Result<Message> read_order_done(cbor::Reader& in, std::uint64_t fields) {
    OrderDone done;
    done.id = TRY(read_text(in));
    if (fields == 1 + kRefusalItems) done.problem = TRY(read_refusal(in));
    return done;
}

Result<Message> read_message(cbor::Reader& in) {
    const std::uint64_t items = TRY(in.array());
    if (items == 0) return corrupt();
    const std::uint64_t number = TRY(in.number());
    const std::uint64_t fields = items - 1;
    if (number == kNumber<Hello> && fields == 7) return read_hello(in);
    if (number == kNumber<Challenge> && fields == 2) return read_challenge(in);
    if (number == kNumber<Proof> && fields == 1) return read_proof(in);
    if (number == kNumber<Welcome> && fields == 1) return Welcome{TRY(in.number())};
    if (number == kNumber<Batch> && fields == 4) return read_events(in);
    if (number == kNumber<Ack> && fields == 1) return Ack{TRY(in.number())};
    if (number == kNumber<event::Order> && fields == 8) return read_order(in);
    if (number == kNumber<OrderDone> && (fields == 1 || fields == 1 + kRefusalItems))
        return read_order_done(in, fields);
    if (number == kNumber<Refused> && fields == kRefusalItems) return TRY(read_refusal(in));
    return corrupt();
}

}  // namespace

Bytes encode(const Message& message) {
    const Bytes payload = encode_payload(message);
    HYGIE_CHECK(payload.size() <= kFrameBytesMax, "the peer would refuse this frame");
    return framed(payload);
}

Result<Message> decode(ByteView payload) {
    cbor::Reader in(payload);
    Message message = TRY(read_message(in));
    if (!in.done()) return corrupt();
    return message;
}

Status check_order(const event::Order& order) {
    if (order.until >= WallTime{} && decode(encode_payload(order))) return {};
    return fail(Code::BadInput,
                {"ordre impossible à transmettre : texte trop long ou hors UTF-8, date avant 1970",
                 "order that cannot be sent: text too long or not UTF-8, or a date before 1970"},
                {"raccourcissez les textes de l'ordre à 4096 octets chacun",
                 "shorten the texts of the order to 4096 bytes each"});
}

Bytes proof_message(const Hello& hello, const Challenge& challenge, ByteView binding) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(4);
    writer.text(kProofDomain);
    writer.bytes(encode_payload(hello));
    writer.bytes(encode_payload(challenge));
    writer.bytes(binding);
    return out;
}

Result<std::optional<Message>> FrameReader::next(std::size_t frame_bytes_max) {
    const std::optional<ByteView> payload = TRY(cutter_.next(frame_bytes_max));
    if (!payload) return std::nullopt;
    return TRY(decode(*payload));
}

}  // namespace hygie::link
