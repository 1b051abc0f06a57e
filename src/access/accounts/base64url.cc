#include "access/accounts/base64url.h"

#include <algorithm>

namespace hygie::access {

std::string to_base64url(ByteView bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    while (text.ends_with('=')) text.pop_back();
    return text;
}

Result<Bytes> from_base64url(std::string_view text) {
    std::string standard(text);
    if (standard.find_first_of("+/=") != std::string::npos)
        return fail(Code::BadInput, {"texte base64url incorrect", "text is no base64url"},
                    {"utilisez l'alphabet - et _ sans remplissage (RFC 4648 §5)",
                     "use the alphabet with - and _ and no padding (RFC 4648 §5)"});
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    standard.append((4 - standard.size() % 4) % 4, '=');
    return from_base64(standard);
}

}  // namespace hygie::access
