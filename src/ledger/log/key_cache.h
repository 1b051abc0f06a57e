#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/short_name.h"
#include "host/memory.h"
#include "host/random.h"

namespace hygie::ledger {

/// Keys found lately, by name. A million entries a second look up two each, in tables larger than
/// the processor's caches: names are hashed for a whole batch first and the places asked for ahead
/// of use, so that memory is waited for once and not at every step. Open addressing; a full cache
/// is dropped whole, looking up again costs little.
template <typename Value>
class KeyCache {
  public:
    /// `entries_max`: a power of two.
    KeyCache(Random& random, std::size_t entries_max)
        : key_(random.bytes<16>()), entries_max_(entries_max) {}

    crypto::ShortName name(ByteView text) const {
        const crypto::ShortName name = crypto::short_name(key_, text);
        return name == kNobody ? crypto::ShortName{0, 1} : name;
    }

    /// Brings what find(name) will look at closer.
    void prefetch(const crypto::ShortName& name) const {
        if (places_.empty()) return;
        const auto* at = reinterpret_cast<const std::uint8_t*>(&places_[place_of(name)]);
        for (std::size_t offset = 0; offset < sizeof(Place); offset += kCacheLineBytes)
            __builtin_prefetch(at + offset);
    }

    /// Null when it is not there. Good until the next insert or clear.
    const Value* find(const crypto::ShortName& name) const {
        if (places_.empty()) return nullptr;
        for (std::size_t i = place_of(name);; i = (i + 1) & (places_.size() - 1)) {
            if (places_[i].name == kNobody) return nullptr;
            if (places_[i].name == name) return &places_[i].value;
        }
    }

    /// Adds what find() did not see.
    const Value* insert(const crypto::ShortName& name, Value value) {
        if (count_ >= entries_max_) clear();
        if (2 * (count_ + 1) > places_.size()) grow();
        ++count_;
        return put(name, std::move(value));
    }

    void clear() {
        places_.clear();
        count_ = 0;
    }

  private:
    static constexpr std::size_t kCacheLineBytes = 64;
    static constexpr std::size_t kFirstPlaces = 64;

    /// The name of an empty place.
    static constexpr crypto::ShortName kNobody{};

    /// Aligned so that a place never lies on one cache line more than it must.
    struct alignas(std::min(kCacheLineBytes,
                            std::bit_ceil(sizeof(crypto::ShortName) + sizeof(Value)))) Place {
        crypto::ShortName name;
        Value value;
    };

    std::size_t place_of(const crypto::ShortName& name) const {
        return name.low & (places_.size() - 1);
    }

    const Value* put(const crypto::ShortName& name, Value value) {
        std::size_t i = place_of(name);
        while (places_[i].name != kNobody) i = (i + 1) & (places_.size() - 1);
        places_[i] = {name, std::move(value)};
        return &places_[i].value;
    }

    void grow() {
        const std::size_t wanted = places_.empty() ? kFirstPlaces : 2 * places_.size();
        std::vector<Place> old = std::exchange(places_, {});
        reserve_large(places_, wanted);
        places_.resize(wanted);
        for (Place& place : old)
            if (place.name != kNobody) put(place.name, std::move(place.value));
    }

    crypto::ShortNameKey key_;
    std::size_t entries_max_;
    std::size_t count_ = 0;
    std::vector<Place> places_;
};

}  // namespace hygie::ledger
