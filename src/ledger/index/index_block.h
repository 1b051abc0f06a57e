#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/tokens.h"

/// The words of the query index and its smallest part, the block. Pure; the format is in
/// INDEX_FORMAT.md.
namespace hygie::ledger {

/// By what the index finds entries.
enum class Dimension : std::uint8_t { Actor = 0, Patient = 1, Object = 2 };
inline constexpr std::array kDimensions{Dimension::Actor, Dimension::Patient, Dimension::Object};

/// The sequences first ≤ s < end.
struct SequenceRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    bool operator==(const SequenceRange&) const = default;
};

/// How much of a posting a dimension keeps. The actor's token is public in every header and is kept
/// whole, with exact sequences, so that its postings can be proven. A patient or object is looked
/// up by those who can unseal entries: the number of the bundle of 256 entries is enough for them,
/// and 20 bits of token lead to about 100 bundles too many per 10⁸ entries, whatever is looked for.
/// That makes postings half as large, and tells a thief of the index key less.
struct Shape {
    unsigned token_bits;
    unsigned sequence_shift;  ///< position = sequence >> sequence_shift
};
constexpr Shape shape_of(Dimension dimension) {
    switch (dimension) {
        case Dimension::Actor:
            return {64, 0};
        case Dimension::Patient:
        case Dimension::Object:
            break;
    }
    return {20, 8};
}

/// A big-endian word as a number, and back. load_be and store_be are loops where these are one
/// instruction, and the index does little else.
inline std::uint64_t big_endian(std::uint64_t word) {
    return std::endian::native == std::endian::big ? word : std::byteswap(word);
}
inline std::uint64_t load_word(const std::uint8_t* in) {
    std::uint64_t word;
    std::memcpy(&word, in, sizeof word);
    return big_endian(word);
}

/// The token as the postings of a dimension know it.
inline std::uint64_t key_of(Dimension dimension, const crypto::Token& token) {
    return load_word(token.data()) >> (64 - shape_of(dimension).token_bits);
}

/// The positions of a dimension in a run of sequences: offsets count from `first`.
struct Positions {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};
inline Positions positions_of(Dimension dimension, SequenceRange range) {
    const unsigned shift = shape_of(dimension).sequence_shift;
    const std::uint64_t first = range.first >> shift;
    return {first, range.end > range.first ? ((range.end - 1) >> shift) - first + 1 : 0};
}

/// The postings of a dimension, sorted by (key, position), are cut into blocks of this many; the
/// last one takes what remains. A fixed count makes the cut, and so every root, easy to re-derive.
inline constexpr std::size_t kBlockPostings = 4096;

/// Lists of offsets under ascending keys.
struct Block {
    std::vector<std::uint64_t> keys;
    std::vector<std::uint32_t> counts;   ///< offsets of each key, never 0
    std::vector<std::uint32_t> offsets;  ///< ascending under each key
    bool operator==(const Block&) const = default;
};

/// Calls `visit(offset)` for each offset under a key.
template <typename Visit>
void for_each_offset(const Block& block, std::uint64_t key, Visit&& visit) {
    const auto found = std::lower_bound(block.keys.begin(), block.keys.end(), key);
    if (found == block.keys.end() || *found != key) return;
    const auto list = found - block.keys.begin();
    const auto at =
        std::accumulate(block.counts.begin(), block.counts.begin() + list, std::size_t{0});
    for (std::size_t i = at; i < at + block.counts[static_cast<std::size_t>(list)]; ++i)
        visit(block.offsets[i]);
}

/// The one spelling of a block of 1 to kBlockPostings postings, in a run of `positions` positions.
Bytes encode_block(const Block& block, std::uint64_t positions);
/// Strict inverse: any other spelling is Code::Corrupt.
Result<Block> decode_block(ByteView bytes, Dimension dimension, std::uint64_t positions);

/// What every reader of the index says when its bytes contradict themselves.
std::unexpected<Error> index_corrupt(std::source_location where = std::source_location::current());

}  // namespace hygie::ledger
