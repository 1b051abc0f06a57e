#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// The practice's own time zone. "Where a time zone is not specified, the server's local time zone
/// is assumed" (https://hl7.org/fhir/R4/search.html#date): a day is the day of who works there.
namespace hygie::fhir {

/// The clocks of one place over two centuries. Immutable.
class Zone {
  public:
    /// By its name in the IANA database: "Europe/Paris", "Indian/Reunion". Code::BadInput when
    /// there is none of that name.
    static Result<std::shared_ptr<const Zone>> named(std::string_view name);

    const std::string& name() const { return name_; }
    /// What the clock on the wall, read as if it were UTC, means. Of an hour that comes twice, the
    /// first; of one that is skipped, as much later.
    WallTime to_utc(WallTime on_the_wall) const;
    /// What the clock on the wall shows then, read as if it were UTC.
    WallTime on_the_wall(WallTime utc) const;

  private:
    struct Change {
        Micros from;    ///< since 1970, UTC
        Micros offset;  ///< of the clock on the wall, from then on
    };
    Micros offset_at(Micros utc) const;

    std::string name_;
    std::vector<Change> changes_;  ///< in order; the first holds from the beginning
};

inline constexpr std::string_view kZoneDefault = "Europe/Paris";

/// The zone in force in this process: kZoneDefault until another is chosen.
std::shared_ptr<const Zone> zone_in_force();
/// Chooses it, before dates are read: what was indexed with another is to be indexed anew.
void put_in_force(std::shared_ptr<const Zone> zone);

}  // namespace hygie::fhir
