#include "ledger/log/entry.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/proofs/memory_log.h"

namespace hygie::ledger {
namespace {

Header any_header() {
    using rc::gen::arbitrary;
    Header header;
    header.type = static_cast<event::Type>(*arbitrary<std::uint16_t>());
    header.time = WallTime(Micros(*rc::gen::inRange<std::int64_t>(0, INT64_MAX)));
    header.sequence = *arbitrary<std::uint64_t>();
    header.node = *arbitrary<std::uint8_t>();
    header.source = *arbitrary<std::uint16_t>();
    header.counter = *arbitrary<std::uint32_t>();
    header.retention = static_cast<event::Retention>(*arbitrary<std::uint8_t>());
    header.actor = *arbitrary<crypto::Token>();
    header.run = *arbitrary<std::uint32_t>();
    header.key_ref = *arbitrary<std::array<std::uint8_t, 8>>();
    return header;
}

TEST(Entry, WhatIsWrittenIsReadBack) {
    EXPECT_TRUE(rc::check([] {
        const Header header = any_header();
        const Bytes payload = *rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>());
        Bytes sealed = payload;
        sealed.resize(sealed.size() + crypto::kTagBytes);
        const Bytes entry = memory::entry_of(header, Payload::Sealed, sealed);
        const auto view = parse_entry(entry);
        RC_ASSERT(view.has_value());
        RC_ASSERT(view->header == header);
        RC_ASSERT(view->is_sealed);
        RC_ASSERT(to_bytes(view->payload) == sealed);
    }));
}

TEST(Entry, OneEventHasOneSpelling) {
    EXPECT_TRUE(rc::check([] {
        Bytes entry = memory::entry_of(any_header(), Payload::Sealed, Bytes(40, 7));
        const auto at = *rc::gen::inRange<std::size_t>(0, entry.size());
        entry[at] ^= static_cast<std::uint8_t>(*rc::gen::inRange(1, 256));
        const auto view = parse_entry(entry);
        if (!view) return;
        RC_ASSERT(memory::entry_of(view->header, view->is_sealed ? Payload::Sealed : Payload::Open,
                                   view->payload) == entry);
    }));
}

TEST(Entry, TheLongestHeaderFits) {
    Header header;
    header.type = static_cast<event::Type>(UINT16_MAX);
    header.time = WallTime(Micros(INT64_MAX));
    header.sequence = header.node = header.source = header.counter = UINT64_MAX;
    header.retention = static_cast<event::Retention>(UINT8_MAX);
    header.run = UINT32_MAX;
    Bytes out(kHeaderBytesMax);
    std::size_t associated = 0;
    EXPECT_LE(encode_header(header, Payload::Sealed, 65'535, out.data(), associated),
              kHeaderBytesMax);
}

TEST(Entry, OpenPayloadsAreMaps) {
    const Bytes empty_map{0xA0};
    const Bytes entry = memory::entry_of(Header{}, Payload::Open, empty_map);
    const auto view = parse_entry(entry);
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->is_sealed);
    EXPECT_EQ(to_bytes(view->payload), empty_map);
    EXPECT_FALSE(parse_entry(memory::entry_of(Header{}, Payload::Open, Bytes{0x80})));
}

TEST(Entry, ShortAndForeignBytesAreRefused) {
    EXPECT_FALSE(parse_entry({}));
    const Bytes entry = memory::entry_of(Header{}, Payload::Sealed, Bytes(crypto::kTagBytes));
    for (std::size_t size = 0; size < entry.size(); ++size)
        EXPECT_FALSE(parse_entry(ByteView(entry).first(size))) << size;
    Bytes longer = entry;
    longer.push_back(0);
    EXPECT_FALSE(parse_entry(longer));
}

TEST(Entry, NoncesNeverRepeatWithinARun) {
    Header header;
    header.run = 7;
    header.sequence = 1;
    const auto first = nonce_of(header);
    header.sequence = 1ull << 40;
    EXPECT_NE(first, nonce_of(header));
    header.sequence = 1;
    header.run = 8;
    EXPECT_NE(first, nonce_of(header));
}

}  // namespace
}  // namespace hygie::ledger
