#pragma once

#include <string>
#include <vector>

#include "guards/files/keep/history.h"

namespace hygie::files {

/// How it is known that what came back is what was kept.
enum class Proof : std::uint8_t {
    None,   ///< it has no bytes, or they are not proven
    Hash,   ///< SHA-256 of every byte, taken now
    Mark,   ///< the keyed mark beside which its SHA-256 was written down, checked over every byte
    Seals,  ///< the seals of its chunks, beside whose names its SHA-256 was written down
};
std::string_view name_of(Proof proof);

/// Whether every byte is hashed again, even where something faster proves it.
enum class Hashing : std::uint8_t { WhereNeeded, Always };

/// What became of one item of a plan.
struct Outcome {
    PlanItem item;
    bool is_done = false;
    bool is_verified = false;         ///< read again, and equal to what was kept
    Proof proof = Proof::None;        ///< … by this
    std::string hash;                 ///< of what was brought back (Digest), in hexadecimal
    bool is_sparse = false;           ///< … which holds whole mebibytes of zeros
    std::string evidence;             ///< where what stood there now lies
    std::string second_name_of;       ///< the name of the file that has this one too, again
    std::vector<std::string> lifted;  ///< had the immutable flag, and have it no more
    std::optional<Error> problem;
};

struct RestoreResult {
    std::string id;      ///< of this restore: names the report
    std::string report;  ///< its path
    WallTime began{};
    WallTime ended{};
    std::vector<Outcome> outcomes;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t bytes = 0;
    std::optional<Error> unreported;  ///< why there is no signed report
};

/// Carries a plan out: bytes, names, rights, owners, ACLs, attributes and times come back, each
/// file is read again and compared, what stands in the way is kept as evidence, and a signed report
/// is written (FORMAT.md). Where an immutable flag holds a file it is lifted, and that is said.
/// What a full disk keeps from coming back fails and says how much room it takes. Nothing is ever
/// destroyed: undo() takes it back.
Result<RestoreResult> restore(StoreDoors doors, const std::string& state, const History& history,
                              const Plan& plan, Hashing hashing = Hashing::WhereNeeded);

/// Takes a restore back: what was set aside returns, and what it brought is set aside in turn.
Result<RestoreResult> undo(StoreDoors doors, const std::string& state, const std::string& id);

/// Whether a report was signed by this state folder and is unchanged.
Status verify_report(StoreDoors doors, const std::string& state, const std::string& id);

}  // namespace hygie::files
