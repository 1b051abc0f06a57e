#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "access/circles/staff_book.h"
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
    /// Where that one would belong, were these resources of the house stored.
    std::vector<access::Belonging> belongings_with(
        const std::shared_ptr<const access::Policy>& policy, const std::string& person,
        std::span<const access::StaffBook::Draft> drafts);

  private:
    using Place = std::shared_ptr<const vault::Record>;
    /// What of one place was taken over.
    struct Seen {
        Place place;
        std::vector<std::shared_ptr<const fhir::Segment>> pieces;
    };

    bool catch_up(const std::shared_ptr<const access::Policy>& policy);
    void take(Seen& seen, const Place& now, std::span<const std::string_view> types);
    void take_over(const Place& place, std::string_view type, std::string_view id);
    void add_selves(const std::string& person, std::vector<access::Belonging>& into);

    vault::Vault& vault_;
    std::mutex mutex_;
    Seen house_;
    Seen apart_;  ///< where teams and Persons are that name no patient (vault/unassigned.h)
    std::uint64_t version_ = 0;  ///< of the house, when all of it was taken over
    std::shared_ptr<const access::Policy> policy_;
    access::StaffBook book_;
};

}  // namespace hygie::records
