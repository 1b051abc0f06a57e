#include "crypto/short_name.h"

#include "crypto/sodium.h"

namespace hygie::crypto {

static_assert(std::tuple_size_v<ShortNameKey> == crypto_shorthash_siphashx24_KEYBYTES);

ShortName short_name(const ShortNameKey& key, ByteView text) {
    std::array<std::uint8_t, crypto_shorthash_siphashx24_BYTES> out;
    crypto_shorthash_siphashx24(out.data(), text.data(), text.size(), key.data());
    return {load_be<std::uint64_t>(out.data()), load_be<std::uint64_t>(out.data() + 8)};
}

}  // namespace hygie::crypto
