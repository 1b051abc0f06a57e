#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "vault/budget.h"

/// The storage door: a few ordered tables of rows with numbers for keys, changed in atomic, durable
/// batches. Everything in a value is sealed or meaningless before it comes here. SQLite stands
/// behind it; any database with transactions can, and runs the same tests.
namespace hygie::vault {

/// What each holds is in FORMAT.md. Never renumbered.
enum class Table : std::uint8_t {
    Bodies = 0,   ///< row number → a sealed version
    Places = 1,   ///< token of "Type/id" → compartment
    Commits = 2,  ///< counter → first row, rows
    Outbox = 3,   ///< counter → sealed event that the ledger may not have yet
    // With two numbers for a key:
    Names = 4,     ///< (blind token, compartment)
    NamesOf = 5,   ///< (compartment, blind token): the same pairs, to erase a patient
    Pieces = 6,    ///< (compartment, number) → a sealed piece of its index
    Parts = 7,     ///< (compartment, first row of a commit) → how many rows of it
    Settings = 8,  ///< (kind, which): see settings.h
};
inline constexpr std::size_t kTables = 9;
/// Tables whose keys have a minor part; in the others it is 0.
constexpr bool has_pairs(Table table) {
    return table >= Table::Names;
}

struct Key {
    std::int64_t major = 0;
    std::int64_t minor = 0;
    auto operator<=>(const Key&) const = default;
};
inline constexpr Key kFirstKey{std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::min()};
inline constexpr Key kLastKey{std::numeric_limits<std::int64_t>::max(),
                              std::numeric_limits<std::int64_t>::max()};
/// Every key with this major part.
constexpr std::pair<Key, Key> keys_of(std::int64_t major) {
    return {{major, kFirstKey.minor}, {major, kLastKey.minor}};
}

/// Changes in their order: a later one of the same key wins.
struct Batch {
    struct Row {
        Table table;
        Key key;
        std::optional<Bytes> value;  ///< none: the row is erased
    };
    std::vector<Row> rows;

    void put(Table table, Key key, Bytes value) { rows.push_back({table, key, std::move(value)}); }
    void erase(Table table, Key key) { rows.push_back({table, key, std::nullopt}); }
};

/// Returns whether to go on.
using OnRow = std::function<bool(Key key, ByteView value)>;

class Store {
  public:
    virtual ~Store() = default;
    /// All rows or none; durable on return. One thread at a time. Code::Full changes nothing and
    /// may be tried again; after any other failure every commit fails until the store is opened
    /// anew, and only then is it known whether this one was kept.
    virtual Status commit(const Batch& batch) = 0;
    /// Thread-safe, as is scan; each sees the last commit. None when there is no such row.
    virtual Result<std::optional<Bytes>> get(Table table, Key key) = 0;
    /// Rows from `first` to `last`, both included, in the order of their keys. `on_row` does not
    /// call the store.
    virtual Status scan(Table table, Key first, Key last, const OnRow& on_row) = 0;
    /// Leaves nothing of erased rows on the disk. One thread at a time, as commit.
    virtual Status scrub() = 0;
};

struct StoreDoors {
    Disk& disk;
    Clock& clock;
    Random& random;
};

/// Opens or makes the SQLite database `dir`/vault.sqlite. Of the rows whose keys are tokens it
/// keeps the latest in memory and in a journal, some `recent_rows` (recent_rows.h). Code::Busy when
/// another process has it open.
Result<std::unique_ptr<Store>> open_sqlite(const StoreDoors& doors, const std::string& dir,
                                           std::size_t recent_rows = budget::kRecentRows);

}  // namespace hygie::vault
