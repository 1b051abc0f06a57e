#include "link/refusal.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace hygie::link {
namespace {

// Codes by their number on the wire: never renumbered, whatever base/ does.
constexpr std::array kCodes{Code::BadInput, Code::NotFound,    Code::AlreadyThere, Code::Corrupt,
                            Code::Forged,   Code::Stale,       Code::Denied,       Code::Busy,
                            Code::Full,     Code::Unavailable, Code::Io,           Code::Erased};

/// At most kTextBytesMax bytes, cut between characters. An error may name a file whose name is not
/// UTF-8: the other side could not read it.
std::string_view cut(std::string_view text) {
    if (!is_utf8(text)) return {};
    if (text.size() <= kTextBytesMax) return text;
    std::size_t size = kTextBytesMax;
    while ((static_cast<std::uint8_t>(text[size]) & 0xC0) == 0x80) --size;
    return text.substr(0, size);
}

}  // namespace

Refused refused(const Error& error) {
    return {error.code, error.what, error.remedy};
}

std::unexpected<Error> as_error(const Refused& refused) {
    return fail(refused.code, refused.what, refused.remedy);
}

void write_refusal(cbor::Writer& out, const Refused& refused) {
    const auto* const code = std::ranges::find(kCodes, refused.code);
    HYGIE_CHECK(code != kCodes.end(), "an error code has no number on the wire");
    out.number(static_cast<std::uint64_t>(code - kCodes.begin()));
    for (const Text* text : {&refused.what, &refused.remedy}) {
        out.text(cut(text->fr));
        out.text(cut(text->en));
    }
}

Result<Refused> read_refusal(cbor::Reader& in) {
    Refused refused;
    const std::uint64_t code = TRY(in.number());
    bool fits = code < kCodes.size();
    if (fits) refused.code = kCodes[code];
    for (Text* text : {&refused.what, &refused.remedy}) {
        for (std::string* words : {&text->fr, &text->en}) {
            *words = TRY(in.text());
            fits = fits && words->size() <= kTextBytesMax;
        }
    }
    if (fits) return refused;
    return fail(
        Code::Corrupt, {"refus hors format", "refusal outside the format"},
        {"mettez les deux côtés à la même version", "bring both sides to the same version"});
}

}  // namespace hygie::link
