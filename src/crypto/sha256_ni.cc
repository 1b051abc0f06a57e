#include "crypto/sha256_kernels.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace hygie::crypto::detail {

#ifndef __x86_64__

const MerkleKernel* sha_ni_kernel() {
    return nullptr;
}

#else
namespace {

// Chosen at run time by sha_ni_kernel(), so the rest of the program keeps the baseline instruction
// set.
#define HYGIE_SHA_NI gnu::target("sha,sse4.1")
#define HYGIE_SHA_NI_INLINE gnu::target("sha,sse4.1"), gnu::always_inline

constexpr std::size_t kBlockBytes = 64;

/// Round constants of FIPS 180-4 §4.2.2.
alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// One hash under way, in the register layout of the SHA instructions.
struct Lane {
    __m128i abef;
    __m128i cdgh;
};

/// The 16 big-endian words of one block.
struct Words {
    __m128i w[4];
};

[[HYGIE_SHA_NI_INLINE]] inline Lane initial_lane() {
    // Initial hash value of FIPS 180-4 §5.3.3.
    return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f,
                          static_cast<int>(0x9b05688c)),
            _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
}

[[HYGIE_SHA_NI_INLINE]] inline __m128i load(const std::uint8_t* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

[[HYGIE_SHA_NI_INLINE]] inline __m128i swap_words(__m128i bytes) {
    return _mm_shuffle_epi8(bytes,
                            _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

/// A block that lies in memory as it is.
[[HYGIE_SHA_NI_INLINE]] inline Words whole_block(const std::uint8_t* bytes) {
    return {{swap_words(load(bytes)), swap_words(load(bytes + 16)), swap_words(load(bytes + 32)),
             swap_words(load(bytes + 48))}};
}

/// The block made of `prefix` and the 63 bytes that follow it.
[[HYGIE_SHA_NI_INLINE]] inline Words prefixed_block(std::uint8_t prefix,
                                                    const std::uint8_t* bytes) {
    const __m128i first = _mm_or_si128(_mm_slli_si128(load(bytes), 1), _mm_cvtsi32_si128(prefix));
    return {{swap_words(first), swap_words(load(bytes + 15)), swap_words(load(bytes + 31)),
             swap_words(load(bytes + 47))}};
}

// NOLINTBEGIN(portability-simd-intrinsics): these instructions are the point of this file.

/// The SHA-256 compression function, on N independent lanes whose instructions interleave: one lane
/// alone waits for the latency of each round.
template <std::size_t N>
[[HYGIE_SHA_NI_INLINE]] inline void compress(Lane (&lanes)[N], Words (&blocks)[N]) {
    Lane start[N];
    for (std::size_t lane = 0; lane < N; ++lane) start[lane] = lanes[lane];
#pragma GCC unroll 16
    for (std::size_t round = 0; round < 16; ++round) {
        const __m128i constants =
            _mm_load_si128(reinterpret_cast<const __m128i*>(&kRound[4 * round]));
#pragma GCC unroll 4
        for (std::size_t lane = 0; lane < N; ++lane) {
            __m128i& abef = lanes[lane].abef;
            __m128i& cdgh = lanes[lane].cdgh;
            __m128i(&w)[4] = blocks[lane].w;
            const __m128i sum = _mm_add_epi32(w[round % 4], constants);
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
            if (round >= 12) continue;
            const __m128i nine_back = _mm_alignr_epi8(w[(round + 3) % 4], w[(round + 2) % 4], 4);
            const __m128i schedule = _mm_sha256msg1_epu32(w[round % 4], w[(round + 1) % 4]);
            w[round % 4] =
                _mm_sha256msg2_epu32(_mm_add_epi32(schedule, nine_back), w[(round + 3) % 4]);
        }
    }
    for (std::size_t lane = 0; lane < N; ++lane) {
        lanes[lane].abef = _mm_add_epi32(lanes[lane].abef, start[lane].abef);
        lanes[lane].cdgh = _mm_add_epi32(lanes[lane].cdgh, start[lane].cdgh);
    }
}

// NOLINTEND(portability-simd-intrinsics)

[[HYGIE_SHA_NI_INLINE]] inline void store(const Lane& lane, Hash& out) {
    const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1B);
    const __m128i hgdc = _mm_shuffle_epi32(lane.cdgh, 0x1B);
    const __m128i abcd = _mm_unpacklo_epi64(feba, hgdc);
    const __m128i efgh = _mm_unpackhi_epi64(feba, hgdc);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), swap_words(abcd));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data() + 16), swap_words(efgh));
}

/// Node i is SHA-256(0x01 ‖ 64 bytes): one full block, then one that holds the last byte and
/// constants only.
template <std::size_t N>
[[HYGIE_SHA_NI_INLINE]] inline void hash_nodes(const Hash* children, Hash* out) {
    Lane lanes[N];
    Words blocks[N];
    std::uint8_t last[N];
    for (std::size_t lane = 0; lane < N; ++lane) {
        const std::uint8_t* pair = children[2 * lane].data();
        lanes[lane] = initial_lane();
        blocks[lane] = prefixed_block(0x01, pair);
        last[lane] = pair[63];
    }
    compress(lanes, blocks);
    constexpr int kMessageBits = 65 * 8;
    for (std::size_t lane = 0; lane < N; ++lane) {
        const auto first_word = static_cast<int>(std::uint32_t{last[lane]} << 24 | 0x800000u);
        blocks[lane] = {{_mm_set_epi32(0, 0, 0, first_word), _mm_setzero_si128(),
                         _mm_setzero_si128(), _mm_set_epi32(kMessageBits, 0, 0, 0)}};
    }
    compress(lanes, blocks);
    for (std::size_t lane = 0; lane < N; ++lane) store(lanes[lane], out[lane]);
}

/// Blocks of the padded message 0x00 ‖ entry: prefix, 0x80 and eight bytes of length around it.
std::size_t leaf_blocks(ByteView entry) {
    return (1 + entry.size() + 1 + 8 + kBlockBytes - 1) / kBlockBytes;
}

/// The block of a leaf in which the entry ends or the padding goes on.
[[HYGIE_SHA_NI]] Words padded_block(ByteView entry, std::size_t index) {
    alignas(16) std::uint8_t block[kBlockBytes]{};
    const std::size_t message_bytes = 1 + entry.size();
    const std::size_t start = index * kBlockBytes;
    if (start <= message_bytes) {
        const std::size_t prefix = index == 0 ? 1 : 0;
        const std::size_t count = message_bytes - start - prefix;
        if (count > 0) std::memcpy(block + prefix, entry.data() + entry.size() - count, count);
        block[message_bytes - start] = 0x80;
    }
    if (index + 1 == leaf_blocks(entry))
        store_be(block + kBlockBytes - 8, std::uint64_t{message_bytes} * 8);
    return whole_block(block);
}

[[HYGIE_SHA_NI_INLINE]] inline Words leaf_block(ByteView entry, std::size_t index) {
    if ((index + 1) * kBlockBytes > 1 + entry.size()) return padded_block(entry, index);
    if (index == 0) return prefixed_block(0x00, entry.data());
    return whole_block(entry.data() + index * kBlockBytes - 1);
}

/// Hashes the blocks [from, to) of N leaves.
template <std::size_t N>
[[HYGIE_SHA_NI_INLINE]] inline void hash_leaf_blocks(const ByteView* entries, Lane (&lanes)[N],
                                                     std::size_t from, std::size_t to) {
    for (std::size_t index = from; index < to; ++index) {
        Words blocks[N];
        for (std::size_t lane = 0; lane < N; ++lane)
            blocks[lane] = leaf_block(entries[lane], index);
        compress(lanes, blocks);
    }
}

[[HYGIE_SHA_NI]] void hash_leaf(const ByteView* entry, Hash* out) {
    Lane lane[1] = {initial_lane()};
    hash_leaf_blocks(entry, lane, 0, leaf_blocks(*entry));
    store(lane[0], *out);
}

/// Two leaves side by side as far as the shorter goes; the longer ends alone.
[[HYGIE_SHA_NI]] void hash_leaf_pair(const ByteView* entries, Hash* out) {
    const std::size_t blocks[2] = {leaf_blocks(entries[0]), leaf_blocks(entries[1])};
    const std::size_t together = blocks[0] < blocks[1] ? blocks[0] : blocks[1];
    Lane lanes[2] = {initial_lane(), initial_lane()};
    hash_leaf_blocks(entries, lanes, 0, together);
    for (std::size_t i = 0; i < 2; ++i) {
        Lane alone[1] = {lanes[i]};
        hash_leaf_blocks(entries + i, alone, together, blocks[i]);
        store(alone[0], out[i]);
    }
}

void leaf_hashes_ni(std::span<const ByteView> entries, std::span<Hash> out) {
    std::size_t i = 0;
    for (; i + 2 <= entries.size(); i += 2) hash_leaf_pair(&entries[i], &out[i]);
    if (i < entries.size()) hash_leaf(&entries[i], &out[i]);
}

/// Reads every pair before it writes the hash over the front of `children`, which `out` may be.
[[HYGIE_SHA_NI]] void node_hashes_ni(std::span<const Hash> children, std::span<Hash> out) {
    std::size_t i = 0;
    for (; i + 2 <= out.size(); i += 2) hash_nodes<2>(&children[2 * i], &out[i]);
    if (i < out.size()) hash_nodes<1>(&children[2 * i], &out[i]);
}

constexpr MerkleKernel kShaNiKernel{leaf_hashes_ni, node_hashes_ni};

bool cpu_has_sha_ni() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    const bool sse41 = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0;
    return sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

}  // namespace

const MerkleKernel* sha_ni_kernel() {
    static const bool usable = cpu_has_sha_ni();
    return usable ? &kShaNiKernel : nullptr;
}

#endif

}  // namespace hygie::crypto::detail
