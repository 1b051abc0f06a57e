#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "event/event.h"
#include "fhir/json.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "vault/trace.h"

/// The record vault: every version of every resource, sealed under a key of the patient it is
/// about, found without anything readable on the disk (README.md, FORMAT.md). It stores and finds;
/// who may see what is decided by its caller, with what a Record says about relations, before a
/// body is unsealed.
namespace hygie::vault {

class Record;

struct Doors {
    Disk& disk;
    Clock& clock;
    Random& random;
    Trace& trace;
};

struct Options {
    std::string dir;
    NodeId node;
    SourceId source = SourceId("vault");  ///< of commits in the ledger: no other events may use it
    std::size_t cache_bytes = 64 << 20;   ///< for opened records
};

/// What the newest version of a resource is, known without its body.
struct Entry {
    std::string_view type;
    std::string id;
    std::uint32_t version = 0;
    WallTime updated{};
    bool deleted = false;
    std::uint64_t row = 0;  ///< where its body is
};

/// A resource that was found: what is needed to decide about it, and to read it afterwards.
struct Found {
    std::shared_ptr<const Record> record;
    Entry entry;
};

/// One version, unsealed. `body` is what goes out: JSON, minified, with id, meta.versionId and
/// meta.lastUpdated; empty for a version that says "deleted".
struct Version {
    std::string type;
    std::string id;
    std::uint32_t version = 0;
    WallTime updated{};
    bool deleted = false;
    std::string body;
};

/// All that one patient's record, or the house, holds at one moment: a snapshot that never changes.
/// Thread-safe.
class Record {
  public:
    Record(Record&&) noexcept;
    ~Record();
    /// Id of the patient; empty for the house: what belongs to no patient.
    std::string_view patient() const;
    /// Who treats this patient, as the record itself says.
    std::span<const access::Relation> relations() const;
    /// Current resources, those deleted left out, of one type or (empty) of all.
    std::vector<Entry> entries(std::string_view type) const;

  private:
    friend class Vault;
    struct State;
    explicit Record(std::unique_ptr<const State> state);
    std::unique_ptr<const State> state_;
};

/// One change. The resource is read during commit() only, and gets its id and meta from the vault.
struct Write {
    enum class Kind : std::uint8_t { Put, Delete };
    Kind kind = Kind::Put;
    std::string type;
    std::string id;                           ///< new_id() for a creation
    fhir::Json resource{};                    ///< for Put
    bool must_be_new = false;                 ///< Code::AlreadyThere when a live version exists
    std::optional<std::uint32_t> if_match{};  ///< Code::Stale when the newest version is another
};

/// All or nothing. `event` says who does what to whom; the vault adds source, node, counter, time
/// and the detail "digest". A deletion of what does not exist is Code::NotFound.
struct Transaction {
    std::vector<Write> writes;
    std::string author{};  ///< "Practitioner/…": who opens the record when a patient is made here
    event::Event event;
};

/// What each write of a transaction became, in their order.
using Done = std::move_only_function<void(Result<std::vector<Version>>)>;

struct Counts {
    std::uint64_t resources = 0;  ///< live ones
    std::uint64_t versions = 0;   ///< all stored, deletions included
    std::uint64_t records = 0;    ///< patients
    std::uint64_t commits = 0;
};

/// Thread-safe, but for open and destruction.
class Vault {
  public:
    /// Opens or makes the vault in options.dir. `root` is the domain key "vault". What the ledger
    /// has not seen of earlier commits is submitted again first. Code::Busy when another process
    /// has it open, Code::Denied when it was sealed under another key.
    static Result<std::unique_ptr<Vault>> open(const Doors& doors, Options options,
                                               const crypto::Secret32& root);
    ~Vault();

    /// A strong id for a resource to be created: UUIDv4.
    std::string new_id();

    /// Code::NotFound when there never was one (or its patient was erased).
    Result<Found> find(std::string_view type, std::string_view id);
    /// The record of a patient; "" is the house. Code::NotFound when it is not there.
    Result<std::shared_ptr<const Record>> record(std::string_view patient);
    /// The newest version.
    Result<Version> read(const Found& found);
    /// Code::NotFound when that version never was.
    Result<Version> read(const Found& found, std::uint32_t version);
    /// Newest first, from version `from` (0: the newest) downwards, `count` at most.
    Result<std::vector<Version>> history(const Found& found, std::uint32_t from, std::size_t count);

    /// Checks, seals and stores; calls `done` from another thread once store and ledger both keep
    /// it, or with the reason why nothing was changed. Returns at once.
    void commit(Transaction transaction, Done done);

    Counts counts();

  private:
    struct State;
    explicit Vault(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::vault
