#include <gtest/gtest.h>

#include <set>

#include "sim/seeds.h"
#include "vault/store.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

constexpr std::string_view kSecrets[] = {"Durand",     "Camille", "27902991",      "Patient",
                                         "secret-obs", "Lemoine", "4548-4",        "Observation",
                                         "1979-02-14", "dr-anne", "valueQuantity", "10003456789"};

/// Every byte of every file.
std::string all_bytes(sim::SimDisk& disk, const std::string& dir = "vault") {
    std::string all;
    const std::vector<DirEntry> entries = disk.list(dir).value();
    for (const DirEntry& entry : entries) {
        const std::string path = join(dir, entry.name);
        if (entry.is_dir)
            all += all_bytes(disk, path);
        else
            all += as_text(disk.read_file(path, 1 << 30).value());
    }
    return all;
}

/// Where resources lie, as the keys of those rows are spelled in each journal.
std::set<std::string> places(Disk& disk) {
    sim::SimClock clock;
    sim::SimRandom random(1);
    const auto store = open_sqlite({disk, clock, random}, "vault").value();
    std::set<std::string> all;
    EXPECT_TRUE(store->scan(Table::Places, kFirstKey, kLastKey, [&](Key key, ByteView) {
        std::uint8_t bytes[sizeof key.major];
        store_be(bytes, key.major);
        all.emplace(as_text(bytes));
        return true;
    }));
    return all;
}

class EraseTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(commit(*vault_, {put(practitioner("d1")), put(patient("p1")),
                                     put(observation("secret-obs", "p1"))}));
        ASSERT_TRUE(commit(*vault_, {put(patient("p1", "Durand-Petit")), put(patient("p2", "Roux")),
                                     put(encounter("e1", "p1", "Practitioner/d1"))}));
    }
    Verified verify() { return vault_->verify({}, machine_.trace, 1'000).value(); }
    static event::Event why() { return event_of(event::Type::KeyShredded); }

    Machine machine_;
    std::unique_ptr<Vault> vault_ = machine_.open();
};

TEST_F(EraseTest, NothingReadableReachesTheDisk) {
    const auto search = [&] {
        const std::string bytes = all_bytes(machine_.disk);
        EXPECT_GT(bytes.size(), 10'000u);
        for (const std::string_view secret : kSecrets)
            EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
    };
    search();
    vault_.reset();
    search();
}

TEST_F(EraseTest, LeavesNothingOfThePatientButTheHashes) {
    const Found before = vault_->find("Observation", "secret-obs").value();
    ASSERT_TRUE(vault_->read(before)) << "and so it is kept in memory";
    ASSERT_TRUE(vault_->shred("p1", why()));
    EXPECT_EQ(vault_->find("Patient", "p1").error().code, Code::NotFound);
    EXPECT_EQ(vault_->find("Observation", "secret-obs").error().code, Code::NotFound);
    EXPECT_EQ(vault_->record("p1").error().code, Code::NotFound);
    EXPECT_EQ(vault_->read(before).error().code, Code::Erased);
    EXPECT_EQ(body_of(*vault_, "Patient", "p2").find("absent"), std::string::npos);
    EXPECT_EQ(vault_->find("Practitioner", "d1")->entry.version, 1u);
    EXPECT_EQ(vault_->counts().resources, 2u);
    EXPECT_EQ(vault_->counts().versions, 2u);
    EXPECT_EQ(vault_->counts().records, 1u);
    const Verified verified = verify();
    EXPECT_TRUE(verified.rot.empty());
    EXPECT_EQ(verified.erased, 4u);
    EXPECT_EQ(machine_.trace.events().at(3).type, event::Type::KeyShredded);
}

TEST_F(EraseTest, ACopyMadeBeforeCannotBeReadWithTheKeysOfAfter) {
    vault_.reset();
    const auto copy = machine_.disk.clone();
    vault_ = machine_.open();
    ASSERT_TRUE(vault_->shred("p1", why()));
    vault_.reset();
    // The backup of the store comes back; the key table is the present one.
    const Bytes keys = machine_.disk.read_file("vault/keys/slots", 1 << 30).value();
    ASSERT_TRUE(copy->replace_file("vault/keys/slots", keys));
    const auto restored = Vault::open({*copy, machine_.clock, machine_.random, machine_.trace},
                                      {.dir = "vault", .node = NodeId("box")}, machine_.root)
                              .value();
    EXPECT_EQ(restored->find("Patient", "p1").error().code, Code::NotFound);
    EXPECT_EQ(restored->find("Observation", "secret-obs").error().code, Code::NotFound);
    EXPECT_TRUE(restored->find("Patient", "p2"));
}

TEST_F(EraseTest, TheSamePatientMayComeBack) {
    ASSERT_TRUE(vault_->shred("p1", why()));
    ASSERT_TRUE(commit(*vault_, {put(patient("p1", "Nouveau"))}));
    EXPECT_EQ(vault_->find("Patient", "p1")->entry.version, 1u);
    EXPECT_EQ(vault_->everything("p1")->size(), 1u);
}

TEST_F(EraseTest, AHoldForbidsIt) {
    ASSERT_TRUE(vault_->hold("p1", Vault::Hold::Set, event_of()));
    EXPECT_TRUE(vault_->is_held("p1").value());
    EXPECT_EQ(vault_->shred("p1", why()).error().code, Code::Denied);
    vault_.reset();
    vault_ = machine_.open();
    EXPECT_EQ(vault_->shred("p1", why()).error().code, Code::Denied);
    ASSERT_TRUE(vault_->hold("p1", Vault::Hold::Lift, event_of()));
    EXPECT_TRUE(vault_->shred("p1", why()));
}

TEST_F(EraseTest, KnowsNobodyToErase) {
    EXPECT_EQ(vault_->shred("p9", why()).error().code, Code::NotFound);
    EXPECT_EQ(vault_->shred("", why()).error().code, Code::NotFound);
}

TEST_F(EraseTest, FindsAFormerPatientInNoSearch) {
    ASSERT_TRUE(vault_->shred("p1", why()));
    const auto query =
        fhir::parse_query("Encounter", std::vector<fhir::QueryParameter>{}, {}).value();
    const Scope scope{.allows = [](const Record&) { return true; }, .person = "Practitioner/d1"};
    EXPECT_TRUE(vault_->search(query, scope)->page.empty());
}

TEST_F(EraseTest, IsAllOrNothingWhateverTheMoment) {
    vault_.reset();
    const std::set<std::string> before = places(*machine_.disk.clone());
    std::size_t erased = 0;
    sim::for_each_seed(60, [&](std::uint64_t seed) {
        const auto disk = machine_.disk.clone();
        MemoryTrace trace;
        for (const auto& [counter, event] : machine_.trace.events())
            trace.submit({event}, [](Status) {});
        const Doors doors{*disk, machine_.clock, machine_.random, trace};
        const Options options{.dir = "vault", .node = NodeId("box")};
        bool acknowledged = false;
        disk->crash_at_step(disk->steps() + seed);
        if (auto vault = Vault::open(doors, options, machine_.root); vault)
            acknowledged = (*vault)->shred("p1", why()).has_value();
        disk->crash(seed);
        auto vault = Vault::open(doors, options, machine_.root).value();
        const bool there = vault->find("Patient", "p1").has_value();
        EXPECT_FALSE(acknowledged && there);
        EXPECT_EQ(there, trace.events().size() == 2);
        EXPECT_EQ(there, body_of(*vault, "Observation", "secret-obs").contains("5.40"));
        EXPECT_EQ(there, vault->record("p1").has_value());
        const Verified verified = vault->verify({}, trace, 1'000).value();
        EXPECT_TRUE(verified.rot.empty());
        vault.reset();
        if (there) return;
        ++erased;
        const std::string bytes = all_bytes(*disk);
        const std::set<std::string> left = places(*disk);
        for (const std::string& place : before)
            EXPECT_TRUE(left.contains(place) || !bytes.contains(place)) << "in some journal";
    });
    EXPECT_GT(erased, 10U);
}

TEST_F(EraseTest, ExportsAllOfARecordOnceTheLedgerKnows) {
    std::map<std::string, std::string> files;
    const auto give = [&](std::string_view name, std::string_view bytes) {
        EXPECT_EQ(machine_.trace.events().size(), 3u);
        files[std::string(name)] = bytes;
        return Status();
    };
    ASSERT_TRUE(vault_->export_record("p1", event_of(event::Type::RecordExported), give));
    ASSERT_EQ(files.size(), 4u);
    EXPECT_EQ(files.at("Observation.ndjson"), body_of(*vault_, "Observation", "secret-obs") + "\n");
    const fhir::Document manifest = fhir::parse(files.at("manifest.json")).value();
    EXPECT_EQ(manifest.root["output"].size(), 3u);
    EXPECT_EQ(manifest.root["output"].items()[2]["count"].text(), "1");
    EXPECT_EQ(vault_->export_record("p9", event_of(), give).error().code, Code::NotFound);
    machine_.trace.mode = MemoryTrace::Mode::Fail;
    files.clear();
    EXPECT_FALSE(vault_->export_record("p1", event_of(), give));
    EXPECT_TRUE(files.empty());
}

std::string named(const std::string& type, const std::string& id, const std::string& rest) {
    return R"({"resourceType":")" + type + R"(","id":")" + id + R"(",)" + rest + "}";
}

std::string appointment(const std::string& id, const std::string& first,
                        const std::string& second) {
    const auto who = [](const std::string& one) {
        return R"({"actor":{"reference":"Patient/)" + one + R"(","display":"Nom de )" + one +
               R"("},"status":"accepted"})";
    };
    return named("Appointment", id,
                 R"("status":"booked","participant":[)" + who(first) + "," + who(second) + "]");
}

/// p1 goes, p2 stays: what they share stays with p2, and says nothing of p1.
class EraseShared : public EraseTest {
  protected:
    void SetUp() override {
        EraseTest::SetUp();
        const auto subject = [](const std::string& patient) {
            return R"("subject":{"reference":"Patient/)" + patient + R"("})";
        };
        ASSERT_TRUE(commit(
            *vault_,
            {put(appointment("p1-first", "p1", "p2")), put(appointment("p2-first", "p2", "p1")),
             put(named("Account", "account",
                       R"("status":"active","subject":[{"reference":"Patient/p1"},)"
                       R"({"reference":"Patient/p2"}])")),
             put(named("Coverage", "child",
                       R"("status":"active","payor":[{"display":"x"}],)"
                       R"("policyHolder":{"reference":"Patient/p1"},)"
                       R"("beneficiary":{"reference":"Patient/p2"})")),
             put(named("Observation", "of-p1-by-p2",
                       R"("status":"final","code":{"text":"x"},)" + subject("p1") +
                           R"(,"performer":[{"reference":"Patient/p2"}])")),
             put(named("Observation", "of-p2-by-p1",
                       R"("status":"final","code":{"text":"x"},)" + subject("p2") +
                           R"(,"performer":[{"reference":"Patient/p1"}])"))}));
        ASSERT_TRUE(commit(*vault_, {put(appointment("p2-first", "p2", "p1"))}));
    }
};

TEST_F(EraseShared, WhatOthersShareGoesOnWithThem) {
    ASSERT_TRUE(vault_->shred("p1", why()));
    for (const auto& [type, id] :
         std::vector<std::pair<std::string, std::string>>{{"Appointment", "p1-first"},
                                                          {"Appointment", "p2-first"},
                                                          {"Account", "account"},
                                                          {"Coverage", "child"},
                                                          {"Observation", "of-p2-by-p1"}}) {
        const std::string body = body_of(*vault_, type, id);
        EXPECT_TRUE(body.contains("Patient/p2")) << id << body;
        EXPECT_FALSE(body.contains("Patient/p1") || body.contains("Nom de p1")) << id << body;
        EXPECT_TRUE(body.contains(R"("valueCode":"masked")")) << id << body;
        EXPECT_EQ(vault_->find(type, id)->record->patient(), "p2") << id;
    }
    EXPECT_EQ(vault_->find("Observation", "of-p1-by-p2").error().code, Code::NotFound)
        << "it is about who was erased, whoever made it";
}

TEST_F(EraseShared, NoVersionSpeaksOfWhoWasErased) {
    const auto before = vault_->find("Appointment", "p2-first").value();
    ASSERT_TRUE(vault_->read(before, 1)) << "and so it is kept in memory";
    ASSERT_TRUE(vault_->shred("p1", why()));
    for (int opened = 0; opened < 2; ++opened) {
        for (const std::string id : {"p1-first", "p2-first"}) {
            const auto found = vault_->find("Appointment", id).value();
            EXPECT_TRUE(vault_->read(found, found.entry.version));
            for (std::uint32_t version = 1; version < found.entry.version; ++version)
                EXPECT_EQ(vault_->read(found, version).error().code, Code::NotFound) << id;
        }
        EXPECT_TRUE(vault_->shared_with("p1")->empty());
        const Verified verified = verify();
        EXPECT_TRUE(verified.rot.empty());
        EXPECT_EQ(verified.done, true);
        vault_.reset();
        vault_ = machine_.open();
    }
    EXPECT_EQ(vault_->everything("p2")->size(), 6u);
}

TEST_F(EraseShared, TheLedgerSaysWhatWentOnAndWhy) {
    const std::size_t before = machine_.trace.events().size();
    ASSERT_TRUE(vault_->shred("p1", why()));
    const auto events = machine_.trace.events();
    ASSERT_EQ(events.size(), before + 2);
    EXPECT_EQ(events.at(before + 1).type, event::Type::RecordUpdated);
    EXPECT_EQ(events.at(before + 1).subject.patient.str(), "p2");
    EXPECT_EQ(events.at(before + 2).type, event::Type::KeyShredded);
}

TEST_F(EraseShared, AHoldLeavesAllAsItIs) {
    ASSERT_TRUE(vault_->hold("p1", Vault::Hold::Set, event_of()));
    const std::string before = body_of(*vault_, "Appointment", "p2-first");
    EXPECT_EQ(vault_->shred("p1", why()).error().code, Code::Denied);
    EXPECT_EQ(body_of(*vault_, "Appointment", "p2-first"), before);
}

TEST_F(EraseShared, IsInTheExportOfEach) {
    for (const std::string patient : {"p1", "p2"}) {
        std::map<std::string, std::string> files;
        ASSERT_TRUE(vault_->export_record(patient, event_of(event::Type::RecordExported),
                                          [&](std::string_view name, std::string_view bytes) {
                                              files[std::string(name)] = bytes;
                                              return Status();
                                          }));
        EXPECT_TRUE(files["Appointment.ndjson"].contains("p1-first")) << patient;
        EXPECT_TRUE(files["Appointment.ndjson"].contains("p2-first")) << patient;
    }
}

}  // namespace
}  // namespace hygie::vault
