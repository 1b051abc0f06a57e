#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "access/staff.h"
#include "vault/vault.h"

namespace hygie::records {

/// Resources of the house that are read for who belongs where; what is beyond ties nobody.
inline constexpr std::size_t kStaffMax = 200'000;

/// Who belongs where, as the house says it at this very moment: nothing is kept in time, only as
/// long as no resource that says so has another version. Thread-safe.
class StaffRoom {
  public:
    explicit StaffRoom(vault::Vault& vault) : vault_(vault) {}

    /// Where "Practitioner/…", "Patient/…" or "RelatedPerson/…" belongs; nowhere when the house
    /// cannot be read.
    std::vector<access::Belonging> belongings(const std::shared_ptr<const access::Policy>& policy,
                                              const std::string& person);

  private:
    std::shared_ptr<const access::Staff> now(const std::shared_ptr<const access::Policy>& policy);
    void add_selves(const std::string& person, std::vector<access::Belonging>& into);

    struct Kept {
        std::uint32_t version = 0;
        std::string body;
    };
    using Place = std::shared_ptr<const vault::Record>;
    bool refresh(const Place& house, const Place& apart);

    vault::Vault& vault_;
    std::mutex mutex_;
    Place house_;
    Place apart_;  ///< where teams are that name no patient (vault/unassigned.h)
    std::shared_ptr<const access::Policy> policy_;
    std::map<std::string, Kept, std::less<>> kept_;  ///< by reference
    std::shared_ptr<const access::Staff> staff_;
};

}  // namespace hygie::records
