#include "access/circles/staff_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

/// The book against Staff over the whole house, over houses that change at random.
namespace hygie::access {
namespace {

constexpr unsigned kPersons = 6, kRoles = 8, kUnits = 7, kTeams = 3, kSchedules = 3, kSlots = 5;

using Random = std::mt19937_64;

unsigned below(Random& random, unsigned end) {
    return static_cast<unsigned>(random() % end);
}

std::string ref(std::string_view type, unsigned number) {
    return fmt::format(R"({{"reference":"{}/{}"}})", type, number);
}

std::string head(std::string_view type, unsigned number) {
    return fmt::format(R"({{"resourceType":"{}","id":"{}")", type, number);
}

std::string some_person(Random& random) {
    return below(random, 3) == 0 ? ref("PractitionerRole", below(random, kRoles))
                                 : ref("Practitioner", below(random, kPersons));
}

std::string period(Random& random) {
    if (below(random, 3) != 0) return "";
    return fmt::format(R"(,"period":{{"start":"202{}-01-01"}})", below(random, 6));
}

std::string position(Random& random, unsigned number) {
    std::string text = head("PractitionerRole", number) + period(random) + R"(,"practitioner":)" +
                       ref("Practitioner", below(random, kPersons));
    if (below(random, 4) != 0)
        text += R"(,"location":[)" + ref("Location", below(random, kUnits)) + "]";
    if (below(random, 4) == 0)
        text += R"(,"organization":)" + ref("Organization", below(random, kUnits));
    if (below(random, 4) == 0) text += R"(,"code":[{"text":"secrétariat"}])";
    if (below(random, 3) == 0)
        text += R"(,"extension":[{"url":"https://x.example/delegate","valueReference":)" +
                some_person(random) + "}]";
    return text + "}";
}

std::string unit(Random& random, std::string_view type, unsigned number) {
    std::string text = head(type, number);
    if (below(random, 3) != 0) text += R"(,"partOf":)" + ref(type, below(random, kUnits));
    if (below(random, 5) == 0)
        text += fmt::format(R"(,"physicalType":{{"coding":[{{"code":"{}"}}]}})",
                            below(random, 2) == 0 ? "wa" : "si");
    if (type == "HealthcareService")
        text += R"(,"location":[)" + ref("Location", below(random, kUnits)) + "]";
    return text + "}";
}

std::string team(Random& random, unsigned number) {
    std::string text = head("CareTeam", number) + R"(,"status":"active","participant":[)";
    for (unsigned i = below(random, 3) + 1; i > 0; --i)
        text += R"({"member":)" + some_person(random) + "}" + (i > 1 ? "," : "");
    text += "]";
    if (below(random, 2) == 0)
        text += R"(,"managingOrganization":[)" + ref("Organization", below(random, kUnits)) + "]";
    return text + "}";
}

std::string schedule(Random& random, unsigned number) {
    std::string text = head("Schedule", number) + R"(,"comment":")" +
                       (below(random, 2) == 0 ? "astreinte" : "") + R"(","actor":[)" +
                       some_person(random);
    if (below(random, 2) == 0) text += "," + ref("Location", below(random, kUnits));
    return text + R"(],"planningHorizon":{"start":"2026-01-01","end":"2026-12-31"}})";
}

std::string slot(Random& random, unsigned number) {
    return head("Slot", number) + R"(,"status":"busy","schedule":)" +
           ref("Schedule", below(random, kSchedules)) +
           fmt::format(R"(,"start":"2026-0{}-01T08:00:00Z","end":"2026-0{}-01T20:00:00Z"}})",
                       1 + below(random, 9), 1 + below(random, 9));
}

/// "Type/id" and a body.
std::pair<std::string, std::string> something(Random& random) {
    struct Maker {
        std::string_view type;
        unsigned count;
        std::string (*make)(Random&, unsigned);
    };
    static constexpr Maker kMakers[] = {
        {"Practitioner", kPersons,
         [](Random&, unsigned number) { return head("Practitioner", number) + "}"; }},
        {"PractitionerRole", kRoles, position},
        {"PractitionerRole", kRoles, position},
        {"Location", kUnits, [](Random& r, unsigned n) { return unit(r, "Location", n); }},
        {"Organization", kUnits, [](Random& r, unsigned n) { return unit(r, "Organization", n); }},
        {"HealthcareService", kUnits,
         [](Random& r, unsigned n) { return unit(r, "HealthcareService", n); }},
        {"CareTeam", kTeams, team},
        {"Schedule", kSchedules, schedule},
        {"Slot", kSlots, slot}};
    const Maker& maker = kMakers[below(random, std::size(kMakers))];
    const unsigned number = below(random, maker.count);
    return {fmt::format("{}/{}", maker.type, number), maker.make(random, number)};
}

std::vector<Belonging> sorted(std::vector<Belonging> all) {
    std::ranges::sort(all, {}, [](const Belonging& one) {
        return std::tuple(one.party, one.post, one.start, one.end, one.evidence, one.depth);
    });
    return all;
}

/// What Staff says of a house read as a whole.
Staff whole(const std::map<std::string, std::string>& house) {
    ReadFacts facts;
    facts.local_only = true;
    for (const auto& [name, body] : house) read_resource(fhir::parse(body)->root, facts);
    facts.aliases.clear();
    return {std::move(facts), default_policy()};
}

TEST(StaffBook, SaysAfterEveryChangeWhatTheWholeHouseSays) {
    std::size_t belongings = 0;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        Random random(seed);
        StaffBook book;
        std::map<std::string, std::string> house;
        for (std::uint32_t change = 1; change <= 60; ++change) {
            const auto [name, body] = something(random);
            if (below(random, 5) == 0) {
                house.erase(name);
                book.drop(name);
            } else {
                house[name] = body;
                book.put(name, change, body);
            }
            if (change % 5 != 0) continue;
            const Staff staff = whole(house);
            for (unsigned person = 0; person < kPersons; ++person) {
                const std::string who = fmt::format("Practitioner/{}", person);
                const auto said = sorted(*book.of(default_policy(), who));
                ASSERT_EQ(said, sorted(*staff.of(who))) << "seed " << seed << ", " << change;
                belongings += said.size();
            }
        }
        EXPECT_EQ(book.size(), house.size());
    }
    EXPECT_GT(belongings, 10'000U) << "the houses are worth something";
}

TEST(StaffBook, AWardThatSwellsToAWholeHouseTiesNobodyAnyMore) {
    StaffBook book;
    const auto assign = [&](unsigned person) {
        book.put(fmt::format("PractitionerRole/r{}", person), 1,
                 head("PractitionerRole", person) + R"(,"practitioner":)" +
                     ref("Practitioner", person) + R"(,"location":[)" + ref("Location", 1) + "]}");
    };
    const auto ties = [&] {
        return std::ranges::any_of(
            *book.of(default_policy(), "Practitioner/0"), [](const Belonging& one) {
                return one.party == "Location/1" && static_cast<Post>(one.post) != Post::Assigned;
            });
    };
    assign(0);
    EXPECT_TRUE(ties());
    for (unsigned person = 1; person < 40; ++person) assign(person);
    EXPECT_FALSE(ties());
    for (unsigned person = 1; person < 40; ++person)
        book.drop(fmt::format("PractitionerRole/r{}", person));
    EXPECT_TRUE(ties());
}

}  // namespace
}  // namespace hygie::access
