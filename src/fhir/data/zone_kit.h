#pragma once

#include <memory>
#include <string_view>

#include "fhir/data/zone.h"

namespace hygie::fhir::kit {

/// Chooses a zone for one test.
class InZone {
  public:
    explicit InZone(std::string_view name) : before_(zone_in_force()) {
        put_in_force(Zone::named(name).value());
    }
    ~InZone() { put_in_force(before_); }
    InZone(const InZone&) = delete;
    InZone& operator=(const InZone&) = delete;

  private:
    std::shared_ptr<const Zone> before_;
};

}  // namespace hygie::fhir::kit
