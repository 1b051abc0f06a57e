#include <algorithm>
#include <array>

#include "base/check.h"
#include "fhir/search/segment_data.h"

namespace hygie::fhir {

using namespace spelling;

CellKind kind_of(const SearchValue& value) {
    return static_cast<CellKind>(value.index());
}

std::unique_ptr<const Section> Section::open(Bytes payload, const Entries& entries,
                                             const TypeRange& range, std::atomic<bool>& damaged) {
    std::unique_ptr<Section> section(new Section(std::move(payload), entries, range, damaged));
    if (!section->read()) return nullptr;
    return section;
}

bool Section::read() {
    Reader in{payload_};
    text_ends_.resize(in.count());
    std::uint64_t letters = 0;
    for (auto& end : text_ends_)
        end = static_cast<std::uint32_t>(letters += in.below(payload_.size()));
    std::vector<std::uint32_t> sizes(in.count());
    for (auto& size : sizes) {
        const auto param = in.below(UINT16_MAX + 1U);
        const auto kind = in.below(static_cast<std::uint64_t>(CellKind::Composite) + 1);
        const auto values = in.count();
        size = in.count();
        columns_.push_back(
            {static_cast<std::uint16_t>(param), static_cast<CellKind>(kind), values, ByteView()});
    }
    letters_ = as_text(in.take(letters));
    for (std::size_t i = 0; i < sizes.size(); ++i) columns_[i].bytes = in.take(sizes[i]);
    return in.good && in.in.empty();
}

std::span<const Column> Section::columns_of(std::uint16_t param) const {
    const auto found = std::ranges::equal_range(columns_, param, {}, &Column::param);
    return {found.begin(), found.end()};
}

std::size_t Section::bytes() const {
    return sizeof(*this) + payload_.capacity() + text_ends_.capacity() * sizeof(text_ends_[0]) +
           columns_.capacity() * sizeof(Column);
}

std::optional<std::string_view> Section::text(TextId id) const {
    if (id == 0) return std::string_view();
    const std::size_t entry = id - 1;
    if (entry < entries_.cells.size()) return entries_.id(entry);
    const std::size_t own = entry - entries_.cells.size();
    if (own >= text_ends_.size()) return std::nullopt;
    const auto first = own == 0 ? 0 : text_ends_[own - 1];
    return letters_.substr(first, text_ends_[own] - first);
}

bool Values::next() {
    if (left_ == 0) {
        if (!in_.in.empty()) in_.fail();
        return end();
    }
    --left_;
    parts_.clear();
    if (kind_ == CellKind::Composite) {
        for (auto count = in_.below(kCompositePartsMax + 1); count > 0; --count)
            parts_.push_back(cell(
                static_cast<CellKind>(in_.below(static_cast<std::uint64_t>(CellKind::Composite)))));
    } else {
        parts_.push_back(cell(kind_));
    }
    read_entries();
    return in_.good || end();
}

bool Values::end() {
    left_ = 0;
    if (!in_.good) section_.damaged_.store(true, std::memory_order_relaxed);
    return false;
}

void Values::read_entries() {
    entries_.clear();
    std::uint64_t place = section_.first_;
    for (auto count = in_.count(); count > 0; --count) {
        place += in_.below(section_.end_);
        if (place >= section_.end_) in_.fail();
        if (!in_.good) return;
        entries_.push_back(static_cast<std::uint32_t>(place++));
    }
}

std::string_view Values::text() {
    const auto text = section_.text(in_.below(UINT32_MAX));
    if (!text) in_.fail();
    return text.value_or(std::string_view());
}

SearchValue Values::cell(CellKind kind) {
    switch (kind) {
        case CellKind::Token: {
            const auto scope = static_cast<Token::Scope>(in_.below(3));
            const auto code = text();
            const auto system = text();
            return Token{code, system, scope, text()};
        }
        case CellKind::Date:
            return date();
        case CellKind::Amount:
            return amount();
        case CellKind::Words: {
            const auto folded = text();
            return Words{folded, text()};
        }
        case CellKind::Uri:
            return Uri{text()};
        case CellKind::Reference: {
            const auto type = text();
            const auto id = text();
            const auto system = text();
            return Reference{type, id, system, text()};
        }
        case CellKind::Composite:
            break;
    }
    HYGIE_CHECK(false, "a composite has parts, not a value");
}

DateRange Values::date() {
    constexpr std::array kUnits{std::int64_t{1}, kUnitsPerMilli, kUnitsPerSecond, kUnitsPerDay};
    const auto step = in_.below(kUnits.size());
    std::int64_t start = 0;
    std::int64_t length = 0;
    if (__builtin_mul_overflow(in_.difference(), kUnits[step], &start)) in_.fail();
    if (__builtin_mul_overflow(in_.difference(), kUnits[step], &length)) in_.fail();
    date_ = plus(date_, start);
    const auto end = plus(date_, length);
    return {date_, step >= static_cast<std::uint32_t>(DateStep::Second) ? minus(end, 1) : end};
}

Amount Values::amount() {
    const auto low = decimal();
    const auto high = in_.below(2) == 0 ? low : decimal();
    const auto system = text();
    const auto code = text();
    return {low, high, system, code, text()};
}

Decimal Values::decimal() {
    constexpr std::size_t kSigns = 2;
    std::array<char, kDecimalLettersMax + 1> letters{};
    const std::size_t size = in_.below(kDecimalLettersMax + 1);
    std::size_t at = 0;
    for (const auto byte : in_.take((size + 1) / kSigns)) {
        for (const int nibble : {byte >> 4, byte & 15}) {
            const auto letter = static_cast<std::size_t>(nibble);
            if (letter >= kNumberLetters.size()) in_.fail();
            if (!in_.good) return {};
            letters[at++] = kNumberLetters[letter];
        }
    }
    const auto value = Decimal::parse({letters.data(), size});
    if (!value) in_.fail();
    return value.value_or(Decimal());
}

}  // namespace hygie::fhir
