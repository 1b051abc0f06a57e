#include <gtest/gtest.h>

#include "guards/records/door/door_kit.h"

/// What a person may change of what others wrote.
namespace hygie::records {
namespace {

using namespace kit;

/// A house where a nurse treats patient a beside Anne.
struct Team : House {
    Team() {
        const auto done = vault::kit::commit(
            vault(),
            {vault::kit::put(R"({"resourceType":"CareTeam","id":"nurses","status":"active",)"
                             R"("subject":{"reference":"Patient/a"},"participant":[{"member":)"
                             R"({"reference":"Practitioner/nurse"}}]})")},
            "");
        EXPECT_TRUE(done);
        trace.take();
    }
    Answered remove(const access::Actor& actor, const std::string& url,
                    const std::string& version = "1") {
        return ask(
            actor,
            {.method = "DELETE", .url = url, .headers = {{"if-match", "W/\"" + version + "\""}}});
    }
    access::Actor nurse = [] {
        access::Actor actor = doctor("nurse");
        actor.profession = "60";
        return actor;
    }();
};

const std::string kCondition =
    R"({"resourceType":"Condition","subject":{"reference":"Patient/a"},"code":{"text":"grippe"}})";

std::string document(const std::string& id, const std::string& status, const std::string& words,
                     const std::string& author = {}) {
    return R"({"resourceType":"DocumentReference",)" + id + R"("status":")" + status +
           R"(","docStatus":"final","subject":{"reference":"Patient/a"},)" +
           (author.empty() ? "" : R"("author":[{"reference":")" + author + R"("}],)") +
           R"("description":")" + words +
           R"(","content":[{"attachment":{"contentType":"text/plain","data":"YQ=="}}]})";
}

TEST(Authorship, ARecordIsMendedNotErased) {
    Team house;
    for (const auto& [type, body] : {std::pair<std::string, std::string>{"Condition", kCondition},
                                     {"DocumentReference", document("", "current", "lettre")}}) {
        const auto made = house.post(house.anne, type, body);
        ASSERT_EQ(made.status, 201) << made.body;
        const std::string url = type + '/' + made.id();
        ASSERT_EQ(house.get(house.nurse, url).status, 200);
        house.trace.take();
        const auto refused = house.remove(house.nurse, url);
        EXPECT_EQ(refused.status, 403) << refused.body;
        EXPECT_TRUE(refused.body.contains("entered-in-error")) << refused.body;
        const auto events = house.trace.take();
        ASSERT_FALSE(events.empty());
        EXPECT_EQ(events.back().verdict->reasons.front().id, "circle.author");
        EXPECT_EQ(house.get(house.nurse, url).status, 200);
        EXPECT_EQ(house.remove(house.anne, url).status, 204) << "what one wrote, one takes back";
    }
    // Whoever is not in the circle learns nothing of it.
    EXPECT_EQ(house.remove(house.bob, "Observation/oa1").status, 404);
    // What came from elsewhere is nobody's to erase, but a program's.
    const auto sent = house.post(house.program, "Observation", vault::kit::observation("x", "a"));
    ASSERT_EQ(sent.status, 201) << sent.body;
    EXPECT_EQ(house.remove(house.anne, "Observation/" + sent.id()).status, 403);
    EXPECT_EQ(house.remove(house.program, "Observation/" + sent.id()).status, 204);
}

TEST(Authorship, WhoIsNamedAsTheAuthorIsOne) {
    Team house;
    const auto made = house.post(house.program, "DocumentReference",
                                 document("", "current", "lettre", "Practitioner/nurse"));
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string url = "DocumentReference/" + made.id();
    EXPECT_EQ(house.remove(house.anne, url).status, 403);
    EXPECT_EQ(house.remove(house.nurse, url).status, 204);
}

TEST(Authorship, WhatAnotherSignedChangesNoMoreButMayBeSaidToBeWrong) {
    Team house;
    const auto made =
        house.post(house.anne, "DocumentReference", document("", "current", "lettre"));
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string url = "DocumentReference/" + made.id();
    const std::string id = R"("id":")" + made.id() + R"(",)";
    EXPECT_EQ(house.put(house.nurse, url, document(id, "current", "autre"), "W/\"1\"").status, 403);
    EXPECT_TRUE(house.get(house.anne, url).body.contains("lettre"));
    EXPECT_EQ(house.put(house.anne, url, document(id, "current", "suite"), "W/\"1\"").status, 200);
    EXPECT_EQ(
        house.put(house.nurse, url, document(id, "entered-in-error", "suite"), "W/\"2\"").status,
        200);
    // What is not signed is the team's.
    const auto open = house.post(house.anne, "Condition", kCondition);
    const std::string body = kCondition.substr(0, kCondition.size() - 1) + R"(,"id":")" +
                             open.id() + R"(","note":[{"text":"vu"}]})";
    EXPECT_EQ(house.put(house.nurse, "Condition/" + open.id(), body, "W/\"1\"").status, 200);
}

TEST(Authorship, ADirectoryChangesByWhoKeepsItAndEverybodyKeepsTheirOwn) {
    Team house;
    const auto desk = with_role("accueil", access::Role::Desk);
    const auto keeper = with_role("exploitation", access::Role::Operations);
    const auto practitioner = [](const std::string& id, const std::string& more) {
        return R"({"resourceType":"Practitioner","id":")" + id + R"(")" + more + "}";
    };
    const std::string other = practitioner("dr-anne", R"(,"active":false)");
    for (const access::Actor& writer : {house.bob, house.nurse, desk}) {
        const auto refused = house.put(writer, "Practitioner/dr-anne", other, "W/\"1\"");
        EXPECT_EQ(refused.status, 403) << refused.body;
        EXPECT_TRUE(refused.body.contains("annuaire")) << refused.body;
        for (const std::string type : {"ValueSet", "ConceptMap", "ExampleScenario"})
            EXPECT_EQ(
                house.post(writer, type, R"({"resourceType":")" + type + R"(","status":"active"})")
                    .status,
                403)
                << type;
        // A correspondent is written down, and mended, by whoever met one.
        const auto made =
            house.post(writer, "Practitioner", R"({"resourceType":"Practitioner","active":true})");
        ASSERT_EQ(made.status, 201) << made.body;
        const std::string url = "Practitioner/" + made.id();
        EXPECT_EQ(house.put(writer, url, practitioner(made.id(), ""), "W/\"1\"").status, 200);
        EXPECT_EQ(house.put(house.anne, url, practitioner(made.id(), ""), "W/\"2\"").status, 403);
    }
    EXPECT_EQ(
        house.put(house.bob, "Practitioner/dr-bob", practitioner("dr-bob", ""), "W/\"1\"").status,
        200);
    EXPECT_EQ(house.put(keeper, "Practitioner/dr-anne", other, "W/\"1\"").status, 200);
    EXPECT_EQ(
        house.put(house.program, "Practitioner/dr-anne", practitioner("dr-anne", ""), "W/\"2\"")
            .status,
        200);
}

TEST(Authorship, APositionEndsByWhoHoldsItOrWhoKeepsTheHouse) {
    Team house;
    const std::string role = R"({"resourceType":"PractitionerRole","id":"r","practitioner":)"
                             R"({"reference":"Practitioner/dr-anne"},"active":)";
    ASSERT_TRUE(vault::kit::commit(house.vault(), {vault::kit::put(role + "true}")}, ""));
    EXPECT_EQ(house.put(house.bob, "PractitionerRole/r", role + "false}", "W/\"1\"").status, 403);
    EXPECT_EQ(house.put(house.anne, "PractitionerRole/r", role + "false}", "W/\"1\"").status, 200);
}

}  // namespace
}  // namespace hygie::records
