#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_table.h"
#include "crypto/sha256.h"
#include "host/random.h"
#include "vault/body.h"
#include "vault/body_cache.h"
#include "vault/budget.h"
#include "vault/name_cache.h"
#include "vault/place_cache.h"
#include "vault/record_cache.h"
#include "vault/sealed_cache.h"
#include "vault/store.h"

namespace hygie::vault {

/// The keys of the vault that belong to no patient.
struct VaultKeys {
    explicit VaultKeys(const crypto::Secret32& root);

    crypto::Secret32 table;     ///< wraps the keys of the patients
    crypto::HmacKey naming;     ///< blinds names
    crypto::Secret32 outbox;    ///< seals events that wait for the ledger, and erasures under way
    crypto::Secret32 position;  ///< seals where a search goes on
};

/// The newest version of a resource, wherever it is.
struct Known {
    CompartmentNumber compartment = 0;
    std::uint32_t version = 0;
    WallTime updated{};
    bool deleted = false;
    std::uint64_t row = 0;
    bool operator==(const Known&) const = default;
};

/// Whether searches across patients find the type by its own terms: people, agenda, tasks.
bool is_in_front(std::string_view type);

/// What is stored, opened: the part of the vault that reads. Thread-safe.
class Shelf {
  public:
    Shelf(std::unique_ptr<Store> store, std::unique_ptr<crypto::KeyTable> table, VaultKeys keys,
          std::size_t cache_bytes, std::size_t body_cache_bytes)
        : store_(std::move(store)),
          table_(std::move(table)),
          keys_(std::move(keys)),
          cache_(cache_bytes, Growth::WithUse),
          fronts_(budget::kFronts, Growth::None),
          outlines_(budget::kOutlines, Growth::None),
          slices_(budget::kSlices, Growth::None),
          bodies_(body_cache_bytes),
          sealed_(budget::kSealed) {}

    Store& store() { return *store_; }
    crypto::KeyTable& table() { return *table_; }
    const VaultKeys& keys() const { return keys_; }

    /// Store::commit; what is kept in memory follows.
    Status commit(const Batch& batch);

    /// Row key of a resource in Table::Places.
    Key place_of(std::string_view type, std::string_view id) const;
    /// Major part of a blind name in Table::Names.
    std::int64_t name_of(std::string_view term) const;
    Result<std::vector<CompartmentNumber>> named(std::string_view term);

    /// The key of a patient's record ("" is the house), made when absent.
    Result<crypto::KeyTable::Found> key_of(std::string_view patient);
    /// Number of a patient's record, if there is one.
    std::optional<CompartmentNumber> number_of(std::string_view patient) const;

    /// Code::Erased when its key was destroyed. A record without any piece is an empty one.
    Result<std::shared_ptr<const Record>> record(CompartmentNumber number);
    /// Of a record, what searches across patients ask for: is_in_front() types, and the relations
    /// that decide from now on (lasting()). Small enough to keep many times more of them.
    Result<std::shared_ptr<const Record>> front(CompartmentNumber number);
    /// What decides about most of a record, where it is opened for nothing else.
    Result<std::shared_ptr<const Outline>> outline(CompartmentNumber number);
    /// Of a record, what a search over one type asks: the record where it is open, or a slice of
    /// it.
    Result<std::shared_ptr<const Record>> slice(CompartmentNumber number, std::string_view type);
    /// A newer state of a record, for whoever asks from now on.
    void publish(std::shared_ptr<const Record> record);
    /// Forgets what is opened of a record.
    void forget(CompartmentNumber number);
    void forget_bodies(CompartmentNumber number);
    /// None when there is no such resource.
    Result<std::optional<Place>> place_at(Key place);
    Result<std::optional<CompartmentNumber>> compartment_at(Key place);
    /// Another number whenever a record that is no patient's may have changed.
    std::uint64_t house_version() const { return house_version_.load(); }
    /// The newest version; none when there never was one here.
    Result<std::optional<Known>> known(Key place, std::string_view type, std::string_view id);
    /// Code::Erased when the key of its patient was destroyed.
    Result<std::shared_ptr<const Body>> body(std::uint64_t row);
    /// The same from the disk, whatever is kept in memory: for checks and repairs.
    Result<Body> stored_body(std::uint64_t row);

    /// The record as its bodies say, when its index cannot be read: one piece, not stored yet.
    Result<Record> rebuild(CompartmentNumber number);

    /// As record(), beside the cache: for passes over all records.
    Result<std::shared_ptr<const Record>> load(CompartmentNumber number);

    /// Destroys the key of a patient, durably, and forgets what was opened with it.
    Status destroy_key(const std::string& patient);
    /// After the keys are gone: nothing of the records stays in the store's journals, nor of
    /// `markers`, the settings by which a crash would begin this again; they go last.
    Status finish_erasure(std::span<const Key> markers);

  private:
    struct Opened {
        CompartmentNumber compartment = 0;
        Body body;
    };
    std::shared_ptr<const Relations> lasting_of(const Record& record);
    Result<Opened> open_stored(std::uint64_t row, const std::optional<Bytes>& stored);

    const std::unique_ptr<Store> store_;
    const std::unique_ptr<crypto::KeyTable> table_;
    const VaultKeys keys_;
    RecordCache cache_;
    RecordCache fronts_;
    OutlineCache outlines_;
    SlicesCache slices_;
    std::atomic<std::uint64_t> sliced_ = 0;  ///< records that a slice was asked of
    NameCache names_;
    PlaceCache places_;
    std::atomic<std::uint64_t> house_version_ = 1;
    BodyCache bodies_;
    SealedCache sealed_;
};

/// A row of Table::Places.
Bytes place_bytes(Place place);
Place place_from(ByteView bytes);

}  // namespace hygie::vault
