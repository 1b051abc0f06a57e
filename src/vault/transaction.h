#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "event/event.h"
#include "fhir/data/json.h"

namespace hygie::vault {

/// One version, unsealed. `body` is what goes out: JSON, minified, with id, meta.versionId and
/// meta.lastUpdated; empty for a version that says "deleted".
struct Version {
    std::string type;
    std::string id;
    std::uint32_t version = 0;
    WallTime updated{};
    bool deleted = false;
    std::string body;
    std::uint64_t row = 0;       ///< where it is stored; means nothing outside the vault
    std::uint64_t previous = 0;  ///< the same of the version before; 0 for the first
};

/// One change. The resource is read during commit() only, and gets its id and meta from the vault.
struct Write {
    enum class Kind : std::uint8_t { Put, Delete };
    Kind kind = Kind::Put;
    std::string type;
    std::string id;         ///< new_id() for a creation
    fhir::Json resource{};  ///< for Put
    /// Whose record it goes to, for Put (unassigned.h); none: that of the patient it names.
    std::optional<std::string> record{};
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

}  // namespace hygie::vault
