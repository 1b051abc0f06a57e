// The low-level SHA-256 of OpenSSL is three times faster on short input than EVP, whose every call
// allocates.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.h"

#include <openssl/sha.h>
#include <sodium.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/sha256_kernels.h"

namespace hygie::crypto {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

/// SHA-256 of the parts one after the other.
template <typename... Parts>
Hash hash_parts(const Parts&... parts) {
    SHA256_CTX context;
    SHA256_Init(&context);
    (SHA256_Update(&context, parts.data(), parts.size()), ...);
    Hash out;
    SHA256_Final(out.data(), &context);
    return out;
}

void leaf_hashes_openssl(std::span<const ByteView> entries, std::span<Hash> out) {
    for (std::size_t i = 0; i < entries.size(); ++i)
        out[i] = hash_parts(ByteView(&kLeafPrefix, 1), entries[i]);
}

void node_hashes_openssl(std::span<const Hash> children, std::span<Hash> out) {
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = hash_parts(ByteView(&kNodePrefix, 1), children[2 * i], children[2 * i + 1]);
}

const detail::MerkleKernel& kernel() {
    static const detail::MerkleKernel* const best = detail::sha_ni_kernel();
    return best != nullptr ? *best : detail::kOpensslKernel;
}

}  // namespace

const detail::MerkleKernel detail::kOpensslKernel{leaf_hashes_openssl, node_hashes_openssl};

Hash sha256(ByteView bytes) {
    return hash_parts(bytes);
}

Hash sha256(ByteView first, ByteView second) {
    return hash_parts(first, second);
}

Hash leaf_hash(ByteView entry) {
    Hash out;
    kernel().leaf_hashes({&entry, 1}, {&out, 1});
    return out;
}

Hash node_hash(const Hash& left, const Hash& right) {
    const Hash children[2] = {left, right};
    Hash out;
    kernel().node_hashes(std::span(children), {&out, 1});
    return out;
}

void leaf_hashes(std::span<const ByteView> entries, std::span<Hash> out) {
    HYGIE_CHECK(out.size() == entries.size(), "each entry has one leaf hash");
    kernel().leaf_hashes(entries, out);
}

void node_hashes(std::span<const Hash> children, std::span<Hash> out) {
    HYGIE_CHECK(children.size() == 2 * out.size(), "each node has two children");
    kernel().node_hashes(children, out);
}

Hash hmac_sha256(ByteView key, ByteView message) {
    return hmac_sha256(key, {message});
}

Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
    return hmac_sha256(HmacKey(key), parts);
}

namespace {

using KeyBlock = std::array<std::uint8_t, SHA256_CBLOCK>;
using State = std::array<std::uint32_t, 8>;

/// SHA-256 after one block.
State state_after(const KeyBlock& block) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, block.data(), block.size());
    State state;
    std::ranges::copy(context.h, state.begin());
    sodium_memzero(&context, sizeof context);
    return state;
}

/// Goes on after that block.
SHA256_CTX resumed(const State& state) {
    SHA256_CTX context;
    SHA256_Init(&context);
    std::ranges::copy(state, context.h);
    context.Nl = SHA256_CBLOCK * 8;
    return context;
}

}  // namespace

HmacKey::HmacKey(ByteView key) {
    KeyBlock pad{};
    if (key.size() > pad.size())
        std::ranges::copy(sha256(key), pad.begin());
    else
        std::ranges::copy(key, pad.begin());
    for (std::uint8_t& byte : pad) byte ^= 0x36;
    inner_ = state_after(pad);
    for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5C;
    outer_ = state_after(pad);
    sodium_memzero(pad.data(), pad.size());
}

HmacKey::~HmacKey() {
    sodium_memzero(inner_.data(), sizeof inner_);
    sodium_memzero(outer_.data(), sizeof outer_);
}

Hash hmac_sha256(const HmacKey& key, std::initializer_list<ByteView> parts) {
    SHA256_CTX context = resumed(key.inner_);
    for (const ByteView part : parts) SHA256_Update(&context, part.data(), part.size());
    Hash hash;
    SHA256_Final(hash.data(), &context);
    context = resumed(key.outer_);
    SHA256_Update(&context, hash.data(), hash.size());
    SHA256_Final(hash.data(), &context);
    sodium_memzero(&context, sizeof context);
    return hash;
}

}  // namespace hygie::crypto
