#include "vault/body_cache.h"

namespace hygie::vault {

namespace {

/// What a slot occupies beside the texts.
constexpr std::size_t kSlotBytes = 256;

}  // namespace

// With the shard's mutex held.
void BodyCache::remove(Shard& shard, std::list<Slot>::iterator slot) {
    shard.bytes -= slot->bytes;
    shard.places.erase(slot->row);
    shard.slots.erase(slot);
}

BodyCache::Kept BodyCache::find(std::uint64_t row) {
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    const auto place = shard.places.find(row);
    if (place == shard.places.end()) return {};
    shard.slots.splice(shard.slots.begin(), shard.slots, place->second);
    return place->second->kept;
}

void BodyCache::put(std::uint64_t row, CompartmentNumber compartment,
                    std::shared_ptr<const Body> body) {
    const std::size_t bytes = kSlotBytes + body->text.size() + body->opened_by.size();
    if (bytes > kCachedBodyBytesMax) return;
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    if (shard.places.contains(row)) return;
    shard.slots.push_front({row, {compartment, std::move(body)}, bytes});
    shard.places[row] = shard.slots.begin();
    shard.bytes += bytes;
    while (shard.bytes > shard_bytes_max_ && !shard.slots.empty())
        remove(shard, std::prev(shard.slots.end()));
}

void BodyCache::drop(CompartmentNumber compartment) {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (auto slot = shard.slots.begin(); slot != shard.slots.end();) {
            const auto here = slot++;
            if (here->kept.compartment == compartment) remove(shard, here);
        }
    }
}

}  // namespace hygie::vault
