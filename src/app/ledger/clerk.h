#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "event/event.h"
#include "ledger/log/draft.h"
#include "ledger/log/log.h"

namespace hygie::app {

/// What somebody wants to see of a ledger.
struct Question {
    enum class Kind : std::uint8_t { Tail = 1, Show = 2, Query = 3, Export = 4 };

    Kind kind = Kind::Query;
    std::uint64_t number = 0;  ///< Tail: how many entries; Show: which one
    // Query and Export: an entry must meet all of it.
    ActorId actor{};
    PatientId patient{};
    ObjectId object{};
    std::optional<WallTime> since{};
    std::optional<WallTime> until{};
    bool proof = false;  ///< Query: also that the answer about the actor is complete

    bool operator==(const Question&) const = default;
};

/// An entry as it is shown: its event, or the reason why there is none.
struct Shown {
    std::uint64_t index = 0;
    event::Type type{};
    WallTime time{};
    Result<event::Event> event;
    // Of the header; not told to another process.
    std::uint64_t source = 0;
    std::uint64_t counter = 0;
};

/// Answers, some at a time.
struct Answers {
    std::uint64_t position = 0;  ///< entries below this index were looked at
    std::vector<Shown> entries;  ///< may be empty before the end
    bool is_last = false;
};

/// A reading whose trace is durable.
class Reading {
  public:
    virtual ~Reading() = default;
    /// Goes on looking. Not after the last.
    virtual Result<Answers> next() = 0;

    std::uint64_t size = 0;     ///< of the ledger when it was asked
    std::string origin;         ///< of the ledger
    std::vector<Bytes> proofs;  ///< completeness proofs, one per calendar year of the actor
};

/// Whose data to erase, for whom, and on what ground.
struct Erasure {
    PatientId patient;
    std::optional<event::Retention> retention;  ///< one class only
    ActorId by;
    std::string reason;

    bool operator==(const Erasure&) const = default;
};

/// What is asked of the vault beside a ledger, by whom, and on what ground.
struct VaultAct {
    enum class Kind : std::uint8_t {
        Status = 1,   ///< how much it holds
        Verify = 2,   ///< whether it is what the ledger says
        Export = 3,   ///< a patient's whole record
        Shred = 4,    ///< destroys a patient's key
        Hold = 5,     ///< forbids that
        Lift = 6,     ///< allows it again
        Expired = 7,  ///< whose records may no longer be kept
        Knows = 8,    ///< whether a unit of the house is among the records
        Zone = 9,     ///< in which time zone it counts days
    };
    Kind kind = Kind::Status;
    ActorId by;
    std::string patient;  ///< id; empty for Status, Verify, Expired and Zone; for Knows a reference
    std::string reason;

    bool operator==(const VaultAct&) const = default;
};

/// Such an act under way. What it gives is CBOR (FORMAT.md, "Vault").
class VaultWork {
  public:
    virtual ~VaultWork() = default;
    /// Goes on for a while: what it gives, once it is done; none before. Not after that.
    virtual Result<std::optional<Bytes>> step() = 0;
};

/// What one call of Clerk::append takes at most: bytes of bodies, and drafts.
inline constexpr std::size_t kAppendBytesMax = 1 << 20;
inline constexpr std::size_t kAppendDraftsMax = 1024;

/// Who carries out what is asked of one ledger: this process, or the one that holds the ledger
/// open.
class Clerk {
  public:
    virtual ~Clerk() = default;

    /// The index of each draft, once it is durable; none for a counter seen before.
    virtual Result<std::vector<std::optional<std::uint64_t>>> append(
        std::vector<ledger::Draft> drafts) = 0;
    /// Writes into the ledger who reads what, durably, and only then begins (law 1).
    virtual Result<std::unique_ptr<Reading>> read(const ActorId& reader,
                                                  const Question& question) = 0;
    /// How many keys were destroyed.
    virtual Result<std::uint64_t> shred(const Erasure& erasure) = 0;
    virtual Result<ledger::Pruned> prune(const ActorId& by, bool dry_run) = 0;
    /// The new verifier key.
    virtual Result<std::string> rotate() = 0;
    /// How many keys were wrapped.
    virtual Result<std::uint64_t> rewrap() = 0;
    /// The resources of the vault beside the ledger, as lines of JSON, after a trace of who reads
    /// them: of one patient and the house, or of all. Code::NotFound when there is no vault.
    virtual Result<Bytes> world(const ActorId& reader, const std::string& patient);
    /// Begins an act upon the vault beside the ledger, which has the trace before the effect. The
    /// work must not outlive the clerk. Code::NotFound when there is no vault.
    virtual Result<std::unique_ptr<VaultWork>> vault(const VaultAct& act);
    /// Finishes what is under way, and lets go of the ledger.
    virtual Status close() = 0;
};

}  // namespace hygie::app
