#include <algorithm>
#include <cctype>

#include "guards/files/content/format_checks.h"

/// PDF: ISO 32000-1 §7.5. Only what encryption by a stranger breaks: trailer, cross-reference,
/// compressed streams. Encryption by the format itself (/Encrypt) leaves all but the streams in
/// place.
namespace hygie::files {
namespace {

constexpr std::size_t kTrailerBytes = 2048;
constexpr std::size_t kStreamsChecked = 2048;
constexpr std::size_t kDictionaryBytes = 512;

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

/// Whether `startxref` points at a cross-reference table or stream.
bool cross_reference_stands(std::string_view text) {
    const std::size_t word = text.rfind("startxref");
    if (word == std::string_view::npos) return false;
    std::size_t at = skip_blanks(text, word + 9);
    std::size_t offset = 0;
    for (int digits = 0;
         at < text.size() && digits < 12 && std::isdigit(static_cast<unsigned char>(text[at]));
         ++at, ++digits)
        offset = offset * 10 + static_cast<std::size_t>(text[at] - '0');
    offset = skip_blanks(text, std::min(offset, text.size()));
    return offset < text.size() && (text.substr(offset, 4) == "xref" ||
                                    std::isdigit(static_cast<unsigned char>(text[offset])));
}

/// The dictionary in front of the stream that starts at `at`.
std::string_view dictionary_before(std::string_view text, std::size_t at) {
    const std::size_t from = at - std::min(at, kDictionaryBytes);
    const std::string_view near = text.substr(from, at - from);
    const std::size_t object = near.rfind(" obj");
    return object == std::string_view::npos ? near : near.substr(object);
}

struct Streams {
    std::size_t checked = 0;
    std::size_t broken = 0;
};

Streams check_streams(std::string_view text) {
    Streams streams;
    std::size_t budget = kInflatedBytesMax;
    std::size_t at = 0;
    while (streams.checked < kStreamsChecked && budget > 0) {
        at = text.find("stream", at);
        if (at == std::string_view::npos) break;
        const bool is_end = at >= 3 && text.substr(at - 3, 3) == "end";
        const std::string_view dictionary = dictionary_before(text, at);
        at += 6;
        if (is_end || dictionary.find("/FlateDecode") == std::string_view::npos ||
            dictionary.find("/Filter[") != std::string_view::npos ||
            dictionary.find("/Filter [") != std::string_view::npos)
            continue;
        if (at < text.size() && text[at] == '\r') ++at;
        if (at < text.size() && text[at] == '\n') ++at;
        const Inflated inflated = inflate_check(as_bytes(text.substr(at)), Wrapper::Zlib, budget);
        ++streams.checked;
        streams.broken += budget > 0 && !inflated.ok;
        at += inflated.ok ? inflated.consumed : 0;
    }
    return streams;
}

}  // namespace

Soundness check_pdf(ByteView whole) {
    const std::string_view text = as_text(whole);
    const std::string_view tail = text.substr(text.size() - std::min(text.size(), kTrailerBytes));
    if (tail.find("%%EOF") == std::string_view::npos || !cross_reference_stands(text))
        return Soundness::Broken;
    if (text.find("/Encrypt") != std::string_view::npos) return Soundness::Sound;
    return check_streams(text).broken == 0 ? Soundness::Sound : Soundness::Broken;
}

}  // namespace hygie::files
