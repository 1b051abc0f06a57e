#include "vault/slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fhir/search/search_query.h"
#include "fhir/search/search_run.h"
#include "vault/outline.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

/// Two records opened after one another rarely stay open: slices of them are asked.
class SlicesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        machine_.cache_bytes = 1;
        vault_ = machine_.open();
    }
    void must(const std::vector<TextWrite>& writes) {
        const Outcome done = commit(*vault_, writes);
        ASSERT_TRUE(done) << done.error().what.en;
    }
    static fhir::Query asks(const std::string& type, const std::string& whose,
                            const std::string& sort = {}) {
        std::vector<fhir::QueryParameter> asked = {{"patient", whose}};
        if (!sort.empty()) asked.push_back({"_sort", sort});
        return fhir::parse_query(type, asked, {}).value();
    }
    std::vector<std::string> found(const std::string& type, const std::string& whose) {
        const Scope scope{.allows = [](const Record&) { return true; }};
        std::vector<std::string> ids;
        const Page page = vault_->search(asks(type, whose), scope).value();
        for (const Found& one : page.page) ids.emplace_back(one.entry.id);
        std::ranges::sort(ids);
        return ids;
    }
    /// A slice shows of a type what its record shows, and knows who is tied to the patient.
    static void compare(const Record& record, const std::string& type) {
        const Slices nothing(record, lasting_relations(record));
        ASSERT_FALSE(nothing.are_too_little());
        EXPECT_FALSE(nothing.has(type));
        const auto seen = nothing.with(record, "Patient").with(record, type).open(type);
        EXPECT_EQ(seen->entries(type), record.entries(type));
        EXPECT_EQ(seen->patient(), record.patient());
        EXPECT_TRUE(std::ranges::equal(seen->relations(), *lasting_relations(record)));
        EXPECT_EQ(hits(*seen, type), hits(record, type));
    }
    static std::vector<fhir::ResourceEntry> hits(const Record& record, const std::string& type) {
        const fhir::Compartment* const only[] = {&record.index()};
        std::vector<fhir::ResourceEntry> entries;
        const auto query = asks(type, std::string(record.patient()), "-date");
        const auto found = fhir::run(query, fhir::Space{.compartments = only}).value();
        for (const fhir::Hit& hit : found.page) entries.push_back(hit.entry);
        return entries;
    }

    Machine machine_;
    std::unique_ptr<Vault> vault_;
};

TEST_F(SlicesTest, ShowWhatTheRecordShows) {
    constexpr std::size_t kIds = 12;
    std::mt19937 chance(5);
    const auto any = [&](std::size_t count) { return static_cast<std::size_t>(chance() % count); };
    must({put(patient("p1")), put(practitioner("dr"))});
    for (int round = 0; round < 200; ++round) {
        const std::string id = std::to_string(any(kIds));
        switch (any(3)) {
            case 0:
                (void)commit(*vault_, {remove("Observation", "o" + id)});
                break;
            case 1:
                must({put(encounter("e" + id, "p1", "Practitioner/dr" + id))});
                break;
            default:
                must({put(observation("o" + id, "p1", std::to_string(round)))});
        }
        const auto record = vault_->record("p1").value();
        for (const std::string type : {"Observation", "Encounter", "Procedure"})
            compare(*record, type);
    }
}

TEST_F(SlicesTest, FindWhatWasWrittenMeanwhile) {
    constexpr std::size_t kPatients = 40;
    std::vector<std::vector<std::string>> expected(kPatients);
    const auto name = [](std::size_t i) { return "p" + std::to_string(i); };
    for (std::size_t i = 0; i < kPatients; ++i) must({put(patient(name(i)))});
    for (int round = 0; round < 6; ++round) {
        for (std::size_t i = 0; i < kPatients; ++i)
            EXPECT_EQ(found("Observation", name(i)), expected[i]);
        for (std::size_t i = 0; i < kPatients; i += 3) {
            const std::string id = name(i) + "-" + std::to_string(round);
            must({put(observation(id, name(i)))});
            expected[i].push_back(id);
        }
        EXPECT_EQ(found("Encounter", name(0)), std::vector<std::string>());
    }
    ASSERT_TRUE(vault_->shred(name(0), event_of()));
    EXPECT_EQ(found("Observation", name(0)), std::vector<std::string>());
}

TEST_F(SlicesTest, AreTooLittleForWhatIsJudgedWithTheWholeRecord) {
    const auto are_too_little = [&](const std::string& patient) {
        const auto record = vault_->record(patient).value();
        return Slices(*record, lasting_relations(*record)).are_too_little();
    };
    must({put(patient("p1")), put(patient("p2")), put(patient("p3")), put(practitioner("dr"))});
    EXPECT_FALSE(are_too_little("p1"));
    EXPECT_TRUE(are_too_little("")) << "the house";
    const std::string seen = observation("o1", "p1");
    must({put(seen.substr(0, seen.size() - 1) +
              R"(,"meta":{"security":[{"code":"R",)"
              R"("system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality"}]}})")});
    EXPECT_TRUE(are_too_little("p1")) << "labelled";
    must({put(R"({"resourceType":"Appointment","id":"a1","status":"booked","participant":[)"
              R"({"actor":{"reference":"Patient/p2"},"status":"accepted"},)"
              R"({"actor":{"reference":"Patient/p3"},"status":"accepted"}]})")});
    EXPECT_TRUE(are_too_little("p2") || are_too_little("p3")) << "shared";
}

}  // namespace
}  // namespace hygie::vault
