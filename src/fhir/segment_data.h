#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/segment.h"

/// The inside of a Segment: columns of distinct values, each with the resources that have it, in
/// arrays of fixed width. A search asks each distinct value once, not each resource.
namespace hygie::fhir {

/// What the cells of a column are; Composite for those made of parts.
enum class CellKind : std::uint8_t { Token, Date, Amount, Words, Uri, Reference, Composite };
CellKind kind_of(const SearchValue& value);

/// A text of the pool; 0 is the empty one.
using TextId = std::uint32_t;

struct TokenCell {
    TextId code, system, text;
    Token::Scope scope;
};
struct AmountCell {
    std::uint32_t low, high;  ///< in Data::numbers
    TextId system, code, unit;
};
struct WordsCell {
    TextId folded, text;
};
struct ReferenceCell {
    TextId type, id, identifier_system, identifier_value;
};
struct PartCell {
    CellKind kind;
    std::uint32_t cell;
};
struct CompositeCell {
    std::uint32_t first, end;  ///< in Data::parts
};
struct EntryCell {
    TextId id;
    std::uint32_t version;
    WallTime updated;
    std::uint64_t body;
    std::array<std::uint8_t, 16> body_hash;
    bool deleted;
};
struct TypeRange {
    TextId name;
    std::uint32_t first, end;  ///< in Data::entries
};

struct Column {
    std::uint16_t type;  ///< in Data::types
    std::uint16_t param;
    CellKind kind;
    std::uint32_t first_value, end_value;  ///< numbers of values, in ascending order of value
    std::uint32_t first_cell;              ///< of its kind; the others follow
};

struct Segment::Data {
    std::string chars;
    std::vector<std::uint32_t> text_ends;     ///< in chars, per text
    std::vector<EntryCell> entries;           ///< by type, then id
    std::vector<TypeRange> types;             ///< by name
    std::vector<Column> columns;              ///< by type, param, kind
    std::vector<std::uint32_t> posting_ends;  ///< in postings, per value
    std::vector<std::uint32_t> postings;      ///< entries, ascending per value
    std::vector<TokenCell> tokens;
    std::vector<DateRange> dates;
    std::vector<AmountCell> amounts;
    std::vector<Decimal> numbers;
    std::vector<WordsCell> words;
    std::vector<TextId> uris;
    std::vector<ReferenceCell> references;
    std::vector<CompositeCell> composites;
    std::vector<PartCell> parts;

    std::string_view text(TextId id) const {
        const auto first = id == 0 ? 0 : text_ends[id - 1];
        return std::string_view(chars).substr(first, text_ends[id] - first);
    }
    TextId add_text(std::string_view text);
    std::span<const std::uint32_t> postings_of(std::uint32_t value) const {
        const auto first = value == 0 ? 0 : posting_ends[value - 1];
        return std::span(postings).subspan(first, posting_ends[value] - first);
    }
    /// The type's place in `types`; types.size() when there is none.
    std::size_t type_named(std::string_view name) const;
    /// Columns of a parameter of a type: one as a rule.
    std::span<const Column> columns_of(std::size_t type, std::uint16_t param) const;
    SearchValue value(CellKind kind, std::uint32_t cell) const;  ///< not for composites
    std::uint32_t cell_count(CellKind kind) const;
    std::size_t bytes() const;
};

}  // namespace hygie::fhir
