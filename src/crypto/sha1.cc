#include "crypto/sha1.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace hygie::crypto {

std::array<std::uint8_t, 20> sha1(ByteView bytes) {
    std::array<std::uint8_t, 20> digest{};
    HYGIE_CHECK(
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1,
        "SHA-1 of bytes in memory always works");
    return digest;
}

}  // namespace hygie::crypto
