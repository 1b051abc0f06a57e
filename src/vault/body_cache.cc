#include "vault/body_cache.h"

#include <iterator>
#include <utility>

namespace hygie::vault {

namespace {

/// What a slot occupies beside the texts.
constexpr std::size_t kSlotBytes = 256;

}  // namespace

// With the shard's mutex held:

BodyCache::Slots::iterator BodyCache::remove(Shard& shard, Slots::iterator slot) {
    shard.bytes -= slot->second.bytes;
    shard.turns.erase(slot->second.turn);
    return shard.slots.erase(slot);
}

void BodyCache::make_room(Shard& shard) const {
    while (shard.bytes > shard_bytes_max_ && !shard.slots.empty()) {
        const auto slot = shard.slots.find(shard.turns.front());
        if (std::exchange(slot->second.asked, false))
            shard.turns.splice(shard.turns.end(), shard.turns, shard.turns.begin());
        else
            remove(shard, slot);
    }
}

BodyCache::Kept BodyCache::find(std::uint64_t row) {
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.slots.find(row);
    if (found == shard.slots.end()) return {};
    found->second.asked = true;
    return found->second.kept;
}

void BodyCache::put(std::uint64_t row, CompartmentNumber compartment,
                    std::shared_ptr<const Body> body) {
    const std::size_t bytes = kSlotBytes + body->text.size() + body->opened_by.size();
    if (bytes > kCachedBodyBytesMax) return;
    Shard& shard = shard_of(row);
    const std::lock_guard lock(shard.mutex);
    const auto [slot, is_new] = shard.slots.try_emplace(row);
    if (!is_new) return;
    const auto turn = shard.turns.insert(shard.turns.end(), row);
    slot->second = {.kept = {compartment, std::move(body)}, .bytes = bytes, .turn = turn};
    shard.bytes += bytes;
    make_room(shard);
}

void BodyCache::drop(CompartmentNumber compartment) {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (auto slot = shard.slots.begin(); slot != shard.slots.end();)
            slot = slot->second.kept.compartment == compartment ? remove(shard, slot)
                                                                : std::next(slot);
    }
}

}  // namespace hygie::vault
