#include "crypto/sha256.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sodium.h>

#include <string>
#include <vector>

#include "crypto/sha256_kernels.h"

namespace hygie::crypto {
namespace {

/// libsodium's portable SHA-256: written by others, sharing no code with ours nor with OpenSSL.
Hash oracle(ByteView bytes) {
    Hash out;
    crypto_hash_sha256(out.data(), bytes.data(), bytes.size());
    return out;
}

Hash oracle_leaf(ByteView entry) {
    Bytes message{0x00};
    append(message, entry);
    return oracle(message);
}

Hash oracle_node(const Hash& left, const Hash& right) {
    Bytes message{0x01};
    append(message, left);
    append(message, right);
    return oracle(message);
}

Bytes pattern(std::size_t size, unsigned seed = 1) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<std::uint8_t>((i + seed) * 151 >> 2);
    return out;
}

std::vector<const detail::MerkleKernel*> kernels() {
    std::vector<const detail::MerkleKernel*> all{&detail::kOpensslKernel};
    if (detail::sha_ni_kernel() != nullptr) all.push_back(detail::sha_ni_kernel());
    return all;
}

/// Checks every kernel on these entries, each in a buffer of its exact size so that sanitizers see
/// a read too far.
void expect_leaves(const std::vector<Bytes>& entries) {
    const std::vector<ByteView> views(entries.begin(), entries.end());
    for (const detail::MerkleKernel* kernel : kernels()) {
        std::vector<Hash> out(entries.size());
        kernel->leaf_hashes(views, out);
        for (std::size_t i = 0; i < entries.size(); ++i)
            ASSERT_EQ(out[i], oracle_leaf(entries[i])) << "size " << entries[i].size();
    }
}

TEST(Sha256, has_the_value_of_fips_180) {
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256(Bytes{})),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, two_parts_hash_like_their_concatenation) {
    const Bytes whole = pattern(200);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut)
        EXPECT_EQ(sha256(ByteView(whole).first(cut), ByteView(whole).subspan(cut)), oracle(whole));
}

TEST(Merkle, has_the_values_of_rfc_6962) {
    EXPECT_EQ(to_hex(leaf_hash(Bytes{})),
              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    // The tree of the first two leaves of the certificate-transparency test vectors: "" and 0x00.
    EXPECT_EQ(to_hex(node_hash(leaf_hash(Bytes{}), leaf_hash(Bytes{0x00}))),
              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

TEST(Merkle, leaves_of_every_length_side_by_side) {
    std::vector<Bytes> entries;
    for (std::size_t size = 0; size <= 300; ++size) {
        entries.push_back(pattern(size));
        EXPECT_EQ(leaf_hash(entries.back()), oracle_leaf(entries.back())) << size;
    }
    expect_leaves(entries);
    // Other neighbours, so that each length meets shorter and longer ones in the other lane.
    for (std::size_t size = 0; size <= 300; ++size)
        expect_leaves({pattern(size), pattern(300 - size, 2)});
}

TEST(Merkle, a_leaf_as_long_as_an_entry_may_be) {
    expect_leaves({pattern(65'535), pattern(3), pattern(65'534)});
}

TEST(Merkle, nothing_to_hash_is_no_error) {
    leaf_hashes({}, {});
    node_hashes({}, {});
}

TEST(Merkle, nodes_may_overwrite_their_children) {
    for (const detail::MerkleKernel* kernel : kernels()) {
        for (std::size_t nodes = 0; nodes <= 9; ++nodes) {
            std::vector<Hash> hashes;
            for (unsigned i = 0; i < 2 * nodes; ++i) hashes.push_back(oracle(pattern(i)));
            const std::vector<Hash> children = hashes;
            kernel->node_hashes(hashes, std::span(hashes).first(nodes));
            for (std::size_t i = 0; i < nodes; ++i)
                ASSERT_EQ(hashes[i], oracle_node(children[2 * i], children[2 * i + 1]));
        }
    }
}

RC_GTEST_PROP(Merkle, kernels_agree_with_the_oracle, (const std::vector<Bytes>& entries)) {
    const std::vector<ByteView> views(entries.begin(), entries.end());
    for (const detail::MerkleKernel* kernel : kernels()) {
        std::vector<Hash> out(entries.size());
        kernel->leaf_hashes(views, out);
        for (std::size_t i = 0; i < entries.size(); ++i)
            RC_ASSERT(out[i] == oracle_leaf(entries[i]));
        if (out.size() % 2 != 0) out.pop_back();
        const std::vector<Hash> children = out;
        out.resize(children.size() / 2);
        kernel->node_hashes(children, out);
        for (std::size_t i = 0; i < out.size(); ++i)
            RC_ASSERT(out[i] == oracle_node(children[2 * i], children[2 * i + 1]));
    }
}

TEST(MerkleDeathTest, sizes_that_do_not_fit_abort) {
    std::vector<Hash> two(2);
    EXPECT_DEATH(leaf_hashes({}, two), "one leaf hash");
    EXPECT_DEATH(node_hashes(two, two), "two children");
}

TEST(Hmac, has_the_values_of_rfc_4231) {
    EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        to_hex(hmac_sha256(Bytes(131, 0xaa),
                           as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

RC_GTEST_PROP(Hmac, agrees_with_libsodium_however_cut, (const Bytes& key, const Bytes& message)) {
    crypto_auth_hmacsha256_state state;
    const std::uint8_t nothing = 0;
    crypto_auth_hmacsha256_init(&state, key.empty() ? &nothing : key.data(), key.size());
    if (!message.empty()) crypto_auth_hmacsha256_update(&state, message.data(), message.size());
    Hash want;
    crypto_auth_hmacsha256_final(&state, want.data());
    const auto cut = *rc::gen::inRange<std::size_t>(0, message.size() + 1);
    const ByteView view(message);
    RC_ASSERT(hmac_sha256(key, message) == want);
    RC_ASSERT(hmac_sha256(key, {view.first(cut), view.subspan(cut)}) == want);
}

}  // namespace
}  // namespace hygie::crypto
