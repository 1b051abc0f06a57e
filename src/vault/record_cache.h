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

/// Whether what is kept grows while it is used: searches open values of a record. What does not is
/// measured once, when it comes, and not looked into again by who only fetches it.
enum class Growth { None, WithUse };

/// What is opened of records (or known of them: outlines); of what occupies too much goes what has
/// been there longest and was not asked for since it was last looked at. Who finds something only
/// marks it: to keep all in the order of their use is to write to its neighbours in that order,
/// which lie anywhere in memory. Thread-safe; threads that ask for different records rarely meet.
template <typename Kept>
class CompartmentCache {
  public:
    CompartmentCache(std::size_t bytes_max, Growth growth)
        : bytes_max_(bytes_max), growth_(growth) {}

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
        bool asked = false;  ///< since it was last looked at for room
        std::list<CompartmentNumber>::iterator turn;
    };
    struct Loading {
        int threads = 0;
        bool overtaken = false;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<CompartmentNumber, Slot> slots;
        std::list<CompartmentNumber> turns;  ///< the next one to look at for room first
        CompartmentNumber newest = 0;        ///< asked for last
        std::unordered_map<CompartmentNumber, Loading> loading;
    };

    Shard& shard_of(CompartmentNumber number) { return shards_[number % shards_.size()]; }
    std::shared_ptr<const Kept> find(Shard& shard, CompartmentNumber number);
    void put(Shard& shard, std::shared_ptr<const Kept> record);
    void remove(Shard& shard, CompartmentNumber number);
    void use(Shard& shard, CompartmentNumber number, Slot& slot);
    void measure(Slot& slot);
    void make_room(Shard& shard);

    const std::size_t bytes_max_;
    const Growth growth_;
    std::atomic<std::size_t> bytes_ = 0;
    std::array<Shard, 16> shards_;
};
using RecordCache = CompartmentCache<Record>;
using OutlineCache = CompartmentCache<Outline>;
using SlicesCache = CompartmentCache<Slices>;

}  // namespace hygie::vault
