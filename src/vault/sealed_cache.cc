#include "vault/sealed_cache.h"

#include <algorithm>

namespace hygie::vault {

SealedCache::SealedCache(std::size_t bytes) : ring_bytes_(bytes / kShards) {
    for (Shard& shard : shards_) {
        // Not set to anything: memory is taken as it is written.
        shard.ring = std::make_unique_for_overwrite<std::uint8_t[]>(ring_bytes_);
        shard.slots.resize(ring_bytes_ / kBytesExpected / kWays + 1);
    }
}

// With the shard's mutex held:

std::array<SealedCache::Slot, SealedCache::kWays>& SealedCache::slots_of(Shard& shard,
                                                                         std::uint64_t row) {
    constexpr std::uint64_t kGolden = 0x9E37'79B9'7F4A'7C15;  // rows come in even steps
    return shard.slots[(row * kGolden >> 32) % shard.slots.size()];
}

bool SealedCache::is_there(const Shard& shard, const Slot& slot) const {
    return slot.bytes > 0 && shard.end - slot.at <= ring_bytes_;
}

SealedCache::Kept SealedCache::find(std::uint64_t row) {
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    Kept kept{.as_of = shard.erasures};
    for (const Slot& slot : slots_of(shard, row))
        if (slot.row == row && is_there(shard, slot)) {
            const std::uint8_t* first = shard.ring.get() + slot.at % ring_bytes_;
            kept.stored.assign(first, first + slot.bytes);
        }
    return kept;
}

void SealedCache::keep(std::uint64_t row, std::uint64_t as_of, ByteView stored) {
    if (stored.empty() || stored.size() > std::min(kKeptBytesMax, ring_bytes_)) return;
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    if (shard.erasures != as_of) return;
    auto& slots = slots_of(shard, row);
    if (std::ranges::any_of(
            slots, [&](const Slot& slot) { return slot.row == row && is_there(shard, slot); }))
        return;
    const std::size_t left = ring_bytes_ - shard.end % ring_bytes_;
    if (left < stored.size()) shard.end += left;  // a version lies in one stretch
    std::ranges::copy(stored, shard.ring.get() + shard.end % ring_bytes_);
    auto& oldest = *std::ranges::min_element(slots, {}, &Slot::at);
    oldest = {.row = row, .at = shard.end, .bytes = static_cast<std::uint32_t>(stored.size())};
    shard.end += stored.size();
}

void SealedCache::forget(std::span<const std::uint64_t> rows) {
    for (const std::uint64_t row : rows) {
        Shard& shard = shard_of(row);
        const std::lock_guard lock(shard.mutex);
        ++shard.erasures;
        for (Slot& slot : slots_of(shard, row))
            if (slot.row == row) slot = {};
    }
}

}  // namespace hygie::vault
