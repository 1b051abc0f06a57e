#include "ledger/proofs/tlog_proof.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/proofs/memory_log.h"
#include "ledger/proofs/tile_hashes.h"

namespace hygie::ledger {
namespace {

using namespace memory;

/// A log of 700 entries whose every proof can be asked for.
struct Proven {
    Proven() : reader(files), cache(reader) {
        Chance chance(5);
        entries = honest_entries(700, chance);
        files = tree_files(entries);
        checkpoint =
            sign_checkpoint({"log.example", 700, merkle_tree_hash(leaves_of(entries)), {}}, log);
    }
    TlogProof proof(std::uint64_t index) {
        TileHashes hashes(cache, 700);
        return {std::nullopt, index, prove_inclusion(hashes, index, 700).value(), checkpoint};
    }
    bool accepts(std::uint64_t entry, const TlogProof& proof) const {
        return verify_proof(entries[entry], proof, Policy::trusting(log.verifier()), {})
            .has_value();
    }

    NoteSigner log = signer("log.example", KeyType::Ed25519, 100);
    std::vector<Bytes> entries;
    Files files;
    FilesReader reader;
    TileCache cache;
    SignedCheckpoint checkpoint;
};

TEST(TlogProof, ShowsThatAnEntryIsInTheLog) {
    Proven log;
    EXPECT_TRUE(rc::check([&] {
        const auto index = *rc::gen::inRange<std::uint64_t>(0, 700);
        TlogProof proof = log.proof(index);
        if (*rc::gen::arbitrary<bool>()) proof.extra = Bytes{1, 2, 3};
        const auto again = TlogProof::parse(proof.encode()).value();
        RC_ASSERT(again == proof);
        RC_ASSERT(log.accepts(index, again));
        RC_ASSERT(!log.accepts((index + 1) % 700, again));
        proof.index = (index + 1) % 700;
        RC_ASSERT(!log.accepts(index, proof));
        proof = again;
        proof.hashes[*rc::gen::inRange<std::size_t>(0, proof.hashes.size())][3] ^= 1;
        RC_ASSERT(!log.accepts(index, proof));
    }));
}

TEST(TlogProof, ThePolicyDecidesFirst) {
    Proven log;
    const auto other = Policy::trusting(signer("log.example", KeyType::Ed25519, 1).verifier());
    EXPECT_EQ(verify_proof(log.entries[3], log.proof(3), other, {}).error().code, Code::Forged);
    const auto mine = Policy::trusting(log.log.verifier());
    EXPECT_EQ(
        verify_proof(log.entries[3], log.proof(3), mine, {WallTime(), Micros(1)}).error().code,
        Code::Stale);
}

TEST(TlogProof, AFlippedBitIsRefused) {
    Proven log;
    const std::string good = log.proof(420).encode();
    const std::size_t index_line = good.find("index");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        const auto proof = TlogProof::parse(bad);
        if (!proof) continue;
        EXPECT_EQ(proof->encode(), bad);
        EXPECT_FALSE(log.accepts(420, *proof)) << "bit " << bit << ", index line at " << index_line;
    }
}

TEST(TlogProof, RefusesMalformedFiles) {
    Proven log;
    TlogProof proof = log.proof(1);
    proof.extra = Bytes{1};
    const std::string good = proof.encode();
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        return text.replace(text.find(from), from.size(), to);
    };
    EXPECT_TRUE(TlogProof::parse(good));
    for (const std::string& bad :
         {std::string(), with("v1\n", "v2\n"), with("v1\n", "v1 \n"), with("extra AQ==", "extra "),
          with("extra AQ==", "extra AQ"), with("extra AQ==", "extra AQ==\nextra AQ=="),
          with("extra AQ==\n", "\n"), with("index 1", "index 01"), with("index 1", "index -1"),
          with("index 1", "index"), with("index 1\n", ""), with("index 1\n", "index 1\nAA==\n"),
          with("\n\n", "\n"), good.substr(0, good.size() / 2), good + "\n",
          with("log.example\n700", "log.example\n0700")})
        EXPECT_FALSE(TlogProof::parse(bad)) << bad;
    proof.hashes.resize(kProofHashesMax);
    EXPECT_TRUE(TlogProof::parse(proof.encode()));
    proof.hashes.resize(kProofHashesMax + 1);
    EXPECT_FALSE(TlogProof::parse(proof.encode()));
    EXPECT_FALSE(TlogProof::parse(std::string(kTlogProofBytesMax + 1, 'a')));
}

}  // namespace
}  // namespace hygie::ledger
