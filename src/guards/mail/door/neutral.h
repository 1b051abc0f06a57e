#pragma once

#include <string>
#include <string_view>

/// Text and pages made harmless: everything stays to be read, nothing can be followed.
namespace hygie::mail {

/// "https://evil.example/x" → "hxxps://evil[.]example/x", and so for every address in a text.
std::string neutral_text(std::string_view text);
/// The page written anew from what a reader would see of it: no link, form, script, frame or
/// picture from elsewhere is left; each link's target stands behind its words, neutralised.
std::string neutral_html(std::string_view html);

}  // namespace hygie::mail
