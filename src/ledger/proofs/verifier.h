#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "ledger/log/source_counters.h"
#include "ledger/proofs/policy.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/log_reader.h"

namespace hygie::ledger {

/// Two checkpoints signed by one log that cannot both be true, or a log that went back: keep both,
/// they convict it.
struct ForkEvidence {
    SignedCheckpoint pinned;
    SignedCheckpoint served;
};

struct VerifyOptions {
    enum class Scope {
        Whole,     ///< every entry and every tile
        SincePin,  ///< what was added since the pin: O(new); the tiles under it are checked against
                   ///< the pin's root
    };
    enum class Entries {
        Hygie,   ///< entries must be ours: right sequence numbers, gap-free counters
        Opaque,  ///< any bytes: for logs written by other programs
    };

    Moment moment;
    /// An older checkpoint of this log that the caller trusts.
    std::optional<SignedCheckpoint> pin;
    /// The counters at the pin (Report::counters of the audit that made it). Without them an audit
    /// since the pin cannot see a gap between the pin and a source's first new entry.
    std::optional<SourceCounters> pin_counters;
    Scope scope = Scope::Whole;
    Entries entries = Entries::Hygie;
    /// Bundles that end at or below this index may be absent (C2SP pruning); their tiles may not.
    std::uint64_t minimum_index = 0;
    unsigned threads = 1;
    /// Called now and then with the entries done and the entries to do.
    std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
    /// Called before a fork or a rollback is reported as Code::Forged.
    std::function<void(const ForkEvidence&)> on_fork;
};

struct Report {
    SignedCheckpoint checkpoint;  ///< what was verified: a pin for the next audit
    Endorsement endorsement;
    std::uint64_t first = 0;            ///< index of the first entry that was checked
    std::uint64_t entries_checked = 0;  ///< read, hashed and, if ours, parsed
    std::uint64_t entries_absent = 0;   ///< pruned: their hashes are proven, their content is gone
    std::uint64_t tiles_checked = 0;
    SourceCounters counters;  ///< of each source at the checkpoint's size, if the entries are ours
};

/// Re-derives the log from its entries and compares every tile and the root with what is served and
/// signed. Nothing that could not be checked is accepted; every file is read once or twice, never
/// for ever. Code::Forged and Code::Stale as Policy::judge, and Forged for a fork, a rollback or an
/// undeclared gap; Code::Corrupt for files that contradict the signed root; Code::NotFound for
/// missing ones.
Result<Report> verify_log(LogReader& log, const Policy& policy, const VerifyOptions& options);

}  // namespace hygie::ledger
