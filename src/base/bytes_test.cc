#include "base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hygie {
namespace {

std::string base64(std::string_view text) {
    return to_base64(as_bytes(text));
}

TEST(Hex, both_ways) {
    EXPECT_EQ(to_hex(Bytes{}), "");
    EXPECT_EQ(to_hex(Bytes{0x00, 0x09, 0xAF, 0xFF}), "0009afff");
    EXPECT_EQ(from_hex("0009AfFf").value(), (Bytes{0x00, 0x09, 0xAF, 0xFF}));
    EXPECT_EQ(from_hex("").value(), Bytes{});
}

TEST(Hex, refuses_odd_and_foreign_digits) {
    for (const char* text : {"0", "000", "0g", "g0", " 00", "0x00", "0:", "@0", "`0", "\xC3\xA9"}) {
        const auto bytes = from_hex(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, Code::BadInput);
    }
}

TEST(Base64, writes_the_vectors_of_rfc_4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64(Bytes{0xFB, 0xFF}), "+/8=");
}

TEST(Base64, refuses_every_second_spelling) {
    // No padding, too much of it, padding inside, unused bits set, white space, the URL alphabet.
    for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zg==Zg==", "Z=g=", "Zh==",
                             "Zm9=", "Zm8= ", " Zm8=", "Zm\n8", "-_8=", "Zm9v\n", "Zm9\xE9"}) {
        const auto bytes = from_base64(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, Code::BadInput);
    }
}

RC_GTEST_PROP(Base64, gives_back_what_was_written, (const Bytes& bytes)) {
    RC_ASSERT(from_base64(to_base64(bytes)).value() == bytes);
    RC_ASSERT(from_hex(to_hex(bytes)).value() == bytes);
}

RC_GTEST_PROP(Base64, what_is_accepted_has_one_spelling, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AQgw+/=v")));
    if (const auto bytes = from_base64(text)) RC_ASSERT(to_base64(*bytes) == text);
}

TEST(BigEndian, stores_and_loads) {
    std::uint8_t out[8];
    store_be<std::uint64_t>(out, 0x0102030405060708);
    EXPECT_EQ(to_hex(out), "0102030405060708");
    EXPECT_EQ(load_be<std::uint64_t>(out), 0x0102030405060708u);
    EXPECT_EQ(load_be<std::uint16_t>(out + 6), 0x0708u);
    EXPECT_EQ(load_be<std::uint8_t>(out), 0x01u);
}

RC_GTEST_PROP(BigEndian, gives_back_what_was_stored, (std::uint64_t wide, std::uint16_t narrow)) {
    std::uint8_t out[8];
    store_be(out, wide);
    RC_ASSERT(load_be<std::uint64_t>(out) == wide);
    store_be(out, narrow);
    RC_ASSERT(load_be<std::uint16_t>(out) == narrow);
}

TEST(ConstantTime, equal_means_equal) {
    EXPECT_TRUE(equal_constant_time(Bytes{}, Bytes{}));
    EXPECT_FALSE(equal_constant_time(Bytes{1}, Bytes{}));
    EXPECT_FALSE(equal_constant_time(Bytes{1, 2}, Bytes{1}));
}

RC_GTEST_PROP(ConstantTime, one_flipped_bit_is_seen, (Bytes bytes)) {
    RC_PRE(!bytes.empty());
    const Bytes same = bytes;
    RC_ASSERT(equal_constant_time(bytes, same));
    const auto bit = *rc::gen::inRange<std::size_t>(0, bytes.size() * 8);
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1u << bit % 8));
    RC_ASSERT(!equal_constant_time(bytes, same));
}

TEST(Views, see_the_same_bytes) {
    const std::string text("h\0é", 4);
    EXPECT_EQ(as_text(as_bytes(text)), text);
    Bytes out{1};
    append(out, Bytes{2, 3});
    EXPECT_EQ(out, (Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace hygie
