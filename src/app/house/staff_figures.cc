#include "app/house/staff_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "access/circles/staff_book.h"
#include "access/decide/policy_pack.h"

namespace hygie::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMoves = 2000;
constexpr std::size_t kPeoplePerWard = 25;
constexpr std::size_t kPeoplePerTeam = 8;
constexpr std::size_t kPeoplePerService = 100;
/// Primes: everybody moves to, and works with, somebody else.
constexpr std::size_t kStride = 7919;

/// Wards of services, teams, people who hold a position or two each.
class House {
  public:
    explicit House(std::size_t people)
        : people_(people),
          wards_(people / kPeoplePerWard + 1),
          services_(people / kPeoplePerService + 1) {
        for (std::size_t i = 0; i < services_; ++i) put("Organization", i, "");
        for (std::size_t i = 0; i < wards_; ++i)
            put("Location", i,
                fmt::format(R"(,"physicalType":{{"coding":[{{"code":"wa"}}]}},)"
                            R"("managingOrganization":{})",
                            reference("Organization", i % services_)));
        for (std::size_t i = 0; i < people; ++i) {
            put("Practitioner", i, "");
            assign(i, i % wards_);
            if (i % 2 == 0) put("PractitionerRole", people + i, position(i, i / 2 % wards_));
        }
        for (std::size_t i = 0; i < people / kPeoplePerTeam; ++i) put("CareTeam", i, team(i));
    }

    void assign(std::size_t person, std::size_t ward) {
        put("PractitionerRole", person, position(person, ward));
    }
    bool works_in(std::size_t person, std::size_t ward) {
        const auto all = book_.of(access::default_policy(), fmt::format("Practitioner/{}", person));
        const std::string name = fmt::format("Location/{}", ward);
        return std::ranges::any_of(*all,
                                   [&](const access::Belonging& one) { return one.party == name; });
    }
    std::size_t wards() const { return wards_; }
    std::size_t size() const { return book_.size(); }

  private:
    static std::string reference(std::string_view type, std::size_t number) {
        return fmt::format(R"({{"reference":"{}/{}"}})", type, number);
    }
    static std::string position(std::size_t person, std::size_t ward) {
        return fmt::format(R"(,"practitioner":{},"location":[{}])",
                           reference("Practitioner", person), reference("Location", ward));
    }
    std::string team(std::size_t number) const {
        std::string text = R"(,"status":"active","participant":[)";
        for (std::size_t i = 0; i < kPeoplePerTeam; ++i)
            text += fmt::format(
                R"({}{{"member":{}}})", i == 0 ? "" : ",",
                reference("Practitioner", (number * kPeoplePerTeam + i) * kStride % people_));
        return text + "]";
    }
    void put(std::string_view type, std::size_t number, const std::string& more) {
        book_.put(fmt::format("{}/{}", type, number), ++version_,
                  fmt::format(R"({{"resourceType":"{}","id":"{}"{}}})", type, number, more));
    }

    std::size_t people_, wards_, services_;
    access::StaffBook book_;
    std::uint32_t version_ = 0;
};

}  // namespace

StaffFigures measure_staff(std::size_t people) {
    House house(people);
    StaffFigures figures{.resources = static_cast<double>(house.size())};
    std::vector<double> millis;
    for (std::size_t move = 1; move <= kMoves; ++move) {
        const std::size_t person = move * kStride % people;
        const std::size_t ward = (person + move) % house.wards();
        const auto start = SteadyClock::now();
        house.assign(person, ward);
        const bool known = house.works_in(person, ward);
        millis.push_back(
            std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count());
        if (!known) ++figures.stale;
    }
    std::ranges::sort(millis);
    figures.p50_ms = millis[millis.size() / 2];
    figures.p99_ms = millis[millis.size() * 99 / 100];
    return figures;
}

}  // namespace hygie::app
