#include "fhir/segment.h"

#include <algorithm>

#include "base/check.h"
#include "fhir/segment_data.h"

namespace hygie::fhir {

Segment::Segment(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
Segment::Segment(Segment&&) noexcept = default;
Segment& Segment::operator=(Segment&&) noexcept = default;
Segment::~Segment() = default;

CellKind kind_of(const SearchValue& value) {
    return static_cast<CellKind>(value.index());
}

TextId Segment::Data::add_text(std::string_view text) {
    chars += text;
    text_ends.push_back(static_cast<std::uint32_t>(chars.size()));
    return static_cast<TextId>(text_ends.size() - 1);
}

std::size_t Segment::Data::type_named(std::string_view name) const {
    const auto found = std::ranges::lower_bound(
        types, name, {}, [this](const TypeRange& range) { return text(range.name); });
    const auto place = static_cast<std::size_t>(found - types.begin());
    return place < types.size() && text(types[place].name) == name ? place : types.size();
}

std::span<const Column> Segment::Data::columns_of(std::size_t type, std::uint16_t param) const {
    const auto found = std::ranges::equal_range(
        columns, std::pair{type, param}, {},
        [](const Column& column) { return std::pair{std::size_t{column.type}, column.param}; });
    return {found.begin(), found.end()};
}

SearchValue Segment::Data::value(CellKind kind, std::uint32_t cell) const {
    switch (kind) {
        case CellKind::Token: {
            const auto& token = tokens[cell];
            return Token{text(token.code), text(token.system), token.scope, text(token.text)};
        }
        case CellKind::Date:
            return dates[cell];
        case CellKind::Amount: {
            const auto& amount = amounts[cell];
            return Amount{numbers[amount.low], numbers[amount.high], text(amount.system),
                          text(amount.code), text(amount.unit)};
        }
        case CellKind::Words:
            return Words{text(words[cell].folded), text(words[cell].text)};
        case CellKind::Uri:
            return Uri{text(uris[cell])};
        case CellKind::Reference: {
            const auto& reference = references[cell];
            return Reference{text(reference.type), text(reference.id),
                             text(reference.identifier_system), text(reference.identifier_value)};
        }
        case CellKind::Composite:
            break;
    }
    HYGIE_CHECK(false, "a composite has parts, not a value");
}

std::uint32_t Segment::Data::cell_count(CellKind kind) const {
    const std::size_t counts[] = {tokens.size(), dates.size(),      amounts.size(),   words.size(),
                                  uris.size(),   references.size(), composites.size()};
    return static_cast<std::uint32_t>(counts[static_cast<std::size_t>(kind)]);
}

std::size_t Segment::Data::bytes() const {
    const auto size = [](const auto& array) { return array.capacity() * sizeof(array[0]); };
    return sizeof(*this) + chars.capacity() + size(text_ends) + size(entries) + size(types) +
           size(columns) + size(posting_ends) + size(postings) + size(tokens) + size(dates) +
           size(amounts) + size(numbers) + size(words) + size(uris) + size(references) +
           size(composites) + size(parts);
}

std::size_t Segment::size() const {
    return data_->entries.size();
}

std::size_t Segment::bytes() const {
    return sizeof(*this) + data_->bytes();
}

ResourceEntry Segment::entry(std::size_t index) const {
    const auto& cell = data_->entries.at(index);
    const auto type = std::ranges::upper_bound(data_->types, index, {}, &TypeRange::end);
    return {.type = data_->text(type->name),
            .id = data_->text(cell.id),
            .version = cell.version,
            .updated = cell.updated,
            .deleted = cell.deleted,
            .body = cell.body,
            .body_hash = cell.body_hash};
}

std::pair<std::size_t, std::size_t> Segment::range_of(std::string_view type) const {
    const auto place = data_->type_named(type);
    if (place == data_->types.size()) return {0, 0};
    return {data_->types[place].first, data_->types[place].end};
}

std::optional<std::size_t> Segment::find(std::string_view type, std::string_view id) const {
    const auto [first, end] = range_of(type);
    const auto range = std::span(data_->entries).subspan(first, end - first);
    const auto found = std::ranges::lower_bound(
        range, id, {}, [this](const EntryCell& cell) { return data_->text(cell.id); });
    if (found == range.end() || data_->text(found->id) != id) return std::nullopt;
    return first + static_cast<std::size_t>(found - range.begin());
}

bool Segment::has_codes(std::uint16_t param) const {
    return std::ranges::any_of(data_->columns, [&](const Column& column) {
        return column.param == param && column.kind == CellKind::Token;
    });
}

std::vector<std::string_view> Segment::codes(std::size_t index, std::uint16_t param) const {
    const Data& data = *data_;
    const auto type = std::ranges::upper_bound(data.types, index, {}, &TypeRange::end);
    std::vector<std::string_view> found;
    for (const Column& column :
         data.columns_of(static_cast<std::size_t>(type - data.types.begin()), param)) {
        if (column.kind != CellKind::Token) continue;
        for (auto value = column.first_value; value < column.end_value; ++value)
            if (std::ranges::binary_search(data.postings_of(value), index))
                found.push_back(
                    data.text(data.tokens[column.first_cell + (value - column.first_value)].code));
    }
    return found;
}

std::vector<IndexedResource> Segment::resources() const {
    const Data& data = *data_;
    std::vector<IndexedResource> out(size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i].entry = entry(i);
    for (const Column& column : data.columns) {
        for (auto value = column.first_value; value < column.end_value; ++value) {
            const auto cell = column.first_cell + (value - column.first_value);
            for (const auto index : data.postings_of(value)) {
                auto& rows = out[index].rows;
                if (column.kind != CellKind::Composite) {
                    rows.push_back({column.param, 0, data.value(column.kind, cell)});
                    continue;
                }
                const auto [first, end] = data.composites[cell];
                for (auto i = first; i < end; ++i) {
                    const auto& part = data.parts[i];
                    rows.push_back({column.param, static_cast<std::uint8_t>(i - first + 1),
                                    data.value(part.kind, part.cell)});
                }
            }
        }
    }
    return out;
}

}  // namespace hygie::fhir
