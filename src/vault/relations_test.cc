#include "vault/relations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "access/decide/circle.h"
#include "sim/chance.h"
#include "sim/seeds.h"

namespace hygie::vault {
namespace {

using Kind = access::Relation::Kind;

const WallTime kWritten = from_rfc3339("2026-11-24T10:00:00Z").value();

std::vector<access::Relation> relations(std::string_view text) {
    const auto document = fhir::parse(text);
    EXPECT_TRUE(document);
    return document ? relations_of(document->root, kWritten) : std::vector<access::Relation>();
}

TEST(Relations, AnOppositionIsKeptWithTheClassesItNames) {
    const auto found = relations(
        R"({"resourceType":"Consent","id":"c","status":"active",
            "patient":{"reference":"Patient/p"},"dateTime":"2026-11-01","provision":{"type":"deny",
            "actor":[{"reference":{"reference":"Practitioner/x"}}],
            "class":[{"code":"MedicationRequest"}]}})");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, Kind::Opposition);
    EXPECT_EQ(found[0].person, "Practitioner/x");
    EXPECT_EQ(found[0].classes, access::bit(access::DataClass::Medication));
    EXPECT_EQ(found[0].evidence, "Consent/c");
}

TEST(Relations, SomebodyOfAnotherServerIsNobodyHere) {
    EXPECT_TRUE(relations(R"({"resourceType":"CareTeam","id":"t","status":"active",
        "subject":{"reference":"Patient/p"},
        "participant":[{"member":{"reference":"https://other.example/Practitioner/1"}}]})")
                    .empty());
    EXPECT_EQ(relations(R"({"resourceType":"CareTeam","id":"t","status":"active",
        "subject":{"reference":"Patient/p"},
        "participant":[{"member":{"reference":"Practitioner/1"}}]})")
                  .size(),
              1U);
}

TEST(Relations, WhatIsOverWithoutAnEndEndedWhenItWasWritten) {
    const auto found = relations(
        R"({"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},
            "subject":{"reference":"Patient/p"},"period":{"start":"2026-11-20"},
            "participant":[{"individual":{"reference":"Practitioner/1"}}]})");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].end, kWritten);
}

// --- what lasts ----------------------------------------------------------------------------------

access::Relation random_relation(sim::Chance& chance) {
    constexpr std::array kKinds = {Kind::CareTeam, Kind::Encounter,   Kind::Appointment,
                                   Kind::Parent,   Kind::Opposition,  Kind::Restriction,
                                   Kind::Minority, Kind::OpenedRecord};
    constexpr std::array kPersons = {"", "Organization/u", "Practitioner/1", "Practitioner/2"};
    const auto hours = [&](std::uint64_t most) {
        return std::chrono::hours(static_cast<int>(chance.below(most)));
    };
    const WallTime start = kWritten - hours(3000) + hours(3000);
    return {.person = kPersons[chance.below(kPersons.size())],
            .kind = kKinds[chance.below(chance.odds(1, 2) ? 3 : kKinds.size())],
            .start = start,
            .end = chance.odds(1, 4) ? WallTime::max() : start + hours(3000),
            .evidence = "Encounter/" + std::to_string(chance.below(1'000'000)),
            .classes = chance.odds(1, 6) ? access::kAdministrative : access::kAllClasses};
}

TEST(Relations, ThoseThatLastDecideAsAllOfThemDo) {
    std::size_t permitted = 0, left_out = 0;
    sim::for_each_seed(400, [&](std::uint64_t seed) {
        sim::Chance chance(seed);
        std::vector<access::Relation> all(1 + chance.below(25));
        for (access::Relation& relation : all) relation = random_relation(chance);
        std::ranges::stable_sort(all, {}, &access::Relation::person);
        const auto kept = lasting(all, [&](const access::Relation&) { return kWritten; });
        EXPECT_TRUE(std::ranges::is_sorted(kept, {}, &access::Relation::person));
        left_out += all.size() - kept.size();
        for (int i = 0; i < 60; ++i) {
            access::Actor actor{.id = ActorId("a"), .person = "Practitioner/1"};
            if (chance.odds(1, 2)) actor.organisation = "Organization/u";
            access::Ask ask{
                .type = chance.odds(1, 2) ? "Observation" : "Appointment",
                .patient = "p",
                .relations = all,
                .by_person = true,
                .now = kWritten + std::chrono::minutes(static_cast<int>(chance.below(400'000)))};
            const bool open = access::decide(actor, ask).permitted;
            ask.relations = kept;
            EXPECT_EQ(access::decide(actor, ask).permitted, open);
            permitted += static_cast<std::size_t>(open);
        }
    });
    EXPECT_GT(permitted, 100U);
    EXPECT_GT(left_out, 100U);
}

TEST(Relations, OfEncountersWithTheSamePersonTheLongestLasts) {
    const access::Relation first{.person = "Practitioner/1",
                                 .kind = Kind::Encounter,
                                 .start = kWritten - std::chrono::hours(90),
                                 .end = kWritten - std::chrono::hours(80),
                                 .evidence = "Encounter/1"};
    access::Relation second = first;
    second.evidence = "Encounter/2";
    second.end = kWritten - std::chrono::hours(70);
    access::Relation ahead = first;
    ahead.evidence = "Encounter/3";
    ahead.start = kWritten + std::chrono::hours(10);
    ahead.end = kWritten + std::chrono::hours(20);
    access::Relation other = first;
    other.person = "Practitioner/2";
    const std::vector all = {first, second, ahead, other};
    const auto kept = lasting(all, [](const access::Relation&) { return kWritten; });
    EXPECT_EQ(kept, (std::vector{second, ahead, other}));
}

}  // namespace
}  // namespace hygie::vault
