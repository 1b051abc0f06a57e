#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/result.h"
#include "vault/outline.h"
#include "vault/record.h"
#include "vault/slices.h"

namespace hygie::vault {

/// What is opened of records (or known of them: outlines), the least used ones let go when they
/// occupy too much. Thread-safe; threads that ask for different records rarely meet.
template <typename Kept>
class CompartmentCache {
  public:
    explicit CompartmentCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    using Load = std::function<Result<std::shared_ptr<const Kept>>()>;
    /// The record, loaded when it is not there. What is published meanwhile wins over what was
    /// loaded.
    Result<std::shared_ptr<const Kept>> get(CompartmentNumber number, const Load& load);
    /// The same where what is here may not be enough: it is handed to `load`, which makes more of
    /// it.
    using Enough = std::function<bool(const Kept&)>;
    using Extend =
        std::function<Result<std::shared_ptr<const Kept>>(const std::shared_ptr<const Kept>&)>;
    Result<std::shared_ptr<const Kept>> get(CompartmentNumber number, const Enough& is_enough,
                                            const Extend& extend);
    /// Null when it is not here.
    std::shared_ptr<const Kept> peek(CompartmentNumber number);
    /// Whether something has to go for each that comes.
    bool is_full() const { return bytes_ > bytes_max_ - bytes_max_ / 16; }
    /// A newer state of a record takes the place of the old one.
    void publish(std::shared_ptr<const Kept> record);
    /// Forgets a record; nobody gets it any more, loads under way included.
    void drop(CompartmentNumber number);

  private:
    struct Slot {
        std::shared_ptr<const Kept> record;
        std::size_t bytes = 0;
    };
    struct Loading {
        int threads = 0;
        bool overtaken = false;
    };
    struct Shard {
        std::mutex mutex;
        std::list<Slot> slots;  ///< most recently used first
        std::unordered_map<CompartmentNumber, typename std::list<Slot>::iterator> places;
        std::unordered_map<CompartmentNumber, Loading> loading;
    };

    Shard& shard_of(CompartmentNumber number) { return shards_[number % shards_.size()]; }
    std::shared_ptr<const Kept> find(Shard& shard, CompartmentNumber number);
    void put(Shard& shard, std::shared_ptr<const Kept> record);
    void remove(Shard& shard, CompartmentNumber number);
    void measure_newest(Shard& shard);
    void make_room(Shard& shard);

    const std::size_t bytes_max_;
    std::atomic<std::size_t> bytes_ = 0;
    std::array<Shard, 16> shards_;
};
using RecordCache = CompartmentCache<Record>;
using OutlineCache = CompartmentCache<Outline>;
using SlicesCache = CompartmentCache<Slices>;

}  // namespace hygie::vault
