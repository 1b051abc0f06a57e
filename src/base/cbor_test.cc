#include "base/cbor.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

namespace hygie::cbor {
namespace {

template <typename Write>
std::string written(Write write) {
    Bytes out;
    Writer writer(out);
    write(writer);
    return to_hex(out);
}

/// The numbers where the length of a head changes.
constexpr std::uint64_t kEdges[] = {0,
                                    1,
                                    23,
                                    24,
                                    255,
                                    256,
                                    65'535,
                                    65'536,
                                    0xFFFF'FFFF,
                                    0x1'0000'0000,
                                    1'000'000'000'000,
                                    ~std::uint64_t{0}};

TEST(Cbor, writes_the_examples_of_rfc_8949_appendix_a) {
    EXPECT_EQ(written([](Writer& w) { w.number(0); }), "00");
    EXPECT_EQ(written([](Writer& w) { w.number(23); }), "17");
    EXPECT_EQ(written([](Writer& w) { w.number(24); }), "1818");
    EXPECT_EQ(written([](Writer& w) { w.number(1000); }), "1903e8");
    EXPECT_EQ(written([](Writer& w) { w.number(1'000'000); }), "1a000f4240");
    EXPECT_EQ(written([](Writer& w) { w.number(1'000'000'000'000); }), "1b000000e8d4a51000");
    EXPECT_EQ(written([](Writer& w) { w.number(~std::uint64_t{0}); }), "1bffffffffffffffff");
    EXPECT_EQ(written([](Writer& w) { w.boolean(false); }), "f4");
    EXPECT_EQ(written([](Writer& w) { w.boolean(true); }), "f5");
    EXPECT_EQ(written([](Writer& w) { w.bytes(Bytes{1, 2, 3, 4}); }), "4401020304");
    EXPECT_EQ(written([](Writer& w) { w.text("IETF"); }), "6449455446");
    EXPECT_EQ(written([](Writer& w) { w.text("\u6c34"); }), "63e6b0b4");
    EXPECT_EQ(written([](Writer& w) { w.array(0); }), "80");
    EXPECT_EQ(written([](Writer& w) { w.map(0); }), "a0");
    EXPECT_EQ(written([](Writer& w) {
                  w.array(25);
                  for (std::uint64_t i = 1; i <= 25; ++i) w.number(i);
              }),
              "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
}

TEST(Cbor, reads_numbers_at_every_change_of_length) {
    for (const std::uint64_t number : kEdges) {
        Bytes out;
        Writer(out).number(number);
        Reader reader(out);
        EXPECT_EQ(reader.number().value(), number);
        EXPECT_TRUE(reader.done());
    }
}

TEST(Cbor, refuses_every_longer_spelling) {
    for (const char* hex : {"1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
                            "1b0000000000000000", "1b00000000ffffffff"}) {
        const Bytes in = from_hex(hex).value();
        Reader reader(in);
        const auto number = reader.number();
        ASSERT_FALSE(number) << hex;
        EXPECT_EQ(number.error().code, Code::Corrupt);
    }
}

TEST(Cbor, refuses_what_we_never_write) {
    // Negative integer, indefinite lengths, tag, null, undefined, half float, reserved heads,
    // nothing.
    for (const char* hex : {"20", "5fff", "7fff", "9fff", "bfff", "c000", "f6", "f7", "f90000",
                            "1c", "1d", "1e", "1f", "f8f4", ""}) {
        const Bytes in = from_hex(hex).value();
        EXPECT_FALSE(Reader(in).number()) << hex;
        EXPECT_FALSE(Reader(in).bytes()) << hex;
        EXPECT_FALSE(Reader(in).text()) << hex;
        EXPECT_FALSE(Reader(in).array()) << hex;
        EXPECT_FALSE(Reader(in).map()) << hex;
        EXPECT_FALSE(Reader(in).boolean()) << hex;
    }
}

TEST(Cbor, refuses_strings_longer_than_the_bytes_there) {
    for (const char* hex :
         {"41", "4301", "58", "5818", "5bffffffffffffffff00", "7bffffffffffffffff"}) {
        const Bytes in = from_hex(hex).value();
        EXPECT_FALSE(Reader(in).bytes()) << hex;
        EXPECT_FALSE(Reader(in).text()) << hex;
    }
}

TEST(Cbor, text_is_utf8_only) {
    // Lone continuation, overlong '/', surrogate, above U+10FFFF, cut short, 0xFE, bad third byte.
    for (const char* hex : {"6180", "62c0af", "63e08080", "63eda080", "64f0808080", "64f4908080",
                            "61c3", "62e6b0", "61fe", "63e6b041", "64f0909041", "62c341"}) {
        const Bytes in = from_hex(hex).value();
        EXPECT_FALSE(Reader(in).text()) << hex;
    }
    for (const std::string text : {"", "é", "水", "𐅑", "\U0010FFFF", "\uD7FF\uE000"}) {
        Bytes out;
        Writer(out).text(text);
        EXPECT_EQ(Reader(out).text().value(), text);
    }
}

TEST(Cbor, a_refusal_takes_nothing) {
    for (const char* hex : {"4301", "62c0af", "1817", "f6"}) {
        const Bytes in = from_hex(hex).value();
        Reader reader(in);
        EXPECT_FALSE(reader.text());
        EXPECT_FALSE(reader.number());
        EXPECT_FALSE(reader.bytes());
        EXPECT_EQ(reader.rest().size(), in.size()) << hex;
    }
}

TEST(Cbor, reads_in_order_and_knows_the_rest) {
    Bytes out;
    Writer writer(out);
    writer.array(4);
    writer.text("a");
    writer.boolean(true);
    writer.map(1);
    writer.bytes(Bytes{9});
    Reader reader(out);
    EXPECT_EQ(reader.array().value(), 4u);
    EXPECT_EQ(reader.text().value(), "a");
    EXPECT_TRUE(reader.boolean().value());
    EXPECT_EQ(reader.map().value(), 1u);
    EXPECT_EQ(reader.rest().size(), 2u);
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(to_bytes(reader.bytes().value()), Bytes{9});
    EXPECT_TRUE(reader.done());
}

RC_GTEST_PROP(Cbor, gives_back_what_was_written,
              (std::uint64_t number, const Bytes& bytes, bool flag)) {
    Bytes out;
    Writer writer(out);
    writer.number(number);
    writer.bytes(bytes);
    writer.boolean(flag);
    Reader reader(out);
    RC_ASSERT(reader.number().value() == number);
    RC_ASSERT(to_bytes(reader.bytes().value()) == bytes);
    RC_ASSERT(reader.boolean().value() == flag);
    RC_ASSERT(reader.done());
}

RC_GTEST_PROP(Cbor, accepted_bytes_have_one_spelling, (const Bytes& in)) {
    Reader reader(in);
    const auto number = reader.number();
    if (!number) return;
    Bytes again;
    Writer(again).number(*number);
    append(again, reader.rest());
    RC_ASSERT(again == in);
}

}  // namespace
}  // namespace hygie::cbor
