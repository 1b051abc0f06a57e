#include "vault/verify.h"

#include <gtest/gtest.h>

#include "vault/body.h"
#include "vault/settings.h"
#include "vault/store.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

/// Changes stored rows behind the vault's back.
class VerifyTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(commit(*vault_, {put(patient("p1")), put(observation("o1", "p1"))}));
        ASSERT_TRUE(commit(*vault_, {put(observation("o1", "p1", "6.0"))}));
        ASSERT_TRUE(commit(*vault_, {put(patient("p2", "Roux"))}));
    }
    /// The store alone, while the vault is closed.
    void tamper(const std::function<void(Store&)>& change) {
        vault_.reset();
        change(*open_sqlite({machine_.disk, machine_.clock, machine_.random}, "vault").value());
        vault_ = machine_.open();
    }
    std::uint64_t row_of(const std::string& type, const std::string& id) {
        return vault_->find(type, id)->entry.body;
    }
    std::vector<Rot> rot() {
        Verified verified;
        while (!verified.done)
            verified = vault_->verify(std::move(verified), machine_.trace, 1).value();
        return verified.rot;
    }
    static Bytes get(Store& store, Table table, std::int64_t row) {
        return store.get(table, {row}).value().value();
    }
    static void put_row(Store& store, Table table, std::int64_t row, Bytes value) {
        Batch batch;
        batch.put(table, {row}, std::move(value));
        ASSERT_TRUE(store.commit(batch));
    }

    Machine machine_;
    std::unique_ptr<Vault> vault_ = machine_.open();
};

TEST_F(VerifyTest, FindsNothingWhereNothingIsWrong) {
    const Verified verified = vault_->verify({}, machine_.trace, 100).value();
    EXPECT_TRUE(verified.done);
    EXPECT_EQ(verified.commits, 3u);
    EXPECT_EQ(verified.versions, 4u);
    EXPECT_TRUE(verified.rot.empty());
}

TEST_F(VerifyTest, GoesInSmallSteps) {
    Verified verified = vault_->verify({}, machine_.trace, 1).value();
    EXPECT_FALSE(verified.done);
    EXPECT_EQ(verified.commits, 1u);
    EXPECT_EQ(verified.next_commit, 2u);
    EXPECT_TRUE(rot().empty());
}

TEST_F(VerifyTest, NamesEveryBitThatTurned) {
    const auto row = static_cast<std::int64_t>(row_of("Observation", "o1"));
    std::size_t size = 0;
    tamper([&](Store& store) { size = get(store, Table::Bodies, row).size(); });
    for (std::size_t at = 0; at < size; at += 7) {
        Bytes honest;
        tamper([&](Store& store) {
            honest = get(store, Table::Bodies, row);
            Bytes turned = honest;
            turned[at] ^= 0x10;
            put_row(store, Table::Bodies, row, turned);
        });
        EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Version, 2, static_cast<std::uint64_t>(row)}}))
            << at;
        const auto version = vault_->read(vault_->find("Observation", "o1").value());
        EXPECT_FALSE(version);
        tamper([&](Store& store) { put_row(store, Table::Bodies, row, honest); });
    }
}

TEST_F(VerifyTest, SeesAVersionThatIsGone) {
    const auto row = static_cast<std::int64_t>(row_of("Patient", "p2"));
    tamper([&](Store& store) {
        Batch batch;
        batch.erase(Table::Bodies, {row});
        ASSERT_TRUE(store.commit(batch));
    });
    EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Version, 3, static_cast<std::uint64_t>(row)}}));
}

/// Whoever holds the keys can write another version, but not into the ledger.
TEST_F(VerifyTest, SeesAVersionThatTheLedgerNeverSaw) {
    const auto row = row_of("Patient", "p2");
    const auto record = vault_->record("p2").value();
    const Body forged{.version = 1,
                      .updated = vault_->find("Patient", "p2")->entry.updated,
                      .text = patient("p2", "Faux")};
    tamper([&](Store& store) {
        put_row(store, Table::Bodies, static_cast<std::int64_t>(row),
                seal_body(record->key(), record->number(), row, forged).value());
    });
    EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Commit, 3, 0}}));
}

TEST_F(VerifyTest, SeesThatARecordWasPassedOffAsErased) {
    const auto row = static_cast<std::int64_t>(row_of("Patient", "p2"));
    tamper([&](Store& store) {
        Bytes left = erased_body(get(store, Table::Bodies, row));
        left.back() ^= 1;
        put_row(store, Table::Bodies, row, left);
    });
    EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Commit, 3, 0}}));
}

TEST_F(VerifyTest, SeesWhatTheLedgerDoesNotKnow) {
    machine_.trace.forget(2);
    EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Evidence, 2, 0}}));
}

/// A ledger in which the trace of one commit no longer opens.
class WithoutOne final : public Evidence {
  public:
    WithoutOne(const Evidence& ledger, std::uint64_t gone) : ledger_(ledger), gone_(gone) {}
    Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const override {
        if (counter == gone_) return fail(Code::Erased, {"effacée", "erased"});
        return ledger_.digest_of(counter);
    }

  private:
    const Evidence& ledger_;
    std::uint64_t gone_;
};

/// Traces are erased on request, and end with their time.
TEST_F(VerifyTest, AnErasedTraceIsNoFaultAndExcusesNone) {
    EXPECT_TRUE(vault_->verify({}, WithoutOne(machine_.trace, 2), 100).value().rot.empty());
    EXPECT_TRUE(vault_->verify({}, WithoutOne(machine_.trace, 4), 100).value().rot.empty());
    const std::uint64_t row = row_of("Observation", "o1");
    tamper([&](Store& store) {
        Bytes damaged = get(store, Table::Bodies, static_cast<std::int64_t>(row));
        damaged.back() ^= 1;
        put_row(store, Table::Bodies, static_cast<std::int64_t>(row), damaged);
    });
    EXPECT_EQ(vault_->verify({}, WithoutOne(machine_.trace, 2), 100).value().rot,
              (std::vector{Rot{Rot::Kind::Version, 2, row}}));
}

TEST_F(VerifyTest, SeesACommitThatIsGone) {
    tamper([](Store& store) {
        Batch batch;
        batch.erase(Table::Commits, {2});
        ASSERT_TRUE(store.commit(batch));
    });
    EXPECT_EQ(rot(), (std::vector{Rot{Rot::Kind::Missing, 2, 0}}));
}

TEST_F(VerifyTest, SeesAnIndexThatHidesTheNewestVersion) {
    const auto number = static_cast<std::int64_t>(vault_->record("p1").value()->number());
    std::vector<std::pair<Key, Bytes>> older;
    vault_.reset();
    const auto copy = machine_.disk.clone();
    vault_ = machine_.open();
    const auto read_pieces = [&](Store& store) {
        older.clear();
        const auto [first, last] = keys_of(number);
        EXPECT_TRUE(store.scan(Table::Pieces, first, last, [&](Key key, ByteView value) {
            older.emplace_back(key, to_bytes(value));
            return true;
        }));
    };
    read_pieces(*open_sqlite({*copy, machine_.clock, machine_.random}, "vault").value());
    ASSERT_TRUE(commit(*vault_, {put(observation("o1", "p1", "7.0"))}));
    tamper([&](Store& store) {
        const auto before = older;
        read_pieces(store);
        Batch batch;
        for (const auto& [key, value] : older) batch.erase(Table::Pieces, key);
        for (const auto& [key, value] : before) batch.put(Table::Pieces, key, value);
        ASSERT_TRUE(store.commit(batch));
    });
    ASSERT_EQ(rot().size(), 1u);
    EXPECT_EQ(rot().front().kind, Rot::Kind::Index);
    EXPECT_EQ(rot().front().commit, 4u);
}

TEST_F(VerifyTest, MakesADamagedIndexAnewFromTheBodies) {
    ASSERT_TRUE(commit(*vault_, {remove("Observation", "o1")}));
    ASSERT_TRUE(commit(*vault_, {put(encounter("e1", "p1", "Practitioner/d1"))}));
    const auto record = vault_->record("p1").value();
    const auto number = static_cast<std::int64_t>(record->number());
    const auto relations = record->relations().size();
    tamper([&](Store& store) {
        Batch batch;
        const auto [first, last] = keys_of(number);
        EXPECT_TRUE(store.scan(Table::Pieces, first, last, [&](Key key, ByteView value) {
            Bytes turned = to_bytes(value);
            turned[turned.size() / 2] ^= 1;
            batch.put(Table::Pieces, key, turned);
            return true;
        }));
        ASSERT_TRUE(store.commit(batch));
    });
    EXPECT_EQ(body_of(*vault_, "Observation", "o1"), "deleted");
    EXPECT_EQ(vault_->everything("p1")->size(), 2u);
    EXPECT_EQ(vault_->record("p1").value()->relations().size(), relations);
    EXPECT_EQ(vault_->record("p1").value()->patient(), "p1");
    EXPECT_TRUE(rot().empty());
}

TEST_F(VerifyTest, AnIndexThatIsSealedWellAndDoesNotReadBackIsMadeAnew) {
    const auto record = vault_->record("p1").value();
    tamper([&](Store& store) {
        Batch batch;
        for (const Piece& piece : record->pieces()) {
            const auto number = static_cast<std::uint64_t>(piece.number);
            // Its last bytes are values: a compressed section that is none.
            Bytes wrong = encode_piece(piece, "p1");
            std::fill(wrong.end() - 12, wrong.end(), std::uint8_t{0});
            batch.put(Table::Pieces, {static_cast<std::int64_t>(record->number()), piece.number},
                      seal_piece(record->key(), record->number(), number, wrong));
        }
        ASSERT_TRUE(store.commit(batch));
    });
    const auto search = [&] {
        const std::vector<fhir::QueryParameter> asked = {{"family", "x"}};
        return vault_->search(fhir::parse_query("Patient", asked, {}).value(),
                              {.allows = [](const Record&) { return true; }, .patient = "p1"});
    };
    const auto first = search();
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, Code::Corrupt) << "an error of that request, no empty answer";
    EXPECT_TRUE(search()) << "made anew from the bodies";
    EXPECT_EQ(vault_->everything("p1")->size(), 2u);
    EXPECT_TRUE(rot().empty());
}

TEST_F(VerifyTest, MakesTheIndexOfAnOlderVersionAnewFromTheBodies) {
    ASSERT_TRUE(commit(*vault_, {put(encounter("e1", "p1", "Practitioner/d1"))}));
    const auto record = vault_->record("p1").value();
    tamper([&](Store& store) {
        Batch batch;
        batch.put(Table::Settings, key_of(Setting::Definitions), {1});
        for (const Piece& piece : record->pieces()) {
            const auto number = static_cast<std::uint64_t>(piece.number);
            Bytes older = encode_piece(piece, "p1");
            older.front() = 1;
            batch.put(Table::Pieces, {static_cast<std::int64_t>(record->number()), piece.number},
                      seal_piece(record->key(), record->number(), number, older));
        }
        ASSERT_TRUE(store.commit(batch));
    });
    EXPECT_EQ(vault_->everything("p1")->size(), 3u);
    EXPECT_EQ(vault_->record("p1").value()->relations().size(), record->relations().size());
    EXPECT_TRUE(rot().empty());
}

TEST_F(VerifyTest, AnOlderPieceIsStaleAndNotDamaged) {
    Bytes piece = encode_piece(vault_->record("p1").value()->pieces().front(), "p1");
    EXPECT_EQ(decode_piece(1, piece)->patient, "p1");
    piece.front() = 1;
    EXPECT_EQ(decode_piece(1, piece).error().code, Code::Stale);
    piece.front() = 99;
    EXPECT_EQ(decode_piece(1, piece).error().code, Code::Corrupt);
}

TEST_F(VerifyTest, SaysWhatItFound) {
    for (int kind = 1; kind <= 6; ++kind) {
        const Text text = describe({static_cast<Rot::Kind>(kind), 1234, 1234});
        EXPECT_NE(text.fr, text.en);
        EXPECT_TRUE(text.fr.contains("1234") && text.en.contains("1234"));
    }
}

}  // namespace
}  // namespace hygie::vault
