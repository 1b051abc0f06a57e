#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "event/codec.h"
#include "ledger/index/completeness_tree.h"
#include "ledger/log/entry.h"
#include "ledger/proofs/completeness.h"
#include "ledger/proofs/memory_log.h"
#include "ledger/tree/tree.h"
#include "sim/chance.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// \file
/// For tests: a small ledger in memory with its index, whose answers are known beforehand.

namespace hygie::ledger {

using crypto::Hash;

/// A log in memory, its tiles and bundles made when asked for.
class MemoryLog final : public LogReader {
  public:
    void append(Bytes entry) {
        nodes_[0].push_back(crypto::leaf_hash(entry));
        entries_.push_back(std::move(entry));
        for (std::size_t level = 1; nodes_[level - 1].size() % kTileHashes == 0; ++level) {
            LeafReader tile(std::span(nodes_[level - 1]).last(kTileHashes));
            nodes_[level].push_back(tile.node(8, 0).value());
        }
    }
    std::uint64_t size() const { return entries_.size(); }
    const Bytes& entry(std::uint64_t index) const { return entries_[index]; }

    Result<Bytes> read(const std::string& path, std::size_t) override {
        Bytes out;
        if (const auto bundle = parse_bundle_path(path)) {
            for (std::size_t i = 0; i < bundle->width; ++i) {
                const Bytes& entry = entries_.at(bundle->index * kTileHashes + i);
                std::array<std::uint8_t, 2> length;
                store_be(length.data(), static_cast<std::uint16_t>(entry.size()));
                hygie::append(out, length);
                hygie::append(out, entry);
            }
            return out;
        }
        const TileId tile = parse_tile_path(path).value();
        for (std::size_t i = 0; i < tile.width; ++i)
            hygie::append(out, nodes_.at(tile.level).at(tile.index * kTileHashes + i));
        return out;
    }

  private:
    std::vector<Bytes> entries_;
    std::vector<std::vector<Hash>> nodes_ = std::vector<std::vector<Hash>>(4);
};

inline crypto::Token actor(std::uint64_t number) {
    crypto::Token out;
    store_be(out.data(), (number + 1) * 0x9E3779B97F4A7C15);
    return out;
}

inline NoteSigner signer_named(const std::string& name, std::uint8_t seed) {
    return NoteSigner(
        name, KeyType::Ed25519,
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{seed})));
}

inline const std::string kOrigin = "log.example/hygie";

/// A small ledger: rows go to the log and to the index, commitments are logged in between.
struct World {
    sim::SimDisk disk;
    sim::SimRandom random{3};
    MemoryLog log;
    std::unique_ptr<QueryIndex> index;
    NoteSigner signer = signer_named(kOrigin, 1);
    Policy policy = Policy::trusting(signer.verifier());
    std::vector<crypto::Token> actors;  ///< of each entry

    explicit World(IndexSizes sizes) {
        index = QueryIndex::open(disk, random, "/index", crypto::Secret32(), sizes).value();
    }

    std::uint64_t add(Header header, ByteView payload, Payload kind) {
        header.sequence = log.size();
        header.time =
            WallTime(Micros(static_cast<std::int64_t>(1'700'000'000'000'000 + header.sequence)));
        log.append(memory::entry_of(header, kind, payload));
        actors.push_back(header.actor);
        const IndexRow row{.sequence = header.sequence, .time = header.time, .actor = header.actor};
        EXPECT_TRUE(index->add({&row, 1}).has_value());
        return header.sequence;
    }
    void act(const crypto::Token& who) {
        Header header;
        header.type = event::Type::RecordRead;
        header.source = 2;
        header.retention = event::Retention::Trace1Year;
        header.actor = who;
        add(header, Bytes(40, 0xAB), Payload::Sealed);
    }
    std::uint64_t log_commitment(const IndexCommitment& commitment) {
        event::Event said;
        said.type = event::Type::IndexCommitted;
        said.retention = event::Retention::System;
        said.detail = commitment.detail();
        Header header;
        header.type = said.type;
        return add(header, event::encode_body(said).value(), Payload::Open);
    }
    void commit() {
        EXPECT_TRUE(index->flush().has_value());
        for (const IndexCommitment& commitment : index->take_commitments())
            index->committed(commitment, log_commitment(commitment));
    }
    SignedCheckpoint checkpoint() {
        TileCache cache(log);
        TileHashes hashes(cache, log.size());
        return sign_checkpoint({kOrigin, log.size(), root_of(hashes, log.size()).value(), {}},
                               signer);
    }
    Result<CompletenessProof> prove(const crypto::Token& who, SequenceRange range) {
        TileCache cache(log);
        return prove_completeness(*index, log, cache, checkpoint(), who, range);
    }
    Result<CompleteAnswer> check(const CompletenessProof& proof) const {
        return check_completeness(proof, policy, {.now = {}, .max_age = {}});
    }
    std::vector<std::uint64_t> traces(const crypto::Token& who, SequenceRange range) const {
        std::vector<std::uint64_t> found;
        for (std::uint64_t s = range.first; s < range.end; ++s)
            if (actors[s] == who) found.push_back(s);
        return found;
    }
};

/// Runs of several blocks and of one, merged and fresh, the last one from a flush.
inline std::unique_ptr<World> make_world(std::uint64_t seed) {
    sim::Chance chance(seed);
    auto world = std::make_unique<World>(IndexSizes{.run_rows = 2048, .fan_out = 4, .levels = 2});
    while (world->log.size() < 15'000) {
        world->act(chance.odds(1, 3) ? actor(0) : actor(chance.below(60)));
        if (world->log.size() % 5000 == 0)
            while (world->index->merge_step().value()) {
            }
    }
    world->commit();
    return world;
}

inline World& shared_world() {
    static const std::unique_ptr<World> world = make_world(1);
    return *world;
}

inline constexpr SequenceRange kAsked{0, 15'000};

}  // namespace hygie::ledger
