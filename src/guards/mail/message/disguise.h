#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Words written so that a reader takes them for what a filter does not see: "C o i n b a s e",
/// "PayPa1", "CONFlRM", "Iog in", "CL0UD"; and letters that no language would set side by side.
namespace hygie::mail {

/// The text as a hurried reader takes it, and where each byte stood.
struct Undisguised {
    std::string text;  ///< empty when nothing was disguised
    std::vector<std::uint32_t> origin;
    /// The bytes of `original` from which `size` bytes at `at` came.
    std::string_view source(std::string_view original, std::size_t at, std::size_t size) const;
};
/// Digits and signs inside words as letters, I and l as the other where only the other makes a
/// word, letters set apart drawn together. What it changes may be innocent: "B2B", "Ian". Only a
/// phrase that the honest reading does not have shows a disguise.
Undisguised undisguise(std::string_view text);

/// A word that chance wrote: "hyjoqxpfwkzd", "2j69hqc07ujd". Identifiers look the same:
/// one says nothing in a text, many do.
bool looks_random(std::string_view word);

/// The first row of a code for telephones that is drawn with block characters, as programs of a
/// terminal do; empty for none.
std::string_view drawn_code_in(std::string_view text);

/// How many words of a text are random, and the longest run of one sign ("______").
struct Noise {
    std::size_t words = 0;
    std::size_t random = 0;
    std::string_view random_evidence;  ///< the first
    std::size_t wall = 0;
    std::string_view wall_evidence;
};
/// Addresses and links are left out: they are random by trade.
Noise noise_of(std::string_view text);

}  // namespace hygie::mail
