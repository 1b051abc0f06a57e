#include "vault/vault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "vault/unassigned.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

class VaultTest : public testing::Test {
  protected:
    void reopen() {
        vault_.reset();
        vault_ = machine_.open();
    }
    void must(const std::vector<TextWrite>& texts) {
        const Outcome outcome = commit(*vault_, texts);
        ASSERT_TRUE(outcome) << outcome.error().what.en;
    }
    std::string body(const std::string& type, const std::string& id) {
        return body_of(*vault_, type, id);
    }
    std::vector<std::uint32_t> versions(const std::string& type, const std::string& id) {
        const auto found = vault_->find(type, id);
        std::vector<std::uint32_t> numbers;
        for (std::uint64_t row = found->entry.body; row != 0;) {
            const Version version = vault_->read_at(found.value(), row).value();
            numbers.push_back(version.version);
            row = version.previous;
        }
        return numbers;
    }

    Machine machine_;
    std::unique_ptr<Vault> vault_ = machine_.open();
};

TEST_F(VaultTest, StampsWhatItStoresAndKeepsTheRestAsWritten) {
    const Outcome outcome = commit(
        *vault_, {put(R"({"meta":{"profile":["p"],"versionId":"9"},"resourceType":"Patient",)"
                      R"("id":"p1","multipleBirthInteger":1,"extension":[{"valueDecimal":)"
                      R"(1.50}]})")});
    ASSERT_TRUE(outcome);
    const std::string expected =
        R"({"resourceType":"Patient","id":"p1","meta":{"versionId":"1","lastUpdated":)"
        R"("2026-11-24T08:00:00.000Z","profile":["p"]},"multipleBirthInteger":1,)"
        R"("extension":[{"valueDecimal":1.50}]})";
    EXPECT_EQ(outcome->front().body, expected);
    EXPECT_EQ(body("Patient", "p1"), expected);
    reopen();
    EXPECT_EQ(body("Patient", "p1"), expected);
}

TEST_F(VaultTest, ASearchAskedAgainFindsWhatWasWrittenMeanwhile) {
    const auto found = [&] {
        const std::vector<fhir::QueryParameter> asked = {{"name", "Durand"}};
        const Scope scope{.allows = [](const Record&) { return true; },
                          .person = "Practitioner/d1"};
        const auto query = fhir::parse_query("Patient", asked, {}).value();
        const Page page = vault_->search(query, scope).value();
        std::vector<std::string> ids;
        for (const Found& one : page.page) ids.emplace_back(one.entry.id);
        std::ranges::sort(ids);
        return ids;
    };
    using Ids = std::vector<std::string>;
    EXPECT_EQ(found(), Ids());
    must({put(patient("p1"))});
    EXPECT_EQ(found(), Ids{"p1"});
    must({put(patient("p2"))});
    EXPECT_EQ(found(), (Ids{"p1", "p2"}));
    must({put(patient("p1", "Martin"))});
    EXPECT_EQ(found(), Ids{"p2"});
}

TEST_F(VaultTest, KeepsEveryVersion) {
    must({put(patient("p1"))});
    machine_.clock.advance(std::chrono::seconds(5));
    must({put(patient("p1", "Martin"))});
    must({remove("Patient", "p1")});
    EXPECT_EQ(body("Patient", "p1"), "deleted");
    must({put(patient("p1", "Petit"))});
    EXPECT_EQ(versions("Patient", "p1"), (std::vector<std::uint32_t>{4, 3, 2, 1}));
    reopen();
    const Found found = vault_->find("Patient", "p1").value();
    EXPECT_NE(vault_->read(found, 1)->body.find("Durand"), std::string::npos);
    EXPECT_NE(vault_->read(found, 2)->body.find("Martin"), std::string::npos);
    EXPECT_TRUE(vault_->read(found, 3)->deleted);
    EXPECT_NE(vault_->read(found, 4)->body.find("Petit"), std::string::npos);
    EXPECT_EQ(vault_->read(found, 5).error().code, Code::NotFound);
    EXPECT_EQ(vault_->read(found, 0).error().code, Code::NotFound);
    const Version third = vault_->read(found, 3).value();
    EXPECT_EQ(vault_->read_at(found, third.row)->version, 3u);
    EXPECT_EQ(vault_->read_at(found, third.previous)->version, 2u);
    EXPECT_FALSE(vault_->read_at(found, third.row + 1'000'000));
    EXPECT_LT(vault_->read(found, 1)->updated, vault_->read(found, 2)->updated);
}

TEST_F(VaultTest, ChecksWhatAWriteDemands) {
    must({put(patient("p1"))});
    const auto code = [&](TextWrite write) {
        return commit(*vault_, {std::move(write)}).error().code;
    };
    EXPECT_EQ(code({.text = patient("p1"), .must_be_new = true}), Code::AlreadyThere);
    EXPECT_EQ(code({.text = patient("p1"), .if_match = 2}), Code::Stale);
    EXPECT_EQ(code({.text = patient("p2"), .if_match = 1}), Code::Stale);
    EXPECT_EQ(code(remove("Patient", "p9")), Code::NotFound);
    EXPECT_TRUE(commit(*vault_, {{.text = patient("p1"), .if_match = 1}}));
    EXPECT_EQ(code({.text = patient("p1"), .if_match = 1}), Code::Stale) << "overtaken";
    EXPECT_EQ(commit(*vault_, {put(patient("p3")), put(patient("p3"))}).error().code,
              Code::BadInput);
    EXPECT_EQ(commit(*vault_, {}).error().code, Code::Full);
}

TEST_F(VaultTest, StoresAllOfATransactionOrNothing) {
    must({put(patient("p1"))});
    const std::size_t events = machine_.trace.events().size();
    EXPECT_FALSE(commit(*vault_, {put(observation("o1", "p1")), remove("Patient", "p9")}));
    EXPECT_EQ(body("Observation", "o1"), "absent");
    EXPECT_EQ(machine_.trace.events().size(), events);
    EXPECT_EQ(vault_->counts().resources, 1u);
}

TEST_F(VaultTest, AnswersInTheOrderAsked) {
    const Outcome outcome = commit(*vault_, {put(observation("o1", "p1")), put(practitioner("d1")),
                                             put(patient("p1")), put(observation("o2", "p1"))});
    ASSERT_TRUE(outcome);
    std::vector<std::string> ids;
    for (const Version& version : *outcome) ids.push_back(version.id);
    EXPECT_EQ(ids, (std::vector<std::string>{"o1", "d1", "p1", "o2"}));
    EXPECT_EQ(vault_->everything("p1")->size(), 3u);
    EXPECT_EQ(vault_->record("").value()->entries("").size(), 1u);
}

TEST_F(VaultTest, KeepsWhatIsAboutAStrangerApart) {
    must({put(observation("o1", "nobody"))});
    EXPECT_EQ(vault_->find("Observation", "o1")->record->patient(), kUnassigned);
    EXPECT_TRUE(vault_->patients()->empty());
    EXPECT_EQ(vault_->record("nobody").error().code, Code::NotFound);
    must({put(patient("nobody"))});
    must({put(observation("o1", "nobody"))});
    EXPECT_EQ(vault_->find("Observation", "o1")->record->patient(), "nobody");
    EXPECT_EQ(versions("Observation", "o1"), (std::vector<std::uint32_t>{2, 1}));
    EXPECT_TRUE(vault_->record(std::string(kUnassigned)).value()->entries("").empty());
}

TEST_F(VaultTest, MovesAResourceBetweenPatientsWithItsHistory) {
    must({put(patient("a")), put(patient("b")), put(observation("o", "a"))});
    must({put(observation("o", "b"))});
    EXPECT_TRUE(vault_->record("a").value()->entries("Observation").empty());
    EXPECT_EQ(vault_->record("b").value()->entries("Observation").size(), 1u);
    must({put(observation("o", "a"))});
    reopen();
    EXPECT_EQ(vault_->record("a").value()->entries("Observation").size(), 1u);
    EXPECT_TRUE(vault_->record("b").value()->entries("Observation").empty());
    EXPECT_EQ(versions("Observation", "o"), (std::vector<std::uint32_t>{3, 2, 1}));
}

TEST_F(VaultTest, KnowsWhoTreatsAPatient) {
    must({put(patient("p1")), put(encounter("e1", "p1", "Practitioner/d1"))});
    const auto persons = [&] {
        const auto record = vault_->record("p1").value();
        std::set<std::string> found;
        for (const access::Relation& relation : record->relations()) found.insert(relation.person);
        return found;
    };
    EXPECT_EQ(persons(), (std::set<std::string>{"Practitioner/d1", "Practitioner/dr-anne"}));
    must({put(encounter("e1", "p1", "Practitioner/d2"))});
    must({put(patient("p1", "Autre"))});
    EXPECT_EQ(persons(), (std::set<std::string>{"Practitioner/d2", "Practitioner/dr-anne"}));
    reopen();
    EXPECT_EQ(persons(), (std::set<std::string>{"Practitioner/d2", "Practitioner/dr-anne"}));
    must({remove("Encounter", "e1")});
    EXPECT_EQ(persons(), (std::set<std::string>{"Practitioner/dr-anne"}));
}

TEST_F(VaultTest, MergesPiecesAndForgetsNothing) {
    must({put(patient("p1"))});
    for (int i = 0; i < 40; ++i) must({put(observation("o" + std::to_string(i % 30), "p1"))});
    EXPECT_LE(vault_->record("p1").value()->pieces().size(), 6u);
    EXPECT_EQ(vault_->everything("p1")->size(), 31u);
    reopen();
    EXPECT_LE(vault_->record("p1").value()->pieces().size(), 6u);
    EXPECT_EQ(vault_->everything("p1")->size(), 31u);
    EXPECT_EQ(versions("Observation", "o3"), (std::vector<std::uint32_t>{2, 1}));
    EXPECT_EQ(vault_->counts().versions, 41u);
    EXPECT_EQ(vault_->counts().resources, 31u);
    EXPECT_EQ(vault_->counts().records, 1u);
}

TEST_F(VaultTest, ReadsRecordsThatDoNotFitIntoMemory) {
    vault_.reset();
    machine_.cache_bytes = 1;
    vault_ = machine_.open();
    for (int i = 0; i < 20; ++i) must({put(patient("p" + std::to_string(i)))});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(vault_->everything("p" + std::to_string(i))->size(), 1u);
}

TEST_F(VaultTest, MakesStrongIds) {
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) ids.insert(vault_->new_id());
    EXPECT_EQ(ids.size(), 100u);
    for (const std::string& id : ids) {
        EXPECT_EQ(id[14], '4');
        EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
    }
}

TEST_F(VaultTest, OpensUnderItsOwnKeyOnly) {
    must({put(patient("p1"))});
    vault_.reset();
    machine_.root = crypto::Secret32(std::array<std::uint8_t, 32>{9});
    EXPECT_EQ(machine_.try_open().error().code, Code::Denied);
}

TEST_F(VaultTest, NeverLosesAnUpdateBesideOthers) {
    must({put(patient("p1"))});
    constexpr int kThreads = 4;
    constexpr int kRounds = 30;
    std::atomic<int> won = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < kRounds; ++round) {
                    const Found found = vault_->find("Patient", "p1").value();
                    TextWrite write = put(patient("p1"));
                    write.if_match = found.entry.version;
                    const Outcome outcome = commit(*vault_, {write});
                    won += outcome.has_value();
                    EXPECT_TRUE(outcome || outcome.error().code == Code::Stale);
                }
            });
    }
    EXPECT_EQ(vault_->find("Patient", "p1")->entry.version, 1u + static_cast<unsigned>(won));
    EXPECT_EQ(versions("Patient", "p1").size(),
              std::min<std::size_t>(100, 1u + static_cast<unsigned>(won)));
}

TEST_F(VaultTest, PreparesAgainWhatOthersChangedMeanwhile) {
    must({put(patient("p1")), put(patient("p2"))});
    constexpr int kThreads = 4;
    constexpr int kRounds = 25;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&, i] {
                for (int round = 0; round < kRounds; ++round)
                    EXPECT_TRUE(commit(*vault_, {put(patient("p1")), put(patient("p2"))}))
                        << i << round;
            });
    }
    EXPECT_EQ(vault_->find("Patient", "p1")->entry.version, 1u + kThreads * kRounds);
    EXPECT_EQ(vault_->find("Patient", "p2")->entry.version, 1u + kThreads * kRounds);
}

}  // namespace
}  // namespace hygie::vault
