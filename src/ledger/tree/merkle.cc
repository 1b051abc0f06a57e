#include "ledger/tree/merkle.h"

#include <bit>
#include <optional>

namespace hygie::ledger {
namespace {

using crypto::Hash;
using crypto::node_hash;

std::unexpected<Error> not_shown(const char* fr, const char* en) {
    return fail(Code::Forged, {fr, en},
                {"refusez la preuve ; demandez-en une nouvelle à une autre source",
                 "refuse the proof; ask another source for a new one"});
}

std::unexpected<Error> no_such_proof() {
    return fail(Code::BadInput,
                {"l'index ou la taille dépasse l'arbre", "the index or size lies beyond the tree"},
                {"donnez un index plus petit que la taille du point de contrôle",
                 "give an index smaller than the size in the checkpoint"});
}

/// The root of leaves [begin, end), where begin is a multiple of the smallest power of two ≥ end −
/// begin: one complete subtree per set bit of the length, the largest first.
Result<Hash> range_root(HashReader& hashes, std::uint64_t begin, std::uint64_t end) {
    std::optional<Hash> right;
    while (begin < end) {
        const auto height = static_cast<unsigned>(std::countr_zero(end - begin));
        end -= std::uint64_t{1} << height;
        const Hash left = TRY(hashes.node(height, end >> height));
        right = right ? node_hash(left, *right) : left;
    }
    return right ? *right : empty_root();
}

/// The left part of a tree of `size` ≥ 2 leaves: the largest power of two smaller than size.
std::uint64_t left_part(std::uint64_t size) {
    return std::bit_floor(size - 1);
}

}  // namespace

const Hash& empty_root() {
    static const Hash root = crypto::sha256({});
    return root;
}

Status verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const Hash& root,
                        std::span<const Hash> proof) {
    if (index >= size) return no_such_proof();
    std::uint64_t node = index;
    std::uint64_t last = size - 1;
    Hash hash = leaf;
    for (const Hash& sibling : proof) {
        if (last == 0)
            return not_shown("preuve d'inclusion trop longue", "inclusion proof too long");
        if ((node & 1) == 1 || node == last) {
            hash = node_hash(sibling, hash);
            while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
        } else {
            hash = node_hash(hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0) return not_shown("preuve d'inclusion trop courte", "inclusion proof too short");
    if (hash != root)
        return not_shown("la preuve ne mène pas à la racine du journal",
                         "the proof does not lead to the log's root");
    return {};
}

Status verify_consistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size,
                          const Hash& new_root, std::span<const Hash> proof) {
    if (old_size > new_size) return not_shown("le journal a rétréci", "the log has shrunk");
    if ((old_size == 0 && old_root != empty_root()) || (new_size == 0 && new_root != empty_root()))
        return not_shown("la racine n'est pas celle d'un journal vide",
                         "the root is not that of an empty log");
    if (old_size == 0 || old_size == new_size) {
        if (!proof.empty())
            return not_shown("preuve de continuité superflue", "needless consistency proof");
        if (old_size == new_size && old_root != new_root)
            return not_shown("deux racines pour une même taille", "two roots for one size");
        return {};
    }
    std::uint64_t node = old_size - 1;
    std::uint64_t last = new_size - 1;
    while ((node & 1) == 1) node >>= 1, last >>= 1;
    // A complete old tree is its own first hash, so the proof leaves it out.
    if (node != 0 && proof.empty())
        return not_shown("preuve de continuité vide", "empty consistency proof");
    Hash old_hash = node == 0 ? old_root : proof[0];
    Hash new_hash = old_hash;
    for (const Hash& hash : proof.subspan(node == 0 ? 0 : 1)) {
        if (last == 0)
            return not_shown("preuve de continuité trop longue", "consistency proof too long");
        if ((node & 1) == 1 || node == last) {
            old_hash = node_hash(hash, old_hash);
            new_hash = node_hash(hash, new_hash);
            while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
        } else {
            new_hash = node_hash(new_hash, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return not_shown("preuve de continuité trop courte", "consistency proof too short");
    if (old_hash != old_root || new_hash != new_root)
        return not_shown("le journal ne prolonge pas son passé",
                         "the log does not continue its past");
    return {};
}

Result<Hash> root_of(HashReader& hashes, std::uint64_t size) {
    return range_root(hashes, 0, size);
}

Result<Proof> prove_inclusion(HashReader& hashes, std::uint64_t index, std::uint64_t size) {
    if (index >= size) return no_such_proof();
    Proof proof;
    // Walk down from the root to the leaf; the siblings met are the proof, upside down.
    for (std::uint64_t begin = 0, end = size; end - begin > 1;) {
        const std::uint64_t middle = begin + left_part(end - begin);
        if (index < middle) {
            proof.push_back(TRY(range_root(hashes, middle, end)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(hashes, begin, middle)));
            begin = middle;
        }
    }
    return Proof(proof.rbegin(), proof.rend());
}

Result<Proof> prove_consistency(HashReader& hashes, std::uint64_t old_size,
                                std::uint64_t new_size) {
    if (old_size > new_size) return no_such_proof();
    Proof proof;
    if (old_size == 0 || old_size == new_size) return proof;
    std::uint64_t begin = 0;
    std::uint64_t end = new_size;
    while (end != old_size) {
        const std::uint64_t middle = begin + left_part(end - begin);
        if (old_size <= middle) {
            proof.push_back(TRY(range_root(hashes, middle, end)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(hashes, begin, middle)));
            begin = middle;
        }
    }
    // The subtree that both trees share; the verifier has it already when it is the whole old tree.
    if (begin != 0) proof.push_back(TRY(range_root(hashes, begin, end)));
    return Proof(proof.rbegin(), proof.rend());
}

}  // namespace hygie::ledger
