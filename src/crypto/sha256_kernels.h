#pragma once

#include <span>

#include "crypto/sha256.h"

/// The ways this CPU can hash Merkle leaves and nodes. For sha256.cc and its tests; others call
/// sha256.h.
namespace hygie::crypto::detail {

struct MerkleKernel {
    void (*leaf_hashes)(std::span<const ByteView> entries, std::span<Hash> out);
    void (*node_hashes)(std::span<const Hash> children, std::span<Hash> out);
};

/// OpenSSL, on any CPU.
extern const MerkleKernel kOpensslKernel;

/// Two interleaved SHA-NI lanes; null where the CPU has no SHA instructions.
const MerkleKernel* sha_ni_kernel();

}  // namespace hygie::crypto::detail
