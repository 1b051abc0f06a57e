#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "event/event.h"
#include "fhir/data/json.h"
#include "fhir/search/search_query.h"
#include "fhir/search/segment.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "vault/record.h"
#include "vault/retention.h"
#include "vault/trace.h"
#include "vault/transaction.h"
#include "vault/verify.h"

/// The record vault: every version of every resource, sealed under a key of the patient it is
/// about, found without anything readable on the disk (README.md, FORMAT.md). It stores and finds;
/// who may see what is decided by its caller, with what a Record says about relations, before a
/// body is unsealed.
namespace hygie::vault {

struct Body;

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
    std::string zone{};  ///< of dates without one (IANA); empty: as before, at first Europe/Paris
    std::size_t cache_bytes = 64 << 20;       ///< for opened records
    std::size_t body_cache_bytes = 16 << 20;  ///< for bodies unsealed lately
};

/// What the newest version of a resource is, known without its body; `body` is its row. Views live
/// as long as the Record.
using Entry = fhir::ResourceEntry;

/// A resource that was found: what is needed to decide about it, and to read it afterwards.
struct Found {
    std::shared_ptr<const Record> record;
    Entry entry;
};

/// Where a search may look. Everything is judged before anything of it shows, in counts too.
struct Scope {
    /// Whether the asker may search in this record (the house included). Called for every record
    /// that could hold a hit or something it refers to; may be called from any thread.
    std::function<bool(const Record&)> allows;
    /// The same, where nothing is noted of it: whether a record leads to others; empty: all do.
    std::function<bool(const Record&)> leads{};
    std::string patient{};  ///< id: hits come from this record, or name this patient too
    std::string person{};   ///< "Practitioner/…": whose circle is searched when nothing narrows
    std::vector<std::string>
        parties{};  ///< units, teams and others to whose circle that one belongs
    /// Whether a resource with labels (labels.h) stays out of everything, counts too; empty: none.
    std::function<bool(const Record&, std::string_view type, std::uint8_t labels)> hides{};
    /// Whether what a resource of this record says of another patient, too, may be seen; empty:
    /// all.
    std::function<bool(const Record&, const Entry&, std::string_view patient)> opens_also{};
    /// Whether resources of a type may be included from this record, or lead to others; empty: all.
    std::function<bool(const Record&, std::string_view type)> includes{};
    /// What is left of a record, given what is seen of it so far; none: all of that.
    std::function<std::optional<fhir::Compartment>(const Record&, const fhir::Compartment& seen)>
        narrows{};
};

/// One page of what a search found, in order; included ones are in no page.
struct Page {
    std::vector<Found> page{};
    std::vector<Found> included{};
    std::size_t total = 0;  ///< over all pages
    std::string next{};     ///< sealed: Query::position of the next page; empty on the last
    /// What chains, _has or includes ask about lies in more than kCandidatesMax records that are
    /// open to the asker: others than those of the hits were left out.
    bool is_partial = false;
};

/// One file of an export.
using ExportFile = std::function<Status(std::string_view name, std::string_view bytes)>;

struct Counts {
    std::uint64_t resources = 0;  ///< live ones
    std::uint64_t versions = 0;   ///< all stored, deletions included
    std::uint64_t records = 0;    ///< patients
    std::uint64_t commits = 0;
};

/// Records that one search opens at most.
inline constexpr std::size_t kCandidatesMax = 2'000;
/// Records that one search looks into, closed ones too, to count those that are open to its asker.
inline constexpr std::size_t kLookedIntoMax = 5 * kCandidatesMax;
/// Code::Full: a search would open more.
std::unexpected<Error> too_many();

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
    /// The same of what the program remembers for itself (kOwnMemory), which find() never finds.
    Result<Found> find_own(std::string_view type, std::string_view id);
    /// The same without opening the record, where its circle alone decides (outline.h): `record`
    /// then holds no resource, and `entry` says type, id and row alone; its views live as long as
    /// what was asked with. None: find() is to be asked.
    Result<std::optional<Found>> glimpse(std::string_view type, std::string_view id);
    /// The record of a patient; "" is the house. Code::NotFound when it is not there.
    Result<std::shared_ptr<const Record>> record(std::string_view patient);
    /// Another number whenever the house, or what is kept apart (unassigned.h), may have changed:
    /// asked before record(), and at once after an acknowledged commit.
    std::uint64_t house_version() const;
    /// The newest version.
    Result<Version> read(const Found& found);
    /// The same as it is kept in memory: nothing is copied.
    Result<std::shared_ptr<const Body>> body(const Found& found);
    /// Code::NotFound when that version never was.
    Result<Version> read(const Found& found, std::uint32_t version);
    /// The version stored at a row (Version::row, Version::previous): histories go from one to the
    /// one before. Code::NotFound when no version of this resource is there.
    Result<Version> read_at(const Found& found, std::uint64_t row);

    /// Code::Full when more records could hold a hit than kCandidatesMax: to be narrowed, or done
    /// as an authorised export. Code::BadInput for a position that is not one of ours.
    Result<Page> search(fhir::Query query, const Scope& scope);
    /// All that is in a patient's record now, deleted resources left out.
    Result<std::vector<Found>> everything(std::string_view patient);
    /// What is in others' records now and names this patient too (shared.h).
    Result<std::vector<Found>> shared_with(std::string_view patient);
    /// Ids of all patients that have a record here: for authorised passes over everything.
    Result<std::vector<std::string>> patients();

    /// Checks, seals and stores; calls `done` from another thread once store and ledger both keep
    /// it, or with the reason why nothing was changed. Returns at once.
    void commit(Transaction transaction, Done done);

    Counts counts();

    // Administration. Each blocks until store and ledger keep it; `why` says who and for what
    // reason, and the vault adds source, node, counter and time.

    /// Destroys the key of a patient and all that points to the record: nothing of it can be read
    /// again, here or in a backup. What names other patients as well goes on in their records,
    /// without that patient (parting.h), each with an entry of its own in the ledger. Code::Denied
    /// while a legal hold lies on it.
    Status shred(const std::string& patient, event::Event why);
    enum class Hold { Set, Lift };
    /// Forbids (or allows again) the erasure of a record: litigation, inquiry.
    Status hold(const std::string& patient, Hold hold, event::Event why);
    Result<bool> is_held(const std::string& patient);
    /// Patients whose record may no longer be kept (retention.h), held ones left out; at most
    /// `count`.
    Result<std::vector<std::string>> expired(const RetentionProfile& profile, WallTime now,
                                             std::size_t count);
    /// The whole record for its patient or another practice: `Type.ndjson` for each type, then
    /// `manifest.json`. Nothing is given before the ledger has `why`.
    Status export_record(const std::string& patient, event::Event why, const ExportFile& give);
    /// Checks the next commits against the ledger, `rows_max` versions or one commit at least
    /// (verify.h).
    Result<Verified> verify(Verified before, const Evidence& evidence, std::size_t rows_max);

  private:
    struct State;
    Status part_from_others(const std::string& patient, const event::Event& why);
    Status erase(const std::string& patient, event::Event why);
    Result<Found> find_anywhere(std::string_view type, std::string_view id);
    explicit Vault(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::vault
