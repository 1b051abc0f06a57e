#include "ledger/proofs/verifier.h"

#include <algorithm>
#include <vector>

#include "ledger/proofs/bundle_run.h"
#include "ledger/proofs/side_by_side.h"
#include "ledger/tree/tree.h"

namespace hygie::ledger {
namespace {

using crypto::Hash;

/// Bundles one thread checks before the results are joined: one tile of level 1.
constexpr std::uint64_t kRunBundles = kTileHashes;
constexpr unsigned kThreadsMax = 64;

const Text kKeepBoth{"gardez les deux points de contrôle signés : ils prouvent la fraude",
                     "keep both signed checkpoints: they prove the fraud"};
const Text kCompare{
    "comparez avec une autre copie du journal ; ne supprimez rien, c'est une preuve",
    "compare with another copy of the log; delete nothing, it is evidence"};

class Audit {
  public:
    Audit(LogReader& log, const Policy& policy, const VerifyOptions& options)
        : log_(log), policy_(policy), options_(options) {}

    Result<Report> run() {
        report_.checkpoint = TRY(read_checkpoint(log_));
        report_.endorsement = TRY(policy_.judge(report_.checkpoint, options_.moment));
        TRY_STATUS(check_pin());
        TRY_STATUS(start());
        TRY_STATUS(walk());
        TRY_STATUS(check_partial_tiles());
        TRY_STATUS(conclude());
        return std::move(report_);
    }

  private:
    const Checkpoint& head() const { return report_.checkpoint.checkpoint; }

    std::unexpected<Error> forked(Text what) const {
        if (options_.on_fork) options_.on_fork({*options_.pin, report_.checkpoint});
        return fail(Code::Forged, std::move(what), kKeepBoth);
    }

    /// What two checkpoints show by themselves.
    Status check_pin() {
        if (!options_.pin) return {};
        const Checkpoint& pin = options_.pin->checkpoint;
        if (pin.origin != head().origin)
            return fail(Code::BadInput,
                        {"le point épinglé est celui d'un autre journal (" + pin.origin + ")",
                         "the pin belongs to another log (" + pin.origin + ")"},
                        {"donnez le point de contrôle gardé pour ce journal",
                         "give the checkpoint kept for this log"});
        TRY(policy_.judge_log(*options_.pin));
        if (pin.size > head().size)
            return forked({"le journal est revenu en arrière : " + std::to_string(head().size) +
                               " entrées au lieu d'au "
                               "moins " +
                               std::to_string(pin.size),
                           "the log went back: " + std::to_string(head().size) +
                               " entries instead of at least " + std::to_string(pin.size)});
        if (pin.size == head().size && pin.root != head().root)
            return forked({"le journal a signé deux racines pour une même taille",
                           "the log has signed two roots for one size"});
        return {};
    }

    /// Takes up the tree at the last full bundle under the pin, or at the beginning.
    Status start() {
        if (options_.minimum_index > head().size)
            return fail(Code::BadInput,
                        {"index minimal au-delà du journal", "minimum index beyond the log"},
                        {"donnez l'index minimal que le journal publie",
                         "give the minimum index that the log publishes"});
        const bool since_pin = options_.scope == VerifyOptions::Scope::SincePin;
        if (since_pin && !options_.pin)
            return fail(Code::BadInput,
                        {"aucun point épinglé d'où repartir", "no pin to start from"},
                        {"donnez un point de contrôle plus ancien, ou vérifiez tout",
                         "give an older checkpoint, or verify all"});
        rules_.ours = options_.entries == VerifyOptions::Entries::Hygie;
        rules_.minimum_index = options_.minimum_index;
        if (since_pin) {
            rules_.counted_from = options_.pin->checkpoint.size;
            next_ = rules_.counted_from / kTileHashes;
            report_.first = next_ * kTileHashes;
            if (options_.pin_counters) counters_ = CounterRun::from(*options_.pin_counters);
        } else {
            counters_ = CounterRun::from({});
        }
        tree_ = TRY(Tree::resume(report_.first,
                                 [&](std::size_t level, std::uint64_t index,
                                     std::size_t width) -> Result<std::vector<Hash>> {
                                     const auto at = static_cast<unsigned>(level);
                                     std::vector<Hash> hashes = TRY(read_tile(
                                         log_, {at, index, width_of(head().size, at, index)}));
                                     hashes.resize(width);
                                     return hashes;
                                 }));
        return {};
    }

    Status walk() {
        const std::uint64_t bundles = (head().size + kTileHashes - 1) / kTileHashes;
        TRY_STATUS(meet_pin({}));
        while (next_ < bundles) {
            std::vector<BundleRun> runs = plan(bundles);
            TRY_STATUS(check(runs));
            for (const BundleRun& run : runs) TRY_STATUS(take(run));
            if (options_.on_progress)
                options_.on_progress(tree_.size() - report_.first, head().size - report_.first);
        }
        return meet_pin({});
    }

    /// The runs of the next wave, one per thread; the bundle that holds the pin begins a run.
    std::vector<BundleRun> plan(std::uint64_t bundles) const {
        const std::uint64_t pin_bundle =
            options_.pin ? options_.pin->checkpoint.size / kTileHashes : 0;
        std::vector<BundleRun> runs;
        std::uint64_t first = next_;
        for (unsigned i = 0; i < std::clamp(options_.threads, 1u, kThreadsMax) && first < bundles;
             ++i) {
            BundleRun run;
            run.first = first;
            run.count = std::min(kRunBundles, bundles - first);
            if (first < pin_bundle) run.count = std::min(run.count, pin_bundle - first);
            first += run.count;
            runs.push_back(std::move(run));
        }
        return runs;
    }

    Status check(std::vector<BundleRun>& runs) const {
        return side_by_side(runs.size(), runs.size(), [&](std::size_t i) {
            return check_run(log_, head().size, rules_, runs[i]);
        });
    }

    Status take(const BundleRun& run) {
        next_ = run.first + run.count;
        TRY_STATUS(meet_pin(run.first_leaves));
        Status tiles;
        const auto full = [&](std::size_t level, std::uint64_t index,
                              std::span<const Hash> hashes) {
            if (level > 0 && tiles)
                tiles = check_tile({static_cast<unsigned>(level), index, hashes.size()}, hashes);
        };
        tree_.append_tiles(run.roots, full);
        tree_.append(run.tail, full);
        TRY_STATUS(tiles);
        TRY_STATUS(counters_.join(run.counters));
        report_.tiles_checked += run.count;
        report_.entries_checked += run.entries_checked;
        report_.entries_absent += run.entries_absent;
        saw_pruning_ |= run.saw_pruning;
        return {};
    }

    /// Computes the root at the pin's size when the walk stands at its bundle.
    Status meet_pin(std::span<const Hash> leaves) {
        if (!options_.pin || pin_root_) return {};
        const std::uint64_t size = options_.pin->checkpoint.size;
        if (size < tree_.size() || size - tree_.size() > leaves.size()) return {};
        Tree pinned = tree_;
        pinned.append(leaves.first(static_cast<std::size_t>(size - tree_.size())),
                      [](auto&&...) {});
        pin_root_ = pinned.root();
        return {};
    }

    Status check_tile(TileId tile, std::span<const Hash> hashes) {
        ++report_.tiles_checked;
        const std::vector<Hash> served = TRY(read_tile(log_, tile));
        if (std::ranges::equal(served, hashes)) return {};
        return fail(Code::Corrupt,
                    {path_of(tile) + " n'est pas ce que les entrées donnent",
                     path_of(tile) + " is not what the entries give"},
                    kCompare);
    }

    Status check_partial_tiles() {
        for (unsigned level = 1; level < kTileLevelsMax; ++level) {
            const auto hashes = tree_.partial(level);
            if (!hashes.empty())
                TRY_STATUS(check_tile({level, tree_.full_tiles(level), hashes.size()}, hashes));
        }
        return {};
    }

    Status conclude() {
        if (tree_.root() != head().root)
            return fail(Code::Corrupt,
                        {"la racine signée n'est pas celle des entrées",
                         "the signed root is not that of the entries"},
                        kCompare);
        // The served files agree with the served signature: if they contradict the pin, the log
        // itself has lied.
        if (options_.pin && pin_root_ != options_.pin->checkpoint.root)
            return forked({"le journal ne prolonge pas le point épinglé : son passé a été réécrit",
                           "the log does not continue the pin: its past was rewritten"});
        if (rules_.ours && report_.entries_absent > 0 && report_.first == 0 && !saw_pruning_)
            return fail(Code::Forged,
                        {"des entrées manquent sans élagage déclaré dans le journal",
                         "entries are missing and no entry of the log declares a pruning"},
                        kCompare);
        if (rules_.ours) report_.counters = counters_.last();
        return {};
    }

    LogReader& log_;
    const Policy& policy_;
    const VerifyOptions& options_;
    RunRules rules_;
    Report report_;
    Tree tree_;
    CounterRun counters_;
    std::optional<Hash> pin_root_;
    std::uint64_t next_ = 0;  ///< bundle
    bool saw_pruning_ = false;
};

}  // namespace

Result<Report> verify_log(LogReader& log, const Policy& policy, const VerifyOptions& options) {
    return Audit(log, policy, options).run();
}

}  // namespace hygie::ledger
