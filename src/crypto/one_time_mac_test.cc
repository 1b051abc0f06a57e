#include "crypto/one_time_mac.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "crypto/sodium.h"

namespace hygie::crypto {
namespace {

Secret32 key_of(std::string_view hex) {
    Secret32 key;
    std::ranges::copy(*from_hex(hex), key.mutable_view().begin());
    return key;
}

TEST(CryptoOneTimeMac, GivesTheTagOfTheStandard) {
    // RFC 8439 §2.5.2.
    OneTimeMac mac(key_of("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"));
    mac.add(as_bytes("Cryptographic Forum Research Group"));
    EXPECT_EQ(to_hex(mac.end()), "a8061dc1305136c6c22b8baf0c0127a9");
}

TEST(CryptoOneTimeMac, AgreesWithAnotherLibraryHoweverTheBytesComeInPieces) {
    detail::sodium_ready();
    const Secret32 key = key_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    Bytes bytes(70'000);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 2654435761U >> 11U);
    for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 255UL, 4096UL, 70'000UL})
        for (const std::size_t piece : {1UL, 16UL, 1000UL, 65'536UL}) {
            OneTimeMac mac(key);
            for (std::size_t at = 0; at < size; at += piece)
                mac.add(ByteView(bytes).subspan(at, std::min(piece, size - at)));
            OneTimeMac::Tag theirs;
            crypto_onetimeauth_poly1305(theirs.data(), bytes.data(), size, key.view().data());
            EXPECT_EQ(mac.end(), theirs) << size << " in pieces of " << piece;
        }
}

}  // namespace
}  // namespace hygie::crypto
