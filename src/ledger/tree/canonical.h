#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/sha256.h"

/// Numbers and hashes as the C2SP texts write them: every value has exactly one spelling, any other
/// is refused.
namespace hygie::ledger {

/// ASCII decimal without sign or leading zeros ("0" alone for zero), up to 2^63 − 1 as most C2SP
/// software has it.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// A SHA-256 hash in base64 with padding: always 44 characters.
std::optional<crypto::Hash> parse_hash(std::string_view text);
std::string hash_text(const crypto::Hash& hash);

/// Cuts the first line off `text` and returns it without its newline; nothing when no newline is
/// left.
std::optional<std::string_view> take_line(std::string_view& text);

}  // namespace hygie::ledger
