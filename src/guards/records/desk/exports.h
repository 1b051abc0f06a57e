#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "guards/records/desk/desk.h"

namespace hygie::records {

/// One file of an export: NDJSON of one type, in sealed chunks on the disk.
struct ExportPart {
    std::string type;
    std::string name;  ///< "Observation-1"
    std::uint64_t count = 0;
    std::vector<std::uint32_t> chunks{};  ///< sealed sizes, in order
    std::uint64_t bytes = 0;              ///< unsealed
};

/// A bulk export (https://hl7.org/fhir/uv/bulkdata/): what was asked, how far it is, what it gave.
/// Its key lives in memory alone: after a restart nothing of it can be read.
struct Export {
    enum class State : std::uint8_t { Running, Done, Failed };

    std::string id;
    ActorId owner;
    std::string request;  ///< the URL that asked for it
    WallTime started{};
    crypto::Secret32 key;
    std::string dir;

    std::mutex mutex;  ///< guards what follows
    State state = State::Running;
    bool cancelled = false;
    std::size_t patients_done = 0;
    std::size_t patients = 0;
    std::vector<ExportPart> parts{};
};

/// The exports under way and those to be fetched. Thread-safe.
class Exports {
  public:
    static constexpr std::size_t kPerActorMax = 4;
    static constexpr Micros kKept = std::chrono::hours(24);

    /// Removes what an earlier process left behind: its keys are gone.
    explicit Exports(Desk& desk);
    ~Exports();

    /// Code::Full when the actor has too many.
    Result<std::shared_ptr<Export>> start(const Call& call);
    /// Null for what is not there, or somebody else's.
    std::shared_ptr<Export> find(const ActorId& owner, const std::string& id);
    /// Ends it and removes what it gave.
    void remove(std::shared_ptr<Export> one);

  private:
    void drop_old(WallTime now);

    Desk& desk_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Export>> exports_;
};

/// Appends lines to the newest part of a type, opening another when it is full.
Status append_part(Desk& desk, Export& one, std::string_view type, std::string_view lines,
                   std::uint64_t count);
/// The whole part, unsealed.
Result<Bytes> read_part(Desk& desk, const Export& one, const ExportPart& part);

}  // namespace hygie::records
