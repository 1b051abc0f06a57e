#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/segment.h"
#include "fhir/search/segment_spelling.h"

/// The inside of a Segment: what its entries are, and for each type a section with the columns of
/// distinct values, each with the entries that have it. A search asks each distinct value once, not
/// each resource, and reads it where it lies.
namespace hygie::fhir {

/// What the values of a column are; Composite for those made of parts.
enum class CellKind : std::uint8_t { Token, Date, Amount, Words, Uri, Reference, Composite };
CellKind kind_of(const SearchValue& value);

/// 0 is the empty text, then come the ids of the entries, then the texts of a section.
using TextId = std::uint32_t;

struct EntryCell {
    WallTime updated;
    std::uint64_t body;
    std::uint32_t id_end;  ///< in Entries::letters
    std::uint32_t flags;   ///< version << 1 | deleted

    std::uint32_t version() const { return flags >> 1; }
    bool deleted() const { return (flags & spelling::kDeleted) != 0; }
};

/// By type, then id.
struct Entries {
    std::string letters;
    std::vector<EntryCell> cells;

    std::string_view id(std::size_t index) const {
        const auto first = index == 0 ? 0 : cells[index - 1].id_end;
        return std::string_view(letters).substr(first, cells[index].id_end - first);
    }
};

struct TypeRange {
    std::string name;
    std::uint32_t first, end;  ///< in Entries::cells
    ByteView packed;           ///< its section as it is stored; empty when it was built here
};

struct Column {
    std::uint16_t param;
    CellKind kind;
    std::uint32_t values;
    ByteView bytes;
};

/// The columns of one type, opened.
class Section {
  public:
    /// Null when the payload is none. `entries` and `damaged` outlive the section; the latter is
    /// set when a value does not read back.
    static std::unique_ptr<const Section> open(Bytes payload, const Entries& entries,
                                               const TypeRange& range, std::atomic<bool>& damaged);

    /// By param, kind.
    std::span<const Column> columns() const { return columns_; }
    /// Of one parameter: one as a rule.
    std::span<const Column> columns_of(std::uint16_t param) const;
    ByteView payload() const { return payload_; }
    std::size_t bytes() const;

  private:
    friend class Values;
    Section(Bytes payload, const Entries& entries, const TypeRange& range,
            std::atomic<bool>& damaged)
        : entries_(entries),
          damaged_(damaged),
          first_(range.first),
          end_(range.end),
          payload_(std::move(payload)) {}
    bool read();
    /// None when there is no such text.
    std::optional<std::string_view> text(TextId id) const;

    const Entries& entries_;
    std::atomic<bool>& damaged_;
    std::uint32_t first_, end_;  ///< of the type
    Bytes payload_;
    std::string_view letters_;              ///< in payload_
    std::vector<std::uint32_t> text_ends_;  ///< in letters_
    std::vector<Column> columns_;
};

/// Goes through the values of a column. Views live as long as the Section.
class Values {
  public:
    Values(const Section& section, const Column& column)
        : section_(section), kind_(column.kind), left_(column.values), in_{column.bytes} {}

    /// To the first, then to the next; false behind the last, and where nothing reads back any more
    /// (Segment::is_damaged() says so from then on).
    bool next();
    CellKind kind() const { return kind_; }
    const SearchValue& value() const { return parts_.front(); }  ///< not for composites
    std::span<const SearchValue> parts() const { return parts_; }
    /// Entries that have the value, ascending.
    std::span<const std::uint32_t> entries() const { return entries_; }

  private:
    SearchValue cell(CellKind kind);
    std::string_view text();
    DateRange date();
    Amount amount();
    Decimal decimal();
    void read_entries();
    bool end();

    const Section& section_;
    CellKind kind_;
    std::uint32_t left_;
    spelling::Reader in_;
    std::int64_t date_ = 0;
    std::vector<SearchValue> parts_;
    std::vector<std::uint32_t> entries_;
};

struct Segment::Data {
    Entries entries;
    std::vector<TypeRange> types;  ///< by name
    Bytes stored;                  ///< the packed sections, one after the other

    mutable std::atomic<bool> damaged = false;

    ~Data();
    /// The type's place in `types`; types.size() when there is none.
    std::size_t type_named(std::string_view name) const;
    /// The type that an entry is of.
    std::size_t type_of(std::size_t entry) const;
    /// What is known of a type's values, opened now if need be; null when there are none.
    const Section* section(std::size_t type) const;
    std::size_t bytes() const;

    /// One for each type; once set, a section stays.
    std::unique_ptr<std::atomic<const Section*>[]> open;
    /// What all of those occupy: asked for each time that the record is used.
    mutable std::atomic<std::size_t> open_bytes = 0;
};

}  // namespace hygie::fhir
