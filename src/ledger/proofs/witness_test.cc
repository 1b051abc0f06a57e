#include "ledger/proofs/witness.h"

#include <gtest/gtest.h>

#include <thread>

#include "ledger/proofs/memory_log.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/tree/canonical.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"

namespace hygie::ledger {
namespace {

using namespace memory;

const NoteSigner& log_signer() {
    static const NoteSigner log = signer("log.example/42", KeyType::Ed25519, 100);
    return log;
}

/// A log whose checkpoints of every size can be submitted, and a witness that knows it.
struct Scene {
    Scene() { reopen(); }

    void reopen() {
        witness.reset();
        witness =
            Witness::open(disk, clock, "witness", key, {{log_signer().verifier(), ""}}).value();
    }
    crypto::Hash root(std::size_t size) const {
        return merkle_tree_hash(std::span(leaves).first(size));
    }
    SignedCheckpoint checkpoint(std::size_t size) const {
        return sign_checkpoint({"log.example/42", size, root(size), {}}, log_signer());
    }
    std::string body(std::uint64_t old_size, const SignedCheckpoint& next,
                     const Proof& proof) const {
        std::string text = "old " + std::to_string(old_size) + '\n';
        for (const crypto::Hash& hash : proof) text += hash_text(hash) + '\n';
        return text + '\n' + next.encode();
    }
    std::string body(std::uint64_t old_size, std::size_t size) {
        FilesReader reader(files);
        TileCache cache(reader);
        TileHashes hashes(cache, leaves.size());
        return body(old_size, checkpoint(size),
                    prove_consistency(hashes, old_size, size).value_or(Proof{}));
    }
    WitnessAnswer submit(std::uint64_t old_size, std::size_t size) {
        return witness->add_checkpoint(body(old_size, size));
    }
    std::string path() const {
        return "/" + to_hex(crypto::sha256(as_bytes("log.example/42"))) + "/checkpoint";
    }

    static std::vector<crypto::Hash> make_leaves() {
        Chance chance(1);
        return leaves_of(honest_entries(600, chance));
    }
    static Files make_files(const std::vector<crypto::Hash>& hashes) {
        Files made;
        write_tiles(hashes, made);
        return made;
    }

    std::vector<crypto::Hash> leaves = make_leaves();
    Files files = make_files(leaves);
    sim::SimDisk disk;
    sim::SimClock clock;
    NoteSigner key = signer("witness.example/w1", KeyType::Cosignature, 7);
    std::unique_ptr<Witness> witness;
};

/// The time of the one valid cosignature of the answer.
std::uint64_t cosigned_at(const Scene& scene, const WitnessAnswer& answer, std::size_t size) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    const VerifierKey* own = &scene.key.verifier();
    const auto lines = parse_signatures(answer.body);
    if (!lines) return 0;
    const auto verified = verify_note({scene.checkpoint(size).note.text, *lines}, {&own, 1});
    return verified && verified->size() == 1 ? verified->front().time : 0;
}

TEST(Witness, CosignsWhatContinuesAndRemembersIt) {
    Scene scene;
    EXPECT_EQ(scene.witness->handle("GET", scene.path(), "").status, 404);
    EXPECT_GT(cosigned_at(scene, scene.submit(0, 300), 300), 0u);
    EXPECT_GT(cosigned_at(scene, scene.submit(300, 600), 600), 0u);
    const auto latest = scene.witness->handle("GET", scene.path(), "");
    EXPECT_EQ(latest.status, 200);
    const auto note = SignedCheckpoint::parse(latest.body).value();
    EXPECT_EQ(note.checkpoint, scene.checkpoint(600).checkpoint);
    const VerifierKey* keys[] = {&log_signer().verifier(), &scene.key.verifier()};
    EXPECT_EQ(verify_note(note.note, keys)->size(), 2u);
}

TEST(Witness, TheSameSizeIsCosignedAgainWithANewTime) {
    Scene scene;
    const auto first = cosigned_at(scene, scene.submit(0, 300), 300);
    scene.clock.advance(std::chrono::seconds(10));
    EXPECT_EQ(cosigned_at(scene, scene.submit(300, 300), 300), first + 10);
}

TEST(Witness, ALogMayBeEmptyAtFirst) {
    Scene scene;
    EXPECT_GT(cosigned_at(scene, scene.submit(0, 0), 0), 0u);
    EXPECT_GT(cosigned_at(scene, scene.submit(0, 5), 5), 0u);
    Checkpoint wrong = scene.checkpoint(0).checkpoint;
    wrong.root[0] ^= 1;
    Scene other;
    EXPECT_EQ(other.witness->add_checkpoint(other.body(0, sign_checkpoint(wrong, log_signer()), {}))
                  .status,
              422);
}

TEST(Witness, AnswersAsTheSpecificationSays) {
    Scene scene;
    ASSERT_EQ(scene.submit(0, 300).status, 200);
    EXPECT_EQ(scene.submit(0, 600), (WitnessAnswer{409, "text/x.tlog.size", "300\n"}));
    EXPECT_EQ(scene.submit(200, 200), (WitnessAnswer{409, "text/x.tlog.size", "300\n"}));
    EXPECT_EQ(scene.submit(400, 300).status, 400) << "old above new";
    EXPECT_EQ(scene.witness->add_checkpoint(scene.body(300, scene.checkpoint(600), {})).status,
              422);
    EXPECT_EQ(
        scene.witness->add_checkpoint(scene.body(300, scene.checkpoint(300), {scene.leaves[0]}))
            .status,
        422);
    Checkpoint fork = scene.checkpoint(300).checkpoint;
    fork.root[3] ^= 1;
    EXPECT_EQ(
        scene.witness->add_checkpoint(scene.body(300, sign_checkpoint(fork, log_signer()), {}))
            .status,
        422);

    SignedCheckpoint next = scene.checkpoint(300);
    const auto stranger = signer("log.example/42", KeyType::Ed25519, 99);
    next.note.signatures = {stranger.sign(next.note.text)};
    EXPECT_EQ(scene.witness->add_checkpoint(scene.body(300, next, {})).status, 403)
        << "unknown key";
    next.note.signatures.push_back(log_signer().sign(next.note.text));
    EXPECT_EQ(scene.witness->add_checkpoint(scene.body(300, next, {})).status, 200)
        << "unknown keys are ignored";
    next.note.signatures[1].signature[9] ^= 1;
    EXPECT_EQ(scene.witness->add_checkpoint(scene.body(300, next, {})).status, 403)
        << "false signature";
    Checkpoint unknown = scene.checkpoint(300).checkpoint;
    unknown.origin = "log.example/43";
    EXPECT_EQ(
        scene.witness->add_checkpoint(scene.body(300, sign_checkpoint(unknown, log_signer()), {}))
            .status,
        404);

    Scene fresh;
    EXPECT_EQ(
        fresh.witness->add_checkpoint(fresh.body(0, fresh.checkpoint(5), {fresh.leaves[0]})).status,
        422);
    EXPECT_EQ(fresh.submit(3, 5), (WitnessAnswer{409, "text/x.tlog.size", "0\n"}));
}

TEST(Witness, MalformedRequestsAreBad) {
    Scene scene;
    const std::string good = scene.body(0, 300);
    const std::string note = scene.checkpoint(300).encode();
    const std::string hash = hash_text(scene.leaves[0]) + '\n';
    std::string many = "old 0\n";
    for (std::size_t i = 0; i <= kProofHashesMax; ++i) many += hash;
    for (const std::string& bad :
         {std::string(), std::string("\n"), std::string("old 0"), std::string("old 0\n"),
          "old\n\n" + note, "old 00\n\n" + note, "old -1\n\n" + note, "old 1 \n\n" + note,
          "Old 0\n\n" + note, "old 0\n" + note, "old 0\nAA==\n\n" + note, "old 0\n\n\n" + note,
          many + '\n' + note, good + "x", good.substr(0, good.size() - 1),
          "old 9223372036854775808\n\n" + note, std::string(kWitnessRequestBytesMax + 1, 'a')})
        EXPECT_EQ(scene.witness->add_checkpoint(bad).status, 400) << bad.substr(0, 200);
    EXPECT_EQ(scene.witness->handle("GET", "/add-checkpoint", good).status, 405);
    EXPECT_EQ(scene.witness->handle("POST", scene.path(), good).status, 405);
    for (const char* path :
         {"/", "", "/checkpoint", "//checkpoint", "/../checkpoint", "/lock/checkpoint"})
        EXPECT_EQ(scene.witness->handle("GET", path, "").status, 404) << path;
    EXPECT_EQ(scene.witness->handle("POST", "/add-checkpoint", good).status, 200);
}

TEST(Witness, WhatItAnsweredSurvivesEveryCrash) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Scene scene;
        ASSERT_EQ(scene.submit(0, 100).status, 200);
        std::size_t answered = 100;
        scene.disk.crash_at_step(scene.disk.steps() + 1 + seed % 12);
        for (const std::size_t next : {200u, 300u, 400u})
            if (scene.submit(answered, next).status == 200) answered = next;
        scene.witness.reset();
        scene.disk.crash(seed);
        scene.reopen();
        const auto latest = scene.witness->handle("GET", scene.path(), "");
        ASSERT_EQ(latest.status, 200);
        EXPECT_GE(SignedCheckpoint::parse(latest.body)->checkpoint.size, answered)
            << "seed " << seed;
    }
}

TEST(Witness, AFullDiskRefusesAndRecovers) {
    Scene scene;
    ASSERT_EQ(scene.submit(0, 100).status, 200);
    scene.disk.set_free_bytes(0);
    EXPECT_EQ(scene.submit(100, 200).status, 500);
    scene.disk.set_free_bytes(1 << 20);
    EXPECT_EQ(scene.submit(100, 200).status, 200);
}

TEST(Witness, AMemoryThatIsNotItsOwnStopsIt) {
    Scene scene;
    ASSERT_EQ(scene.submit(0, 100).status, 200);
    const auto open = [&](const NoteSigner& key) {
        return Witness::open(scene.disk, scene.clock, "witness", key,
                             {{log_signer().verifier(), ""}});
    };
    EXPECT_EQ(open(scene.key).error().code, Code::Busy);
    scene.witness.reset();
    EXPECT_EQ(open(signer("witness.example/w1", KeyType::Cosignature, 8)).error().code,
              Code::Corrupt);
    EXPECT_EQ(open(signer("witness.example/w1", KeyType::Ed25519, 7)).error().code, Code::BadInput);
    const std::string file = "witness/" + to_hex(crypto::sha256(as_bytes("log.example/42")));
    ASSERT_TRUE(scene.disk.replace_file(file, as_bytes(scene.checkpoint(100).encode())));
    EXPECT_EQ(open(scene.key).error().code, Code::Corrupt) << "no cosignature";
    ASSERT_TRUE(scene.disk.replace_file(file, {}));
    EXPECT_EQ(open(scene.key).error().code, Code::Corrupt);
}

TEST(Witness, EveryEpochKeyOfAnOriginMaySubmit) {
    Scene scene;
    const auto next = signer("log.example/42", KeyType::Ed25519, 101);
    scene.witness.reset();
    scene.witness = Witness::open(scene.disk, scene.clock, "witness", scene.key,
                                  {{log_signer().verifier(), ""}, {next.verifier(), ""}})
                        .value();
    ASSERT_EQ(scene.submit(0, 300).status, 200);
    const auto renewed = sign_checkpoint(scene.checkpoint(300).checkpoint, next);
    EXPECT_EQ(scene.witness->add_checkpoint(scene.body(300, renewed, {})).status, 200);
}

TEST(Witness, OfRacingRequestsOneWins) {
    Scene scene;
    ASSERT_EQ(scene.submit(0, 100).status, 200);
    std::vector<std::string> bodies;
    for (std::size_t size = 101; size <= 108; ++size) bodies.push_back(scene.body(100, size));
    std::atomic<int> cosigned = 0;
    {
        std::vector<std::jthread> threads;
        for (const std::string& body : bodies)
            threads.emplace_back(
                [&] { cosigned += scene.witness->add_checkpoint(body).status == 200; });
    }
    EXPECT_EQ(cosigned, 1);
}

}  // namespace
}  // namespace hygie::ledger
