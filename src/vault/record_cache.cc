#include "vault/record_cache.h"

#include <utility>

namespace hygie::vault {

// With the shard's mutex held:

template <typename Kept>
std::shared_ptr<const Kept> CompartmentCache<Kept>::find(Shard& shard, CompartmentNumber number) {
    const auto found = shard.slots.find(number);
    if (found == shard.slots.end()) return nullptr;
    Slot& slot = found->second;
    slot.asked = true;
    if (growth_ == Growth::WithUse) use(shard, number, slot);
    return slot.record;
}

/// A search opens values of a record that stays open, after it got it from here: the record used
/// before this one has grown since, too, and may never be asked for again.
template <typename Kept>
void CompartmentCache<Kept>::use(Shard& shard, CompartmentNumber number, Slot& slot) {
    const CompartmentNumber before = std::exchange(shard.newest, number);
    if (const auto found = shard.slots.find(before); found != shard.slots.end())
        measure(found->second);
    measure(slot);
    make_room(shard);
}

template <typename Kept>
void CompartmentCache<Kept>::measure(Slot& slot) {
    const std::size_t bytes = slot.record->bytes();
    bytes_ += bytes - std::exchange(slot.bytes, bytes);
}

/// Each shard lets go of its own; the one used last stays, however large.
template <typename Kept>
void CompartmentCache<Kept>::make_room(Shard& shard) {
    while (bytes_ > bytes_max_ && shard.slots.size() > 1) {
        const CompartmentNumber number = shard.turns.front();
        const bool was_asked = std::exchange(shard.slots.at(number).asked, false);
        if (was_asked || number == shard.newest)
            shard.turns.splice(shard.turns.end(), shard.turns, shard.turns.begin());
        else
            remove(shard, number);
    }
}

template <typename Kept>
void CompartmentCache<Kept>::remove(Shard& shard, CompartmentNumber number) {
    const auto found = shard.slots.find(number);
    if (found == shard.slots.end()) return;
    bytes_ -= found->second.bytes;
    shard.turns.erase(found->second.turn);
    shard.slots.erase(found);
}

template <typename Kept>
void CompartmentCache<Kept>::put(Shard& shard, std::shared_ptr<const Kept> record) {
    const CompartmentNumber number = record->number();
    remove(shard, number);
    const auto turn = shard.turns.insert(shard.turns.end(), number);
    Slot& slot = shard.slots[number];
    slot = {.record = std::move(record), .turn = turn};
    use(shard, number, slot);
}

template <typename Kept>
Result<std::shared_ptr<const Kept>> CompartmentCache<Kept>::get(CompartmentNumber number,
                                                                const Load& load) {
    return get(
        number, [](const Kept&) { return true; },
        [&](const std::shared_ptr<const Kept>&) { return load(); });
}

template <typename Kept>
Result<std::shared_ptr<const Kept>> CompartmentCache<Kept>::get(CompartmentNumber number,
                                                                const Enough& is_enough,
                                                                const Extend& extend) {
    Shard& shard = shard_of(number);
    while (true) {
        std::shared_ptr<const Kept> there;
        {
            const std::lock_guard lock(shard.mutex);
            there = find(shard, number);
            if (there && is_enough(*there)) return there;
            ++shard.loading[number].threads;
        }
        auto loaded = extend(there);
        const std::lock_guard lock(shard.mutex);
        const auto loading = shard.loading.find(number);
        const bool overtaken = loading->second.overtaken;
        if (--loading->second.threads == 0) shard.loading.erase(loading);
        auto record = find(shard, number);
        if (record && is_enough(*record)) return record;
        if (overtaken) continue;
        if (loaded) put(shard, *loaded);
        return loaded;
    }
}

template <typename Kept>
std::shared_ptr<const Kept> CompartmentCache<Kept>::peek(CompartmentNumber number) {
    Shard& shard = shard_of(number);
    const std::lock_guard lock(shard.mutex);
    return find(shard, number);
}

template <typename Kept>
void CompartmentCache<Kept>::publish(std::shared_ptr<const Kept> record) {
    Shard& shard = shard_of(record->number());
    const std::lock_guard lock(shard.mutex);
    if (const auto loading = shard.loading.find(record->number()); loading != shard.loading.end())
        loading->second.overtaken = true;
    put(shard, std::move(record));
}

template <typename Kept>
void CompartmentCache<Kept>::drop(CompartmentNumber number) {
    Shard& shard = shard_of(number);
    const std::lock_guard lock(shard.mutex);
    if (const auto loading = shard.loading.find(number); loading != shard.loading.end())
        loading->second.overtaken = true;
    remove(shard, number);
}

template class CompartmentCache<Record>;
template class CompartmentCache<Outline>;
template class CompartmentCache<Slices>;

}  // namespace hygie::vault
