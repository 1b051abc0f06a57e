#include "guards/files/content/finding.h"

#include <zstd.h>

#include <algorithm>
#include <array>

#include "guards/files/content/table.h"

namespace hygie::files {
namespace {

/// More of the earlier content than this and the change is an edit.
constexpr int kEditSurvivalMin = 250;
/// Less than this and nothing is left.
constexpr int kNothingLeftMax = 30;
/// So many equal bytes at the beginning are more than what all files of a format share.
constexpr std::uint32_t kHeadBytesKept = 512;
/// Neighbouring bytes of texts and records tell at least this about each other.
constexpr int kStructuredMillibits = 350;
constexpr int kHalf = 500;
/// Neighbouring bytes of ciphertext tell less about each other, however it is spelled.
constexpr int kGrainlessMillibits = 60;
/// Ciphertext spelled in two letters has 1000. Nothing can hide in a file of zeros with a few marks
/// in it, though its bytes tell nothing about each other either.
constexpr int kRoomMillibits = 900;
constexpr int kPackingLevel = 6;  ///< of zstd

bool is_known(Format format) {
    return format != Format::Unknown && format != Format::Empty && format != Format::Sealed;
}

/// What a stranger could have made of anything: no format, and statistics of ciphertext, plain or
/// spelled in letters.
bool is_opaque(Format format, Soundness soundness, ByteView bytes) {
    if (format == Format::Sealed) return true;
    if (format == Format::Text) return looks_spelled_random(bytes);
    if (format == Format::Packed) return true;  // until gives_back proves the contrary
    if (format == Format::Zip && soundness == Soundness::Sound) return is_sealed_inside(bytes);
    // Of what is compressed in one, a third of the pages look so; of ciphertext, two thirds.
    if (format == Format::Database) return random_permille(bytes) > kHalf;
    if (is_known(format)) return soundness == Soundness::Broken;
    if (bytes.size() < kRandomBytesMin) return format == Format::Unknown;
    return looks_random(bytes) || random_permille(bytes) > kHalf ||
           (neighbours_millibits(bytes) < kGrainlessMillibits &&
            entropy_millibits(bytes) >= kRoomMillibits);
}

bool was_random(const ChunkChange& chunks, ByteView before) {
    const std::size_t all = (before.size() + kChunkBytes - 1) / kChunkBytes;
    return all != 0 && chunks.random_before * 2 > all;
}

bool is_zeroed(const Finding& finding) {
    return finding.chunks.zeroed != 0 && finding.chunks.zeroed * 2 > finding.chunks.changed;
}

/// Bytes replaced by random ones in several places, or in one of some size.
bool has_random_patches(const ChunkChange& chunks) {
    constexpr std::uint32_t kPatchesMin = 3;
    constexpr std::uint32_t kPatchBytesMin = 1024;
    return chunks.changes_random &&
           (chunks.runs >= kPatchesMin || chunks.bytes_changed >= kPatchBytesMin);
}

/// Ciphertext in places of a file that had none there: by chunks, or by the changed bytes alone,
/// however thinly they are strewn.
bool random_came_in(const Finding& finding) {
    const ChunkChange& chunks = finding.chunks;
    if (has_random_patches(chunks) && !chunks.replaced_random) return true;
    return chunks.random > chunks.random_before && chunks.random * 50 > chunks.chunks;
}

/// A dense file whose size stayed while bytes inside it were replaced by random ones: nobody edits
/// compressed data in place.
bool patched_inside(const Finding& finding) {
    return has_random_patches(finding.chunks) && is_dense(finding.before) &&
           finding.survival_permille > kNothingLeftMax;
}

/// A file that was whole and is not any more, in the way its format can tell.
bool broke(const Finding& finding) {
    return finding.before_sound == Soundness::Sound && finding.after_sound == Soundness::Broken;
}

/// Lists of numbers and hashes have as little grain as ciphertext: what is far too small to hold
/// the earlier text in any spelling is no ciphertext of it.
bool lost_its_grain(const Finding& finding) {
    return !finding.holds_less && finding.neighbours_before >= kStructuredMillibits &&
           finding.neighbours_after * 3 < finding.neighbours_before;
}

Fate fate_of_text(const Finding& finding) {
    if (finding.survival_permille >= kEditSurvivalMin || finding.same_table) return Fate::Edited;
    if (finding.opaque || lost_its_grain(finding)) return Fate::Scrambled;
    return finding.survival_permille < kNothingLeftMax ? Fate::Rewritten : Fate::Edited;
}

Fate fate_of_same_format(const Finding& finding) {
    if (finding.after == Format::Text) return fate_of_text(finding);
    if (broke(finding))
        return finding.survival_permille < kNothingLeftMax ? Fate::Scrambled : Fate::Damaged;
    if (patched_inside(finding)) return Fate::Damaged;
    // A shallow check passes when only the head was kept; another file of the kind has another
    // head.
    const bool proved = finding.after_sound == Soundness::Sound && finding.after != Format::Dicom;
    const bool head_kept = finding.chunks.head_equal >= kHeadBytesKept;
    if (!proved && head_kept && random_came_in(finding)) return Fate::Damaged;
    if (has_random_patches(finding.chunks) && !finding.chunks.replaced_random &&
        (head_kept || finding.survival_permille > kNothingLeftMax))
        return Fate::Damaged;
    return finding.survival_permille >= kEditSurvivalMin ? Fate::Edited : Fate::Resaved;
}

/// A document that is none any more, or became a text.
Fate fate_of_lost_format(const Finding& finding) {
    const bool gone = finding.survival_permille < kEditSurvivalMin;
    if (finding.after == Format::Text) {
        if (!gone) return Fate::Edited;
        return finding.opaque || lost_its_grain(finding) ? Fate::Scrambled : Fate::Rewritten;
    }
    if (gone) return Fate::Scrambled;
    const bool in_place = finding.chunks.runs != 0;
    const bool honest = finding.before == Format::Text && !in_place && !random_came_in(finding);
    return honest ? Fate::Edited : Fate::Damaged;
}

Fate fate_of(const Finding& finding, bool before_was_random) {
    if (finding.after == Format::Empty) return Fate::Emptied;
    if (finding.only_grew) return Fate::Edited;
    if (is_zeroed(finding)) return Fate::Emptied;
    // Nobody could read it here: its keys were changed, or it was sealed once more.
    if (finding.before == Format::Sealed && finding.after == Format::Sealed)
        return finding.holds_less ? Fate::Emptied : Fate::Rewritten;
    if (finding.before == finding.after && is_known(finding.after))
        return fate_of_same_format(finding);
    const bool lost = !is_known(finding.after) || finding.after == Format::Text ||
                      finding.after_sound == Soundness::Broken || finding.opaque;
    if (!lost) return finding.survival_permille >= kEditSurvivalMin ? Fate::Edited : Fate::Resaved;
    if (is_known(finding.before)) return fate_of_lost_format(finding);
    // It never had a format that we know. What was random already cannot be seen to become so.
    if (before_was_random) return Fate::Rewritten;
    if (finding.opaque && finding.survival_permille < kEditSurvivalMin) return Fate::Scrambled;
    if (random_came_in(finding)) return Fate::Damaged;
    return finding.survival_permille < kNothingLeftMax ? Fate::Rewritten : Fate::Edited;
}

}  // namespace

std::string_view name_of(Fate fate) {
    static constexpr std::array<std::string_view, 8> kNames = {
        "same", "edited", "resaved", "packed", "rewritten", "emptied", "damaged", "scrambled"};
    return kNames[static_cast<std::size_t>(fate)];
}

namespace {

/// A text whose end is gone, a quarter of it or more. Other formats show that they are broken, and
/// databases give room back by cutting their files.
bool is_cut(const Finding& finding, const Excerpt& before, const Excerpt& after) {
    return finding.before == Format::Text && before.whole && after.whole &&
           finding.chunks.head_equal == after.bytes.size() &&
           after.bytes.size() * 4 <= before.bytes.size() * 3;
}

/// Whoever wraps ciphertext into an archive has ciphertext in it.
bool unpacks_readably(ByteView packed) {
    const Bytes inside = unpack(packed);
    return !inside.empty() && !is_opaque(format_of(inside), Soundness::Unchecked, inside);
}

/// Nothing when it cannot be packed.
std::optional<std::size_t> packed_bytes(ByteView text) {
    Bytes packed(ZSTD_compressBound(text.size()));
    const std::size_t size =
        ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), kPackingLevel);
    if (ZSTD_isError(size)) return std::nullopt;
    return size;
}

/// Packed, the later text is not half of the earlier one.
bool text_holds_less(ByteView before, ByteView after) {
    constexpr std::size_t kShortBytesMax = 64 << 10;
    if (before.size() > kShortBytesMax || after.size() >= before.size()) return false;
    const auto size_before = packed_bytes(before);
    const auto size_after = packed_bytes(after);
    return size_before && size_after && *size_after * 2 < *size_before;
}

/// Mostly zeros, or less than half is left, and more went than the keys of a few who might open it.
bool sealed_holds_less(const Excerpt& before, const Excerpt& after) {
    constexpr std::uint64_t kKeysBytesMax = 4096;
    const auto zeros = static_cast<std::size_t>(std::ranges::count(after.bytes, 0));
    if (zeros * 2 > after.bytes.size()) return true;
    return after.size * 2 < before.size &&
           (before.size - after.size > kKeysBytesMax || after.size * 8 < before.size);
}

bool is_suspect_text(const Finding& finding, const Excerpt& before, const Excerpt& after) {
    return finding.before == Format::Text && finding.after == Format::Text && before.whole &&
           after.whole && finding.survival_permille < kEditSurvivalMin;
}

/// Asked where the answer counts: packing two texts takes its time.
bool holds_less(const Finding& finding, const Excerpt& before, const Excerpt& after) {
    if (finding.before == Format::Sealed && finding.after == Format::Sealed)
        return sealed_holds_less(before, after);
    return is_suspect_text(finding, before, after) && !finding.opaque && lost_its_grain(finding) &&
           text_holds_less(before.bytes, after.bytes);
}

/// A text is judged by its letters, whatever set of characters it is written in.
std::optional<Excerpt> in_letters(const Excerpt& excerpt) {
    std::optional<Bytes> letters = letters_of(excerpt.bytes);
    if (!letters) return std::nullopt;
    const std::uint64_t size = excerpt.whole ? letters->size() : excerpt.size;
    return Excerpt{std::move(*letters), size, excerpt.whole};
}

/// What looks patched in places, and proves the contrary: whoever replaces bytes inside a file
/// breaks the checksums in it, and whoever makes those anew has ciphertext in what it holds.
/// Compressed anew, a document has other bytes all over, now and then as many as before.
bool was_written_anew(const Finding& finding, const Excerpt& after) {
    if (finding.after_sound != Soundness::Sound || finding.opaque) return false;
    if (!vouches_for_itself(finding.after, after.bytes)) return false;
    return finding.after != Format::Zip || reads_inside(after.bytes);
}

Finding look_at(const Excerpt& after) {
    Finding finding;
    finding.after = format_of(after.bytes);
    if (after.whole) finding.after_sound = check(finding.after, after.bytes);
    finding.opaque = is_opaque(finding.after, finding.after_sound, after.bytes);
    finding.fate = finding.opaque ? Fate::Scrambled : Fate::Resaved;
    return finding;
}

}  // namespace

Finding examine_new(const Excerpt& after) {
    if (const auto letters = in_letters(after)) return look_at(*letters);
    Finding finding = look_at(after);
    finding.readable = finding.after == Format::Packed && unpacks_readably(after.bytes);
    return finding;
}

namespace {

Finding examine_letters(const Excerpt& before, const Excerpt& after) {
    Finding finding;
    if (before.size == after.size && before.bytes == after.bytes) {
        finding.before = finding.after = format_of(before.bytes);
        finding.survival_permille = 1000;
        return finding;
    }
    finding = look_at(after);
    finding.before = format_of(before.bytes);
    if (before.whole) finding.before_sound = check(finding.before, before.bytes);
    finding.chunks = compare_chunks(before.bytes, after.bytes);
    finding.survival_permille = survival_permille(before.bytes, after.bytes);
    if (finding.after == Format::Text) {
        finding.neighbours_before = neighbours_millibits(before.bytes);
        finding.neighbours_after = neighbours_millibits(after.bytes);
    }
    finding.same_table = is_suspect_text(finding, before, after) &&
                         keeps_columns(as_text(before.bytes), as_text(after.bytes));
    finding.holds_less = holds_less(finding, before, after);
    finding.only_grew = finding.chunks.head_equal == before.bytes.size();
    finding.fate = before.bytes.empty()
                       ? Fate::Edited
                       : fate_of(finding, was_random(finding.chunks, before.bytes));
    if (finding.fate == Fate::Damaged && was_written_anew(finding, after))
        finding.fate = Fate::Resaved;
    if (finding.fate == Fate::Edited && is_cut(finding, before, after))
        finding.fate = Fate::Emptied;
    // The same kind of file, sound, and what was to be read in it is ciphertext.
    if (finding.before == Format::Zip && finding.after == Format::Zip && finding.opaque &&
        finding.fate != Fate::Scrambled && !is_sealed_inside(before.bytes))
        finding.fate = Fate::Scrambled;
    const bool suspect = finding.fate >= Fate::Rewritten && finding.fate != Fate::Emptied;
    if (suspect && gives_back(before, after))
        finding.fate = Fate::Packed;
    else if (suspect && finding.after == Format::Packed)
        finding.readable = unpacks_readably(after.bytes);
    return finding;
}

}  // namespace

Finding examine(const Excerpt& before, const Excerpt& after) {
    const auto letters_before = in_letters(before);
    const auto letters_after = in_letters(after);
    return examine_letters(letters_before ? *letters_before : before,
                           letters_after ? *letters_after : after);
}

}  // namespace hygie::files
