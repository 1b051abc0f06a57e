#include "ledger/tree/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>

#include "ledger/proofs/memory_log.h"
#include "ledger/tree/canonical.h"
#include "ledger/tree/tree.h"

namespace hygie::ledger {
namespace {

using crypto::Hash;
using memory::merkle_tree_hash;

std::vector<Hash> leaves(std::size_t count) {
    std::vector<Hash> hashes(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::array<std::uint8_t, 8> entry;
        store_be(entry.data(), static_cast<std::uint64_t>(i));
        hashes[i] = crypto::leaf_hash(entry);
    }
    return hashes;
}

/// RFC 6962 §2.1.1, word for word.
Proof path(std::size_t m, std::span<const Hash> hashes) {
    if (hashes.size() == 1) return {};
    std::size_t k = 1;
    while (k * 2 < hashes.size()) k *= 2;
    Proof proof = m < k ? path(m, hashes.first(k)) : path(m - k, hashes.subspan(k));
    proof.push_back(merkle_tree_hash(m < k ? hashes.subspan(k) : hashes.first(k)));
    return proof;
}

/// RFC 6962 §2.1.2, word for word.
Proof subproof(std::size_t m, std::span<const Hash> hashes, bool complete) {
    if (m == hashes.size()) return complete ? Proof{} : Proof{merkle_tree_hash(hashes)};
    std::size_t k = 1;
    while (k * 2 < hashes.size()) k *= 2;
    Proof proof =
        m <= k ? subproof(m, hashes.first(k), complete) : subproof(m - k, hashes.subspan(k), false);
    proof.push_back(merkle_tree_hash(m <= k ? hashes.subspan(k) : hashes.first(k)));
    return proof;
}

class LeafReader final : public HashReader {
  public:
    explicit LeafReader(std::vector<Hash> hashes) : leaves_(std::move(hashes)) {}
    Result<Hash> node(unsigned height, std::uint64_t index) override {
        const std::uint64_t width = std::uint64_t{1} << height;
        if ((index + 1) * width > leaves_.size()) return fail(Code::NotFound, {"", ""});
        return merkle_tree_hash(std::span(leaves_).subspan(index * width, width));
    }

  private:
    std::vector<Hash> leaves_;
};

TEST(Merkle, TheEmptyTree) {
    EXPECT_EQ(hash_text(empty_root()), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    LeafReader none({});
    EXPECT_EQ(root_of(none, 0).value(), empty_root());
    EXPECT_FALSE(prove_inclusion(none, 0, 0));
}

TEST(Merkle, ProofsAreThoseOfTheRfcForEverySmallTree) {
    const auto all = leaves(70);
    LeafReader reader(all);
    for (std::size_t size = 1; size <= all.size(); ++size) {
        const auto tree = std::span(all).first(size);
        const Hash root = merkle_tree_hash(tree);
        ASSERT_EQ(root_of(reader, size).value(), root);
        for (std::size_t i = 0; i < size; ++i) {
            const Proof proof = prove_inclusion(reader, i, size).value();
            ASSERT_EQ(proof, path(i, tree));
            ASSERT_TRUE(verify_inclusion(tree[i], i, size, root, proof));
        }
        for (std::size_t old = 0; old <= size; ++old) {
            const Proof proof = prove_consistency(reader, old, size).value();
            ASSERT_EQ(proof, old == 0 ? Proof{} : subproof(old, tree, true));
            ASSERT_TRUE(
                verify_consistency(old, merkle_tree_hash(tree.first(old)), size, root, proof));
        }
    }
}

TEST(Merkle, AWrongInclusionProofNeverVerifies) {
    const auto all = leaves(300);
    LeafReader reader(all);
    EXPECT_TRUE(rc::check([&] {
        const auto size = *rc::gen::inRange<std::size_t>(2, all.size() + 1);
        const auto index = *rc::gen::inRange<std::size_t>(0, size);
        const Hash root = merkle_tree_hash(std::span(all).first(size));
        Proof proof = prove_inclusion(reader, index, size).value();
        RC_ASSERT(!verify_inclusion(all[index], (index + 1) % size, size, root, proof));
        RC_ASSERT(!verify_inclusion(all[(index + 1) % size], index, size, root, proof));
        RC_ASSERT(!verify_inclusion(all[index], size, size, root, proof));
        proof.push_back(root);
        RC_ASSERT(!verify_inclusion(all[index], index, size, root, proof));
        proof.resize(proof.size() - 2);
        RC_ASSERT(!verify_inclusion(all[index], index, size, root, proof));
        proof = prove_inclusion(reader, index, size).value();
        proof[*rc::gen::inRange<std::size_t>(0, proof.size())]
             [*rc::gen::inRange<std::size_t>(0, 32)] ^= 1;
        RC_ASSERT(!verify_inclusion(all[index], index, size, root, proof));
    }));
}

TEST(Merkle, AWrongConsistencyProofNeverVerifies) {
    const auto all = leaves(300);
    LeafReader reader(all);
    EXPECT_TRUE(rc::check([&] {
        const auto size = *rc::gen::inRange<std::size_t>(2, all.size() + 1);
        const auto old = *rc::gen::inRange<std::size_t>(1, size);
        const Hash root = merkle_tree_hash(std::span(all).first(size));
        const Hash old_root = merkle_tree_hash(std::span(all).first(old));
        const Proof good = prove_consistency(reader, old, size).value();
        RC_ASSERT(!verify_consistency(old, root, size, root, good));
        RC_ASSERT(!verify_consistency(old, old_root, size, old_root, good));
        RC_ASSERT(!verify_consistency(size, root, old, old_root, good));
        RC_ASSERT(!verify_consistency(size, old_root, size, root, {}));
        Proof bad = good;
        bad.push_back(root);
        RC_ASSERT(!verify_consistency(old, old_root, size, root, bad));
        bad = good;
        bad.pop_back();
        RC_ASSERT(!verify_consistency(old, old_root, size, root, bad));
        bad = good;
        bad[*rc::gen::inRange<std::size_t>(0, bad.size())][*rc::gen::inRange<std::size_t>(0, 32)] ^=
            1;
        RC_ASSERT(!verify_consistency(old, old_root, size, root, bad));
    }));
    EXPECT_FALSE(verify_consistency(0, all[0], 5, all[1], {})) << "size 0 has one root only";
    EXPECT_FALSE(verify_consistency(0, empty_root(), 0, all[1], {}));
    EXPECT_FALSE(verify_consistency(0, empty_root(), 5, all[1], std::span(all).first(1)));
    EXPECT_TRUE(verify_consistency(0, empty_root(), 5, all[1], {}));
}

TEST(Merkle, AProofForASmallTreeIsNoneForALargeOne) {
    // Else a log could sign a size it does not have over the root of the tree it has.
    const auto all = leaves(300);
    LeafReader reader(all);
    EXPECT_TRUE(rc::check([&] {
        const auto size = *rc::gen::inRange<std::size_t>(2, all.size() + 1);
        const auto index = *rc::gen::inRange<std::size_t>(1, size);
        const std::uint64_t larger = size + 2 * std::bit_ceil(size);
        const Hash root = merkle_tree_hash(std::span(all).first(size));
        const Proof inclusion = prove_inclusion(reader, index, size).value();
        RC_ASSERT(verify_inclusion(all[index], index, size, root, inclusion));
        RC_ASSERT(!verify_inclusion(all[index], index, larger, root, inclusion));
        const Hash old_root = merkle_tree_hash(std::span(all).first(index));
        const Proof consistency = prove_consistency(reader, index, size).value();
        RC_ASSERT(verify_consistency(index, old_root, size, root, consistency));
        RC_ASSERT(!verify_consistency(index, old_root, larger, root, consistency));
    }));
}

TEST(Merkle, TheGrowingTreeHasTheRootsOfTheRfc) {
    const auto all = leaves(1300);
    Tree tree;
    for (std::size_t size = 0; size <= all.size(); ++size) {
        if (size > 0) tree.append({&all[size - 1], 1}, [](auto&&...) {});
        if (size > 10 && size % 97 != 0 && size % 256 > 1) continue;
        ASSERT_EQ(tree.root(), merkle_tree_hash(std::span(all).first(size))) << size;
    }
}

}  // namespace
}  // namespace hygie::ledger
