#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "access/circles/circle_world.h"

/// Who belongs where in the house — positions, wards, teams, shifts, delegations, the same human
/// behind several resources — as the house's own resources say it.
namespace hygie::access {

/// Parties that one actor belongs to at most; what is beyond is left out, which closes.
inline constexpr std::size_t kBelongingsMax = 4096;

/// One moment of the house; never changes. Thread-safe.
class Staff {
  public:
    /// `policy` must outlive it.
    Staff(ReadFacts facts, const Policy& policy);

    using Belongings = std::shared_ptr<const std::vector<Belonging>>;
    /// Of "Practitioner/…", "RelatedPerson/…" or "Patient/…"; never null. The parts of a unit are
    /// named beside it: who is assigned to a ward is tied to whom lies in one of its beds.
    Belongings of(std::string_view person) const;

  private:
    std::vector<Belonging> look(std::string_view person) const;

    std::multimap<std::string, std::string, std::less<>> parts_;  ///< of each unit, at any depth
    CircleWorld world_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, Belongings, std::less<>> known_;
};

}  // namespace hygie::access
