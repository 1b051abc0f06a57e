#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "ledger/proofs/memory_log.h"
#include "ledger/proofs/tlog_proof.h"
#include "ledger/proofs/verifier.h"

/// For tests only: an honest log with its witnesses, what a verifier knows of it, and what a forger
/// makes of it.
namespace hygie::ledger::forgery {

using memory::below;
using memory::Chance;
using memory::Files;
using memory::signer;

inline constexpr std::uint64_t kNow = 1'795'000'000;
inline constexpr char kOrigin[] = "log.example";

inline const NoteSigner& log_key() {
    static const NoteSigner key = signer(kOrigin, KeyType::Ed25519, 100);
    return key;
}
/// The key of the log's next epoch.
inline const NoteSigner& next_key() {
    static const NoteSigner key = signer(kOrigin, KeyType::Ed25519, 101);
    return key;
}
inline const NoteSigner& witness(std::size_t number) {
    static const std::vector<NoteSigner> keys = {signer("w0.example", KeyType::Cosignature, 1),
                                                 signer("w1.example", KeyType::Cosignature, 2),
                                                 signer("w2.example", KeyType::Cosignature, 3)};
    return keys[number];
}

/// Both epochs of the log, and two of the three witnesses.
inline const Policy& two_of_three() {
    static const Policy policy = [] {
        std::string text =
            "log " + log_key().verifier().str() + "\nlog " + next_key().verifier().str() + "\n";
        for (std::size_t i = 0; i < 3; ++i)
            text += "witness W" + std::to_string(i) + ' ' + witness(i).verifier().str() + "\n";
        return Policy::parse(text + "group G 2 W0 W1 W2\nquorum G\n").value();
    }();
    return policy;
}
/// What a verifier without witnesses believes.
inline const Policy& log_only() {
    static const Policy policy = Policy::parse("log " + log_key().verifier().str() + "\nlog " +
                                               next_key().verifier().str() + "\nquorum none\n")
                                     .value();
    return policy;
}

inline crypto::Hash root_of_entries(std::span<const Bytes> entries) {
    return memory::merkle_tree_hash(memory::leaves_of(entries));
}

using Cosigners = std::vector<std::size_t>;

inline void cosign(SignedCheckpoint& checkpoint, const Cosigners& cosigners, std::uint64_t time) {
    for (const std::size_t i : cosigners)
        checkpoint.note.signatures.push_back(witness(i).cosign(checkpoint.note.text, time));
}

inline SignedCheckpoint checkpoint_of(std::span<const Bytes> entries, const Cosigners& cosigners,
                                      std::uint64_t time, const NoteSigner& log = log_key()) {
    SignedCheckpoint made =
        sign_checkpoint({kOrigin, entries.size(), root_of_entries(entries), {}}, log);
    cosign(made, cosigners, time);
    return made;
}

inline Files served(std::span<const Bytes> entries, const SignedCheckpoint& checkpoint) {
    Files files = memory::tree_files(entries);
    files["checkpoint"] = to_bytes(as_bytes(checkpoint.encode()));
    return files;
}

/// An honest log at three moments: pinned by the verifier, cosigned a little ago, and now.
struct World {
    World(std::size_t size, std::uint64_t seed) : chance(seed) {
        entries = memory::honest_entries(size, chance);
        pinned = 1 + below(chance, size / 2);
        older = size / 2 + 1 + below(chance, size / 2 - 2);
        head = checkpoint_of(entries, {0, 1, 2}, kNow - 10);
        older_head = checkpoint_of(front(older), {0, 1, 2}, kNow - 20);
        pin = checkpoint_of(front(pinned), {0, 1, 2}, kNow - 100'000);
        files = served(entries, head);
        older_files = served(front(older), older_head);
    }
    std::span<const Bytes> front(std::size_t size) const { return std::span(entries).first(size); }

    Chance chance;
    std::vector<Bytes> entries;
    std::size_t pinned = 0;
    std::size_t older = 0;
    SignedCheckpoint head;
    SignedCheckpoint older_head;
    SignedCheckpoint pin;
    Files files;
    Files older_files;
};

/// One forgery being made, and the verifier it is meant to fool.
class Scene {
  public:
    Scene(const World& honest, const World& other_log, Chance& luck)
        : world(honest),
          other(other_log),
          chance(luck),
          files(honest.files),
          entries(honest.entries) {
        options.pin = world.pin;
        options.moment = {WallTime(std::chrono::seconds(kNow)), std::chrono::seconds(60)};
    }

    // What the forger does

    std::uint64_t pick(std::uint64_t bound) { return below(chance, bound); }
    std::uint64_t pick(std::uint64_t from, std::uint64_t to) { return from + pick(to - from); }

    /// A file whose path begins so.
    std::string path(const std::string& prefix) {
        std::vector<std::string> found;
        for (const auto& [name, bytes] : files)
            if (name.starts_with(prefix)) found.push_back(name);
        HYGIE_CHECK(!found.empty(), "the log of a forgery has no such file");
        return found[pick(found.size())];
    }
    Bytes& file(const std::string& prefix) { return files.at(path(prefix)); }
    void flip(Bytes& bytes) {
        bytes[pick(bytes.size())] ^= static_cast<std::uint8_t>(1 << pick(8));
    }

    SignedCheckpoint head() const {
        return SignedCheckpoint::parse(as_text(files.at("checkpoint"))).value();
    }
    void serve(const SignedCheckpoint& checkpoint) {
        files["checkpoint"] = to_bytes(as_bytes(checkpoint.encode()));
    }
    void edit_checkpoint(const std::string& from, const std::string& to) {
        std::string text(as_text(files.at("checkpoint")));
        text.replace(text.find(from), from.size(), to);
        files["checkpoint"] = to_bytes(as_bytes(text));
    }

    /// Another entry in the place of one, right in every readable field.
    void rewrite(std::size_t index) {
        const Header header = parse_entry(entries[index])->header;
        entries[index] = memory::sealed_entry(index, header.source, header.counter, chance);
    }
    /// Serves the forger's entries as a log whose every file and proof is right, signed with stolen
    /// keys.
    void publish(const Cosigners& stolen, const NoteSigner& log = log_key()) {
        files = served(entries, checkpoint_of(entries, stolen, kNow - 5, log));
    }
    /// Tiles and root of the forger's entries under the honest checkpoint.
    void serve_files_only() {
        files = memory::tree_files(entries);
        files["checkpoint"] = world.files.at("checkpoint");
    }
    void grow(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t index = entries.size();
            entries.push_back(memory::sealed_entry(index, 9, i + 1, chance));
        }
    }
    void audit_since_pin_or_whole() {
        options.scope = pick(2) == 0 ? VerifyOptions::Scope::Whole : VerifyOptions::Scope::SincePin;
    }

    // What becomes of it

    /// Whether the log differs from the honest one, or is shown at another time.
    bool changed() const {
        return detected.has_value() || files != world.files ||
               options.moment.now != WallTime(std::chrono::seconds(kNow));
    }
    bool caught() const {
        if (detected) return *detected;
        memory::FilesReader reader(files);
        return !verify_log(reader, *policy, options);
    }
    /// Whether somebody who knows only the log's keys would believe it: the forgery is consistent
    /// in itself.
    bool fools_the_naive() const {
        memory::FilesReader reader(files);
        VerifyOptions naive;
        naive.moment.now = options.moment.now;
        return verify_log(reader, log_only(), naive).has_value();
    }

    const World& world;
    const World& other;
    Chance& chance;
    Files files;
    std::vector<Bytes> entries;
    const Policy* policy = &two_of_three();
    VerifyOptions options;
    std::optional<bool> detected;  ///< set by forgeries that are not about a served log
};

/// Whether a kind of forgery must convince whoever knows only the log's keys and asks for no
/// witness, pin or age: else it would be caught for another reason than the one it is here to test.
enum class Naive { Any, Fooled };

struct Kind {
    const char* name;
    std::function<void(Scene&)> forge;
    Naive naive = Naive::Any;
};

}  // namespace hygie::ledger::forgery
