#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "ledger/log/entry.h"
#include "ledger/tree/checkpoint.h"

namespace hygie::ledger {

/// A log with more sources than this is hostile, not honest.
inline constexpr std::size_t kSourcesMax = 1 << 20;

/// How far each source has counted: source number → last counter, at some size of the log.
using SourceCounters = std::map<std::uint64_t, std::uint64_t>;

/// What an auditor keeps beside a pin so that the next audit can go on counting: the text of the
/// checkpoint with one extension line "source counter" per source. Never signed, never published.
std::string encode_counters(Checkpoint pin, const SourceCounters& counters);
/// Code::BadInput unless the text belongs to that very pin.
Result<SourceCounters> parse_counters(std::string_view text, const Checkpoint& pin);

/// Counters of a source that the ledger declares missing.
struct DeclaredGap {
    std::uint64_t source = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

/// What a SourceGap entry says; its body is open to every verifier. Code::Forged when it is not the
/// ledger's own.
Result<DeclaredGap> declared_gap(const EntryView& entry);

/// Follows the counters of a stretch of the log. Each source counts on from where it was; a
/// SourceGap entry, which the ledger writes before the entry that jumps, stands for the counters it
/// declares missing. Stretches can be followed apart and then joined.
class CounterRun {
  public:
    /// Code::Forged when a source skips or repeats a counter, Code::Full beyond kSourcesMax
    /// sources.
    Status follow(const EntryView& entry);
    /// Entries are missing here (pruned): whatever was counted says nothing about what follows.
    void cut();
    /// Goes on with the stretch that follows this one.
    Status join(const CounterRun& next);
    /// Starts from known counters: sources not among them are new and must begin at 1.
    static CounterRun from(const SourceCounters& counters);

    SourceCounters last() const;

  private:
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    Status extend(std::uint64_t source, Range range);

    std::unordered_map<std::uint64_t, Range> ranges_;
    bool complete_ = false;  ///< every source that ever wrote is known
    bool cut_ = false;       ///< entries are missing inside or before this stretch
};

}  // namespace hygie::ledger
