#include "vault/relations.h"

#include <gtest/gtest.h>

#include "access/circle.h"

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

}  // namespace
}  // namespace hygie::vault
