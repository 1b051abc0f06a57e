#include "vault/recent_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <ranges>

#include "sim/chance.h"

namespace hygie::vault {
namespace {

using Rows = RecentRows::Rows;

/// What a store does, in memory: tables, and the journal.
struct Paper {
    Rows tables;
    std::map<std::uint64_t, Bytes> journal;

    void replay(RecentRows& recent) const {
        for (const auto& [number, line] : journal | std::views::reverse)
            ASSERT_TRUE(recent.replay(number, line));
    }
    void write(const RecentRows::Step& step) {
        for (const auto& [at, value] : step.leaving) tables[at] = value;
        if (step.line.empty()) return;
        journal[step.number] = step.line;
        journal.erase(journal.begin(), journal.upper_bound(step.superfluous));
    }
};

constexpr std::size_t kBatchMax = 8;

Batch random_batch(sim::Chance& chance, std::uint64_t keys) {
    Batch batch;
    for (std::uint64_t rows = chance.below(kBatchMax + 1); rows > 0; --rows) {
        const Key key{static_cast<std::int64_t>(chance.below(keys)), 0};
        const Table table = chance.odds(1, 3) ? Table::Names : Table::Places;
        if (chance.odds(1, 6))
            batch.erase(table, key);
        else
            batch.put(table, key, Bytes(chance.below(4), static_cast<std::uint8_t>(chance.next())));
        if (chance.odds(1, 8)) batch.put(Table::Bodies, key, {1});
    }
    return batch;
}

void expect_all(const RecentRows& recent, const Paper& paper, const Rows& model) {
    Rows found = paper.tables;
    for (const auto& [at, value] : recent.rows()) found[at] = value;
    EXPECT_EQ(found, model);
}

TEST(RecentRows, AndTheirTablesHoldEverythingAndTheJournalTheRecentOnes) {
    constexpr std::size_t kKept = 100;
    sim::Chance chance(11);
    RecentRows recent(kKept);
    Paper paper;
    Rows model;
    std::size_t lines_max = 0;
    for (int i = 0; i < 3000; ++i) {
        const Batch batch = random_batch(chance, 1 << 20);
        const RecentRows::Step step = recent.step(batch);
        paper.write(step);
        recent.keep(step);
        for (const Batch::Row& row : batch.rows)
            if (RecentRows::takes(row.table)) model[{row.table, row.key}] = row.value;
        // Where a turn ends less leaves than came, for a commit or two.
        EXPECT_LE(recent.rows().size(), kKept + 3 * kBatchMax);
        lines_max = std::max(lines_max, paper.journal.size());
        if (i % 100 != 99) continue;
        expect_all(recent, paper, model);
        RecentRows again(kKept);
        paper.replay(again);
        EXPECT_EQ(again.rows(), recent.rows());
    }
    EXPECT_GT(paper.tables.size(), 9000u);
    // Twice the rows kept come in one turn of the sweep, four of them with a line.
    EXPECT_LT(lines_max, 2 * (2 * kKept / 4));
}

TEST(RecentRows, ReadAgainGoOnWhereTheyStood) {
    sim::Chance chance(12);
    Paper paper;
    Rows model;
    for (int life = 0; life < 200; ++life) {
        RecentRows recent(chance.below(60));
        paper.replay(recent);
        for (std::uint64_t i = chance.below(20); i > 0; --i) {
            const Batch batch = random_batch(chance, 300);
            const RecentRows::Step step = recent.step(batch);
            paper.write(step);
            recent.keep(step);
            for (const Batch::Row& row : batch.rows)
                if (RecentRows::takes(row.table)) model[{row.table, row.key}] = row.value;
        }
        expect_all(recent, paper, model);
    }
}

TEST(RecentRows, FindsWhatItHasAndKnowsOfTheErased) {
    RecentRows recent(10);
    Batch batch;
    batch.put(Table::Places, {3, 0}, {7});
    batch.put(Table::Places, {4, 0}, {8});
    batch.erase(Table::Places, {4, 0});
    batch.put(Table::Bodies, {5, 0}, {9});
    const auto before = recent.as_of();
    recent.keep(recent.step(batch));
    EXPECT_NE(recent.as_of(), before);
    EXPECT_EQ(recent.find(Table::Places, {3, 0}).value, Bytes{7});
    EXPECT_TRUE(recent.find(Table::Places, {4, 0}).is_here);
    EXPECT_EQ(recent.find(Table::Places, {4, 0}).value, std::nullopt);
    EXPECT_FALSE(recent.find(Table::Names, {3, 0}).is_here);
    EXPECT_EQ(recent.range(Table::Places, {4, 0}, kLastKey).rows.size(), 1u);
    EXPECT_EQ(recent.range(Table::Names, kFirstKey, kLastKey).rows.size(), 0u);
    Batch without;
    without.put(Table::Bodies, {6, 0}, {9});
    EXPECT_TRUE(recent.step(without).line.empty());
}

}  // namespace
}  // namespace hygie::vault
