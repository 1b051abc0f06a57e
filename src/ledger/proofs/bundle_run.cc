#include "ledger/proofs/bundle_run.h"

#include <algorithm>

#include "ledger/log/entry.h"
#include "ledger/tree/tile_path.h"

namespace hygie::ledger {
namespace {

using crypto::Hash;

std::unexpected<Error> bad_entry(Code code, std::uint64_t index, const Text& what) {
    const std::string number = std::to_string(index);
    return fail(code, {"entrée " + number + " : " + what.fr, "entry " + number + ": " + what.en},
                {"comparez avec une autre copie du journal ; ne supprimez rien, c'est une preuve",
                 "compare with another copy of the log; delete nothing, it is evidence"});
}

/// The root of a full tile; destroys its hashes.
Hash fold(std::span<Hash> hashes) {
    for (std::size_t width = hashes.size(); width > 1; width /= 2)
        crypto::node_hashes(hashes.first(width), hashes.first(width / 2));
    return hashes[0];
}

class RunChecker {
  public:
    RunChecker(LogReader& log, std::uint64_t size, const RunRules& rules, BundleRun& run)
        : log_(log), size_(size), rules_(rules), run_(run) {}

    Status check() {
        for (std::uint64_t i = 0; i < run_.count; ++i) TRY_STATUS(check_bundle(run_.first + i));
        return {};
    }

  private:
    Status check_bundle(std::uint64_t index) {
        const std::size_t width = width_of(size_, 0, index);
        std::vector<Hash> tile = TRY(read_tile(log_, {0, index, width}));
        TRY_STATUS(check_entries({index, width}, tile));
        if (index == run_.first) run_.first_leaves = tile;
        if (width < kTileHashes)
            run_.tail = std::move(tile);
        else
            run_.roots.push_back(fold(tile));
        return {};
    }

    Status check_entries(BundleId id, std::span<const Hash> tile) {
        const auto bundle = read_bundle(log_, id);
        if (!bundle) {
            const bool may_be_absent = (id.index + 1) * kTileHashes <= rules_.minimum_index;
            if (bundle.error().code != Code::NotFound || !may_be_absent)
                return std::unexpected(bundle.error());
            run_.counters.cut();
            run_.entries_absent += id.width;
            return {};
        }
        const std::uint64_t first = id.index * kTileHashes;
        leaves_.resize(id.width);
        crypto::leaf_hashes(bundle->entries, leaves_);
        const auto differs = std::ranges::mismatch(leaves_, tile).in1;
        if (differs != leaves_.end())
            return bad_entry(Code::Corrupt,
                             first + static_cast<std::uint64_t>(differs - leaves_.begin()),
                             {"son contenu n'est pas celui que la tuile prouve",
                              "its content is not what the tile proves"});
        if (rules_.ours)
            for (std::size_t i = 0; i < id.width; ++i)
                TRY_STATUS(check_entry(first + i, bundle->entries[i]));
        run_.entries_checked += id.width;
        return {};
    }

    Status check_entry(std::uint64_t index, ByteView bytes) {
        const auto entry = parse_entry(bytes);
        if (!entry)
            return bad_entry(Code::Corrupt, index,
                             {"elle n'est pas au format de Hygie (un journal d'un autre programme "
                              "se vérifie sans lire "
                              "les entrées)",
                              "it is not in Hygie's format (a log of another program is verified "
                              "without reading its "
                              "entries)"});
        if (entry->header.sequence != index)
            return bad_entry(Code::Forged, index,
                             {"elle porte le numéro " + std::to_string(entry->header.sequence),
                              "it carries the number " + std::to_string(entry->header.sequence)});
        run_.saw_pruning |= entry->header.type == event::Type::LedgerPruned;
        if (index < rules_.counted_from) return {};
        const Status counted = run_.counters.follow(*entry);
        if (!counted) return bad_entry(counted.error().code, index, counted.error().what);
        return {};
    }

    LogReader& log_;
    const std::uint64_t size_;
    const RunRules& rules_;
    BundleRun& run_;
    std::vector<Hash> leaves_;  ///< reused from bundle to bundle
};

}  // namespace

Status check_run(LogReader& log, std::uint64_t size, const RunRules& rules, BundleRun& run) {
    return RunChecker(log, size, rules, run).check();
}

}  // namespace hygie::ledger
