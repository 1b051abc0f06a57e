#pragma once

#include "guards/files/content/format.h"

/// For format.cc: one check per structure. Each accepts any bytes.
namespace hygie::files {

/// A number whose low byte comes first; the caller knows that it lies within the bytes.
template <typename Int>
Int little(ByteView bytes, std::size_t at) {
    Int value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i)
        value |= static_cast<Int>(static_cast<Int>(bytes[at + i]) << (8 * i));
    return value;
}

/// Never more decompressed bytes than this per file checked.
inline constexpr std::size_t kInflatedBytesMax = 64 << 20;

struct Inflated {
    bool ok = false;        ///< the stream ended where it says, its checksum right
    std::uint32_t crc = 0;  ///< CRC-32 of what came out
    std::size_t size = 0;
    std::size_t consumed = 0;  ///< compressed bytes
};
enum class Wrapper { Raw, Zlib };
/// Inflates and throws the result away. `budget` bounds, and is reduced by, what comes out.
Inflated inflate_check(ByteView packed, Wrapper wrapper, std::size_t& budget);

Soundness check_zip(ByteView whole);
Soundness check_pdf(ByteView whole);
Soundness check_jpeg(ByteView whole);
Soundness check_png(ByteView whole);
Soundness check_gif(ByteView whole);
Soundness check_ole2(ByteView whole);
Soundness check_dicom(ByteView whole);
Soundness check_media(ByteView whole);

/// How many bytes of a content are what its own checksums say: read, inflated where they are
/// compressed, none counted twice, and the few that frame them.
std::size_t vouched_in_zip(ByteView whole);
/// Of a picture whose pixels compress, as ciphertext does not; otherwise none.
std::size_t vouched_in_png(ByteView whole);

}  // namespace hygie::files
