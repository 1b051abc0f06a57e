#include "vault/outline.h"

#include <gtest/gtest.h>

#include <random>

#include "vault/labels.h"
#include "vault/shared.h"
#include "vault/shelf.h"
#include "vault/store.h"
#include "vault/unassigned.h"
#include "vault/varint.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

std::string labelled(const std::string& text) {
    return text.substr(0, text.size() - 1) +
           R"(,"meta":{"security":[{"code":"R",)"
           R"("system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality"}]}})";
}

std::string appointment(const std::string& id, const std::vector<std::string>& patients) {
    std::string text =
        R"({"resourceType":"Appointment","id":")" + id + R"(","status":"booked","participant":[)";
    for (const std::string& one : patients)
        text += R"({"actor":{"reference":"Patient/)" + one + R"("},"status":"accepted"},)";
    return text.substr(0, text.size() - 1) + "]}";
}

class OutlineTest : public ::testing::Test {
  protected:
    void must(const std::vector<TextWrite>& writes) {
        const Outcome done = commit(*vault_, writes);
        ASSERT_TRUE(done) << done.error().what.en;
    }
    bool glimpses(const std::string& type, const std::string& id) {
        return vault_->glimpse(type, id)->has_value();
    }
    /// What the whole record says: whether the circle alone decides about a resource.
    static bool is_plain(const Found& found) {
        return !found.entry.deleted && is_of_patient(found.record->patient()) &&
               labels_of(*found.record, found.entry.type, found.entry.id) == 0 &&
               others_named(*found.record, found.entry.type, found.entry.id).empty();
    }
    /// A glimpse is had of exactly those, shows the newest version, and knows who is tied to whom.
    void compare(const std::string& type, const std::string& id) {
        const auto found = vault_->find(type, id);
        const auto glimpsed = vault_->glimpse(type, id);
        ASSERT_TRUE(glimpsed);
        ASSERT_EQ(glimpsed->has_value(), found && is_plain(*found)) << type << '/' << id;
        if (!*glimpsed) return;
        const Record& circle = *(*glimpsed)->record;
        EXPECT_EQ(circle.patient(), found->record->patient());
        EXPECT_TRUE(std::ranges::equal(circle.relations(), *lasting_relations(*found->record)));
        const Version shown = vault_->read(**glimpsed).value();
        const Version newest = vault_->read(*found).value();
        EXPECT_EQ(shown.version, newest.version);
        EXPECT_EQ(shown.body, newest.body);
        EXPECT_EQ(shown.updated, newest.updated);
        EXPECT_EQ(shown.id, id);
    }

    Machine machine_;
    std::unique_ptr<Vault> vault_ = machine_.open();
};

TEST_F(OutlineTest, WhatTheCircleAloneDecidesIsKnownWithoutTheRecord) {
    constexpr int kRounds = 400;
    constexpr std::size_t kIds = 12;
    std::mt19937 chance(7);
    const auto any = [&](std::size_t count) { return static_cast<std::size_t>(chance() % count); };
    must({put(patient("p1")), put(patient("p2")), put(practitioner("dr"))});
    for (int round = 0; round < kRounds; ++round) {
        const std::string id = std::to_string(any(kIds));
        const std::string whose = any(2) == 0 ? "p1" : "p2";
        const std::string seen = observation("o" + id, whose, std::to_string(round));
        switch (any(6)) {
            case 0:
                must({put(labelled(seen))});
                break;
            case 1:
                must({put(appointment("a" + id, {"p1", "p2"}))});
                break;
            case 2:
                must({put(appointment("a" + id, {whose}))});
                break;
            case 3:
                (void)commit(*vault_, {remove("Observation", "o" + id)});
                break;
            case 4:
                must({put(encounter("e" + id, whose, "Practitioner/dr"))});
                break;
            default:
                must({put(seen)});
        }
        if (round % 100 == 50) {
            vault_.reset();
            vault_ = machine_.open();
        }
        for (std::size_t i = 0; i < kIds; ++i) {
            compare("Observation", "o" + std::to_string(i));
            compare("Appointment", "a" + std::to_string(i));
            compare("Encounter", "e" + std::to_string(i));
        }
        compare("Patient", whose);
        compare("Practitioner", "dr");
    }
}

TEST_F(OutlineTest, DecidesAboutNothingThatIsNewerThanItself) {
    must({put(patient("p1")), put(observation("o1", "p1"))});
    const auto before = vault_->find("Observation", "o1").value();
    const auto outline = Outline::of(*before.record).value();
    EXPECT_TRUE(outline->decides(before.entry.body));
    must({put(observation("o1", "p1", "7"))});
    const auto after = vault_->find("Observation", "o1").value();
    EXPECT_FALSE(outline->decides(after.entry.body));
    const auto now = Outline::of(*after.record).value();
    EXPECT_TRUE(now->decides(after.entry.body));
    EXPECT_FALSE(now->decides(before.entry.body)) << "an earlier version";
}

TEST_F(OutlineTest, IsGoneWithItsPatient) {
    must({put(patient("p1")), put(observation("o1", "p1"))});
    ASSERT_TRUE(glimpses("Observation", "o1"));
    const auto glimpsed = **vault_->glimpse("Observation", "o1");
    ASSERT_TRUE(vault_->shred("p1", event_of()));
    EXPECT_FALSE(glimpses("Observation", "o1"));
    EXPECT_FALSE(vault_->read(glimpsed)) << "had before the erasure";
}

TEST_F(OutlineTest, APlaceThatWasChangedShowsNothingElse) {
    must({put(patient("p1")), put(observation("o1", "p1")), put(observation("o11", "p1"))});
    const std::uint64_t row = vault_->find("Observation", "o11")->entry.body;
    vault_.reset();
    {
        const auto store =
            open_sqlite({machine_.disk, machine_.clock, machine_.random}, "vault").value();
        Batch all_to_one;
        ASSERT_TRUE(store->scan(Table::Places, kFirstKey, kLastKey, [&](Key key, ByteView value) {
            const Place place = place_from(value);
            all_to_one.put(Table::Places, key, place_bytes({place.compartment, row}));
            return true;
        }));
        ASSERT_TRUE(store->commit(all_to_one));
    }
    vault_ = machine_.open();
    const auto wrong = **vault_->glimpse("Observation", "o1");
    ASSERT_EQ(wrong.entry.body, row);
    const auto shown = vault_->read(wrong);
    ASSERT_FALSE(shown) << shown->body;
    EXPECT_EQ(shown.error().code, Code::Corrupt);
    EXPECT_EQ(vault_->read(**vault_->glimpse("Observation", "o11"))->id, "o11");
    EXPECT_EQ(vault_->verify({}, machine_.trace, 100)->rot.size(), 2u) << "the other two";
}

TEST_F(OutlineTest, APlaceOfAnEarlierVaultSaysNoRow) {
    Bytes earlier;
    put_varint(earlier, 300);
    EXPECT_EQ(place_from(earlier), (Place{.compartment = 300, .row = 0}));
    EXPECT_EQ(place_from(place_bytes({300, 70'000})), (Place{300, 70'000}));
}

}  // namespace
}  // namespace hygie::vault
