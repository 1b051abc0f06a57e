#include "vault/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <atomic>
#include <map>
#include <thread>

#include "sim/chance.h"
#include "sim/seeds.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::vault {
namespace {

/// What a store must hold: the oracle.
using Model = std::map<std::pair<Table, Key>, Bytes>;

void apply(Model& model, const Batch& batch) {
    for (const Batch::Row& row : batch.rows) {
        if (row.value)
            model[{row.table, row.key}] = *row.value;
        else
            model.erase({row.table, row.key});
    }
}

Model contents(Store& store) {
    Model found;
    for (std::size_t i = 0; i < kTables; ++i) {
        const auto table = static_cast<Table>(i);
        const Status read = store.scan(table, kFirstKey, kLastKey, [&](Key key, ByteView value) {
            found[{table, key}] = to_bytes(value);
            return true;
        });
        EXPECT_TRUE(read) << read.error().what.en;
    }
    return found;
}

/// A few keys, so that batches meet.
Batch random_batch(sim::Chance& chance) {
    Batch batch;
    for (std::uint64_t rows = 1 + chance.below(12); rows > 0; --rows) {
        const auto table = static_cast<Table>(chance.below(kTables));
        const Key key{static_cast<std::int64_t>(chance.below(20)) - 5,
                      has_pairs(table) ? static_cast<std::int64_t>(chance.below(4)) - 1 : 0};
        if (chance.odds(1, 4))
            batch.erase(table, key);
        else
            batch.put(table, key,
                      Bytes(chance.below(3) == 0 ? 9000 : chance.below(50),
                            static_cast<std::uint8_t>(chance.next())));
    }
    return batch;
}

// --- the tests of every store --------------------------------------------------------------------

/// So few that rows move into their tables with every other commit.
constexpr std::size_t kFewRecent = 5;

/// A kind of store, and how it is closed and opened again.
class Kind {
  public:
    virtual ~Kind() = default;
    virtual Result<std::unique_ptr<Store>> open() = 0;
};

class OnRealDisk final : public Kind {
  public:
    Result<std::unique_ptr<Store>> open() override {
        return open_sqlite({real_disk(), real_clock(), real_random()}, dir_ / "vault");
    }

  private:
    sim::TempDir dir_;
};

/// Readers and writer wait for one another in real time: where it jumps, SQLite has waited long
/// enough before anybody is through.
class OnSimDisk final : public Kind {
  public:
    explicit OnSimDisk(std::size_t recent_rows) : recent_rows_(recent_rows) {}
    Result<std::unique_ptr<Store>> open() override {
        return open_sqlite({disk_, real_clock(), random_}, "vault", recent_rows_);
    }

  private:
    const std::size_t recent_rows_;
    sim::SimDisk disk_;
    sim::SimRandom random_{1};
};

using MakeKind = std::unique_ptr<Kind> (*)();

class StoreTest : public testing::TestWithParam<MakeKind> {
  protected:
    std::unique_ptr<Store> open() {
        auto opened = kind_->open();
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().what.en);
        return opened ? std::move(*opened) : nullptr;
    }

  private:
    std::unique_ptr<Kind> kind_ = GetParam()();
};

TEST_P(StoreTest, HoldsWhatTheModelHolds) {
    sim::Chance chance(7);
    Model model;
    auto store = open();
    for (int round = 0; round < 60; ++round) {
        const Batch batch = random_batch(chance);
        ASSERT_TRUE(store->commit(batch));
        apply(model, batch);
        if (round % 20 == 19) {
            store.reset();
            store = open();
        }
        ASSERT_EQ(contents(*store), model);
    }
    for (const auto& [key, value] : model)
        EXPECT_EQ(store->get(key.first, key.second).value(), value);
    EXPECT_EQ(store->get(Table::Bodies, {999, 0}).value(), std::nullopt);
}

TEST_P(StoreTest, ScansARangeInOrderUntilTold) {
    auto store = open();
    Batch batch;
    for (std::int64_t major = 3; major > 0; --major)
        for (std::int64_t minor = 5; minor > -5; --minor)
            batch.put(Table::Pieces, {major, minor}, {static_cast<std::uint8_t>(major)});
    ASSERT_TRUE(store->commit(batch));
    const auto keys = [&](Key first, Key last, std::size_t count) {
        std::vector<Key> found;
        EXPECT_TRUE(store->scan(Table::Pieces, first, last, [&](Key key, ByteView) {
            found.push_back(key);
            return found.size() < count;
        }));
        return found;
    };
    const auto [first, last] = keys_of(2);
    EXPECT_EQ(keys(first, last, 100).size(), 10u);
    EXPECT_EQ(keys(first, last, 2), (std::vector<Key>{{2, -4}, {2, -3}}));
    EXPECT_EQ(keys({1, 4}, {2, -4}, 9), (std::vector<Key>{{1, 4}, {1, 5}, {2, -4}}));
}

/// Readers beside a writer that puts the same value under two keys of the table, among others that
/// come and go.
void expect_whole_batches(Store& store, Table table) {
    constexpr std::int64_t kOthers = 40;
    std::atomic<bool> stop = false;
    std::atomic<int> torn = 0;
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop) {
                std::vector<Bytes> seen;
                const Status read =
                    store.scan(table, {0, 0}, {kOthers, 0}, [&](Key key, ByteView value) {
                        if (key.major == 0 || key.major == kOthers) seen.push_back(to_bytes(value));
                        return true;
                    });
                if (!read || (!seen.empty() && (seen.size() != 2 || seen[0] != seen[1]))) ++torn;
            }
        });
    }
    for (std::uint8_t i = 0; i < 100; ++i) {
        Batch batch;
        batch.put(table, {0, 0}, {i});
        batch.put(table, {kOthers, 0}, {i});
        batch.put(table, {1 + 7 * i % (kOthers - 1), 0}, {i});
        batch.erase(table, {1 + 11 * i % (kOthers - 1), 0});
        EXPECT_TRUE(store.commit(batch));
    }
    stop = true;
    readers.clear();
    EXPECT_EQ(torn, 0);
}

TEST_P(StoreTest, ReadersSeeWholeBatchesBesideTheWriter) {
    const auto store = open();
    expect_whole_batches(*store, Table::Bodies);
    expect_whole_batches(*store, Table::Places);
}

std::unique_ptr<Kind> on_real_disk() {
    return std::make_unique<OnRealDisk>();
}
std::unique_ptr<Kind> on_sim_disk() {
    return std::make_unique<OnSimDisk>(budget::kRecentRows);
}
std::unique_ptr<Kind> on_sim_disk_with_few_recent() {
    return std::make_unique<OnSimDisk>(kFewRecent);
}
constexpr std::array kKindNames = {"RealDisk", "SimDisk", "SimDiskWithFewRecent"};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreTest,
                         testing::Values(on_real_disk, on_sim_disk, on_sim_disk_with_few_recent),
                         [](const auto& each) { return kKindNames[each.index]; });

// --- loss of power -------------------------------------------------------------------------------

/// Commits batches until the disk fails; the model of what was acknowledged, and of that with the
/// batch under way.
struct Outcome {
    Model kept;
    Model kept_or_more;
};

Outcome commit_until_failure(Store& store, sim::Chance& chance, int batches, Model model) {
    for (int i = 0; i < batches; ++i) {
        const Batch batch = random_batch(chance);
        Model next = model;
        apply(next, batch);
        if (!store.commit(batch)) return {model, next};
        model = std::move(next);
        // Copies the log into the database, as it does by itself when it has grown.
        if (chance.odds(1, 5) && !store.scrub()) break;
    }
    return {model, model};
}

class SqliteCrash : public testing::Test {
  protected:
    Result<std::unique_ptr<Store>> open(sim::SimDisk& disk,
                                        std::size_t recent_rows = budget::kRecentRows) {
        return open_sqlite({disk, clock_, random_}, "vault", recent_rows);
    }
    sim::SimClock clock_;
    sim::SimRandom random_{3};
};

TEST_F(SqliteCrash, KeepsWhatItAcknowledgedAtEveryStep) {
    sim::for_each_seed(500, [&](std::uint64_t seed) {
        sim::Chance chance(seed);
        sim::SimDisk disk(seed);
        Outcome outcome;
        disk.crash_at_step(1 + chance.below(200));
        const std::size_t recent = chance.odds(1, 3) ? budget::kRecentRows : chance.below(30);
        if (auto store = open(disk, recent); store)
            outcome = commit_until_failure(**store, chance, 25, {});
        disk.crash(seed);
        auto again = open(disk, recent);
        ASSERT_TRUE(again) << again.error().what.en;
        const Model found = contents(**again);
        ASSERT_TRUE(found == outcome.kept || found == outcome.kept_or_more);
        // It goes on from there, as one that was never closed would.
        const Outcome later = commit_until_failure(**again, chance, 10, found);
        again->reset();
        again = open(disk, recent);
        ASSERT_TRUE(again) << again.error().what.en;
        EXPECT_TRUE(contents(**again) == later.kept);
    });
}

TEST_F(SqliteCrash, RefusesEverythingAfterAFailedSync) {
    sim::SimDisk disk;
    auto store = open(disk).value();
    Batch batch;
    batch.put(Table::Bodies, {1, 0}, {1});
    ASSERT_TRUE(store->commit(batch));
    disk.inject(sim::Fault::SyncFails);
    EXPECT_EQ(store->commit(batch).error().code, Code::Io);
    EXPECT_EQ(store->commit(batch).error().code, Code::Io);
    EXPECT_EQ(store->get(Table::Bodies, {1, 0}).value(), Bytes{1});
}

TEST_F(SqliteCrash, GoesOnWhenAFullDiskHasRoomAgain) {
    sim::SimDisk disk;
    auto store = open(disk).value();
    disk.set_free_bytes(3000);
    Batch batch;
    batch.put(Table::Bodies, {1, 0}, Bytes(100'000, 7));
    EXPECT_EQ(store->commit(batch).error().code, Code::Full);
    disk.set_free_bytes(10 << 20);
    ASSERT_TRUE(store->commit(batch));
    EXPECT_EQ(store->get(Table::Bodies, {1, 0}).value()->size(), 100'000u);
}

TEST_F(SqliteCrash, ScrubsWhatWasErased) {
    sim::SimDisk disk;
    auto store = open(disk).value();
    const std::string secret = "0123456789abcdef0123456789abcdef";
    Batch batch, gone;
    for (const Table table : {Table::Pieces, Table::Places, Table::Names})
        for (std::int64_t i = 0; i < 50; ++i) {
            batch.put(table, {i, 0}, to_bytes(as_bytes(secret)));
            gone.erase(table, {i, 0});
        }
    ASSERT_TRUE(store->commit(batch));
    ASSERT_TRUE(store->commit(gone));
    ASSERT_TRUE(store->scrub());
    const std::vector<DirEntry> files = disk.list("vault").value();
    for (const DirEntry& entry : files) {
        const Bytes bytes = disk.read_file("vault/" + entry.name, 1 << 30).value();
        EXPECT_EQ(as_text(bytes).find(secret), std::string_view::npos) << entry.name;
    }
}

/// Changes the database on the real disk behind the back of the store.
void run_sql(const std::string& path, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    EXPECT_EQ(sqlite3_close(database), SQLITE_OK);
}

/// Fails when the values of pieces lie in the tree of their keys, where each comparison reads one.
constexpr char kAskValuesBeside[] = "SELECT rowid FROM pieces";

TEST(SqliteStore, TakesEarlierBases) {
    const std::array earlier = {
        "ALTER TABLE pieces RENAME TO now; "
        "CREATE TABLE pieces(major INTEGER NOT NULL, minor INTEGER NOT NULL, "
        "value BLOB NOT NULL, PRIMARY KEY(major, minor)) STRICT, WITHOUT ROWID; "
        "INSERT INTO pieces SELECT * FROM now; DROP TABLE now; PRAGMA user_version = 2",
        "DROP TABLE journal; PRAGMA user_version = 1"};
    const sim::TempDir dir;
    const std::string path = dir / "vault/vault.sqlite";
    const auto open = [&] {
        return open_sqlite({real_disk(), real_clock(), real_random()}, dir / "vault");
    };
    sim::Chance chance(5);
    Model model;
    {
        const auto store = open().value();
        for (int i = 0; i < 20; ++i) {
            const Batch batch = random_batch(chance);
            ASSERT_TRUE(store->commit(batch));
            apply(model, batch);
        }
        ASSERT_TRUE(store->scrub());  // every row is in its table
    }
    run_sql(path, kAskValuesBeside);
    for (std::size_t steps = 1; steps <= earlier.size(); ++steps) {
        for (std::size_t i = 0; i < steps; ++i) run_sql(path, earlier[i]);
        for (int i = 0; i < 2; ++i) {
            const auto store = open().value();
            EXPECT_EQ(contents(*store), model);
            const Batch batch = random_batch(chance);
            ASSERT_TRUE(store->commit(batch));
            apply(model, batch);
        }
        EXPECT_EQ(contents(*open().value()), model);
        ASSERT_TRUE(open().value()->scrub());
        run_sql(path, kAskValuesBeside);
    }
}

TEST(SqliteStore, RefusesAJournalThatIsDamagedOrLacksALine) {
    for (const char* harm : {"UPDATE journal SET line = substr(line, 1, 50) WHERE number = 2",
                             "UPDATE journal SET line = x'00' WHERE number = 2",
                             "DELETE FROM journal WHERE number = 2"}) {
        const sim::TempDir dir;
        const auto open = [&] {
            return open_sqlite({real_disk(), real_clock(), real_random()}, dir / "vault");
        };
        for (std::int64_t i = 0; i < 3; ++i) {
            Batch batch;
            batch.put(Table::Places, {i, 0}, {1});
            ASSERT_TRUE(open().value()->commit(batch));
        }
        run_sql(dir / "vault/vault.sqlite", harm);
        const auto refused = open();
        ASSERT_FALSE(refused) << harm;
        EXPECT_EQ(refused.error().code, Code::Corrupt) << harm;
    }
}

TEST_F(SqliteCrash, RefusesADamagedBase) {
    sim::SimDisk disk;
    open(disk).value().reset();
    ASSERT_TRUE(disk.write_file("vault/vault.sqlite", Bytes(8192, 0x55)));
    EXPECT_EQ(open(disk).error().code, Code::Corrupt);
}

TEST_F(SqliteCrash, IsBusyForASecondProcess) {
    sim::SimDisk disk;
    const auto store = open(disk).value();
    EXPECT_EQ(open(disk).error().code, Code::Busy);
}

}  // namespace
}  // namespace hygie::vault
