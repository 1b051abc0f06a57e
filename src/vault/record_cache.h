#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/result.h"
#include "vault/record.h"

namespace hygie::vault {

/// Opened records, the least used ones let go when they occupy too much. Thread-safe; threads that
/// ask for different records rarely meet.
class RecordCache {
  public:
    explicit RecordCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    using Load = std::function<Result<std::shared_ptr<const Record>>()>;
    /// The record, loaded when it is not there. What is published meanwhile wins over what was
    /// loaded.
    Result<std::shared_ptr<const Record>> get(CompartmentNumber number, const Load& load);
    /// A newer state of a record takes the place of the old one.
    void publish(std::shared_ptr<const Record> record);
    /// Forgets a record; nobody gets it any more, loads under way included.
    void drop(CompartmentNumber number);

  private:
    struct Slot {
        std::shared_ptr<const Record> record;
        std::size_t bytes = 0;
    };
    struct Loading {
        int threads = 0;
        bool overtaken = false;
    };
    struct Shard {
        std::mutex mutex;
        std::list<Slot> slots;  ///< most recently used first
        std::unordered_map<CompartmentNumber, std::list<Slot>::iterator> places;
        std::unordered_map<CompartmentNumber, Loading> loading;
    };

    Shard& shard_of(CompartmentNumber number) { return shards_[number % shards_.size()]; }
    std::shared_ptr<const Record> find(Shard& shard, CompartmentNumber number);
    void put(Shard& shard, std::shared_ptr<const Record> record);
    void remove(Shard& shard, CompartmentNumber number);
    void measure_newest(Shard& shard);
    void make_room(Shard& shard);

    const std::size_t bytes_max_;
    std::atomic<std::size_t> bytes_ = 0;
    std::array<Shard, 16> shards_;
};

}  // namespace hygie::vault
