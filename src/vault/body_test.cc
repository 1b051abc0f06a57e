#include "vault/body.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace hygie::vault {
namespace {

const crypto::Secret32 kKey(std::array<std::uint8_t, 32>{7});

Body any_body() {
    Body body;
    body.version = *rc::gen::arbitrary<std::uint32_t>();
    body.updated =
        WallTime(std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 1LL << 42)));
    body.deleted = *rc::gen::arbitrary<bool>();
    body.previous = *rc::gen::arbitrary<std::uint64_t>();
    body.opened_by = *rc::gen::string<std::string>();
    body.text = *rc::gen::string<std::string>();
    return body;
}

TEST(Body, ComesBackAsItWas) {
    EXPECT_TRUE(rc::check([] {
        const Body body = any_body();
        const std::uint64_t row = *rc::gen::arbitrary<std::uint64_t>();
        const CompartmentNumber compartment = *rc::gen::positive<std::uint64_t>();
        const Bytes stored = seal_body(kKey, compartment, row, body).value();
        RC_ASSERT(open_body(kKey, row, stored).value() == body);
        RC_ASSERT(compartment_of_body(stored) == compartment);
    }));
}

TEST(Body, IsBoundToItsRowItsRecordAndItsKey) {
    const Body body{.version = 3, .text = R"({"resourceType":"Basic","id":"b"})"};
    const Bytes stored = seal_body(kKey, 5, 9, body).value();
    EXPECT_TRUE(open_body(kKey, 9, stored));
    EXPECT_EQ(open_body(kKey, 10, stored).error().code, Code::Corrupt);
    EXPECT_FALSE(open_body(crypto::Secret32(), 9, stored));
    Bytes elsewhere = stored;
    elsewhere[0] = 6;
    EXPECT_FALSE(open_body(kKey, 9, elsewhere));
    for (std::size_t size = 0; size < stored.size(); ++size)
        EXPECT_FALSE(open_body(kKey, 9, ByteView(stored).first(size)));
    for (std::size_t at = 0; at < stored.size(); ++at) {
        Bytes turned = stored;
        turned[at] ^= 0x40;
        EXPECT_FALSE(open_body(kKey, 9, turned)) << at;
    }
}

TEST(Body, IsSmallAndSaysNothing) {
    const std::string text =
        R"({"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":)"
        R"("http://loinc.org","code":"8302-2","display":"Body Height"}],"text":"Body Height"}})";
    const Bytes stored = seal_body(kKey, 5, 9, {.version = 1, .text = text}).value();
    EXPECT_LT(stored.size(), text.size() / 2);
    EXPECT_EQ(as_text(stored).find("Height"), std::string_view::npos);
}

TEST(Body, RefusesWhatIsTooLarge) {
    const Body huge{.version = 1, .text = std::string(kBodyBytesMax + 1, 'x')};
    EXPECT_EQ(seal_body(kKey, 5, 9, huge).error().code, Code::Full);
    const Body large{.version = 1, .text = std::string(kBodyBytesMax, 'x')};
    EXPECT_EQ(open_body(kKey, 9, seal_body(kKey, 5, 9, large).value())->text.size(), kBodyBytesMax);
}

TEST(Body, KeepsItsHashWhenItIsErased) {
    const Bytes stored = seal_body(kKey, 5, 9, {.version = 1, .text = "{}"}).value();
    const Bytes left = erased_body(stored);
    EXPECT_EQ(hash_of_body(left), hash_of_body(stored));
    EXPECT_EQ(compartment_of_body(left), std::nullopt);
    EXPECT_EQ(erased_body(left), left);
    EXPECT_FALSE(open_body(kKey, 9, left));
}

TEST(Piece, IsBoundToItsPlaceAndIsNoBody) {
    const Bytes plain = {1, 2, 3};
    const Bytes sealed = seal_piece(kKey, 5, 9, plain);
    EXPECT_EQ(open_piece(kKey, 5, 9, sealed).value(), plain);
    EXPECT_FALSE(open_piece(kKey, 5, 10, sealed));
    EXPECT_FALSE(open_piece(kKey, 6, 9, sealed));
    Bytes as_body = {5};
    append(as_body, sealed);
    EXPECT_FALSE(open_body(kKey, 9, as_body));
}

}  // namespace
}  // namespace hygie::vault
