#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/check.h"
#include "crypto/aead_engines.h"
#include "crypto/sha256.h"
#include "sim/sim_random.h"

namespace hygie::crypto {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

Secret32 key_of(ByteView bytes) {
    return Secret32(bytes.first<32>());
}

Bytes sealed(const detail::AeadEngine& engine, const Secret32& key, const Nonce& nonce,
             ByteView associated, ByteView plaintext) {
    Bytes out(plaintext.size() + kTagBytes);
    engine.seal(key, nonce, associated, plaintext, out.data());
    return out;
}

std::vector<const detail::AeadEngine*> engines() {
    std::vector<const detail::AeadEngine*> all{&detail::kOpensslEngine};
    if (detail::sodium_engine() != nullptr) all.push_back(detail::sodium_engine());
    return all;
}

/// Gives out the bytes it was made with: test vectors name their nonce.
class FixedRandom final : public Random {
  public:
    explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
    void fill(std::span<std::uint8_t> out) override {
        HYGIE_CHECK(out.size() == bytes_.size(), "the vector's nonce has another size");
        std::copy(bytes_.begin(), bytes_.end(), out.begin());
    }

  private:
    Bytes bytes_;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
TEST(Aead, has_the_values_of_the_gcm_specification) {
    const Secret32 zero;
    const Secret32 key =
        key_of(hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const Nonce nonce{0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
    for (const detail::AeadEngine* engine : engines()) {
        EXPECT_EQ(to_hex(sealed(*engine, zero, Nonce{}, {}, {})),
                  "530f8afbc74536b9a963b4f1c4cb738b");
        EXPECT_EQ(to_hex(sealed(*engine, zero, Nonce{}, {}, Bytes(16))),
                  "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
        EXPECT_EQ(
            to_hex(sealed(*engine, key, nonce, hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                          hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c"
                              "0c95956809532"
                              "fcf0e2449a6b525b16aedf5aa0de657ba637b39"))),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b"
            "1056828838c5f"
            "61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    }
}

RC_GTEST_PROP(Aead, engines_write_the_same_bytes_and_open_each_other,
              (const Bytes& associated, const Bytes& plaintext, std::uint64_t seed)) {
    sim::SimRandom random(seed);
    const Secret32 key(random.bytes<32>());
    const Nonce nonce = random.bytes<12>();
    Bytes first(plaintext.size() + kTagBytes);
    seal(key, nonce, associated, plaintext, first.data());
    RC_ASSERT(open(key, nonce, associated, first).value() == plaintext);
    for (const detail::AeadEngine* engine : engines()) {
        RC_ASSERT(sealed(*engine, key, nonce, associated, plaintext) == first);
        Bytes opened(plaintext.size());
        RC_ASSERT(engine->open(key, nonce, associated, first, opened.data()));
        RC_ASSERT(opened == plaintext);
    }
}

RC_GTEST_PROP(Aead, any_flipped_bit_is_refused_and_leaves_nothing,
              (Bytes associated, const Bytes& plaintext)) {
    sim::SimRandom random(7);
    Secret32 key(random.bytes<32>());
    Nonce nonce = random.bytes<12>();
    Bytes bytes = sealed(*engines()[0], key, nonce, associated, plaintext);
    const auto bit =
        *rc::gen::inRange<std::size_t>(0, 8 * (bytes.size() + associated.size() + 32 + 12));
    const auto mask = static_cast<std::uint8_t>(1u << bit % 8);
    std::size_t byte = bit / 8;
    if (byte < bytes.size())
        bytes[byte] ^= mask;
    else if ((byte -= bytes.size()) < associated.size())
        associated[byte] ^= mask;
    else if ((byte -= associated.size()) < 32)
        key.mutable_view()[byte] ^= mask;
    else
        nonce[byte - 32] ^= mask;
    RC_ASSERT(open(key, nonce, associated, bytes).error().code == Code::Corrupt);
    for (const detail::AeadEngine* engine : engines()) {
        Bytes out(plaintext.size(), 0xEE);
        RC_ASSERT(!engine->open(key, nonce, associated, bytes, out.data()));
        RC_ASSERT(out == Bytes(plaintext.size()));
    }
}

TEST(Aead, engines_meet_on_long_bodies_too) {
    for (const std::size_t size : {2047u, 2048u, 2049u, 70'000u}) {
        const Bytes plaintext(size, 0x5A);
        Bytes out(size + kTagBytes);
        seal(Secret32(), Nonce{}, {}, plaintext, out.data());
        for (const detail::AeadEngine* engine : engines())
            EXPECT_EQ(sealed(*engine, Secret32(), Nonce{}, {}, plaintext), out);
        EXPECT_EQ(open(Secret32(), Nonce{}, {}, out).value(), plaintext);
        out[size / 2] ^= 1;
        EXPECT_FALSE(open(Secret32(), Nonce{}, {}, out));
    }
}

TEST(Aead, refuses_what_is_shorter_than_a_tag) {
    for (std::size_t size = 0; size < kTagBytes; ++size) {
        EXPECT_EQ(open(Secret32(), Nonce{}, {}, Bytes(size)).error().code, Code::Corrupt);
        for (const detail::AeadEngine* engine : engines()) {
            std::uint8_t nothing = 0;
            EXPECT_FALSE(engine->open(Secret32(), Nonce{}, {}, Bytes(size), &nothing));
        }
    }
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(Box, has_the_value_of_the_xchacha_draft) {
    FixedRandom random(hex("404142434445464748494a4b4c4d4e4f5051525354555657"));
    const Secret32 key =
        key_of(hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
    const Bytes boxed = box(
        key, hex("50515253c0c1c2c3c4c5c6c7"),
        as_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
                 "the future, sunscreen would be it."),
        random);
    EXPECT_EQ(to_hex(boxed),
              "404142434445464748494a4b4c4d4e4f5051525354555657"
              "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3"
              "a82f4eda7e39ae64c67"
              "08c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d"
              "3fff921f9664c97637d"
              "a9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
}

RC_GTEST_PROP(Box, opens_with_all_it_was_made_with_and_nothing_else,
              (const Bytes& associated, const Bytes& plaintext)) {
    sim::SimRandom random(*rc::gen::arbitrary<std::uint64_t>());
    const Secret32 key(random.bytes<32>());
    Bytes boxed = box(key, associated, plaintext, random);
    RC_ASSERT(boxed.size() == plaintext.size() + kBoxBytes);
    RC_ASSERT(unbox(key, associated, boxed).value() == plaintext);
    RC_ASSERT(box(key, associated, plaintext, random) != boxed);
    Bytes longer = associated;
    longer.push_back(0);
    RC_ASSERT(unbox(key, longer, boxed).error().code == Code::Corrupt);
    RC_ASSERT(unbox(Secret32(random.bytes<32>()), associated, boxed).error().code == Code::Corrupt);
    const auto bit = *rc::gen::inRange<std::size_t>(0, 8 * boxed.size());
    boxed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    RC_ASSERT(unbox(key, associated, boxed).error().code == Code::Corrupt);
}

TEST(Box, refuses_what_is_too_short) {
    for (std::size_t size = 0; size < kBoxBytes; ++size)
        EXPECT_EQ(unbox(Secret32(), {}, Bytes(size)).error().code, Code::Corrupt);
}

}  // namespace
}  // namespace hygie::crypto
