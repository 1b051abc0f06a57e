#pragma once

#include <string>
#include <string_view>

namespace hygie::app {

/// A QR code in half blocks, two rows of modules a line, dark on light whatever the terminal's
/// colours. For text of at most some hundred bytes.
std::string qr_of(std::string_view text);

}  // namespace hygie::app
