#include "crypto/tokens.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/sha256.h"

namespace hygie::crypto {

Token blind(const Secret32& key, std::string_view domain, std::string_view value) {
    return blind(HmacKey(key.view()), domain, value);
}

Token blind(const HmacKey& key, std::string_view domain, std::string_view value) {
    constexpr std::uint8_t kSeparator = 0x00;
    const Hash whole =
        hmac_sha256(key, {as_bytes(domain), ByteView(&kSeparator, 1), as_bytes(value)});
    Token token;
    std::copy_n(whole.begin(), token.size(), token.begin());
    return token;
}

Secret32 derive(const Secret32& key, std::string_view purpose) {
    constexpr Hash kNoSalt{};
    constexpr std::uint8_t kFirstBlock = 0x01;
    Hash extracted = hmac_sha256(kNoSalt, key.view());
    Hash expanded = hmac_sha256(extracted, {as_bytes(purpose), ByteView(&kFirstBlock, 1)});
    const Secret32 derived(expanded);
    sodium_memzero(extracted.data(), extracted.size());
    sodium_memzero(expanded.data(), expanded.size());
    return derived;
}

}  // namespace hygie::crypto
