#include <algorithm>
#include <bit>

#include "fhir/search/segment_data.h"

namespace hygie::fhir {
namespace {

constexpr std::size_t kBits = 64;

void clear(std::vector<std::uint64_t>& bits, std::size_t index) {
    bits[index / kBits] &= ~(std::uint64_t{1} << (index % kBits));
}
void set(std::vector<std::uint64_t>& bits, std::size_t index) {
    bits[index / kBits] |= std::uint64_t{1} << (index % kBits);
}

/// Hides what `newer` says again. False when a newer version is here already: pieces come in order,
/// and one that arrives late hides nothing.
bool hide_older(std::vector<Compartment::Piece>& pieces, const Segment& newer, std::size_t index) {
    if (pieces.empty()) return true;
    const auto entry = newer.entry(index);
    bool newest = true;
    for (auto& piece : pieces) {
        const auto found = piece.segment->find(entry.type, entry.id);
        if (!found) continue;
        if (piece.segment->entry(*found).version > entry.version) {
            newest = false;
        } else {
            clear(piece.live, *found);
        }
    }
    return newest;
}

}  // namespace

Compartment Compartment::with(std::shared_ptr<const Segment> newer) const {
    Compartment next = *this;
    std::vector<std::uint64_t> live((newer->size() + kBits - 1) / kBits, 0);
    for (std::size_t i = 0; i < newer->size(); ++i)
        if (hide_older(next.pieces_, *newer, i) && !newer->data().entries.cells[i].deleted())
            set(live, i);
    next.pieces_.push_back({std::move(newer), std::move(live)});
    return next;
}

Segment Compartment::merged() const {
    std::vector<IndexedResource> all;
    for (const auto& piece : pieces_) {
        auto resources = piece.segment->resources();
        std::ranges::move(resources, std::back_inserter(all));
    }
    return Segment::build(all);
}

Compartment Compartment::without(
    const std::function<bool(const Segment& segment, std::size_t index)>& hidden) const {
    Compartment rest = *this;
    for (auto& piece : rest.pieces_)
        for (std::size_t i = 0; i < piece.segment->size(); ++i)
            if (piece.is_live(i) && hidden(*piece.segment, i)) clear(piece.live, i);
    return rest;
}

std::optional<ResourceEntry> Compartment::find(std::string_view type, std::string_view id) const {
    std::optional<ResourceEntry> newest;
    for (const auto& piece : pieces_) {
        const auto found = piece.segment->find(type, id);
        if (!found) continue;
        const auto entry = piece.segment->entry(*found);
        if (!newest || entry.version >= newest->version) newest = entry;
    }
    return newest;
}

std::vector<ResourceEntry> Compartment::entries(std::string_view type) const {
    std::vector<ResourceEntry> out;
    for (const auto& piece : pieces_) {
        auto [first, end] = piece.segment->range_of(type);
        if (type.empty()) end = piece.segment->size();
        for (; first < end; ++first) {
            if (piece.is_live(first)) out.push_back(piece.segment->entry(first));
        }
    }
    return out;
}

std::set<std::string_view> Compartment::types() const {
    std::set<std::string_view> names;
    for (const auto& piece : pieces_)
        for (const TypeRange& type : piece.segment->data().types) names.insert(type.name);
    return names;
}

std::size_t Compartment::live_count() const {
    std::size_t count = 0;
    for (const auto& piece : pieces_) {
        for (const auto word : piece.live) count += static_cast<std::size_t>(std::popcount(word));
    }
    return count;
}

bool Compartment::is_damaged() const {
    return std::ranges::any_of(pieces_,
                               [](const Piece& piece) { return piece.segment->is_damaged(); });
}

std::size_t Compartment::bytes() const {
    std::size_t sum = sizeof(*this) + pieces_.capacity() * sizeof(Piece);
    for (const auto& piece : pieces_) {
        sum += piece.segment->bytes() + piece.live.capacity() * sizeof(piece.live[0]);
    }
    return sum;
}

}  // namespace hygie::fhir
