#pragma once

#include "ledger/proofs/forgery_scene.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/proofs/witness.h"
#include "ledger/tree/canonical.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"

/// For tests only: forgeries by somebody who has stolen keys: the log's, and those of one witness,
/// one short of the quorum of two.
namespace hygie::ledger::forgery {

/// No witness, or the one whose key was stolen.
inline Cosigners stolen(Scene& scene) {
    return scene.pick(2) == 0 ? Cosigners{} : Cosigners{scene.pick(3)};
}

/// A verifier who has no witnesses but a pin, and the forger every key of the log.
inline void pin_alone(Scene& scene) {
    scene.policy = &log_only();
    scene.options.moment.max_age.reset();
    scene.audit_since_pin_or_whole();
}

/// Source and counter of each entry again in order, as if nobody had been left out.
inline void renumber(std::vector<Bytes>& entries, std::size_t from, Chance& chance) {
    std::map<std::uint64_t, std::uint64_t> counters;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Header header = parse_entry(entries[i])->header;
        const std::uint64_t counter = ++counters[header.source];
        if (i >= from) entries[i] = memory::sealed_entry(i, header.source, counter, chance);
    }
}

inline std::vector<Kind> forgeries_with_the_log_key() {
    return {
        {"stolen log key: rewritten before the pin; pin alone",
         [](Scene& s) {
             s.rewrite(s.pick(s.world.pinned));
             s.publish({});
             pin_alone(s);
         },
         Naive::Fooled},
        {"stolen log key: rewritten before the pin",
         [](Scene& s) {
             s.rewrite(s.pick(s.world.pinned));
             s.publish(stolen(s));
         },
         Naive::Fooled},
        {"stolen log key and k-1 witnesses: rewritten after the pin",
         [](Scene& s) {
             s.rewrite(s.pick(s.world.pinned, s.entries.size()));
             s.publish(stolen(s));
             s.audit_since_pin_or_whole();
         },
         Naive::Fooled},
        {"stolen log key: rewritten, true cosignatures kept",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             s.publish({});
             SignedCheckpoint head = s.head();
             head.note.signatures.insert(head.note.signatures.end(),
                                         s.world.head.note.signatures.begin() + 1,
                                         s.world.head.note.signatures.end());
             s.serve(head);
         },
         Naive::Fooled},
        {"stolen log key: entries reordered",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size() - 1);
             std::swap(s.entries[i], s.entries[s.pick(i + 1, s.entries.size())]);
             renumber(s.entries, i, s.chance);
             s.publish(stolen(s));
         },
         Naive::Fooled},
        {"stolen log key: one entry deleted, all renumbered",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size());
             s.entries.erase(s.entries.begin() + static_cast<std::ptrdiff_t>(i));
             renumber(s.entries, i, s.chance);
             s.publish(stolen(s));
         },
         Naive::Fooled},
        {"stolen log key: the last entries cut off",
         [](Scene& s) {
             s.entries.resize(s.pick(s.world.pinned, s.entries.size()));
             s.publish(stolen(s));
         },
         Naive::Fooled},
        {"stolen log key: cut below the pin; pin alone",
         [](Scene& s) {
             s.entries.resize(s.pick(s.world.pinned));
             s.publish({});
             pin_alone(s);
         },
         Naive::Fooled},
        {"stolen log key: a longer fork",
         [](Scene& s) {
             s.rewrite(s.pick(s.world.pinned, s.entries.size()));
             s.grow(1 + s.pick(300));
             s.publish(stolen(s));
             s.audit_since_pin_or_whole();
         },
         Naive::Fooled},
        {"stolen log key: honest past, invented future",
         [](Scene& s) {
             s.grow(1 + s.pick(300));
             s.publish(stolen(s));
             s.audit_since_pin_or_whole();
         },
         Naive::Fooled},
        {"two signed roots of one size; pin alone",
         [](Scene& s) {
             s.options.pin = s.world.head;
             s.rewrite(s.pick(s.entries.size()));
             s.publish({});
             pin_alone(s);
         },
         Naive::Fooled},
        {"restored backup that went on otherwise; pin alone",
         [](Scene& s) {
             s.options.pin = s.world.head;
             s.entries.resize(s.world.older);
             s.grow(s.world.entries.size() - s.world.older + s.pick(100));
             s.publish({});
             pin_alone(s);
         },
         Naive::Fooled},
        {"restored backup that went on otherwise; witnesses",
         [](Scene& s) {
             s.entries.resize(s.world.older);
             s.grow(1 + s.pick(400));
             s.publish(stolen(s));
         },
         Naive::Fooled},
        {"whole log signed again by a stranger's key",
         [](Scene& s) {
             s.publish({0, 1, 2},
                       signer(kOrigin, KeyType::Ed25519, static_cast<std::uint8_t>(s.pick(50))));
         }},
        {"log signature made with a witness's key",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             const NoteSigner fake =
                 signer(kOrigin, KeyType::Ed25519, static_cast<std::uint8_t>(1 + s.pick(3)));
             head.note.signatures[0].signature = fake.sign(head.note.text).signature;
             s.serve(head);
         }},
        {"key rotation splice: a new past under the new key",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             s.publish(stolen(s), next_key());
         },
         Naive::Fooled},
        {"key rotation splice: a fork under the old key; pin alone",
         [](Scene& s) {
             s.options.pin = checkpoint_of(s.world.front(s.world.older), {}, kNow, next_key());
             s.rewrite(s.pick(s.world.older));
             s.publish({});
             pin_alone(s);
         },
         Naive::Fooled},
        {"reseal: old entries written again, newest key, same count",
         [](Scene& s) {
             renumber(s.entries, s.pick(s.entries.size() - 1), s.chance);
             s.publish(stolen(s), next_key());
         },
         Naive::Fooled},
        {"stolen log key: an empty log with another root",
         [](Scene& s) {
             Checkpoint empty{kOrigin, 0, {}, {}};
             empty.root[s.pick(32)] = 1;
             s.files = {};
             s.serve(sign_checkpoint(empty, log_key()));
             s.policy = &log_only();
             s.options = {};
         }},
        {"stolen log key: a size nobody can serve",
         [](Scene& s) {
             s.serve(sign_checkpoint({kOrigin, s.pick(1'000'000, INT64_MAX), {}, {}}, log_key()));
             pin_alone(s);
         }},
        {"stolen log key: extension lines signed",
         [](Scene& s) {
             Checkpoint head = s.world.head.checkpoint;
             head.extensions = {"trust me"};
             SignedCheckpoint made = sign_checkpoint(head, log_key());
             made.note.signatures.insert(made.note.signatures.end(),
                                         s.world.head.note.signatures.begin() + 1,
                                         s.world.head.note.signatures.end());
             s.serve(made);
         },
         Naive::Fooled},
    };
}

/// Logs that every key holder signed, but that no honest ledger writes.
inline std::vector<Kind> forgeries_of_content() {
    const auto everybody = [](Scene& s) {
        s.publish({0, 1, 2});
        s.options.pin.reset();
    };
    return {
        {"a source's entry left out (gap)",
         [=](Scene& s) {
             std::size_t i = s.pick(s.entries.size() / 2);
             while (parse_entry(s.entries[i])->header.source == 0) ++i;
             s.entries.erase(s.entries.begin() + static_cast<std::ptrdiff_t>(i));
             for (std::size_t j = i; j < s.entries.size(); ++j) {
                 const Header header = parse_entry(s.entries[j])->header;
                 s.entries[j] = memory::sealed_entry(j, header.source, header.counter, s.chance);
             }
             everybody(s);
         }},
        {"a source's counter repeated",
         [=](Scene& s) {
             const Header header = parse_entry(s.entries.back())->header;
             s.entries.push_back(
                 memory::sealed_entry(s.entries.size(), header.source, header.counter, s.chance));
             everybody(s);
         }},
        {"a gap declared shorter than it is",
         [=](Scene& s) {
             s.entries = {
                 memory::open_entry(
                     0, 1, event::Type::SourceGap,
                     {{"source", "5"}, {"first", "1"}, {"last", std::to_string(3 + s.pick(9))}}),
                 memory::sealed_entry(1, 5, 20, s.chance)};
             everybody(s);
         }},
        {"an entry with another's sequence number",
         [=](Scene& s) {
             const std::size_t i = s.pick(s.entries.size());
             const Header header = parse_entry(s.entries[i])->header;
             s.entries[i] =
                 memory::sealed_entry(i + 1 + s.pick(9), header.source, header.counter, s.chance);
             everybody(s);
         }},
        {"an entry in another spelling",
         [=](Scene& s) {
             Bytes& entry = s.entries[s.pick(s.entries.size())];
             // The version in two bytes instead of one: the same value to a lax CBOR reader.
             entry.insert(entry.begin() + 1, std::uint8_t{0x18});
             everybody(s);
         }},
        {"an entry with bytes behind it",
         [=](Scene& s) {
             std::size_t i = s.pick(s.entries.size() / 2);
             while (!parse_entry(s.entries[i])->is_sealed) ++i;
             s.entries[i].push_back(0);
             everybody(s);
         }},
    };
}

/// A proof file for entry `index`, shown for `shown`.
inline void show(Scene& scene, const TlogProof& proof, ByteView entry) {
    scene.detected = !verify_proof(entry, proof, *scene.policy, scene.options.moment);
}

inline TlogProof proof_of(const World& world, std::uint64_t index) {
    memory::FilesReader reader(world.files);
    TileCache cache(reader);
    TileHashes hashes(cache, world.entries.size());
    return {std::nullopt, index, prove_inclusion(hashes, index, world.entries.size()).value(),
            world.head};
}

inline std::vector<Kind> forgeries_of_proofs() {
    return {
        {"proof: another index",
         [](Scene& s) {
             TlogProof proof = proof_of(s.world, s.pick(s.entries.size()));
             const Bytes& entry = s.entries[proof.index];
             proof.index = (proof.index + 1 + s.pick(s.entries.size() - 1)) % s.entries.size();
             show(s, proof, entry);
         }},
        {"proof: entry changed",
         [](Scene& s) {
             const TlogProof proof = proof_of(s.world, s.pick(s.entries.size()));
             s.flip(s.entries[proof.index]);
             show(s, proof, s.entries[proof.index]);
         }},
        {"proof: bit flip in a hash",
         [](Scene& s) {
             TlogProof proof = proof_of(s.world, s.pick(s.entries.size()));
             proof.hashes[s.pick(proof.hashes.size())][s.pick(32)] ^= 4;
             show(s, proof, s.entries[proof.index]);
         }},
        {"proof: a hash more or less",
         [](Scene& s) {
             TlogProof proof = proof_of(s.world, s.pick(s.entries.size()));
             s.pick(2) == 0 ? proof.hashes.pop_back() : proof.hashes.push_back({});
             show(s, proof, s.entries[proof.index]);
         }},
        {"proof: an interior node passed off as an entry",
         [](Scene& s) {
             TlogProof proof = proof_of(s.world, 0);
             Bytes node;
             append(node, crypto::leaf_hash(s.entries[0]));
             append(node, proof.hashes[0]);
             proof.hashes.erase(proof.hashes.begin());
             show(s, proof, node);
         }},
        {"proof: entry of a fork, signed with the stolen log key",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size());
             s.rewrite(i);
             s.publish(stolen(s));
             memory::FilesReader reader(s.files);
             TileCache cache(reader);
             TileHashes hashes(cache, s.entries.size());
             show(s,
                  {std::nullopt, i, prove_inclusion(hashes, i, s.entries.size()).value(), s.head()},
                  s.entries[i]);
         }},
        {"proof: checkpoint of an older size",
         [](Scene& s) {
             TlogProof proof = proof_of(s.world, s.pick(s.world.older));
             proof.checkpoint = s.world.older_head;
             show(s, proof, s.entries[proof.index]);
         }},
    };
}

/// Asks an honest witness that has cosigned the honest log; detected when it refuses.
inline void ask_witness(Scene& scene, std::uint64_t old_size, const SignedCheckpoint& next,
                        const Proof& proof) {
    sim::SimDisk disk;
    sim::SimClock clock;
    const auto honest = Witness::open(disk, clock, "w", witness(0), two_of_three().logs()).value();
    const auto body = [](std::uint64_t old, const Proof& hashes,
                         const SignedCheckpoint& checkpoint) {
        std::string text = "old " + std::to_string(old) + '\n';
        for (const crypto::Hash& hash : hashes) text += hash_text(hash) + '\n';
        return text + '\n' + checkpoint.encode();
    };
    HYGIE_CHECK(honest->add_checkpoint(body(0, {}, scene.world.head)).status == 200,
                "the honest log must pass");
    scene.detected = honest->add_checkpoint(body(old_size, proof, next)).status != 200;
}

inline std::vector<Kind> forgeries_before_witnesses() {
    return {
        {"witness asked for a fork of the same size",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             ask_witness(s, s.entries.size(), checkpoint_of(s.entries, {}, kNow), {});
         }},
        {"witness asked for a longer fork with the fork's own proof",
         [](Scene& s) {
             const std::size_t size = s.entries.size();
             s.rewrite(s.pick(size));
             s.grow(1 + s.pick(100));
             s.publish({});
             memory::FilesReader reader(s.files);
             TileCache cache(reader);
             TileHashes hashes(cache, s.entries.size());
             ask_witness(s, size, s.head(),
                         prove_consistency(hashes, size, s.entries.size()).value());
         }},
        {"witness asked to go back",
         [](Scene& s) {
             const std::uint64_t old_sizes[] = {0, s.world.older, s.entries.size()};
             ask_witness(s, old_sizes[s.pick(3)], s.world.older_head, {});
         }},
        {"witness asked to begin anew",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             ask_witness(s, 0, checkpoint_of(s.entries, {}, kNow), {});
         }},
    };
}

}  // namespace hygie::ledger::forgery
