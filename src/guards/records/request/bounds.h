#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/decision.h"
#include "base/time.h"
#include "fhir/search/search_query.h"
#include "vault/record.h"

/// SMART v2 scopes that bound by a search (patient/Observation.rs?category=laboratory), applied as
/// ceilings: what does not match is as if it were not there.
namespace hygie::records {

/// Of one call. Not thread-safe.
class Bounds {
  public:
    Bounds(const access::Actor& actor, WallTime now);

    /// Whether any search bounds what is done with resources of a type.
    bool bind(event::Action action, std::string_view type) const;
    /// Whether the scopes leave this resource; true of every resource when no scope bounds.
    bool leave(const vault::Record& record, event::Action action, std::string_view type,
               std::string_view id);
    /// What a search sees of a record; none when no scope bounds.
    std::optional<fhir::Compartment> narrowed(const fhir::Compartment& seen) const;

  private:
    using Ids = std::set<std::string, std::less<>>;
    /// The searches one of which a resource must match, by type, for reading and for searching.
    using Searches = std::map<std::string, std::vector<fhir::Query>, std::less<>>;
    const Searches& searches_of(event::Action action) const {
        return action == event::Action::Execute ? searched_ : read_;
    }

    Searches read_, searched_;
    std::map<std::pair<std::string, const std::vector<fhir::Query>*>, Ids> known_;  ///< by patient
};

}  // namespace hygie::records
