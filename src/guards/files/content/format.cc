#include "guards/files/content/format.h"

#include <algorithm>
#include <array>

#include "guards/files/content/format_checks.h"

namespace hygie::files {
namespace {

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    Format format;
};

using namespace std::string_view_literals;

// Longest and surest first; what needs more than a comparison comes after the table.
constexpr Magic kMagics[] = {
    {0, "%PDF-"sv, Format::Pdf},
    {0, "\xFF\xD8\xFF"sv, Format::Jpeg},
    {0, "\x89PNG\r\n\x1A\n"sv, Format::Png},
    {0, "GIF87a"sv, Format::Gif},
    {0, "GIF89a"sv, Format::Gif},
    {0, "PK\x03\x04"sv, Format::Zip},
    {0, "PK\x05\x06"sv, Format::Zip},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, Format::Ole2},
    {128, "DICM"sv, Format::Dicom},
    {0, "\x1F\x8B\x08"sv, Format::Packed},
    {0, "\x28\xB5\x2F\xFD"sv, Format::Packed},
    {0, "\xFD\x37zXZ\0"sv, Format::Packed},
    {0, "BZh"sv, Format::Packed},
    {0, "7z\xBC\xAF\x27\x1C"sv, Format::Packed},
    {0, "Rar!\x1A\x07"sv, Format::Packed},
    {0, "Salted__"sv, Format::Sealed},
    {0, "age-encryption.org/"sv, Format::Sealed},
    {0, "-----BEGIN PGP MESSAGE"sv, Format::Sealed},
    {257, "ustar"sv, Format::Archive},
    {0, "070701"sv, Format::Archive},
    {0, "!<arch>\n"sv, Format::Archive},
    {0, "PACK\0\0\0\x02"sv, Format::Archive},
    {0, "\xFFtOc\0\0\0\x02"sv, Format::Archive},
    {0, "DIRC\0\0\0"sv, Format::Archive},
    {0, "SQLite format 3\0"sv, Format::Database},
    {4, "Standard Jet DB\0"sv, Format::Database},
    {4, "Standard ACE DB\0"sv, Format::Database},
    {0,
     "\x7F"
     "ELF"sv,
     Format::Program},
    {0, "MZ"sv, Format::Program},
    {0, "\xCA\xFE\xBA\xBE"sv, Format::Program},
    {4, "ftyp"sv, Format::Media},
    {0, "\x1A\x45\xDF\xA3"sv, Format::Media},
    {0, "OggS\0"sv, Format::Media},
    {0, "fLaC\0"sv, Format::Media},
    {0, "ID3"sv, Format::Media},
    {0, "FLV\x01"sv, Format::Media},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, Format::Media},
    {8, "WAVE"sv, Format::Media},
    {8, "AVI "sv, Format::Media},
    {8, "WEBP"sv, Format::Image},
    {0, "II*\0"sv, Format::Image},
    {0, "MM\0*"sv, Format::Image},
    {0, "II+\0"sv, Format::Image},
    {0, "IIRO"sv, Format::Image},
    {0, "IIRS"sv, Format::Image},
    {0, "IIU\0"sv, Format::Image},
    {0, "8BPS\0"sv, Format::Image},
    {0, "FUJIFILMCCD-RAW"sv, Format::Image},
    {0, "FOVb"sv, Format::Image},
    {0, "\0MRM"sv, Format::Image},
    {0, "\0\0\0\x0CjP  "sv, Format::Image},
    {0, "\xFF\x4F\xFF\x51"sv, Format::Image},
    {0, "\0\0\x01\0"sv, Format::Image},
    {0, "\xD7\xCD\xC6\x9A"sv, Format::Image},
    {40, " EMF"sv, Format::Image},
    {0, "wOFF"sv, Format::Font},
    {0, "wOF2"sv, Format::Font},
    {0, "OTTO\0"sv, Format::Font},
    {0, "\0\x01\0\0\0"sv, Format::Font},
};

bool has(ByteView bytes, std::size_t offset, std::string_view magic) {
    return offset + magic.size() <= bytes.size() &&
           as_text(bytes.subspan(offset, magic.size())) == magic;
}

bool is_bmp(ByteView bytes) {
    return has(bytes, 0, "BM") && bytes.size() > 18 && bytes[6] == 0 && bytes[7] == 0 &&
           bytes[8] == 0 && bytes[9] == 0 && bytes[15] == 0 && bytes[16] == 0;
}

/// Frame after frame, as far as the first needs its second.
bool is_mpeg_audio(ByteView bytes) {
    return bytes.size() > 4 && bytes[0] == 0xFF && (bytes[1] & 0xE6) == 0xE2 &&
           (bytes[2] & 0xF0) != 0xF0 && (bytes[2] & 0x0C) != 0x0C;
}

/// The first packet of a binary OpenPGP message: a session key, public or symmetric (RFC 9580 §5).
bool is_openpgp(ByteView bytes) {
    if (bytes.size() < 16) return false;
    const bool session_key_old = bytes[0] == 0x84 || bytes[0] == 0x85 || bytes[0] == 0x8C;
    const bool session_key_new = bytes[0] == 0xC1 || bytes[0] == 0xC3;
    const std::size_t version = bytes[0] == 0x85 ? 3 : 2;
    return (session_key_old || session_key_new) && bytes[version] >= 3 && bytes[version] <= 6;
}

/// A ZIP archive whose first entry needs a password (APPNOTE 4.4.4, bit 0).
bool is_sealed_zip(ByteView bytes) {
    constexpr std::size_t kFlags = 6;
    return has(bytes, 0, "PK\x03\x04") && bytes.size() > kFlags && (bytes[kFlags] & 1) != 0;
}

enum class Utf16 { None, Little, Big };

/// By its mark, or else by the empty halves of nearly all its letters.
Utf16 utf16_of(ByteView bytes) {
    if (bytes.size() < 4 || bytes.size() % 2 != 0) return Utf16::None;
    const bool little = bytes[0] == 0xFF && bytes[1] == 0xFE;
    const bool big = bytes[0] == 0xFE && bytes[1] == 0xFF;
    std::size_t first = 0;
    std::size_t second = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        first += bytes[i] < 0x03;
        second += bytes[i + 1] < 0x03;
    }
    const std::size_t letters = bytes.size() / 2;
    if ((little && second * 2 > letters) || (second * 10 > letters * 9 && first * 10 < letters))
        return Utf16::Little;
    if ((big && first * 2 > letters) || (first * 10 > letters * 9 && second * 10 < letters))
        return Utf16::Big;
    return Utf16::None;
}

/// Controls that real texts hold: tabs, ends of lines and pages, escapes of printers and of CP/M.
bool is_text_byte(std::uint8_t byte) {
    return byte >= 0x20 ? byte != 0x7F
                        : (byte >= 0x08 && byte <= 0x0D) || byte == 0x1A || byte == 0x1B;
}

bool is_text(ByteView bytes) {
    std::size_t high = 0;
    for (const std::uint8_t byte : bytes) {
        if (!is_text_byte(byte)) return false;
        high += byte >= 0x80;
    }
    return high * 2 < bytes.size();
}

}  // namespace

std::string_view name_of(Format format) {
    static constexpr std::array<std::string_view, 18> kNames = {
        "empty", "unknown", "text",   "pdf",    "jpeg",    "png",   "gif",      "image",   "zip",
        "ole2",  "dicom",   "packed", "sealed", "archive", "media", "database", "program", "font"};
    return kNames[static_cast<std::size_t>(format)];
}

std::optional<Bytes> letters_of(ByteView bytes) {
    const Utf16 order = utf16_of(bytes);
    if (order == Utf16::None) return std::nullopt;
    Bytes letters;
    letters.reserve(bytes.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const std::uint8_t low = bytes[order == Utf16::Little ? i : i + 1];
        const std::uint8_t high = bytes[order == Utf16::Little ? i + 1 : i];
        const auto unit = static_cast<unsigned>(high) << 8 | low;
        if (i == 0 && unit == 0xFEFF) continue;
        if (unit < 0x80) {
            letters.push_back(low);
        } else if (unit < 0x800) {
            letters.push_back(static_cast<std::uint8_t>(0xC0 | unit >> 6));
            letters.push_back(static_cast<std::uint8_t>(0x80 | (unit & 0x3F)));
        } else {
            letters.push_back(static_cast<std::uint8_t>(0xE0 | unit >> 12));
            letters.push_back(static_cast<std::uint8_t>(0x80 | (unit >> 6 & 0x3F)));
            letters.push_back(static_cast<std::uint8_t>(0x80 | (unit & 0x3F)));
        }
    }
    if (!is_text(letters)) return std::nullopt;
    return letters;
}

Format format_of(ByteView bytes) {
    if (bytes.empty()) return Format::Empty;
    for (const Magic& magic : kMagics)
        if (has(bytes, magic.offset, magic.bytes))
            return is_sealed_zip(bytes) ? Format::Sealed : magic.format;
    // Some writers put a few bytes before the header of a PDF (ISO 32000-1, implementation note
    // 13).
    if (as_text(bytes.first(std::min<std::size_t>(bytes.size(), 1024))).find("%PDF-") !=
        std::string_view::npos)
        return Format::Pdf;
    if (is_bmp(bytes)) return Format::Image;
    if (is_text(bytes) || letters_of(bytes)) return Format::Text;
    if (is_mpeg_audio(bytes)) return Format::Media;
    if (is_openpgp(bytes)) return Format::Sealed;
    return Format::Unknown;
}

Soundness check(Format format, ByteView whole) {
    switch (format) {
        case Format::Pdf:
            return check_pdf(whole);
        case Format::Jpeg:
            return check_jpeg(whole);
        case Format::Png:
            return check_png(whole);
        case Format::Gif:
            return check_gif(whole);
        case Format::Zip:
            return check_zip(whole);
        case Format::Ole2:
            return check_ole2(whole);
        case Format::Dicom:
            return check_dicom(whole);
        case Format::Media:
            return check_media(whole);
        default:
            return Soundness::Unchecked;
    }
}

bool vouches_for_itself(Format format, ByteView whole) {
    std::size_t vouched = 0;
    if (format == Format::Zip) vouched = vouched_in_zip(whole);
    if (format == Format::Png) vouched = vouched_in_png(whole);
    return vouched * 10 >= whole.size() * 9;
}

bool is_dense(Format format) {
    switch (format) {
        case Format::Empty:
        case Format::Unknown:
        case Format::Text:
        case Format::Archive:
        case Format::Database:
        case Format::Program:
        case Format::Ole2:
            return false;
        default:
            return true;
    }
}

}  // namespace hygie::files
