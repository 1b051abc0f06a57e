#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Text made comparable. Nothing here fails: bytes that are no UTF-8 count as blanks.
namespace hygie::mail {

/// ASCII letters to lower case, the rest untouched.
std::string lower(std::string_view text);
/// Without blanks and control characters at both ends.
std::string_view trim(std::string_view text);
/// "<a@b>" → "a@b"
std::string_view bare_address(std::string_view text);
/// What follows the last @, empty when there is none.
std::string_view domain_of(std::string_view address);
bool contains(std::string_view text, std::string_view part);
bool ends_in(std::string_view text, std::span<const std::string_view> endings);
bool starts_with_any_case(std::string_view text, std::string_view prefix);
bool equal_any_case(std::string_view left, std::string_view right);
/// The same bytes as UTF-8: what is not UTF-8 becomes U+FFFD.
std::string clean_utf8(std::string_view bytes);
/// Cut to at most `bytes`, never inside a character.
std::string_view cut(std::string_view text, std::size_t bytes);

/// One text folded for search: lower case, accents and styles dropped ("É", "ｅ", "𝗲" → "e"),
/// Cyrillic and Greek letters that look Latin made Latin inside Latin words, invisible characters
/// removed, anything that is no letter or digit one blank, apostrophes too. It starts and ends with
/// a blank, so that " word " finds whole words.
struct Folded {
    std::string text;
    std::vector<std::uint32_t> origin;  ///< where in the source each folded byte came from
    std::size_t invisible = 0;          ///< zero-width and formatting characters that were dropped
    std::size_t disguised = 0;          ///< letters that were of another script than their word

    /// The source bytes behind folded [at, at + size), as they stand.
    std::string_view source(std::string_view original, std::size_t at, std::size_t size) const;
};
Folded fold(std::string_view text);
/// Only the folded text.
std::string folded(std::string_view text);

}  // namespace hygie::mail
