#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "event/codec.h"
#include "ledger/log/entry.h"
#include "ledger/tree/log_reader.h"
#include "ledger/tree/note.h"

/// For tests only: a log made in memory from its entries, by its own reading of RFC 6962 and
/// tlog-tiles and without any code of the product's writer, so that a mistake of the writer cannot
/// hide in the tests of the verifier.
namespace hygie::ledger::memory {

using Files = std::map<std::string, Bytes>;
using Chance = std::mt19937_64;

inline std::uint64_t below(Chance& chance, std::uint64_t bound) {
    return chance() % bound;
}

/// The files of a log, held in memory.
class FilesReader final : public LogReader {
  public:
    explicit FilesReader(const Files& files) : files_(files) {}
    Result<Bytes> read(const std::string& path, std::size_t bytes_max) override {
        const auto found = files_.find(path);
        if (found == files_.end())
            return fail(Code::NotFound, {path + " est absent", path + " is not there"});
        if (found->second.size() > bytes_max)
            return fail(Code::Full, {path + " est trop grand", path + " is too large"});
        return found->second;
    }

  private:
    const Files& files_;
};

inline NoteSigner signer(const std::string& name, KeyType type, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return {name, type, crypto::SigningKey::from_seed(crypto::Secret32(bytes))};
}

/// RFC 6962 §2.1, word for word.
inline crypto::Hash merkle_tree_hash(std::span<const crypto::Hash> hashes) {
    if (hashes.empty()) return crypto::sha256({});
    if (hashes.size() == 1) return hashes[0];
    std::size_t k = 1;
    while (k * 2 < hashes.size()) k *= 2;
    return crypto::node_hash(merkle_tree_hash(hashes.first(k)),
                             merkle_tree_hash(hashes.subspan(k)));
}

/// Enough of the path encoding for logs of at most 256,000 entries.
inline std::string file_name(const std::string& folder, std::uint64_t index, std::size_t width) {
    std::string digits = std::to_string(index);
    digits.insert(0, 3 - digits.size(), '0');
    return "tile/" + folder + '/' + digits + (width < 256 ? ".p/" + std::to_string(width) : "");
}

/// Every hash tile of the tree over these leaves.
inline void write_tiles(std::vector<crypto::Hash> hashes, Files& files) {
    for (int level = 0; !hashes.empty(); ++level) {
        std::vector<crypto::Hash> above;
        for (std::size_t start = 0; start < hashes.size(); start += 256) {
            const std::size_t width = std::min<std::size_t>(256, hashes.size() - start);
            const std::span tile(hashes.data() + start, width);
            Bytes& file = files[file_name(std::to_string(level), start / 256, width)];
            file.clear();
            for (const crypto::Hash& hash : tile) append(file, hash);
            if (width == 256) above.push_back(merkle_tree_hash(tile));
        }
        hashes = std::move(above);
    }
}

inline void write_bundles(std::span<const Bytes> entries, Files& files) {
    for (std::size_t start = 0; start < entries.size(); start += 256) {
        const std::size_t width = std::min<std::size_t>(256, entries.size() - start);
        Bytes& file = files[file_name("entries", start / 256, width)];
        file.clear();
        for (const Bytes& entry : entries.subspan(start, width)) {
            file.push_back(static_cast<std::uint8_t>(entry.size() >> 8));
            file.push_back(static_cast<std::uint8_t>(entry.size()));
            append(file, entry);
        }
    }
}

inline std::vector<crypto::Hash> leaves_of(std::span<const Bytes> entries) {
    std::vector<crypto::Hash> leaves;
    for (const Bytes& entry : entries) leaves.push_back(crypto::leaf_hash(entry));
    return leaves;
}

/// Every file of the log but its checkpoint.
inline Files tree_files(std::span<const Bytes> entries) {
    Files files;
    write_tiles(leaves_of(entries), files);
    write_bundles(entries, files);
    return files;
}

inline Bytes entry_of(const Header& header, Payload kind, ByteView payload) {
    Bytes entry(kHeaderBytesMax + payload.size());
    std::size_t associated = 0;
    const std::size_t head = encode_header(header, kind, payload.size(), entry.data(), associated);
    std::ranges::copy(payload, entry.begin() + static_cast<std::ptrdiff_t>(head));
    entry.resize(head + payload.size());
    return entry;
}

inline WallTime time_of(std::uint64_t sequence) {
    return WallTime(Micros(1'790'000'000'000'000 + static_cast<std::int64_t>(sequence) * 1000));
}

/// An entry that looks like ours: the payload is noise, as a sealed one is to whoever has no key.
inline Bytes sealed_entry(std::uint64_t sequence, std::uint64_t source, std::uint64_t counter,
                          Chance& chance) {
    Header header;
    header.type = event::Type::RecordRead;
    header.time = time_of(sequence);
    header.sequence = sequence;
    header.node = 1;
    header.source = source;
    header.counter = counter;
    header.retention = event::Retention::Trace1Year;
    header.run = 7;
    Bytes payload(16 + below(chance, 200));
    for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(chance());
    return entry_of(header, Payload::Sealed, payload);
}

/// An entry of the ledger about itself, readable by all.
inline Bytes open_entry(std::uint64_t sequence, std::uint64_t counter, event::Type type,
                        std::map<std::string, std::string> detail) {
    event::Event event;
    event.type = type;
    event.time = time_of(sequence);
    event.counter = counter;
    event.retention = event::Retention::System;
    event.detail = std::move(detail);
    Header header;
    header.type = type;
    header.time = event.time;
    header.sequence = sequence;
    header.counter = counter;
    header.retention = event.retention;
    return entry_of(header, Payload::Open, event::encode_body(event).value());
}

/// `count` entries of three sources and of the ledger itself, taking turns by chance.
inline std::vector<Bytes> honest_entries(std::size_t count, Chance& chance) {
    std::vector<Bytes> entries;
    std::array<std::uint64_t, 4> counters{};
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t source = below(chance, 4);
        const std::uint64_t counter = ++counters[source];
        entries.push_back(source == 0 ? open_entry(i, counter, event::Type::Heartbeat, {})
                                      : sealed_entry(i, source, counter, chance));
    }
    return entries;
}

}  // namespace hygie::ledger::memory
