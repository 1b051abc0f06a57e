#include "crypto/keystream.h"

#include <sodium.h>

#include <algorithm>

namespace hygie::crypto {

void keystream(const Secret32& key, const Nonce& nonce, std::uint32_t block,
               std::span<std::uint8_t> out) {
    if (out.empty()) return;
    std::ranges::fill(out, std::uint8_t{0});
    crypto_stream_chacha20_ietf_xor_ic(out.data(), out.data(), out.size(), nonce.data(), block,
                                       key.view().data());
}

}  // namespace hygie::crypto
