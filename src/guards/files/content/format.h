#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

/// What a file is, judged by its bytes alone: names lie and encryption keeps them.
namespace hygie::files {

enum class Format : std::uint8_t {
    Empty,
    Unknown,
    Text,  ///< UTF-8, UTF-16, or an 8-bit character set, without control characters
    Pdf,
    Jpeg,
    Png,
    Gif,
    Image,  ///< BMP, TIFF, WebP, JPEG 2000, HEIF, PSD, WMF, EMF, icons
    Zip,    ///< also Office Open XML and OpenDocument
    Ole2,   ///< Word, Excel and Outlook before 2007; also a document with a password
    Dicom,
    Packed,   ///< gzip, zstd, xz, bzip2, 7z, RAR: may be undone without a secret, or not
    Sealed,   ///< OpenPGP, age, openssl enc, ZIP with a password: needs a secret to be read
    Archive,  ///< tar, cpio, ar, git pack and index
    Media,    ///< sound and film
    Database,
    Program,
    Font,
};

/// Whether the inside is what the format promises. Unchecked: the format has nothing to check, or
/// only samples of the content were read.
enum class Soundness : std::uint8_t { Unchecked, Sound, Broken };

std::string_view name_of(Format format);

/// From the first bytes, and for texts from all that is given.
Format format_of(ByteView bytes);

/// A text of two bytes a letter, in one byte a letter (UTF-8, surrogates one by one); empty when it
/// is none.
std::optional<Bytes> letters_of(ByteView bytes);

/// Follows the structure of the whole content: checksums of ZIP entries and PNG chunks, streams of
/// PDF, markers of JPEG, sector tables of OLE2, elements of DICOM. Its effort is bounded; bytes
/// from anywhere are welcome.
Soundness check(Format format, ByteView whole);

/// Whether checksums of its own stand for what is in the content, nine tenths of it or more: bytes
/// replaced in it by whoever knows nothing of the format would break them. Its effort is bounded.
bool vouches_for_itself(Format format, ByteView whole);

/// A format that programs write in compressed or encrypted form: its bytes look random when all is
/// well.
bool is_dense(Format format);

}  // namespace hygie::files
