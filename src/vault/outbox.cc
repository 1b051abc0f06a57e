#include "vault/outbox.h"

#include <array>

#include "crypto/aead.h"
#include "event/codec.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

std::array<std::uint8_t, 8> bound_to(std::uint64_t counter) {
    std::array<std::uint8_t, 8> bytes;
    store_be(bytes.data(), counter);
    return bytes;
}

}  // namespace

Result<Bytes> seal_event(const crypto::Secret32& key, const event::Event& event, Random& random) {
    const event::Stamp stamp = event::stamp_of(event);
    Bytes plain;
    put_varint(plain, static_cast<std::uint64_t>(stamp.type));
    put_varint(plain, static_cast<std::uint64_t>(stamp.time.time_since_epoch().count()));
    put_varint(plain, static_cast<std::uint64_t>(stamp.retention));
    append(plain, TRY(event::encode_body(event)));
    return crypto::box(key, bound_to(event.counter), plain, random);
}

Result<event::Event> open_event(const crypto::Secret32& key, std::uint64_t counter, ByteView sealed,
                                const SourceId& source, const NodeId& node) {
    const Bytes plain = TRY(crypto::unbox(key, bound_to(counter), sealed));
    VarintReader in(plain);
    event::Stamp stamp{};
    stamp.type = static_cast<event::Type>(in.number());
    stamp.time = WallTime(Micros(in.number()));
    stamp.retention = static_cast<event::Retention>(in.number());
    stamp.counter = counter;
    event::Event event = TRY(event::decode_body(stamp, in.rest()));
    event.source = source;
    event.node = node;
    return event;
}

}  // namespace hygie::vault
