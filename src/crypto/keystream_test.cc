#include "crypto/keystream.h"

#include <gtest/gtest.h>

#include <numeric>

namespace hygie::crypto {
namespace {

/// Key 00 01 … 1f and the nonce of RFC 8439 §2.3.2.
const Nonce kNonce{0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};

Secret32 counting_key() {
    Secret32 key;
    std::iota(key.mutable_view().begin(), key.mutable_view().end(), std::uint8_t{0});
    return key;
}

Bytes stream(std::uint32_t block, std::size_t size) {
    Bytes out(size, 0xEE);
    keystream(counting_key(), kNonce, block, out);
    return out;
}

TEST(Keystream, has_the_value_of_rfc_8439) {
    EXPECT_EQ(to_hex(stream(1, 64)),
              "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
              "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

TEST(Keystream, starts_at_any_block) {
    const Bytes whole = stream(0, 5 * kKeystreamBlockBytes);
    for (std::uint32_t block = 0; block < 5; ++block) {
        const Bytes part = stream(block, kKeystreamBlockBytes);
        EXPECT_TRUE(std::equal(part.begin(), part.end(),
                               whole.begin() + block * std::ptrdiff_t{kKeystreamBlockBytes}));
    }
}

TEST(Keystream, of_nothing_is_nothing) {
    EXPECT_EQ(stream(0, 0), Bytes{});
}

}  // namespace
}  // namespace hygie::crypto
