#include "fhir/search/search_value.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "base/check.h"
#include "fhir/data/schema.h"
#include "fhir/data/zone.h"
#include "fhir/path/fhirpath_time.h"

namespace hygie::fhir {
namespace {

std::int64_t units(WallTime time) {
    return time.time_since_epoch().count() * kDateUnitsPerMicro;
}

bool is_separator(UChar32 c) {
    return u_isUWhiteSpace(c) || u_hasBinaryProperty(c, UCHAR_DASH) || c == u'\'' || c == u'’' ||
           c == u'`' || c == u'ʼ';
}

/// Appends a word's character, or remembers that a space is due before the next one.
struct Squeezer {
    std::string out;
    bool space_due = false;

    void add(char c) {
        if (space_due && !out.empty()) out.push_back(' ');
        space_due = false;
        out.push_back(c);
    }
};

/// Most text is plain, and needs no Unicode tables.
std::string fold_ascii(std::string_view text) {
    Squeezer squeezed;
    squeezed.out.reserve(text.size());
    for (const char c : text) {
        if (c == ' ' || c == '-' || c == '\'' || c == '`' || (c >= '\t' && c <= '\r')) {
            squeezed.space_due = true;
        } else {
            squeezed.add(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
        }
    }
    return std::move(squeezed.out);
}

const icu::Normalizer2& normalizer(bool casefold) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* found = casefold ? icu::Normalizer2::getNFKCCasefoldInstance(status)
                                 : icu::Normalizer2::getNFDInstance(status);
    HYGIE_CHECK(U_SUCCESS(status), "text cannot be compared without the tables of Unicode");
    return *found;
}

std::string fold_unicode(std::string_view text) {
    static const icu::Normalizer2& casefold = normalizer(true);
    static const icu::Normalizer2& decompose = normalizer(false);
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString given = icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    const auto plain = decompose.normalize(casefold.normalize(given, status), status);
    HYGIE_CHECK(U_SUCCESS(status), "text cannot be compared without the tables of Unicode");
    icu::UnicodeString kept;
    bool space_due = false;
    for (std::int32_t i = 0; i < plain.length(); i = plain.moveIndex32(i, 1)) {
        const UChar32 c = plain.char32At(i);
        if (u_charType(c) == U_NON_SPACING_MARK) continue;
        if (is_separator(c)) {
            space_due = true;
            continue;
        }
        if (space_due && !kept.isEmpty()) kept.append(u' ');
        space_due = false;
        // The ligatures of French, which Unicode holds for letters of their own.
        if (c == u'œ') {
            kept.append(u"oe", 2);
        } else if (c == u'æ') {
            kept.append(u"ae", 2);
        } else {
            kept.append(c);
        }
    }
    std::string out;
    kept.toUTF8String(out);
    return out;
}

}  // namespace

std::optional<DateRange> parse_date(std::string_view text) {
    auto parsed = Temporal::parse_date_time(text);
    // FHIRPath knows "2020-01-01T" and the hour alone, FHIR does not.
    const bool is_whole =
        parsed && !text.ends_with('T') && parsed->precision != Temporal::Precision::Hour;
    if (!is_whole) return std::nullopt;
    const bool is_local = !parsed->offset_minutes;
    if (is_local) parsed->offset_minutes = 0;
    TimeSpan span = span_of(*parsed);
    if (is_local) {
        const auto zone = zone_in_force();
        span = {zone->to_utc(span.first), zone->to_utc(span.last + Micros{1}) - Micros{1}};
    }
    if (parsed->fraction_digits > 0) {
        // Tenths of a microsecond are the finest that is told apart.
        const auto instant = units(span.first) + parsed->nanos % 1'000 / 100 * 2;
        return DateRange{instant, instant};
    }
    return DateRange{units(span.first), units(span.last + Micros{1}) - 1};
}

DateRange date_range(WallTime instant) {
    return {units(instant), units(instant)};
}

std::string fold(std::string_view text) {
    const bool ascii =
        std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return ascii ? fold_ascii(text) : fold_unicode(text);
}

std::string phone_number(std::string_view text) {
    constexpr std::string_view kBetween = " .-/()\xC2\xA0";
    constexpr std::size_t kDigitsMin = 6;
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        // "+33 (0)6": the zero in brackets is for who calls from within the country.
        const bool is_inner_zero = text.substr(i).starts_with("(0)") && !digits.empty();
        if (is_inner_zero)
            i += 2;
        else if (text[i] == '+' && digits.empty())
            digits = "00";
        else if (text[i] >= '0' && text[i] <= '9')
            digits.push_back(text[i]);
        else if (!kBetween.contains(text[i]))
            return {};
    }
    constexpr std::string_view kFrance = "0033";
    if (digits.starts_with(kFrance)) digits.replace(0, kFrance.size(), "0");
    return digits.size() < kDigitsMin ? std::string() : digits;
}

Reference parse_reference(std::string_view text) {
    const auto slash = text.find('/');
    if (slash != std::string_view::npos && text.find(':') == std::string_view::npos) {
        auto id = text.substr(slash + 1);
        const auto next = id.find('/');
        const bool versioned =
            next != std::string_view::npos && id.substr(next).starts_with("/_history/");
        if (versioned) id = id.substr(0, next);
        const TypeDef* type = find_type(text.substr(0, slash));
        const bool plain = next == std::string_view::npos || versioned;
        if (type != nullptr && type->kind == TypeKind::Resource && plain && !id.empty()) {
            return {.type = type->name, .id = id};
        }
    }
    return {.id = text};
}

}  // namespace hygie::fhir
