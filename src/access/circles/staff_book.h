#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/circles/staff.h"

/// The same as Staff, for a house that changes: a change costs what it touches, not the house. What
/// one person belongs to is worked out when it is asked for, from the few resources that say so.
namespace hygie::access {

/// Resources looked at for one person; what is beyond ties nobody.
inline constexpr std::size_t kGatheredMax = 20'000;

/// Not thread-safe.
class StaffBook {
  public:
    /// A resource of the house as it stands now, "Location/1"; known from the next question on. A
    /// body that cannot be read says nothing.
    void put(const std::string& name, std::uint32_t version, std::string body);
    void drop(const std::string& name);
    /// 0 when it is not there.
    std::uint32_t version_of(std::string_view name) const;
    std::size_t size() const { return resources_.size(); }

    /// As Staff::of() over all resources. `policy` must outlive the answer's use.
    Staff::Belongings of(const Policy& policy, const std::string& person);
    /// A resource of the house as somebody would have it.
    struct Draft {
        std::string name, body;
    };
    /// The same, were these stored; nothing of them stays.
    Staff::Belongings of_with(const Policy& policy, const std::string& person,
                              std::span<const Draft> drafts);
    /// Forgets what was worked out: another policy is in force.
    void forget() { known_.clear(); }

  private:
    struct Place {
        std::string person, unit;
    };
    struct Resource {
        std::uint32_t version = 0;
        std::string body;
        std::vector<std::string> names;  ///< who or what it says something of
        std::vector<std::pair<std::string, std::string>> links;  ///< whom to look at beside
        std::vector<Place> places;                               ///< who works where
        bool is_unit = false;
        ReadUnit unit;
        std::vector<std::string> service_places;
        std::string holder;  ///< of a position
    };
    using NameSet = std::set<std::string, std::less<>>;

    static Resource read(std::uint32_t version, std::string body);
    /// What stood there before.
    std::unique_ptr<Resource> replace(const std::string& name, std::unique_ptr<Resource> fresh);
    void enlist(const std::string& name, const Resource& resource);
    void strike(const std::string& name, const Resource& resource);
    void count(const std::string& name, int sign);
    void measure();
    const std::string& holder_of(const std::string& name) const;
    NameSet people_around(const std::string& person) const;
    NameSet units_around(const ReadFacts& facts) const;
    void add_to(const std::string& name, ReadFacts& facts) const;

    std::unordered_map<std::string, std::unique_ptr<Resource>> resources_;
    std::unordered_map<std::string, NameSet> mentions_;  ///< resources, by whom they name
    std::unordered_map<std::string, NameSet> parts_;     ///< of each unit, one step down
    std::unordered_map<std::string, std::map<std::string, int>> members_;  ///< of each unit
    std::map<std::string, int> workers_;  ///< persons who work anywhere
    std::shared_ptr<const NameSet> wholes_;
    std::unordered_map<std::string, Staff::Belongings> known_;
};

}  // namespace hygie::access
