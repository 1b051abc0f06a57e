#pragma once

#include <string>
#include <string_view>

namespace hygie::mail {

struct Decoded {
    std::string text;     ///< UTF-8
    bool broken = false;  ///< some bytes do not belong to the charset they declare
};
/// Bytes of a declared charset as UTF-8. An unknown or absent charset is UTF-8 when the bytes are,
/// else Windows-1252, as mail readers do.
Decoded decode_charset(std::string_view bytes, std::string_view charset);

}  // namespace hygie::mail
