#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"
#include "ledger/log/source_counters.h"
#include "ledger/tree/log_reader.h"

namespace hygie::ledger {

/// What a run of bundles is checked for.
struct RunRules {
    bool ours = true;                ///< entries must parse as ours
    std::uint64_t counted_from = 0;  ///< entries before this index were counted by an earlier audit
    std::uint64_t minimum_index = 0;  ///< bundles that end at or below may be absent
};

/// A run of consecutive bundles of a log of `size` entries and what checking them gave. Runs are
/// independent, so they may be checked in several threads and then joined in order.
struct BundleRun {
    std::uint64_t first = 0;  ///< index of the first bundle
    std::uint64_t count = 0;

    std::vector<crypto::Hash> first_leaves;  ///< of the first bundle
    std::vector<crypto::Hash> roots;         ///< one per full bundle
    std::vector<crypto::Hash> tail;          ///< leaves of the partial bundle, if it is in this run
    CounterRun counters;
    std::uint64_t entries_checked = 0;
    std::uint64_t entries_absent = 0;
    bool saw_pruning = false;  ///< an entry declares that bundles were dropped
};

/// Reads every bundle and level-0 tile of the run, compares them hash by hash and checks each
/// entry.
Status check_run(LogReader& log, std::uint64_t size, const RunRules& rules, BundleRun& run);

}  // namespace hygie::ledger
