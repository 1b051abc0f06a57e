#pragma once

#include <cstdint>
#include <string>

#include "guards/files/content/chunks.h"
#include "guards/files/content/excerpt.h"
#include "guards/files/content/format.h"

/// What the bytes say about one change of one file: pure, and the same for every actor.
namespace hygie::files {

/// What became of the earlier content.
enum class Fate : std::uint8_t {
    Same,       ///< not a byte differs
    Edited,     ///< a good part of it is still there, and the file is what it was
    Resaved,    ///< other bytes, but a sound file of a known kind, as programs write
    Packed,     ///< compressed or spelled otherwise: undone, it is the earlier content again
    Rewritten,  ///< nothing of it is left; the new content may be honest
    Emptied,    ///< cut to nothing, overwritten with zeros, or a text whose end was cut off
    Damaged,    ///< parts of it were replaced by what looks like ciphertext
    Scrambled,  ///< nothing readable is left
};
std::string_view name_of(Fate fate);

/// A small numeric summary that crosses the sandbox's border: it holds no byte of the file.
struct Finding {
    Fate fate = Fate::Same;
    Format before = Format::Empty;
    Format after = Format::Empty;
    Soundness before_sound = Soundness::Unchecked;
    Soundness after_sound = Soundness::Unchecked;
    ChunkChange chunks;
    int survival_permille = 0;
    int neighbours_before = 0;  ///< neighbours_millibits of both, when the later is a text
    int neighbours_after = 0;
    bool holds_less = false;  ///< of a text that lost its grain, or of two sealed contents: the
                              ///< later could not give the earlier one back
    bool same_table = false;  ///< of a text that lost its grain: rows and some columns stayed
    bool only_grew = false;   ///< the earlier content is the beginning of the later one
    bool opaque = false;      ///< the later content cannot be told from ciphertext
    bool readable = false;    ///< … until it is unpacked: what is inside needs no secret
    bool operator==(const Finding&) const = default;
};

/// Judges a change from its two contents.
Finding examine(const Excerpt& before, const Excerpt& after);

/// Judges a content that has no earlier one: only its format, soundness and opacity mean something.
Finding examine_new(const Excerpt& after);

/// Whether `after` gives `before` back without any secret: decompression, an archive that holds it,
/// base64. Bounded.
bool gives_back(const Excerpt& before, const Excerpt& after);

/// Whether an archive, or a document that is one, holds nothing to speak of but what cannot be told
/// from ciphertext, as it stands or spelled in letters. Bounded.
bool is_sealed_inside(ByteView archive);

/// Whether all that an archive holds, but for a tenth, are texts and files of known formats.
/// Bounded.
bool reads_inside(ByteView archive);

/// The beginning of what `packed` holds, unpacked without any secret as far as it goes; empty when
/// nothing comes out. Bounded.
Bytes unpack(ByteView packed);

}  // namespace hygie::files
