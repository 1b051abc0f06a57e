#include "guards/mail/message/charset.h"

#include <unicode/ucnv.h>

#include <memory>

#include "base/text.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kCharsetNameMax = 60;

bool convert(std::string_view bytes, const std::string& charset, std::string& out) {
    UErrorCode error = U_ZERO_ERROR;
    // Three bytes of UTF-8 for one of a Chinese or Latin charset is the most there is.
    out.resize(bytes.size() * 3 + 16);
    const std::int32_t size =
        ucnv_convert("UTF-8", charset.c_str(), out.data(), static_cast<std::int32_t>(out.size()),
                     bytes.data(), static_cast<std::int32_t>(bytes.size()), &error);
    if (U_FAILURE(error) || size < 0) return false;
    out.resize(std::min(out.size(), static_cast<std::size_t>(size)));
    return true;
}

}  // namespace

Decoded decode_charset(std::string_view bytes, std::string_view charset) {
    const std::string name = lower(trim(charset));
    const bool plain = name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii" ||
                       name == "ascii" || name == "unknown" || name == "unknown-8bit" ||
                       name.size() > kCharsetNameMax;
    if (plain && is_utf8(bytes)) return {std::string(bytes), false};
    Decoded out;
    out.broken = plain && !name.empty();
    if (!plain && convert(bytes, name == "iso-8859-1" ? "windows-1252" : name, out.text)) {
        out.broken = contains(out.text, "\xEF\xBF\xBD");
        return out;
    }
    out.broken = out.broken || !plain;
    if (is_utf8(bytes))
        out.text = bytes;
    else if (!convert(bytes, "windows-1252", out.text))
        out.text = clean_utf8(bytes);
    return out;
}

}  // namespace hygie::mail
