#include "guards/mail/message/fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace hygie::mail {
namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // ICU's macro counts bytes in int
/// The character at `i`, which moves behind it; negative for bytes that are no UTF-8.
UChar32 next_char(std::string_view text, std::int32_t& i) {
    UChar32 c = 0;
    const auto size = static_cast<std::int32_t>(text.size());
    U8_NEXT(text.data(), i, size, c);
    return c;
}
#pragma GCC diagnostic pop

/// Letters of other scripts that a reader takes for a Latin one, lower case. Only those that
/// lures use in words; domains are compared by the whole of UTS #39 (domain.h).
struct Twin {
    UChar32 other;
    char latin;
};
constexpr std::array kTwins = std::to_array<Twin>({
    {0x03B1, 'a'}, {0x03B5, 'e'}, {0x03B9, 'i'}, {0x03BA, 'k'}, {0x03BD, 'v'}, {0x03BF, 'o'},
    {0x03C1, 'p'}, {0x03C4, 't'}, {0x03C5, 'u'}, {0x03C7, 'x'}, {0x0430, 'a'}, {0x0432, 'b'},
    {0x0435, 'e'}, {0x043A, 'k'}, {0x043C, 'm'}, {0x043D, 'h'}, {0x043E, 'o'}, {0x0440, 'p'},
    {0x0441, 'c'}, {0x0442, 't'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0458, 'j'}, {0x04BB, 'h'}, {0x0501, 'd'}, {0x051B, 'q'}, {0x051D, 'w'},
});

char latin_twin(UChar32 c) {
    const auto it = std::ranges::lower_bound(kTwins, c, {}, &Twin::other);
    return it != kTwins.end() && it->other == c ? it->latin : '\0';
}

bool is_invisible(UChar32 c) {
    return c == 0xAD || c == 0x34F || c == 0x61C || (c >= 0x180B && c <= 0x180E) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFE00 && c <= 0xFE0F) ||
           (c >= 0xE0000 && c <= 0xE0FFF);
}

/// Appends folded bytes, remembering where each came from.
class Folder {
  public:
    explicit Folder(std::string_view source) {
        out_.text.reserve(source.size() + 2);
        out_.origin.reserve(source.size() + 2);
        put(' ', 0);
    }

    void letter(UChar32 c, std::uint32_t at) {
        if (c < 0x80) {
            put(static_cast<char>(c), at);
            return;
        }
        std::array<char, 4> bytes{};
        std::int32_t size = 0;
        U8_APPEND_UNSAFE(bytes.data(), size, c);
        for (std::int32_t i = 0; i < size; ++i) put(bytes[static_cast<std::size_t>(i)], at);
    }
    void blank(std::uint32_t at) {
        if (out_.text.back() != ' ') put(' ', at);
    }
    void invisible() { ++out_.invisible; }
    void disguised() { ++out_.disguised; }
    bool after_latin() const {
        const char last = out_.text.back();
        return last >= 'a' && last <= 'z';
    }
    Folded finish(std::uint32_t end) {
        blank(end);
        return std::move(out_);
    }

  private:
    void put(char byte, std::uint32_t at) {
        out_.text.push_back(byte);
        out_.origin.push_back(at);
    }
    Folded out_;
};

/// A letter of a script that is not Latin: between two Latin ones no language has it.
bool is_foreign(UChar32 c) {
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(c, &error);
    return U_SUCCESS(error) && script != USCRIPT_LATIN && script != USCRIPT_COMMON &&
           script != USCRIPT_INHERITED;
}

/// A character outside ASCII: its compatibility decomposition without marks, lower case.
void fold_wide(Folder& folder, const UNormalizer2* nfkd, UChar32 c, std::uint32_t at,
               bool before_latin) {
    if (is_invisible(c)) {
        // Between letters it cuts a word; elsewhere it pads a preview, and a soft hyphen is honest.
        if (c != 0xAD && before_latin && folder.after_latin()) folder.invisible();
        return;
    }
    if (u_charType(c) == U_NON_SPACING_MARK) return;
    std::array<UChar, 20> parts{};
    UErrorCode error = U_ZERO_ERROR;
    std::int32_t size = unorm2_getDecomposition(nfkd, c, parts.data(), parts.size(), &error);
    if (U_FAILURE(error) || size < 0) {
        size = 0;
        U16_APPEND_UNSAFE(parts.data(), size, c);
    }
    for (std::int32_t i = 0; i < size;) {
        UChar32 part = 0;
        U16_NEXT(parts.data(), i, size, part);
        if (u_charType(part) == U_NON_SPACING_MARK) continue;
        if (!u_isalnum(part)) {
            folder.blank(at);
            continue;
        }
        part = u_tolower(part);
        if (part == 0xDF) {  // ß
            folder.letter('s', at);
            part = 's';
        } else if (part == 0x153 || part == 0xE6) {  // œ æ
            folder.letter(part == 0x153 ? 'o' : 'a', at);
            part = 'e';
        } else if (part == 0xF8) {  // ø
            part = 'o';
        } else if (part == 0x131) {  // ı
            part = 'i';
        } else if (const char twin = latin_twin(part);
                   twin != '\0' && (folder.after_latin() || before_latin)) {
            folder.disguised();
            part = twin;
        } else if (folder.after_latin() && before_latin && is_foreign(part)) {
            folder.disguised();
        }
        folder.letter(part, at);
    }
}

bool is_ascii_letter(std::uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

std::string_view trim(std::string_view text) {
    const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view bare_address(std::string_view text) {
    text = trim(text);
    if (text.starts_with('<')) text.remove_prefix(1);
    if (text.ends_with('>')) text.remove_suffix(1);
    return trim(text);
}

std::string_view domain_of(std::string_view address) {
    const std::size_t at = address.rfind('@');
    return at == std::string_view::npos ? std::string_view{} : address.substr(at + 1);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

bool ends_in(std::string_view text, std::span<const std::string_view> endings) {
    return std::ranges::any_of(endings, [&](auto end) { return text.ends_with(end); });
}

bool equal_any_case(std::string_view left, std::string_view right) {
    return left.size() == right.size() && std::ranges::equal(left, right, [](char a, char b) {
               const auto low = [](char c) {
                   return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
               };
               return low(a) == low(b);
           });
}

bool starts_with_any_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && equal_any_case(text.substr(0, prefix.size()), prefix);
}

std::string clean_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    const auto size = static_cast<std::int32_t>(bytes.size());
    for (std::int32_t i = 0; i < size;) {
        const std::int32_t start = i;
        const UChar32 c = next_char(bytes, i);
        if (c < 0)
            out += "\xEF\xBF\xBD";
        else if (c != 0)
            out +=
                bytes.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(i - start));
    }
    return out;
}

std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    return text.substr(0, bytes);
}

std::string_view Folded::source(std::string_view original, std::size_t at, std::size_t size) const {
    if (size == 0 || at >= origin.size()) return {};
    const std::size_t last = std::min(at + size, origin.size()) - 1;
    const std::size_t begin = std::min<std::size_t>(origin[at], original.size());
    std::size_t end = std::min<std::size_t>(origin[last] + 1, original.size());
    while (end < original.size() && (static_cast<unsigned char>(original[end]) & 0xC0) == 0x80)
        ++end;
    return trim(original.substr(begin, end - begin));
}

Folded fold(std::string_view text) {
    UErrorCode error = U_ZERO_ERROR;
    static const UNormalizer2* const nfkd = unorm2_getNFKDInstance(&error);
    Folder folder(text);
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t i = 0; i < size;) {
        const auto at = static_cast<std::uint32_t>(i);
        const auto byte = static_cast<std::uint8_t>(text[static_cast<std::size_t>(i)]);
        if (byte < 0x80) {
            ++i;
            if (byte >= 'A' && byte <= 'Z')
                folder.letter(byte + 32, at);
            else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
                folder.letter(byte, at);
            else
                folder.blank(at);
            continue;
        }
        const UChar32 c = next_char(text, i);
        const bool before_latin =
            i < size &&
            is_ascii_letter(static_cast<std::uint8_t>(text[static_cast<std::size_t>(i)]));
        if (c < 0)
            folder.blank(at);
        else
            fold_wide(folder, nfkd, c, at, before_latin);
    }
    return folder.finish(static_cast<std::uint32_t>(size));
}

std::string folded(std::string_view text) {
    return fold(text).text;
}

}  // namespace hygie::mail
