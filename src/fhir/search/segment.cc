#include "fhir/search/segment.h"

#include <algorithm>
#include <ranges>

#include "fhir/search/segment_data.h"

namespace hygie::fhir {

Segment::Segment(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
Segment::Segment(Segment&&) noexcept = default;
Segment& Segment::operator=(Segment&&) noexcept = default;
Segment::~Segment() = default;

Segment::Data::~Data() {
    for (std::size_t i = 0; open && i < types.size(); ++i)
        const std::unique_ptr<const Section> owned(open[i].load());
}

std::size_t Segment::Data::type_named(std::string_view name) const {
    const auto found = std::ranges::lower_bound(types, name, {}, &TypeRange::name);
    const auto place = static_cast<std::size_t>(found - types.begin());
    return place < types.size() && types[place].name == name ? place : types.size();
}

std::size_t Segment::Data::type_of(std::size_t entry) const {
    const auto type = std::ranges::upper_bound(types, entry, {}, &TypeRange::end);
    return static_cast<std::size_t>(type - types.begin());
}

const Section* Segment::Data::section(std::size_t type) const {
    std::atomic<const Section*>& slot = open[type];
    if (const Section* there = slot.load(std::memory_order_acquire)) return there;
    if (types[type].packed.empty()) return nullptr;
    auto payload = spelling::unpacked(types[type].packed);
    auto made =
        payload ? Section::open(std::move(*payload), entries, types[type], damaged) : nullptr;
    if (!made) {
        damaged = true;
        return nullptr;
    }
    // Of two threads that open it together one keeps its own, and both use that.
    const Section* there = nullptr;
    if (!slot.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return there;
    open_bytes += made->bytes();
    return made.release();
}

std::size_t Segment::Data::bytes() const {
    return sizeof(*this) + entries.letters.capacity() +
           entries.cells.capacity() * sizeof(EntryCell) +
           types.capacity() * (sizeof(TypeRange) + sizeof(open[0])) + stored.capacity() +
           open_bytes.load(std::memory_order_relaxed);
}

bool Segment::is_damaged() const {
    return data_->damaged.load(std::memory_order_relaxed);
}

std::size_t Segment::size() const {
    return data_->entries.cells.size();
}

std::size_t Segment::bytes() const {
    return sizeof(*this) + data_->bytes();
}

ResourceEntry Segment::entry(std::size_t index) const {
    const auto& cell = data_->entries.cells.at(index);
    return {.type = data_->types[data_->type_of(index)].name,
            .id = data_->entries.id(index),
            .version = cell.version(),
            .updated = cell.updated,
            .deleted = cell.deleted(),
            .body = cell.body};
}

std::pair<std::size_t, std::size_t> Segment::range_of(std::string_view type) const {
    const auto place = data_->type_named(type);
    if (place == data_->types.size()) return {0, 0};
    return {data_->types[place].first, data_->types[place].end};
}

std::optional<std::size_t> Segment::find(std::string_view type, std::string_view id) const {
    const auto [first, end] = range_of(type);
    const auto range = std::views::iota(first, end);
    const auto found = std::ranges::lower_bound(
        range, id, {}, [this](std::size_t index) { return data_->entries.id(index); });
    if (found == range.end() || data_->entries.id(*found) != id) return std::nullopt;
    return *found;
}

bool Segment::has_codes(std::uint16_t param) const {
    for (std::size_t type = 0; type < data_->types.size(); ++type) {
        const Section* section = data_->section(type);
        if (section == nullptr) continue;
        for (const Column& column : section->columns_of(param))
            if (column.kind == CellKind::Token) return true;
    }
    return false;
}

std::vector<std::string_view> Segment::codes(std::size_t index, std::uint16_t param) const {
    std::vector<std::string_view> found;
    const Section* section = data_->section(data_->type_of(index));
    if (section == nullptr) return found;
    for (const Column& column : section->columns_of(param)) {
        if (column.kind != CellKind::Token) continue;
        for (Values values(*section, column); values.next();)
            if (std::ranges::binary_search(values.entries(), index))
                found.push_back(std::get<Token>(values.value()).code);
    }
    return found;
}

std::vector<std::pair<std::size_t, std::string_view>> Segment::references_to(
    std::string_view type) const {
    std::vector<std::pair<std::size_t, std::string_view>> found;
    for (std::size_t place = 0; place < data_->types.size(); ++place) {
        const Section* section = data_->section(place);
        if (section == nullptr) continue;
        for (const Column& column : section->columns()) {
            if (column.kind != CellKind::Reference) continue;
            for (Values values(*section, column); values.next();) {
                const auto& to = std::get<Reference>(values.value());
                if (to.type != type) continue;
                for (const auto entry : values.entries()) found.emplace_back(entry, to.id);
            }
        }
    }
    std::ranges::sort(found);
    const auto repeated = std::ranges::unique(found);
    found.erase(repeated.begin(), repeated.end());
    return found;
}

std::vector<IndexedResource> Segment::resources(std::string_view type) const {
    const auto [first, end] = range_of(type);
    std::vector<IndexedResource> out(end - first);
    for (std::size_t i = 0; i < out.size(); ++i) out[i].entry = entry(first + i);
    const Section* section = out.empty() ? nullptr : data_->section(data_->type_of(first));
    if (section == nullptr) return out;
    for (const Column& column : section->columns()) {
        const std::size_t first_part = column.kind == CellKind::Composite ? 1 : 0;
        for (Values values(*section, column); values.next();)
            for (const auto entry : values.entries())
                for (std::size_t part = 0; part < values.parts().size(); ++part)
                    out[entry - first].rows.push_back({column.param,
                                                       static_cast<std::uint8_t>(first_part + part),
                                                       values.parts()[part]});
    }
    return out;
}

std::vector<IndexedResource> Segment::resources() const {
    std::vector<IndexedResource> out;
    for (const TypeRange& type : data_->types)
        std::ranges::move(resources(type.name), std::back_inserter(out));
    return out;
}

}  // namespace hygie::fhir
