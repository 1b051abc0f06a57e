#include "crypto/short_name.h"

#include <gtest/gtest.h>

namespace hygie::crypto {
namespace {

/// The first vectors of the reference implementation (vectors_sip128): key 00…0f, texts "", 00.
TEST(ShortName, ReferenceVectors) {
    ShortNameKey key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(short_name(key, {}), (ShortName{0xa3817f04ba25a8e6, 0x6df67214c7550293}));
    const std::uint8_t zero = 0;
    EXPECT_EQ(short_name(key, {&zero, 1}), (ShortName{0xda87c1d86b99af44, 0x347659119b22fc45}));
}

}  // namespace
}  // namespace hygie::crypto
