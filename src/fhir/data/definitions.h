#pragma once

#include <string_view>

/// The condensed definitions as the build embeds them. Their formats: definitions/README.md.
namespace hygie::fhir::definitions {

std::string_view types();       ///< r4.types
std::string_view search();      ///< r4.search
std::string_view codes();       ///< r4.codes
std::string_view profiles();    ///< r4.profiles
std::string_view extensions();  ///< r4.extensions

/// Takes what stands before the first `end` off the front of `text`, and that `end` with it; all of
/// it when there is none.
inline std::string_view take(std::string_view& text, char end) {
    const std::string_view taken = text.substr(0, text.find(end));
    text.remove_prefix(taken.size() < text.size() ? taken.size() + 1 : taken.size());
    return taken;
}

}  // namespace hygie::fhir::definitions
