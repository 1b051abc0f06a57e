#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "fhir/segment_data.h"

namespace hygie::fhir {
namespace {

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

class Builder {
  public:
    std::unique_ptr<Segment::Data> build(std::span<const IndexedResource> resources) {
        number(std::string_view());
        const auto newest = choose(resources);
        add_entries(newest);
        auto rows = flatten(newest);
        std::ranges::sort(rows, [](const Flat& left, const Flat& right) {
            if (left.column() != right.column()) return left.column() < right.column();
            const auto order = order_of_values(left, right);
            return order != 0 ? order < 0 : left.resource < right.resource;
        });
        add_columns(rows);
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
        for (const auto* resource : chosen) {
            const auto& entry = resource->entry;
            const auto place = static_cast<std::uint32_t>(data_->entries.size());
            const auto type = number(entry.type);
            if (data_->types.empty() || data_->types.back().name != type) {
                data_->types.push_back({type, place, place});
            }
            data_->types.back().end = place + 1;
            data_->entries.push_back({number(entry.id), entry.version, entry.updated, entry.body,
                                      entry.body_hash, entry.deleted});
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

    void add_columns(std::span<const Flat> rows) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Flat& row = rows[i];
            const auto value = static_cast<std::uint32_t>(data_->posting_ends.size());
            const bool same_column = i > 0 && row.column() == rows[i - 1].column();
            const bool same_value = same_column && order_of_values(row, rows[i - 1]) == 0;
            if (!same_column) {
                data_->columns.push_back({static_cast<std::uint16_t>(row.type), row.param, row.kind,
                                          value, value, cells(row.kind)});
            }
            if (!same_value) {
                add_cell(row);
                data_->columns.back().end_value = value + 1;
                data_->posting_ends.push_back(static_cast<std::uint32_t>(data_->postings.size()));
            }
            // One resource may have one value twice: two names with the same family.
            if (same_value && data_->postings.back() == row.resource) continue;
            data_->postings.push_back(row.resource);
            ++data_->posting_ends.back();
        }
    }

    void add_cell(const Flat& row) {
        if (row.kind != CellKind::Composite) return add_cell(row.row->value);
        std::vector<PartCell> parts;
        for (std::uint32_t i = 0; i < row.parts; ++i) {
            const auto kind = kind_of(row.row[i].value);
            parts.push_back({kind, cells(kind)});
            add_cell(row.row[i].value);
        }
        const auto first = static_cast<std::uint32_t>(data_->parts.size());
        data_->parts.insert(data_->parts.end(), parts.begin(), parts.end());
        data_->composites.push_back({first, first + row.parts});
    }

    void add_cell(const SearchValue& value) {
        std::visit([this](const auto& cell) { add(cell); }, value);
    }
    void add(const Token& token) {
        data_->tokens.push_back(
            {number(token.code), number(token.system), number(token.text), token.scope});
    }
    void add(const DateRange& date) { data_->dates.push_back(date); }
    void add(const Amount& amount) {
        const auto low = number(amount.low);
        const auto high = amount.high == amount.low ? low : number(amount.high);
        data_->amounts.push_back(
            {low, high, number(amount.system), number(amount.code), number(amount.unit)});
    }
    void add(const Words& words) {
        data_->words.push_back({number(fold(words.text)), number(words.text)});
    }
    void add(const Uri& uri) { data_->uris.push_back(number(uri.text)); }
    void add(const Reference& reference) {
        data_->references.push_back({number(reference.type), number(reference.id),
                                     number(reference.identifier_system),
                                     number(reference.identifier_value)});
    }

    std::uint32_t cells(CellKind kind) const { return data_->cell_count(kind); }

    std::uint32_t number(const Decimal& decimal) {
        data_->numbers.push_back(decimal);
        return static_cast<std::uint32_t>(data_->numbers.size() - 1);
    }
    TextId number(std::string_view text) {
        const auto found = texts_.find(std::string(text));
        if (found != texts_.end()) return found->second;
        const auto id = data_->add_text(text);
        texts_.emplace(text, id);
        return id;
    }

    std::unique_ptr<Segment::Data> data_ = std::make_unique<Segment::Data>();
    std::unordered_map<std::string, TextId> texts_;
};

}  // namespace

Segment Segment::build(std::span<const IndexedResource> resources) {
    return Segment(Builder().build(resources));
}

}  // namespace hygie::fhir
