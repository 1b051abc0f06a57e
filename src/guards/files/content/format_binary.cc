#include <algorithm>
#include <array>
#include <cctype>

#include "guards/files/content/format_checks.h"

/// OLE2 ([MS-CFB] §2), DICOM (PS3.10 §7, PS3.5 §7) and ISO media boxes (ISO 14496-12 §4.2).
namespace hygie::files {
namespace {

constexpr std::size_t kElementsChecked = 20'000;
constexpr std::uint32_t kUndefinedLength = 0xFFFF'FFFF;

/// Value representations whose length takes four bytes after two reserved ones.
bool is_long(std::string_view vr) {
    constexpr std::array<std::string_view, 13> kLong = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ",
                                                        "SV", "UC", "UN", "UR", "UT", "UV"};
    return std::ranges::find(kLong, vr) != kLong.end();
}

bool is_value_representation(std::string_view vr) {
    constexpr std::array<std::string_view, 21> kShort = {"AE", "AS", "AT", "CS", "DA", "DS", "DT",
                                                         "FD", "FL", "IS", "LO", "LT", "PN", "SH",
                                                         "SL", "SS", "ST", "TM", "UI", "UL", "US"};
    return is_long(vr) || std::ranges::find(kShort, vr) != kShort.end();
}

enum class Step { Go, End, Wrong };

/// One element of the file meta group, always explicit little endian.
Step next_meta(ByteView whole, std::size_t& at, std::string_view& transfer_syntax) {
    if (whole.size() - at < 8) return Step::Wrong;
    if (little<std::uint16_t>(whole, at) != 0x0002) return Step::End;
    const std::string_view vr = as_text(whole.subspan(at + 4, 2));
    if (!is_value_representation(vr)) return Step::Wrong;
    const bool wide = is_long(vr);
    if (wide && whole.size() - at < 12) return Step::Wrong;
    const std::size_t length = wide ? little<std::uint32_t>(whole, at + 8)
                                    : std::size_t{little<std::uint16_t>(whole, at + 6)};
    const std::size_t value = at + (wide ? 12 : 8);
    if (whole.size() - value < length) return Step::Wrong;
    if (little<std::uint16_t>(whole, at + 2) == 0x0010)
        transfer_syntax = as_text(whole.subspan(value, length));
    at = value + length;
    return Step::Go;
}

/// One element of an explicit little endian data set. Sequences are walked into by passing over
/// their headers; a value of undefined length that is no sequence (encapsulated pixels) ends the
/// walk.
Step next_explicit(ByteView whole, std::size_t& at, std::uint16_t& group) {
    if (whole.size() - at < 8) return at == whole.size() ? Step::End : Step::Wrong;
    const auto here = little<std::uint16_t>(whole, at);
    if (here == 0xFFFE) {  // an item or a delimiter: length only
        at += 8;
        group = 0;  // tags start again inside an item
        return Step::Go;
    }
    const std::string_view vr = as_text(whole.subspan(at + 4, 2));
    if (!is_value_representation(vr) || here < group) return Step::Wrong;
    group = here;
    const bool wide = is_long(vr);
    if (wide && whole.size() - at < 12) return Step::Wrong;
    const std::uint32_t length = wide ? little<std::uint32_t>(whole, at + 8)
                                      : std::uint32_t{little<std::uint16_t>(whole, at + 6)};
    const std::size_t value = at + (wide ? 12 : 8);
    if (vr == "SQ" || (vr == "UN" && length == kUndefinedLength)) {
        at = value;
        group = 0;
        return Step::Go;
    }
    if (length == kUndefinedLength) return Step::End;
    if (whole.size() - value < length) return Step::Wrong;
    at = value + length;
    return Step::Go;
}

}  // namespace

Soundness check_ole2(ByteView whole) {
    constexpr std::size_t kHeader = 512;
    constexpr std::uint32_t kFatSector = 0xFFFF'FFFD;
    if (whole.size() < kHeader) return Soundness::Broken;
    const auto shift = little<std::uint16_t>(whole, 30);
    if (shift != 9 && shift != 12) return Soundness::Broken;
    const std::size_t sector = std::size_t{1} << shift;
    const std::size_t fats = std::min<std::size_t>(little<std::uint32_t>(whole, 44), 109);
    if (fats == 0) return Soundness::Broken;
    for (std::size_t i = 0; i < fats; ++i) {
        const std::size_t place = little<std::uint32_t>(whole, 76 + 4 * i);
        if ((place + 1) * sector + sector > whole.size()) return Soundness::Broken;
        // The table says of each of its own sectors that it is one.
        const std::size_t holder = place / (sector / 4);
        if (holder >= fats) return Soundness::Broken;
        const std::size_t fat = (little<std::uint32_t>(whole, 76 + 4 * holder) + std::size_t{1});
        const std::size_t entry = fat * sector + place % (sector / 4) * 4;
        if (entry + 4 > whole.size() || little<std::uint32_t>(whole, entry) != kFatSector)
            return Soundness::Broken;
    }
    const std::size_t root = (little<std::uint32_t>(whole, 48) + std::size_t{1}) * sector;
    constexpr std::string_view kRootName{"R\0o\0o\0t\0", 8};
    if (root + kRootName.size() > whole.size()) return Soundness::Broken;
    return as_text(whole.subspan(root, kRootName.size())) == kRootName ? Soundness::Sound
                                                                       : Soundness::Broken;
}

Soundness check_dicom(ByteView whole) {
    if (whole.size() < 140) return Soundness::Broken;
    std::size_t at = 132;
    std::string_view transfer_syntax;
    Step step = Step::Go;
    for (std::size_t i = 0; i < kElementsChecked && step == Step::Go; ++i)
        step = next_meta(whole, at, transfer_syntax);
    if (step != Step::End || transfer_syntax.empty()) return Soundness::Broken;
    const bool implicit = transfer_syntax.starts_with("1.2.840.10008.1.2") &&
                          (transfer_syntax.size() <= 17 || transfer_syntax[17] != '.');
    const bool deflated = transfer_syntax.starts_with("1.2.840.10008.1.2.1.99");
    const bool big_endian = transfer_syntax.starts_with("1.2.840.10008.1.2.2");
    if (implicit || deflated || big_endian) return Soundness::Sound;
    std::uint16_t group = 0;
    step = Step::Go;
    for (std::size_t i = 0; i < kElementsChecked && step == Step::Go; ++i)
        step = next_explicit(whole, at, group);
    return step == Step::Wrong ? Soundness::Broken : Soundness::Sound;
}

Soundness check_media(ByteView whole) {
    if (whole.size() < 8 || as_text(whole.subspan(4, 4)) != "ftyp") return Soundness::Unchecked;
    std::size_t at = 0;
    while (whole.size() - at >= 8) {
        std::uint64_t length = load_be<std::uint32_t>(&whole[at]);
        const auto printable = [](std::uint8_t byte) { return std::isprint(byte) || byte == 0xA9; };
        if (!std::ranges::all_of(whole.subspan(at + 4, 4), printable)) return Soundness::Broken;
        if (length == 1 && whole.size() - at >= 16) length = load_be<std::uint64_t>(&whole[at + 8]);
        if (length == 0) return Soundness::Sound;  // the last box, to the end of the file
        if (length < 8 || length > whole.size() - at) return Soundness::Broken;
        at += length;
    }
    return at == whole.size() ? Soundness::Sound : Soundness::Broken;
}

}  // namespace hygie::files
