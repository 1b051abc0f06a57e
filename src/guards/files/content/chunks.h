#pragma once

#include <cstdint>

#include "base/bytes.h"

/// Statistics that tell ciphertext from everything else. Pure; every number here is about bytes as
/// such, whatever they mean.
namespace hygie::files {

/// Changes are judged by chunks of one page: encrypting one page in sixteen hides from any figure
/// about the whole file, and from none about its pages.
inline constexpr std::size_t kChunkBytes = 4096;
/// Fewer bytes cannot be told from chance.
inline constexpr std::size_t kRandomBytesMin = 64;

/// Whether the bytes look drawn at random: Pearson's chi-square over 256 values is within five
/// standard deviations (22.6) of its mean (255). Compressed data passes now and then, text and
/// structures never. False for fewer than kRandomBytesMin bytes.
bool looks_random(ByteView bytes);

/// Whether the bytes look drawn at random from an alphabet of 16 to 128 values (line ends aside):
/// base64, base32, hexadecimal or a home-made spelling of ciphertext.
bool looks_spelled_random(ByteView bytes);

/// How much one byte tells about the next, in thousandths of a bit, corrected for the size of the
/// sample (Miller and Madow): about 1000 for texts, about 0 for what was drawn byte by byte, even
/// when the frequencies of a text are imitated.
int neighbours_millibits(ByteView bytes);

/// Bits that each byte needs by its frequency alone, in thousandths, of the same sample: 8000 for
/// ciphertext, 1000 when it is spelled in two letters, near 0 for a file of zeros with a few marks.
int entropy_millibits(ByteView bytes);

/// What became of a file, chunk by chunk.
struct ChunkChange {
    std::uint32_t chunks = 0;         ///< of the later content
    std::uint32_t changed = 0;        ///< chunks that the earlier content has not at the place
    std::uint32_t random = 0;         ///< changed chunks that look random
    std::uint32_t random_before = 0;  ///< chunks of the earlier content that look random
    std::uint32_t zeroed = 0;         ///< changed chunks that are nothing but zeros
    std::uint32_t head_equal = 0;     ///< bytes at the beginning that are as before
    std::uint32_t runs = 0;           ///< separate stretches of changed bytes (same size only)
    std::uint32_t bytes_changed = 0;  ///< in those stretches
    bool changes_random = false;      ///< the changed bytes, together, look random …
    bool replaced_random = false;     ///< … and so did the bytes they replaced
    bool operator==(const ChunkChange&) const = default;
};

/// Compares at equal places. When the sizes differ, runs and bytes_changed stay 0.
ChunkChange compare_chunks(ByteView before, ByteView after);

/// How many of the chunks look random.
int random_permille(ByteView bytes);

/// How much of the earlier content is still somewhere in the later one, in thousandths: windows of
/// 32 bytes, chosen by what they contain, so that an insertion moves nothing. 1000 when the earlier
/// content is too small to tell.
int survival_permille(ByteView before, ByteView after);

}  // namespace hygie::files
