#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/tokens.h"

namespace hygie::files {

/// What outlives a restart of the guard: pairs of numbers by the blinded names of actors, since who
/// reads the state folder learns nobody's name from it (FORMAT_JUDGE.md).
using Memory = std::map<crypto::Token, std::vector<std::pair<std::uint64_t, std::uint64_t>>>;

Bytes spell_memory(const Memory& memory);
/// Code::Corrupt when it is not whole, or something stands behind it.
Result<Memory> parse_memory(ByteView text);

}  // namespace hygie::files
