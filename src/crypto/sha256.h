#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/bytes.h"

namespace hygie::crypto {

/// A SHA-256 digest (FIPS 180-4).
using Hash = std::array<std::uint8_t, 32>;

Hash sha256(ByteView bytes);
/// SHA-256 of two strings one after the other, without joining them.
Hash sha256(ByteView first, ByteView second);

/// RFC 6962 §2.1: SHA-256(0x00 ‖ entry).
Hash leaf_hash(ByteView entry);
/// RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right).
Hash node_hash(const Hash& left, const Hash& right);

/// leaf_hash of each entry; out.size() == entries.size(). Uses two interleaved SHA-NI lanes where
/// the CPU has them.
void leaf_hashes(std::span<const ByteView> entries, std::span<Hash> out);
/// out[i] = node_hash(children[2i], children[2i+1]); children.size() == 2 * out.size(). `out` may
/// alias the front of `children`.
void node_hashes(std::span<const Hash> children, std::span<Hash> out);

/// The key of an HMAC-SHA-256, prepared: with it an HMAC costs half. As secret as the key itself;
/// wiped when destroyed.
class HmacKey {
  public:
    explicit HmacKey(ByteView key);
    HmacKey(const HmacKey&) = default;
    HmacKey& operator=(const HmacKey&) = default;
    HmacKey() = default;
    ~HmacKey();

  private:
    friend Hash hmac_sha256(const HmacKey& key, std::initializer_list<ByteView> parts);
    std::array<std::uint32_t, 8> inner_{};  ///< SHA-256 after the block of the key ⊕ ipad
    std::array<std::uint32_t, 8> outer_{};  ///< and ⊕ opad
};

/// Over parts that follow one another, without joining them.
Hash hmac_sha256(const HmacKey& key, std::initializer_list<ByteView> parts);

/// HMAC-SHA-256 (RFC 2104).
Hash hmac_sha256(ByteView key, ByteView message);
/// The same over parts that follow one another, without joining them.
Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace hygie::crypto
