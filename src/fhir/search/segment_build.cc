#include <algorithm>
#include <memory>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "fhir/search/segment_data.h"

namespace hygie::fhir {
namespace {

using namespace spelling;

/// A value of one resource, on its way into a column. `row` is the first of `parts` rows.
struct Flat {
    std::uint32_t type;
    std::uint16_t param;
    CellKind kind;
    const IndexRow* row;
    std::uint32_t parts;
    std::uint32_t resource;

    auto column() const { return std::tuple{type, param, kind}; }
};

std::strong_ordering order_of_values(const Flat& left, const Flat& right) {
    for (std::uint32_t i = 0; i < std::min(left.parts, right.parts); ++i) {
        const auto order = left.row[i].value <=> right.row[i].value;
        if (order != 0) return order;
    }
    return left.parts <=> right.parts;
}

/// Spells one column after the other of one type.
class SectionWriter {
  public:
    using Ids = std::unordered_map<std::string_view, TextId>;
    /// `ids`: the empty text and the ids of the entries, which are `entries` in all; `first`: the
    /// type's first entry.
    SectionWriter(const Ids& ids, std::size_t entries, std::uint32_t first)
        : ids_(ids), first_own_(static_cast<TextId>(entries) + 1), first_(first) {}

    void begin(std::uint16_t param, CellKind kind) {
        columns_.push_back({param, kind, 0, {}});
        date_ = 0;
    }
    /// A value of the column begun last, and the entries that have it.
    void add(const Flat& flat, std::span<const std::uint32_t> entries) {
        ++columns_.back().values;
        Writer& out = columns_.back().bytes;
        if (flat.kind == CellKind::Composite) {
            out.number(flat.parts);
            for (std::uint32_t i = 0; i < flat.parts; ++i) {
                out.number(static_cast<std::uint64_t>(kind_of(flat.row[i].value)));
                cell(flat.row[i].value);
            }
        } else {
            cell(flat.row->value);
        }
        out.number(entries.size());
        auto next = first_;
        for (const auto entry : entries) {
            out.number(entry - next);
            next = entry + 1;
        }
    }

    Bytes payload() {
        Writer all;
        all.number(text_sizes_.size());
        for (const auto size : text_sizes_) all.number(size);
        all.number(columns_.size());
        for (const auto& column : columns_) {
            all.number(column.param);
            all.number(static_cast<std::uint64_t>(column.kind));
            all.number(column.values);
            all.number(column.bytes.out.size());
        }
        append(all.out, as_bytes(letters_));
        for (const auto& column : columns_) append(all.out, column.bytes.out);
        HYGIE_CHECK(all.out.size() <= kPayloadBytesMax, "what is written must be readable");
        return std::move(all.out);
    }

  private:
    struct Spelled {
        std::uint16_t param;
        CellKind kind;
        std::uint32_t values;
        Writer bytes;
    };
    Writer& out() { return columns_.back().bytes; }

    void cell(const SearchValue& value) {
        std::visit([this](const auto& one) { spell(one); }, value);
    }
    void spell(const Token& token) {
        out().number(static_cast<std::uint64_t>(token.scope));
        for (const auto each : {token.code, token.system, token.text}) text(each);
    }
    void spell(const Words& words) {
        text(fold(words.text));
        text(words.text);
    }
    void spell(const Uri& uri) { text(uri.text); }
    void spell(const Reference& to) {
        for (const auto each : {to.type, to.id, to.identifier_system, to.identifier_value})
            text(each);
    }
    void spell(const Amount& amount) {
        decimal(amount.low);
        out().number(amount.low == amount.high ? 0 : 1);
        if (amount.low != amount.high) decimal(amount.high);
        for (const auto each : {amount.system, amount.code, amount.unit}) text(each);
    }
    void spell(const DateRange& date) {
        // Counted in steps: the first one, and how many up to the one behind the last.
        const auto steps = [&](DateStep step, std::int64_t unit, std::int64_t end) {
            out().number(static_cast<std::uint64_t>(step));
            out().difference(minus(date.first, date_) / unit);
            out().difference(minus(end, date.first) / unit);
            date_ = date.first;
        };
        const auto fits = [&](std::int64_t unit) {
            return date.first != kDateOpenStart && date.last != kDateOpenEnd &&
                   date.first % unit == 0 && (date.last + 1) % unit == 0 && date_ % unit == 0;
        };
        if (fits(kUnitsPerDay)) return steps(DateStep::Day, kUnitsPerDay, date.last + 1);
        if (fits(kUnitsPerSecond)) return steps(DateStep::Second, kUnitsPerSecond, date.last + 1);
        const bool instant = date.first == date.last && date.first % kUnitsPerMilli == 0;
        if (instant && date_ % kUnitsPerMilli == 0)
            return steps(DateStep::Milli, kUnitsPerMilli, date.last);
        steps(DateStep::Exact, 1, date.last);
    }
    void decimal(const Decimal& value) {
        const auto letters = value.text();
        HYGIE_CHECK(letters.size() <= kDecimalLettersMax, "what is written must be readable");
        const auto nibble = [&](std::size_t i) {
            return i < letters.size() ? kNumberLetters.find(letters[i]) : std::size_t{0};
        };
        out().number(letters.size());
        for (std::size_t i = 0; i < letters.size(); i += 2)
            out().out.push_back(static_cast<std::uint8_t>(nibble(i) << 4 | nibble(i + 1)));
    }
    void text(std::string_view letters) {
        const auto id = ids_.find(letters);
        if (id != ids_.end()) return out().number(id->second);
        const auto next = first_own_ + static_cast<TextId>(texts_.size());
        const auto [known, is_new] = texts_.try_emplace(std::string(letters), next);
        out().number(known->second);
        if (!is_new) return;
        text_sizes_.push_back(letters.size());
        letters_ += letters;
    }

    const Ids& ids_;
    TextId first_own_;
    std::uint32_t first_;
    std::vector<Spelled> columns_;
    std::unordered_map<std::string, TextId> texts_;
    std::vector<std::size_t> text_sizes_;
    std::string letters_;
    std::int64_t date_ = 0;
};

class Builder {
  public:
    std::unique_ptr<Segment::Data> build(std::span<const IndexedResource> resources) {
        const auto newest = choose(resources);
        add_entries(newest);
        data_->open = std::make_unique<std::atomic<const Section*>[]>(data_->types.size());
        auto rows = flatten(newest);
        std::ranges::sort(rows, [](const Flat& left, const Flat& right) {
            if (left.column() != right.column()) return left.column() < right.column();
            const auto order = order_of_values(left, right);
            return order != 0 ? order < 0 : left.resource < right.resource;
        });
        add_sections(rows, newest);
        return std::move(data_);
    }

  private:
    using Chosen = std::vector<const IndexedResource*>;

    /// By type and id, of each the highest version (of equal ones the last).
    static Chosen choose(std::span<const IndexedResource> resources) {
        Chosen chosen;
        for (const auto& resource : resources) chosen.push_back(&resource);
        const auto name = [](const IndexedResource* r) {
            return std::tie(r->entry.type, r->entry.id);
        };
        std::ranges::sort(chosen, [&](const auto* left, const auto* right) {
            if (name(left) != name(right)) return name(left) < name(right);
            if (left->entry.version != right->entry.version) {
                return left->entry.version > right->entry.version;
            }
            return left > right;  // the last one given
        });
        const auto doubles = std::ranges::unique(chosen, {}, name);
        chosen.erase(doubles.begin(), doubles.end());
        return chosen;
    }

    void add_entries(const Chosen& chosen) {
        Entries& into = data_->entries;
        into.cells.reserve(chosen.size());
        for (const auto* resource : chosen) {
            const auto& entry = resource->entry;
            const auto place = static_cast<std::uint32_t>(into.cells.size());
            if (data_->types.empty() || data_->types.back().name != entry.type)
                data_->types.push_back({std::string(entry.type), place, place, {}});
            data_->types.back().end = place + 1;
            into.letters += entry.id;
            into.cells.push_back({entry.updated, entry.body,
                                  static_cast<std::uint32_t>(into.letters.size()),
                                  entry.version << 1 | (entry.deleted ? kDeleted : 0)});
        }
    }

    std::vector<Flat> flatten(const Chosen& chosen) const {
        std::vector<Flat> rows;
        std::uint32_t type = 0;
        for (std::uint32_t i = 0; i < chosen.size(); ++i) {
            while (data_->types[type].end <= i) ++type;
            if (chosen[i]->entry.deleted) continue;
            const auto& given = chosen[i]->rows;
            for (std::size_t at = 0, parts = 1; at < given.size(); at += parts) {
                const IndexRow& row = given[at];
                parts = 1;
                while (row.part == 1 && at + parts < given.size() &&
                       given[at + parts].part == parts + 1 &&
                       given[at + parts].param == row.param) {
                    ++parts;
                }
                const auto kind = row.part == 0 ? kind_of(row.value) : CellKind::Composite;
                rows.push_back({type, row.param, kind, &row, static_cast<std::uint32_t>(parts), i});
            }
        }
        return rows;
    }

    void add_sections(std::span<const Flat> rows, const Chosen& chosen) {
        SectionWriter::Ids ids{{std::string_view(), 0}};
        for (std::uint32_t i = 0; i < chosen.size(); ++i)
            ids.try_emplace(chosen[i]->entry.id, i + 1);
        while (!rows.empty()) {
            const auto type = rows.front().type;
            const auto end =
                std::ranges::find_if(rows, [&](const Flat& row) { return row.type != type; });
            const auto own = rows.first(static_cast<std::size_t>(end - rows.begin()));
            SectionWriter writer(ids, chosen.size(), data_->types[type].first);
            add_columns(own, writer);
            auto section =
                Section::open(writer.payload(), data_->entries, data_->types[type], data_->damaged);
            HYGIE_CHECK(section, "what is written must be readable");
            data_->open_bytes += section->bytes();
            data_->open[type] = section.release();
            rows = rows.subspan(own.size());
        }
    }

    static void add_columns(std::span<const Flat> rows, SectionWriter& writer) {
        std::vector<std::uint32_t> entries;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Flat& row = rows[i];
            if (i == 0 || row.column() != rows[i - 1].column()) writer.begin(row.param, row.kind);
            // One resource may have one value twice: two names with the same family.
            if (entries.empty() || entries.back() != row.resource) entries.push_back(row.resource);
            const bool goes_on = i + 1 < rows.size() && rows[i + 1].column() == row.column() &&
                                 order_of_values(row, rows[i + 1]) == 0;
            if (goes_on) continue;
            writer.add(row, entries);
            entries.clear();
        }
    }

    std::unique_ptr<Segment::Data> data_ = std::make_unique<Segment::Data>();
};

}  // namespace

Segment Segment::build(std::span<const IndexedResource> resources) {
    return Segment(Builder().build(resources));
}

}  // namespace hygie::fhir
