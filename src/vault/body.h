#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "vault/record.h"

namespace hygie::vault {

/// JSON text of one resource; larger ones are refused.
inline constexpr std::size_t kBodyBytesMax = 32 << 20;

/// One stored version.
struct Body {
    std::uint32_t version = 0;
    WallTime updated{};  ///< whole milliseconds
    bool deleted = false;
    std::uint64_t previous = 0;  ///< row of the version before, wherever it was; 0 for the first
    std::string opened_by{};     ///< who made the resource, said by its first version
    std::string text{};          ///< JSON; of a deletion: its type and id alone
    bool operator==(const Body&) const = default;
};

/// What a row of Table::Bodies holds: the compartment, and the version compressed with the trained
/// dictionary and sealed under the compartment's key. Bound to row and compartment. Code::Full for
/// a text above kBodyBytesMax.
Result<Bytes> seal_body(const crypto::Secret32& key, CompartmentNumber compartment,
                        std::uint64_t row, const Body& body);
/// Whose key opens it; none when the patient was erased (erased_body).
std::optional<CompartmentNumber> compartment_of_body(ByteView stored);
/// Code::Corrupt unless key, row and bytes belong together.
Result<Body> open_body(const crypto::Secret32& key, std::uint64_t row, ByteView stored);

/// What a commit's digest is made of: it stays known after the body is erased.
crypto::Hash hash_of_body(ByteView stored);
/// What is left of a stored body: its hash.
Bytes erased_body(ByteView stored);

/// A piece of an index, sealed: the same rules, another nonce.
Bytes seal_piece(const crypto::Secret32& key, CompartmentNumber compartment, std::uint64_t number,
                 ByteView piece);
Result<Bytes> open_piece(const crypto::Secret32& key, CompartmentNumber compartment,
                         std::uint64_t number, ByteView sealed);

}  // namespace hygie::vault
