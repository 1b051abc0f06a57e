#pragma once

#include "ledger/proofs/forgery_scene.h"
#include "ledger/tree/canonical.h"

/// For tests only: forgeries by somebody who can write the log's files but holds no key.
namespace hygie::ledger::forgery {

inline constexpr std::size_t kSector = 512;

/// Where each entry of a bundle begins (at its length), and the end.
inline std::vector<std::size_t> frames_of(const Bytes& bundle) {
    std::vector<std::size_t> starts;
    std::size_t at = 0;
    while (at < bundle.size()) {
        starts.push_back(at);
        at += 2 + load_be<std::uint16_t>(&bundle[at]);
    }
    starts.push_back(at);
    return starts;
}

inline void swap_files(Scene& scene, const std::string& prefix) {
    const std::string first = scene.path(prefix);
    std::string second = scene.path(prefix);
    while (second == first) second = scene.path(prefix);
    std::swap(scene.files[first], scene.files[second]);
}

/// Zeros, or the end of the file lost, from a sector border on, as after a crash.
inline void tear(Scene& scene, Bytes& bytes, bool cut) {
    const std::size_t at = scene.pick((bytes.size() + kSector - 1) / kSector) * kSector;
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    if (cut)
        bytes.erase(begin, bytes.end());
    else
        std::fill(begin, begin + static_cast<std::ptrdiff_t>(std::min(kSector, bytes.size() - at)),
                  std::uint8_t{0});
}

/// The other log's file of the same name, or of the same beginning.
inline void take_from_other(Scene& scene, const std::string& path) {
    scene.files[path] = scene.other.files.at(path);
}

inline std::vector<Kind> forgeries_of_entries() {
    return {
        {"bit flip in an entry bundle", [](Scene& s) { s.flip(s.file("tile/entries/")); }},
        {"byte inserted in a bundle",
         [](Scene& s) {
             Bytes& bundle = s.file("tile/entries/");
             bundle.insert(bundle.begin() + static_cast<std::ptrdiff_t>(s.pick(bundle.size())),
                           std::uint8_t{7});
         }},
        {"entry injected at the end of a bundle",
         [](Scene& s) { append(s.file("tile/entries/"), Bytes{0, 3, 'e', 'v', 'e'}); }},
        {"entry injected inside a bundle",
         [](Scene& s) {
             Bytes& bundle = s.file("tile/entries/");
             const auto frames = frames_of(bundle);
             const Bytes extra = {0, 1, 'x'};
             bundle.insert(
                 bundle.begin() + static_cast<std::ptrdiff_t>(frames[s.pick(frames.size())]),
                 extra.begin(), extra.end());
         }},
        {"bundle truncated",
         [](Scene& s) {
             Bytes& bundle = s.file("tile/entries/");
             bundle.resize(s.pick(bundle.size()));
         }},
        {"bundle deleted", [](Scene& s) { s.files.erase(s.path("tile/entries/")); }},
        {"entry removed from a bundle",
         [](Scene& s) {
             Bytes& bundle = s.file("tile/entries/");
             const auto frames = frames_of(bundle);
             const std::size_t i = s.pick(frames.size() - 1);
             bundle.erase(bundle.begin() + static_cast<std::ptrdiff_t>(frames[i]),
                          bundle.begin() + static_cast<std::ptrdiff_t>(frames[i + 1]));
         }},
        {"length prefix grown (u16 overflow)",
         [](Scene& s) {
             Bytes& bundle = s.file("tile/entries/");
             const auto frames = frames_of(bundle);
             store_be(&bundle[frames[s.pick(frames.size() - 1)]],
                      static_cast<std::uint16_t>(0xFFFF - s.pick(9)));
         }},
        {"two entries swapped, tiles made to match",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size() - 1);
             std::swap(s.entries[i], s.entries[s.pick(i + 1, s.entries.size())]);
             s.serve_files_only();
         }},
        {"two entries swapped, tiles left",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size() - 1);
             std::swap(s.entries[i], s.entries[s.pick(i + 1, s.entries.size())]);
             memory::write_bundles(s.entries, s.files);
         }},
        {"one entry duplicated over another",
         [](Scene& s) {
             const std::size_t i = s.pick(s.entries.size() - 1);
             s.entries[i] = s.entries[s.pick(i + 1, s.entries.size())];
             s.serve_files_only();
         }},
        {"entry rewritten, every tile made to match",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             s.serve_files_only();
         }},
        {"two views: entries of one, tiles of the other",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             memory::write_bundles(s.entries, s.files);
         }},
        {"two views: tiles of one, entries of the other",
         [](Scene& s) {
             s.rewrite(s.pick(s.entries.size()));
             memory::write_tiles(memory::leaves_of(s.entries), s.files);
         }},
        {"two bundles swapped", [](Scene& s) { swap_files(s, "tile/entries/"); }},
        {"bundle of another log", [](Scene& s) { take_from_other(s, s.path("tile/entries/")); }},
        {"sector of a bundle filled with zeros",
         [](Scene& s) { tear(s, s.file("tile/entries/"), false); }},
        {"torn write of a bundle", [](Scene& s) { tear(s, s.file("tile/entries/"), true); }},
    };
}

inline std::vector<Kind> forgeries_of_tiles() {
    return {
        {"bit flip in a level-0 tile", [](Scene& s) { s.flip(s.file("tile/0/")); }},
        {"bit flip in a level-1 tile", [](Scene& s) { s.flip(s.file("tile/1/")); }},
        {"tile deleted",
         [](Scene& s) { s.files.erase(s.path(s.pick(2) == 0 ? "tile/0/" : "tile/1/")); }},
        {"partial tiles deleted",
         [](Scene& s) {
             std::erase_if(s.files, [](const auto& file) { return file.first.contains(".p/"); });
         }},
        {"tile one hash longer", [](Scene& s) { append(s.file("tile/0/"), crypto::Hash{}); }},
        {"tile one byte shorter", [](Scene& s) { s.file("tile/").pop_back(); }},
        {"two tiles swapped", [](Scene& s) { swap_files(s, "tile/0/"); }},
        {"two hashes of a tile swapped",
         [](Scene& s) {
             Bytes& tile = s.file("tile/0/000");
             const std::size_t hashes = tile.size() / 32;
             const std::size_t i = s.pick(hashes - 1);
             std::swap_ranges(
                 tile.begin() + static_cast<std::ptrdiff_t>(i * 32),
                 tile.begin() + static_cast<std::ptrdiff_t>(i * 32 + 32),
                 tile.begin() + static_cast<std::ptrdiff_t>(s.pick(i + 1, hashes) * 32));
         }},
        {"tile of another log", [](Scene& s) { take_from_other(s, s.path("tile/0/")); }},
        {"tile of the wrong level",
         [](Scene& s) {
             Bytes& tile = s.file("tile/0/");
             const Bytes& above = s.file("tile/1/");
             std::copy_n(above.begin(), std::min(above.size(), tile.size()), tile.begin());
         }},
        {"stale tile: the end of an older one",
         [](Scene& s) {
             Bytes& tile = s.file("tile/0/");
             const std::size_t kept = s.pick(tile.size() / 32) * 32;
             std::fill(tile.begin() + static_cast<std::ptrdiff_t>(kept), tile.end(),
                       std::uint8_t{0});
         }},
        {"sector of a tile filled with zeros", [](Scene& s) { tear(s, s.file("tile/"), false); }},
        {"torn write of a tile", [](Scene& s) { tear(s, s.file("tile/0/"), true); }},
        {"all files of an older size under the new checkpoint",
         [](Scene& s) {
             s.files = s.world.older_files;
             s.files["checkpoint"] = s.world.files.at("checkpoint");
         }},
        {"pruning that the log does not declare",
         [](Scene& s) {
             s.options.minimum_index = 256;
             s.files.erase("tile/entries/000");
         }},
    };
}

inline std::vector<Kind> forgeries_of_checkpoints() {
    const auto size_of = [](const Scene& s) {
        return "\n" + std::to_string(s.world.entries.size()) + "\n";
    };
    return {
        {"bit flip in the checkpoint's text",
         [](Scene& s) {
             Bytes& note = s.files["checkpoint"];
             note[s.pick(s.world.head.note.text.size())] ^=
                 static_cast<std::uint8_t>(1 << s.pick(8));
         }},
        {"bit flip in the log's signature",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             s.flip(head.note.signatures[0].signature);
             s.serve(head);
         }},
        {"bit flip in a witness's signature",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             s.flip(head.note.signatures[s.pick(1, 4)].signature);
             s.serve(head);
         }},
        {"size edited",
         [=](Scene& s) {
             s.edit_checkpoint(size_of(s),
                               "\n" + std::to_string(s.pick(s.world.entries.size())) + "\n");
         }},
        {"root edited",
         [](Scene& s) {
             crypto::Hash root{};
             root[s.pick(32)] = 1;
             s.edit_checkpoint(hash_text(s.world.head.checkpoint.root), hash_text(root));
         }},
        {"size written otherwise",
         [=](Scene& s) {
             const std::string size = std::to_string(s.world.entries.size());
             const std::string ways[] = {"0" + size, "+" + size, " " + size,
                                         size + " ", size + ".", "0x" + size};
             s.edit_checkpoint(size_of(s), "\n" + ways[s.pick(6)] + "\n");
         }},
        {"root written otherwise",
         [](Scene& s) {
             const std::string root = hash_text(s.world.head.checkpoint.root);
             std::string loose = root;
             ++loose[42];  // the last digit carries two unused bits
             const std::string ways[] = {loose, root.substr(0, 43), root + "=", root + " ",
                                         " " + root};
             s.edit_checkpoint(root, ways[s.pick(5)]);
         }},
        {"extension line injected",
         [](Scene& s) {
             const std::string root = hash_text(s.world.head.checkpoint.root);
             s.edit_checkpoint(root, root + "\nextension " + std::to_string(s.pick(1000)));
         }},
        {"blank line moved, hiding a signature in the text",
         [](Scene& s) { s.edit_checkpoint("\n\u2014 w", "\n\n\u2014 w"); }},
        {"origin edited",
         [](Scene& s) {
             s.edit_checkpoint(std::string(kOrigin) + "\n",
                               s.pick(2) == 0 ? "log.example/\n" : "Log.example\n");
         }},
        {"checkpoint of another log",
         [](Scene& s) {
             SignedCheckpoint other = s.world.head;
             other.checkpoint.origin = "other.example";
             other.note.text = other.checkpoint.encode();
             other.note.signatures = {
                 signer("other.example", KeyType::Ed25519, 50).sign(other.note.text)};
             cosign(other, {0, 1, 2}, kNow - 10);
             s.serve(other);
         }},
        {"log signature removed",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             head.note.signatures.erase(head.note.signatures.begin());
             s.serve(head);
         }},
        {"cosignatures removed below the quorum",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             head.note.signatures.resize(1 + s.pick(2));
             s.serve(head);
         },
         Naive::Fooled},
        {"one witness repeated to make a quorum",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             const NoteSignature one = head.note.signatures[s.pick(1, 4)];
             head.note.signatures.resize(1);
             head.note.signatures.insert(head.note.signatures.end(), s.pick(2, 9), one);
             s.serve(head);
         },
         Naive::Fooled},
        {"cosignatures of an older checkpoint replayed",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             std::copy_n(s.world.older_head.note.signatures.begin() + 1, 3,
                         head.note.signatures.begin() + 1);
             s.serve(head);
         }},
        {"cosignatures under another witness's name",
         [](Scene& s) {
             SignedCheckpoint head = s.head();
             head.note.signatures[1].name = witness(1).verifier().name;
             head.note.signatures[1].id = witness(1).verifier().id;
             head.note.signatures.resize(2);
             s.serve(head);
         }},
        {"cosignature time edited to look fresh",
         [](Scene& s) {
             SignedCheckpoint head = checkpoint_of(s.entries, {0, 1, 2}, kNow - 4000);
             for (std::size_t i = 1; i < 4; ++i)
                 store_be(head.note.signatures[i].signature.data(),
                          std::uint64_t{kNow - s.pick(50)});
             s.serve(head);
         }},
        {"frozen log: honest but older than max age",
         [](Scene& s) { s.options.moment.now += std::chrono::seconds(51 + s.pick(100'000)); },
         Naive::Fooled},
        {"clock of the witnesses in the future",
         [](Scene& s) {
             s.serve(checkpoint_of(s.entries, {0, 1, 2}, kNow + 61 + s.pick(100'000)));
         },
         Naive::Fooled},
        {"rollback to an honest older state, pinned newer",
         [](Scene& s) {
             s.options.pin = s.world.head;
             s.files = s.world.older_files;
             s.audit_since_pin_or_whole();
         },
         Naive::Fooled},
        {"rollback to an honest older state, past max age",
         [](Scene& s) {
             const auto front = s.world.front(s.world.older);
             s.files = served(front, checkpoint_of(front, {0, 1, 2}, kNow - 61 - s.pick(100'000)));
         },
         Naive::Fooled},
    };
}

}  // namespace hygie::ledger::forgery
