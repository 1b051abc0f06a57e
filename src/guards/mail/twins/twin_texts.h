#pragma once

#include <span>
#include <string_view>

namespace hygie::mail {

/// A text of twins/, as it went into the binary.
struct TwinText {
    std::string_view name;
    std::string_view text;
};
std::span<const TwinText> twin_texts();

}  // namespace hygie::mail
