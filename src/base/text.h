#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace hygie {

/// Whether the bytes are UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above
/// U+10FFFF.
bool is_utf8(std::string_view bytes);

/// The two languages of the product. French comes first.
enum class Lang { Fr, En };

/// One sentence for a person, in both languages. Every reason, error and help line is a Text.
struct Text {
    std::string fr;
    std::string en;

    const std::string& in(Lang lang) const { return lang == Lang::Fr ? fr : en; }
    bool operator==(const Text&) const = default;
};

}  // namespace hygie
