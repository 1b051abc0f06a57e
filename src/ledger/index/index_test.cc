#include "ledger/index/index.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "sim/chance.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::ledger {
namespace {

using Sequences = std::set<std::uint64_t>;

constexpr IndexSizes kSmall{.run_rows = 64, .fan_out = 3, .levels = 3};
const std::string kDir = "/ledger/private/index";

crypto::Secret32 test_key(std::uint8_t first = 9) {
    return crypto::Secret32(std::array<std::uint8_t, 32>{first});
}

crypto::Token token(std::uint64_t value) {
    crypto::Token out;
    store_be(out.data(), value * 0x9E3779B97F4A7C15);
    return out;
}

/// Rows of a small practice, with its busy doctor: some entries have no actor, patient or object,
/// and the clock steps back now and then.
std::vector<IndexRow> some_rows(sim::Chance& chance, std::uint64_t first, std::uint64_t count) {
    std::vector<IndexRow> rows;
    std::int64_t time = static_cast<std::int64_t>(first) * 1000;
    for (std::uint64_t s = first; s < first + count; ++s) {
        time += static_cast<std::int64_t>(chance.below(2000));
        if (chance.odds(1, 200))
            time -= static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(time) + 1));
        IndexRow row{.sequence = s, .time = WallTime(Micros(time))};
        if (chance.odds(9, 10))
            row.actor = chance.odds(1, 2) ? token(1) : token(1 + chance.below(30));
        if (chance.odds(8, 10)) row.patient = token(100 + chance.below(200));
        if (chance.odds(7, 10)) row.object = token(1000 + chance.below(100'000));
        rows.push_back(row);
    }
    return rows;
}

const crypto::Token& token_in(const IndexRow& row, Dimension dimension) {
    return dimension == Dimension::Actor     ? row.actor
           : dimension == Dimension::Patient ? row.patient
                                             : row.object;
}

Sequences to_set(const std::vector<SequenceRange>& ranges) {
    Sequences out;
    std::uint64_t before = 0;
    for (const SequenceRange& range : ranges) {
        EXPECT_LT(range.first, range.end);
        EXPECT_LE(before, range.first) << "ranges must ascend";
        before = range.end;
        for (std::uint64_t s = range.first; s < range.end; ++s) out.insert(s);
    }
    return out;
}

/// An index beside the naive model: all rows in a vector.
struct Model {
    sim::SimDisk disk;
    sim::SimRandom random{1};
    std::unique_ptr<QueryIndex> index;
    std::vector<IndexRow> rows;  ///< what was fed, from sequence 0
    std::uint64_t dropped_below = 0;

    explicit Model(IndexSizes sizes = kSmall) : sizes_(sizes) { reopen(); }

    void reopen() {
        index.reset();
        index = QueryIndex::open(disk, random, kDir, test_key(), sizes_).value();
        // What was only in memory is fed again; after pruning an empty index starts anywhere.
        const std::uint64_t from = std::max(index->covered_end(), dropped_below);
        if (from < rows.size()) feed(from);
    }
    /// What the answers must hold: every row but those that pruning let go. An index that was
    /// opened when all was pruned is empty, and rightly so.
    bool covers(const IndexRow& row) const {
        const SequenceRange covered = index->covered();
        if (dropped_below < rows.size()) {
            EXPECT_LE(covered.first, dropped_below);
            EXPECT_EQ(covered.end, rows.size());
        }
        return row.sequence >= covered.first && row.sequence < covered.end;
    }
    void feed(std::uint64_t from) {
        ASSERT_TRUE(index->add(std::span(rows).subspan(from)).has_value());
    }
    void add(std::vector<IndexRow> more) {
        const std::uint64_t from = rows.size();
        rows.insert(rows.end(), more.begin(), more.end());
        feed(from);
    }
    void merge_all() {
        while (index->merge_step().value()) {
        }
    }

    /// Every answer against the model.
    void check(Dimension dimension, const crypto::Token& wanted, SequenceRange within) const {
        const Sequences found = to_set(index->find(dimension, wanted, within).value());
        Sequences exact;
        for (const IndexRow& row : rows)
            if (row.sequence >= within.first && row.sequence < within.end && covers(row) &&
                token_in(row, dimension) == wanted && wanted != crypto::Token{})
                exact.insert(row.sequence);
        if (dimension == Dimension::Actor) {
            EXPECT_EQ(found, exact);
            return;
        }
        for (const std::uint64_t s : exact) EXPECT_TRUE(found.contains(s)) << "missed " << s;
        // What is more shares a bundle with an entry whose truncated token is the same.
        for (const std::uint64_t s : found)
            EXPECT_TRUE(explained(dimension, wanted, s)) << "stray " << s;
    }
    bool explained(Dimension dimension, const crypto::Token& wanted, std::uint64_t s) const {
        const std::uint64_t first = s / 256 * 256;
        for (std::uint64_t i = first; i < std::min<std::uint64_t>(first + 256, rows.size()); ++i) {
            const crypto::Token& there = token_in(rows[i], dimension);
            if (there != crypto::Token{} && key_of(dimension, there) == key_of(dimension, wanted))
                return true;
        }
        return false;
    }
    void check_time(WallTime from, WallTime until) const {
        const Sequences found = to_set(index->sequences_in(from, until));
        for (const IndexRow& row : rows)
            if (row.time >= from && row.time < until && covers(row)) {
                EXPECT_TRUE(found.contains(row.sequence)) << "missed " << row.sequence;
            }
    }
    void check_some(sim::Chance& chance) const {
        for (int i = 0; i < 6; ++i) {
            const std::uint64_t a = chance.below(rows.size() + 2),
                                b = chance.below(rows.size() + 2);
            const SequenceRange within = i == 0 ? SequenceRange{0, UINT64_MAX}
                                                : SequenceRange{std::min(a, b), std::max(a, b)};
            for (const Dimension dimension : kDimensions) {
                crypto::Token wanted = token(1 + chance.below(200));
                if (!rows.empty() && chance.odds(3, 4))
                    wanted = token_in(rows[chance.below(rows.size())], dimension);
                check(dimension, wanted, within);
            }
            const auto time = static_cast<std::int64_t>(chance.below(rows.size() * 1000 + 1));
            check_time(WallTime(Micros(time)),
                       WallTime(Micros(time + static_cast<std::int64_t>(chance.below(100'000)))));
        }
    }

  private:
    IndexSizes sizes_;
};

void act(Model& model, sim::Chance& chance) {
    switch (chance.below(9)) {
        case 8:
            ASSERT_TRUE(model.index->keep_rows().has_value());
            break;
        case 0:
            ASSERT_TRUE(model.index->flush().has_value());
            break;
        case 1:
            model.merge_all();
            break;
        case 2:
            model.reopen();
            break;
        case 3:
            if (chance.odds(1, 3)) {
                model.dropped_below =
                    std::max(model.dropped_below, chance.below(model.index->covered_end() + 1));
                ASSERT_TRUE(model.index->drop_below(model.dropped_below).has_value());
                EXPECT_LE(model.index->covered().first, model.dropped_below);
            }
            break;
        default:
            model.add(some_rows(chance, model.rows.size(), 1 + chance.below(150)));
    }
}

RC_GTEST_PROP(QueryIndex, AnswersAsTheModelDoes, ()) {
    sim::Chance chance(*rc::gen::arbitrary<std::uint64_t>());
    Model model;
    for (int i = 0; i < 25; ++i) {
        act(model, chance);
        if (chance.odds(1, 4)) model.check_some(chance);
    }
    model.check_some(chance);
    RC_ASSERT(!testing::Test::HasFailure());
}

TEST(QueryIndex, KeepsListsWholeAcrossBlocksAndMerges) {
    sim::Chance chance(5);
    Model model({.run_rows = 8192, .fan_out = 2, .levels = 3});
    model.add(some_rows(chance, 0, 40'000));
    EXPECT_EQ(model.index->runs(), 4u);
    model.check_some(chance);
    model.merge_all();
    EXPECT_EQ(model.index->runs(), 1u) << "four runs of 8,192 became one of 32,768";
    model.check_some(chance);
    model.check(Dimension::Actor, token(1), {0, UINT64_MAX});
}

TEST(QueryIndex, KeepsFewRunsHoweverOftenItIsFlushed) {
    sim::Chance chance(6);
    Model model;
    for (int i = 0; i < 400; ++i) {
        model.add(some_rows(chance, model.rows.size(), 5));
        ASSERT_TRUE(model.index->flush().has_value());
        model.merge_all();
        // 576-entry runs, at most two of 192, two of 64, one flushed.
        EXPECT_LE(model.index->runs(), model.rows.size() / 576 + 5);
    }
    model.check_some(chance);
}

TEST(QueryIndex, TakesRowsInOrderOnly) {
    sim::Chance chance(7);
    Model model;
    model.add(some_rows(chance, 0, 10));
    EXPECT_EQ(model.index->add(some_rows(chance, 11, 1)).error().code, Code::BadInput);
    EXPECT_EQ(model.index->add(some_rows(chance, 9, 1)).error().code, Code::BadInput);
    IndexRow early{.sequence = 10, .time = WallTime(Micros(-1))};
    EXPECT_EQ(model.index->add({&early, 1}).error().code, Code::BadInput);
    EXPECT_EQ(model.index->covered_end(), 10u);
    model.add(some_rows(chance, 10, 100));
    EXPECT_EQ(model.index->covered(), (SequenceRange{0, 110}));
}

TEST(QueryIndex, CommitsToEveryRunOnceItIsTold) {
    sim::Chance chance(8);
    Model model;
    model.add(some_rows(chance, 0, 200));
    ASSERT_TRUE(model.index->flush().has_value());
    const auto commitments = model.index->take_commitments();
    ASSERT_EQ(commitments.size(), 4u);
    EXPECT_EQ(commitments[3].range, (SequenceRange{192, 200}));
    EXPECT_TRUE(model.index->take_commitments().empty()) << "handed out once";
    EXPECT_EQ(model.index->evidence(token(1), {0, 200}).error().code, Code::Stale);
    for (const auto& commitment : commitments)
        model.index->committed(commitment, 1000 + commitment.run);
    EXPECT_EQ(model.index->evidence(token(1), {0, 200})->size(), 4u);
    EXPECT_EQ(model.index->evidence(token(1), {64, 65})->size(), 1u);
    // Another index may have had runs of the same numbers.
    IndexCommitment other = commitments[0];
    other.roots[0][0] ^= 1;
    model.index->committed(other, 5);
    EXPECT_EQ(model.index->evidence(token(1), {0, 64})->at(0).logged_at, 1000 + commitments[0].run);
    model.merge_all();
    EXPECT_EQ(model.index->take_commitments().size(), 1u) << "a merged run is a new one";
    model.reopen();
    ASSERT_TRUE(model.index->flush().has_value());
    EXPECT_EQ(model.index->take_commitments().size(), 2u) << "handed out again when never logged";
}

RC_GTEST_PROP(QueryIndex, CommitmentsFollowFromHeadersAlone, ()) {
    sim::Chance chance(*rc::gen::arbitrary<std::uint64_t>());
    Model model;
    model.add(some_rows(chance, 0, 100 + chance.below(900)));
    if (chance.odds(1, 2)) model.merge_all();
    RC_ASSERT(model.index->flush().has_value());
    for (const IndexCommitment& commitment : model.index->take_commitments()) {
        std::vector<crypto::Token> actors;
        for (std::uint64_t s = commitment.range.first; s < commitment.range.end; ++s)
            actors.push_back(model.rows[s].actor);
        RC_ASSERT(actor_root(commitment.range.first, actors) == commitment.root(Dimension::Actor));
        RC_ASSERT(IndexCommitment::parse(commitment.detail()).value() == commitment);
        // One actor of one entry changed: another root.
        actors[chance.below(actors.size())] = token(77'777);
        RC_ASSERT(actor_root(commitment.range.first, actors) != commitment.root(Dimension::Actor));
    }
}

TEST(IndexCommitment, RefusesOtherSpellings) {
    const IndexCommitment commitment{3, {64, 128}, {}};
    const auto good = commitment.detail();
    ASSERT_TRUE(IndexCommitment::parse(good).has_value());
    const std::vector<std::pair<std::string, std::string>> bad{{"run", "03"},
                                                               {"run", ""},
                                                               {"first", "128"},
                                                               {"end", "64"},
                                                               {"end", "-1"},
                                                               {"more", "1"},
                                                               {"actor", "00"},
                                                               {"actor", std::string(64, 'A')},
                                                               {"object", std::string(64, 'g')},
                                                               {"end", "99999999999999999999"}};
    for (const auto& [name, value] : bad) {
        auto detail = good;
        detail[name] = value;
        EXPECT_EQ(IndexCommitment::parse(detail).error().code, Code::Corrupt)
            << name << '=' << value;
    }
    auto detail = good;
    detail.erase("patient");
    EXPECT_EQ(IndexCommitment::parse(detail).error().code, Code::Corrupt);
}

// ---- what the disk does

/// Feeds until a failure; every call that can fail on a dying disk is made.
void live(QueryIndex& index, const std::vector<IndexRow>& rows, std::uint64_t seed) {
    sim::Chance chance(seed);
    while (index.covered_end() < rows.size()) {
        const std::uint64_t at = index.covered_end();
        const std::uint64_t count =
            std::min<std::uint64_t>(1 + chance.below(100), rows.size() - at);
        if (!index.add(std::span(rows).subspan(at, count))) return;
        if (chance.odds(1, 4) && !index.flush()) return;
        if (chance.odds(1, 2) && !index.merge_step()) return;
    }
}

TEST(QueryIndex, OpensAfterACrashAtEveryStep) {
    sim::Chance chance(10);
    const auto rows = some_rows(chance, 0, 700);
    std::uint64_t steps = 0;
    {
        sim::SimDisk disk;
        sim::SimRandom random(2);
        const auto index = QueryIndex::open(disk, random, kDir, test_key(), kSmall).value();
        live(*index, rows, 11);
        steps = disk.steps();
    }
    ASSERT_GT(steps, 100u);
    for (std::uint64_t step = 1; step <= steps; ++step) {
        Model model;
        model.index.reset();
        model.disk.crash_at_step(model.disk.steps() + step);
        if (auto index = QueryIndex::open(model.disk, model.random, kDir, test_key(), kSmall))
            live(**index, rows, 11);
        model.disk.crash(step);
        model.rows = rows;
        model.reopen();  // fails the test unless it opens and takes the rest
        model.merge_all();
        model.check_some(chance);
        ASSERT_FALSE(HasFailure()) << "crash at step " << step;
    }
}

TEST(QueryIndex, SurvivesEveryRefusedWrite) {
    sim::Chance chance(12);
    const auto rows = some_rows(chance, 0, 700);
    for (std::uint64_t spared = 0; spared < 60; ++spared) {
        Model model;
        model.disk.inject(spared % 2 ? sim::Fault::WriteFails : sim::Fault::SyncFails, "index",
                          spared / 2);
        while (model.index->covered_end() < rows.size()) {
            // The fault strikes once: the call fails, the next one goes on.
            (void)model.index->add(std::span(rows).subspan(model.index->covered_end()));
            (void)model.index->merge_step();
        }
        model.rows = rows;
        model.check_some(chance);
        model.reopen();
        model.check_some(chance);
        ASSERT_FALSE(HasFailure()) << "fault after " << spared;
    }
}

TEST(QueryIndex, GivesRoomBackWhenTheDiskIsFull) {
    sim::Chance chance(13);
    const auto rows = some_rows(chance, 0, 1000);
    Model model;
    model.disk.set_free_bytes(3000);
    const Status full = model.index->add(rows);
    ASSERT_FALSE(full.has_value());
    EXPECT_EQ(full.error().code, Code::Full);
    model.rows = {rows.begin(),
                  rows.begin() + static_cast<std::ptrdiff_t>(model.index->covered_end())};
    model.check_some(chance);
    model.disk.set_free_bytes(1 << 20);
    model.add({rows.begin() + static_cast<std::ptrdiff_t>(model.rows.size()), rows.end()});
    model.check_some(chance);
}

TEST(QueryIndex, NoticesEveryFlippedByte) {
    sim::Chance chance(14);
    Model model;
    model.add(some_rows(chance, 0, 64 * 9));
    model.merge_all();
    model.add(some_rows(chance, 64 * 9, 64));
    model.index.reset();
    const auto files = model.disk.list(kDir).value();
    for (const DirEntry& entry : files) {
        const std::string path = join(kDir, entry.name);
        const Bytes good = model.disk.read_file(path, 1 << 20).value();
        for (std::size_t at = 0; at < good.size(); at += 1 + chance.below(90)) {
            const auto disk = model.disk.clone();
            Bytes bad = good;
            bad[at] ^= static_cast<std::uint8_t>(1 + chance.below(255));
            ASSERT_TRUE(disk->write_file(path, bad).has_value());
            auto opened = QueryIndex::open(*disk, model.random, kDir, test_key(), kSmall);
            Code code = Code::BadInput;
            if (!opened) {
                code = opened.error().code;
            } else {
                // A block: whoever reads it is told. The busy doctor is in every actor block.
                for (const Dimension dimension : kDimensions)
                    for (const IndexRow& row : model.rows) {
                        const auto found =
                            (*opened)->find(dimension, token_in(row, dimension), {0, UINT64_MAX});
                        if (!found) code = found.error().code;
                        if (!found) break;
                    }
            }
            ASSERT_EQ(code, Code::Corrupt) << path << " byte " << at;
        }
    }
}

TEST(QueryIndex, IsRebuiltFromNothing) {
    sim::Chance chance(15);
    Model model;
    model.add(some_rows(chance, 0, 300));
    model.index.reset();
    ASSERT_TRUE(model.disk.write_file(kDir + "/manifest", as_bytes("not a manifest")).has_value());
    EXPECT_EQ(QueryIndex::open(model.disk, model.random, kDir, test_key(), kSmall).error().code,
              Code::Corrupt);
    ASSERT_TRUE(QueryIndex::wipe(model.disk, kDir).has_value());
    model.reopen();
    model.check_some(chance);
    EXPECT_EQ(QueryIndex::open(model.disk, model.random, kDir, test_key(8), kSmall).error().code,
              Code::Corrupt)
        << "another key";
}

TEST(QueryIndex, HasTheRowsItKeptWhenItIsOpenedAgain) {
    sim::Chance chance(18);
    Model model;
    const auto opened = [&] {
        model.index.reset();
        model.index = QueryIndex::open(model.disk, model.random, kDir, test_key(), kSmall).value();
        return model.index->covered_end();
    };
    model.add(some_rows(chance, 0, 40));
    EXPECT_EQ(opened(), 0U) << "nothing was kept";
    model.feed(0);
    ASSERT_TRUE(model.index->keep_rows());
    EXPECT_EQ(opened(), 40U);
    model.add(some_rows(chance, 40, 60));
    ASSERT_TRUE(model.index->keep_rows());
    EXPECT_EQ(opened(), 100U);
    model.check_some(chance);
    const std::string path = kDir + "/rows";
    Bytes damaged = model.disk.read_file(path, 1 << 20).value();
    damaged.back() ^= 1;
    ASSERT_TRUE(model.disk.write_file(path, damaged));
    EXPECT_EQ(opened(), 64U) << "what is damaged is fed again";
    model.feed(64);
    ASSERT_TRUE(model.index->keep_rows());
    ASSERT_TRUE(model.disk.remove(kDir + "/manifest"));
    EXPECT_EQ(opened(), 0U) << "an end without its beginning is no index";
}

TEST(QueryIndex, NoticesAMissingRun) {
    sim::Chance chance(16);
    Model model;
    model.add(some_rows(chance, 0, 300));
    model.index.reset();
    ASSERT_TRUE(model.disk.remove(join(kDir, model.disk.list(kDir)->front().name)).has_value());
    EXPECT_EQ(QueryIndex::open(model.disk, model.random, kDir, test_key(), kSmall).error().code,
              Code::Corrupt);
}

TEST(QueryIndex, LeavesNoTokenOnDisk) {
    sim::Chance chance(17);
    Model model;
    model.add(some_rows(chance, 0, 200));
    ASSERT_TRUE(model.index->flush().has_value());
    ASSERT_TRUE(model.index->keep_rows().has_value());
    const auto files = model.disk.list(kDir).value();
    for (const DirEntry& entry : files) {
        const Bytes bytes = model.disk.read_file(join(kDir, entry.name), 1 << 20).value();
        for (const IndexRow& row : model.rows)
            for (const Dimension dimension : kDimensions) {
                const crypto::Token& wanted = token_in(row, dimension);
                if (wanted == crypto::Token{}) continue;
                EXPECT_EQ(as_text(bytes).find(as_text(wanted)), std::string_view::npos);
            }
    }
}

}  // namespace
}  // namespace hygie::ledger
