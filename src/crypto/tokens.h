#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

namespace hygie::crypto {

/// A keyed name: equal for equal input under one key, meaningless without the key. 8 bytes, so that
/// 10⁹ names under one key collide with probability about 3 %, which only widens a search: every
/// hit is checked after unsealing.
using Token = std::array<std::uint8_t, 8>;

/// HMAC-SHA-256(key, domain ‖ 0x00 ‖ value) truncated to 8 bytes. `domain` keeps equal values of
/// different kinds apart.
Token blind(const Secret32& key, std::string_view domain, std::string_view value);
/// The same, with a key prepared for many values.
Token blind(const HmacKey& key, std::string_view domain, std::string_view value);

/// One key out of another (HKDF-SHA-256, RFC 5869, no salt); `purpose` names the use, e.g.
/// "ledger/actor/3".
Secret32 derive(const Secret32& key, std::string_view purpose);

}  // namespace hygie::crypto
