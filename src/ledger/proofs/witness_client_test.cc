#include "ledger/proofs/witness_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ledger/proofs/memory_log.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/proofs/witness.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_fetch.h"

namespace hygie::ledger {
namespace {

using namespace memory;
using namespace std::chrono_literals;

/// A log, three honest witnesses behind a scripted web, and a way to replace what one of them
/// answers.
struct Scene {
    Scene() {
        std::string text = "log " + log.verifier().str() + "\n";
        for (int i = 0; i < 3; ++i) {
            keys.push_back(signer(fmt::format("w{}.example", i), KeyType::Cosignature,
                                  static_cast<std::uint8_t>(i + 1)));
            witnesses.push_back(Witness::open(disk, clock, fmt::format("w{}", i), keys.back(),
                                              {{log.verifier(), ""}})
                                    .value());
            text += fmt::format("witness W{} {} http://w{}\n", i, keys.back().verifier().str(), i);
        }
        policy = Policy::parse(text + "group G 2 W0 W1 W2\nquorum G\n").value();
        client = make_client();
    }

    std::unique_ptr<WitnessClient> make_client() {
        return std::make_unique<WitnessClient>(
            web, clock, policy, [this](auto a, auto b) { return prove(a, b); }, 5s);
    }
    SignedCheckpoint checkpoint(std::size_t size) const {
        return sign_checkpoint(
            {"log.example", size, merkle_tree_hash(std::span(leaves).first(size)), {}}, log);
    }
    Result<FetchResponse> honest(const FetchRequest& request) {
        const auto which = static_cast<std::size_t>(request.url.at(8) - '0');
        EXPECT_EQ(request.url, fmt::format("http://w{}/add-checkpoint", which));
        EXPECT_EQ(request.method, "POST");
        const auto answer =
            witnesses[which]->handle("POST", request.url.substr(9), as_text(request.body));
        return FetchResponse{answer.status, answer.content_type, to_bytes(as_bytes(answer.body))};
    }
    Result<Proof> prove(std::uint64_t old_size, std::uint64_t new_size) {
        TileHashes hashes(cache, leaves.size());
        return prove_consistency(hashes, old_size, new_size);
    }

    NoteSigner log = signer("log.example", KeyType::Ed25519, 100);
    std::vector<crypto::Hash> leaves = [] {
        Chance chance(1);
        return leaves_of(honest_entries(600, chance));
    }();
    Files files = [this] {
        Files made;
        write_tiles(leaves, made);
        return made;
    }();
    FilesReader reader{files};
    TileCache cache{reader};
    sim::SimDisk disk;
    sim::SimClock clock;
    std::vector<NoteSigner> keys;
    std::vector<std::unique_ptr<Witness>> witnesses;
    Policy policy = Policy::trusting(log.verifier());
    std::function<Result<FetchResponse>(const FetchRequest&)> second;  ///< what W1 does, when set
    sim::SimFetch web{[this](const FetchRequest& request) {
        return second && request.url.starts_with("http://w1") ? second(request) : honest(request);
    }};
    std::unique_ptr<WitnessClient> client;
};

/// Collects, puts what came under the checkpoint and judges it.
bool accepted(Scene& scene, std::size_t size) {
    SignedCheckpoint made = scene.checkpoint(size);
    for (const Cosigned& answer : scene.client->collect(made))
        if (answer.cosignature) made.note.signatures.push_back(*answer.cosignature);
    return scene.policy.judge(made, {scene.clock.now(), 10s}).has_value();
}

TEST(WitnessClient, CollectsAQuorumAsTheLogGrows) {
    Scene scene;
    for (const std::size_t size : {0u, 1u, 300u, 300u, 600u}) {
        const auto answers = scene.client->collect(scene.checkpoint(size));
        ASSERT_EQ(answers.size(), 3u);
        for (const Cosigned& answer : answers)
            EXPECT_TRUE(answer.cosignature) << answer.cosignature.error().what.en;
        EXPECT_TRUE(accepted(scene, size));
        scene.clock.advance(1s);
    }
}

TEST(WitnessClient, LearnsTheSizeFromAConflictOnce) {
    Scene scene;
    ASSERT_TRUE(accepted(scene, 300));
    scene.client = scene.make_client();  // restarted, it remembers nothing
    for (const Cosigned& answer : scene.client->collect(scene.checkpoint(600)))
        EXPECT_TRUE(answer.cosignature);
    int asked = 0;
    scene.second = [&](const FetchRequest&) {
        ++asked;
        return FetchResponse{409, "text/x.tlog.size", to_bytes(as_bytes("5\n"))};
    };
    const auto answers = scene.client->collect(scene.checkpoint(600));
    EXPECT_EQ(answers[1].cosignature.error().code, Code::Denied) << "conflict after conflict";
    EXPECT_EQ(asked, 2);
}

TEST(WitnessClient, OneBadWitnessNeverSpoilsTheOthers) {
    const auto answer = [](int status, const std::string& type, const std::string& body) {
        return [=](const FetchRequest&) -> Result<FetchResponse> {
            return FetchResponse{status, type, to_bytes(as_bytes(body))};
        };
    };
    Scene base;
    const auto stranger = signer("w1.example", KeyType::Cosignature, 77);
    const auto text = base.checkpoint(300).note.text;
    const auto now = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(base.clock.now()).time_since_epoch().count());
    NoteSignature false_one = base.keys[1].cosign(text, now);
    false_one.signature[30] ^= 1;
    const std::string ok = "text/plain; charset=utf-8";
    const std::string size = "text/x.tlog.size";
    for (const auto& [name, script, code] :
         std::vector<std::tuple<std::string,
                                std::function<Result<FetchResponse>(const FetchRequest&)>, Code>>{
             {"hangs",
              [](const FetchRequest&) { return fail(Code::Unavailable, {"délai", "timeout"}); },
              Code::Unavailable},
             {"garbage", answer(200, ok, "hello\n"), Code::Unavailable},
             {"empty", answer(200, ok, ""), Code::Unavailable},
             {"half a line", answer(200, ok, base.keys[1].cosign(text, now).line().substr(0, 60)),
              Code::Unavailable},
             {"stranger's key", answer(200, ok, stranger.cosign(text, now).line()),
              Code::Unavailable},
             {"another's line", answer(200, ok, base.keys[2].cosign(text, now).line()),
              Code::Unavailable},
             {"false signature", answer(200, ok, false_one.line()), Code::Forged},
             {"other text", answer(200, ok, base.keys[1].cosign("x\n0\ny\n", now).line()),
              Code::Forged},
             {"old time", answer(200, ok, base.keys[1].cosign(text, now - 61).line()),
              Code::Forged},
             {"future time", answer(200, ok, base.keys[1].cosign(text, now + 61).line()),
              Code::Forged},
             {"end of time", answer(200, ok, base.keys[1].cosign(text, INT64_MAX).line()),
              Code::Forged},
             {"refuses", answer(422, ok, "no\n"), Code::Denied},
             {"knows more", answer(409, size, "301\n"), Code::Forged},
             {"odd size", answer(409, size, "0300\n"), Code::Unavailable},
             {"no size", answer(409, ok, "5\n"), Code::Unavailable},
             {"long size", answer(409, size, "5\n5\n"), Code::Unavailable},
             {"floods", answer(200, ok, std::string(1 << 20, 'a')), Code::Unavailable}}) {
        Scene scene;
        scene.second = script;
        const auto answers = scene.client->collect(scene.checkpoint(300));
        EXPECT_TRUE(answers[0].cosignature && answers[2].cosignature) << name;
        ASSERT_FALSE(answers[1].cosignature) << name;
        EXPECT_EQ(answers[1].cosignature.error().code, code) << name;
        EXPECT_TRUE(answers[1].cosignature.error().what.en.contains("W1")) << name;
        EXPECT_TRUE(accepted(scene, 300)) << name;
    }
}

TEST(WitnessClient, UnknownLinesBesideTheRightOneAreIgnored) {
    Scene scene;
    scene.second = [&](const FetchRequest& request) {
        auto answer = scene.honest(request).value();
        const auto extra =
            signer("w9.example", KeyType::Cosignature, 9).cosign("anything\n", 5).line();
        answer.body.insert(answer.body.begin(), extra.begin(), extra.end());
        return answer;
    };
    EXPECT_TRUE(scene.client->collect(scene.checkpoint(300))[1].cosignature);
}

TEST(WitnessClient, TheDeadlineCoversBothAttempts) {
    Scene scene;
    std::vector<Micros> timeouts;
    scene.second = [&](const FetchRequest& request) {
        timeouts.push_back(request.timeout);
        scene.clock.advance(4s);
        return FetchResponse{409, "text/x.tlog.size", to_bytes(as_bytes("5\n"))};
    };
    EXPECT_FALSE(scene.client->collect(scene.checkpoint(300))[1].cosignature);
    EXPECT_EQ(timeouts, (std::vector<Micros>{5s, 1s}));
    timeouts.clear();
    scene.second = [&](const FetchRequest& request) {
        timeouts.push_back(request.timeout);
        scene.clock.advance(6s);
        return FetchResponse{409, "text/x.tlog.size", to_bytes(as_bytes("5\n"))};
    };
    EXPECT_EQ(scene.client->collect(scene.checkpoint(300))[1].cosignature.error().code,
              Code::Unavailable);
    EXPECT_EQ(timeouts, (std::vector<Micros>{5s}));
}

TEST(WitnessClient, AWitnessWithoutAnAddressIsNamed) {
    Scene scene;
    scene.policy =
        Policy::parse("witness W " + scene.keys[0].verifier().str() + "\nquorum W\n").value();
    EXPECT_EQ(scene.make_client()->collect(scene.checkpoint(300))[0].cosignature.error().code,
              Code::NotFound);
}

}  // namespace
}  // namespace hygie::ledger
