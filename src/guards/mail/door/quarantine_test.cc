#include "guards/mail/door/quarantine.h"

#include <gtest/gtest.h>

#include "event/uuid.h"
#include "sim/seeds.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

constexpr char kDir[] = "quarantine";
const crypto::Secret32 kKey;

struct House {
    explicit House(std::uint64_t seed = 1) : disk(seed), random(seed) {}

    std::unique_ptr<Quarantine> open(Disk& where, Quarantine::Role role) {
        auto opened = Quarantine::open(where, random, kDir, kKey, role);
        EXPECT_TRUE(opened) << opened.error().what.en;
        return opened ? std::move(*opened) : nullptr;
    }
    std::unique_ptr<Quarantine> open() { return open(disk, Quarantine::Role::Guard); }
    Held entry(std::string_view message) {
        clock.advance(std::chrono::seconds(1));
        return {.id = event::print_uuid(event::make_uuid(clock.now(), random)),
                .at = clock.now(),
                .envelope = {.helo = "h",
                             .client_ip = "192.0.2.1",
                             .mail_from = "a@x.example",
                             .rcpt_to = {"b@y.example", "c@y.example"}},
                .verdict = R"({"verdict":"malicious"})",
                .bytes = message.size()};
    }

    sim::SimDisk disk;
    sim::SimRandom random;
    sim::SimClock clock;
};

TEST(MailQuarantine, GivesBackTheBytesAndWhatIsKnownOfThem) {
    House house;
    const auto quarantine = house.open();
    const std::string message("Subject: x\r\n\r\n\0\xff octets\r\n", 24);
    const Held entry = house.entry(message);
    ASSERT_TRUE(quarantine->hold(entry, message));
    EXPECT_EQ(*quarantine->message(entry.id), message);
    const Held found = *quarantine->find(entry.id);
    EXPECT_EQ(found.at, entry.at);
    EXPECT_EQ(found.envelope.rcpt_to, entry.envelope.rcpt_to);
    EXPECT_EQ(found.verdict, entry.verdict);
    EXPECT_EQ(quarantine->list()->held.size(), 1U);
}

TEST(MailQuarantine, NothingIsReadableWithoutTheKeyAndNoPartMovesToAnother) {
    House house;
    const auto quarantine = house.open();
    const Held one = house.entry("premier");
    const Held two = house.entry("second");
    ASSERT_TRUE(quarantine->hold(one, "premier"));
    ASSERT_TRUE(quarantine->hold(two, "second"));
    const std::string path = join(kDir, one.id + ".hyq");
    const Bytes bytes = *house.disk.read_file(path, 1 << 20);
    EXPECT_EQ(as_text(bytes).find("premier"), std::string::npos);
    EXPECT_EQ(as_text(bytes).find("y.example"), std::string::npos);
    ASSERT_TRUE(house.disk.replace_file(join(kDir, two.id + ".hyq"), bytes));
    EXPECT_EQ(quarantine->find(two.id).error().code, Code::Corrupt);
    EXPECT_EQ(quarantine->message(two.id).error().code, Code::Corrupt);
    EXPECT_EQ(quarantine->list()->unreadable, 1U);
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
        Bytes torn = bytes;
        torn[at] ^= 1;
        ASSERT_TRUE(house.disk.write_file(path, torn));
        EXPECT_FALSE(quarantine->find(one.id) && quarantine->message(one.id)) << at;
    }
}

TEST(MailQuarantine, OnlyIdsAreNames) {
    House house;
    const auto quarantine = house.open();
    EXPECT_EQ(quarantine->find("../root").error().code, Code::BadInput);
    EXPECT_EQ(quarantine->message("").error().code, Code::BadInput);
}

TEST(MailQuarantine, AHeldMessageIsNeverLostAfterAcknowledgementAtAnyPowerCut) {
    sim::for_each_seed(8, [](std::uint64_t seed) {
        // A run without a cut tells how many steps there are.
        for (std::uint64_t cut = 1; cut < 200; ++cut) {
            House house(seed);
            house.disk.crash_at_step(cut);
            std::vector<std::pair<std::string, std::string>> acknowledged;
            bool all = true;
            if (auto opened = Quarantine::open(house.disk, house.random, kDir, kKey,
                                               Quarantine::Role::Guard)) {
                for (int i = 0; i < 3; ++i) {
                    const std::string message(static_cast<std::size_t>(1500 * i + 10), 'm');
                    const Held entry = house.entry(message);
                    if ((*opened)->hold(entry, message))
                        acknowledged.emplace_back(entry.id, message);
                    else
                        all = false;
                }
            } else {
                all = false;
            }
            house.disk.crash(seed * 1000 + cut);
            const auto after = house.open();
            ASSERT_TRUE(after);
            for (const auto& [id, message] : acknowledged) {
                const auto found = after->message(id);
                ASSERT_TRUE(found) << "lost at step " << cut;
                EXPECT_EQ(*found, message);
            }
            EXPECT_EQ(after->list()->unreadable, 0U) << "cut at step " << cut;
            if (all) return;
        }
        ADD_FAILURE() << "the run never ends";
    });
}

TEST(MailQuarantine, AFullDiskHoldsNothingAndHoldsAgainWhenThereIsRoom) {
    House house;
    const auto quarantine = house.open();
    const std::string message(10'000, 'm');
    const Held entry = house.entry(message);
    house.disk.set_free_bytes(2'000);
    EXPECT_EQ(quarantine->hold(entry, message).error().code, Code::Full);
    EXPECT_TRUE(quarantine->list()->held.empty());
    house.disk.set_free_bytes(1 << 20);
    EXPECT_TRUE(quarantine->hold(entry, message));
    EXPECT_EQ(*quarantine->message(entry.id), message);
}

TEST(MailQuarantine, AfterAFailedSyncNothingIsHeldAnyMore) {
    House house;
    const auto quarantine = house.open();
    house.disk.inject(sim::Fault::SyncFails, ".hyq");
    EXPECT_FALSE(quarantine->hold(house.entry("un"), "un"));
    EXPECT_EQ(quarantine->hold(house.entry("deux"), "deux").error().code, Code::Io);
}

TEST(MailQuarantine, AReleaseIsToldOnceAndSeenByAll) {
    House house;
    const auto guard = house.open();
    const Held entry = house.entry("message");
    ASSERT_TRUE(guard->hold(entry, "message"));
    const auto reader = house.open(house.disk, Quarantine::Role::Reader);
    ASSERT_TRUE(reader->note_release(
        {.id = entry.id, .by = "anne", .at = house.clock.now(), .event_id = "e"}));
    EXPECT_TRUE(guard->find(entry.id)->is_released);
    const auto untold = guard->untold_releases();
    ASSERT_EQ(untold->size(), 1U);
    EXPECT_EQ(untold->front().by, "anne");
    ASSERT_TRUE(guard->release_told(entry.id));
    EXPECT_TRUE(guard->untold_releases()->empty());
    EXPECT_TRUE(guard->find(entry.id)->is_released);
    EXPECT_EQ(*guard->message(entry.id), "message");
}

TEST(MailQuarantine, ANameIsKnownByItsBeginning) {
    House house;
    const auto quarantine = house.open();
    const Held one = house.entry("premier");
    Held two = house.entry("second");
    two.id = one.id.substr(0, 30) + "ffffff";
    ASSERT_TRUE(quarantine->hold(one, "premier"));
    EXPECT_EQ(*quarantine->whole_id(one.id.substr(0, 6)), one.id);
    EXPECT_EQ(*quarantine->whole_id(one.id), one.id);
    EXPECT_EQ(quarantine->whole_id(one.id.substr(0, 5)).error().code, Code::BadInput);
    EXPECT_EQ(quarantine->whole_id("ffffff").error().code, Code::NotFound);
    EXPECT_EQ(quarantine->whole_id("../../").error().code, Code::NotFound);
    ASSERT_TRUE(quarantine->hold(two, "second"));
    const auto both = quarantine->whole_id(one.id.substr(0, 20));
    ASSERT_EQ(both.error().code, Code::BadInput);
    EXPECT_NE(both.error().what.en.find(one.id), std::string::npos) << "and says which";
    EXPECT_NE(both.error().what.en.find(two.id), std::string::npos);
    EXPECT_EQ(*quarantine->whole_id(two.id.substr(0, 31)), two.id);
}

}  // namespace
}  // namespace hygie::mail
