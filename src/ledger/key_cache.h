#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "crypto/short_name.h"
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

    crypto::ShortName name(ByteView text) const { return crypto::short_name(key_, text); }

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
            if (!places_[i].used) return nullptr;
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

    struct Place {
        crypto::ShortName name;
        Value value;
        bool used = false;
    };

    std::size_t place_of(const crypto::ShortName& name) const {
        return name.low & (places_.size() - 1);
    }

    const Value* put(const crypto::ShortName& name, Value value) {
        std::size_t i = place_of(name);
        while (places_[i].used) i = (i + 1) & (places_.size() - 1);
        places_[i] = {name, std::move(value), true};
        return &places_[i].value;
    }

    void grow() {
        std::vector<Place> old(places_.empty() ? kFirstPlaces : 2 * places_.size());
        old.swap(places_);
        for (Place& place : old)
            if (place.used) put(place.name, std::move(place.value));
    }

    crypto::ShortNameKey key_;
    std::size_t entries_max_;
    std::size_t count_ = 0;
    std::vector<Place> places_;
};

}  // namespace hygie::ledger
