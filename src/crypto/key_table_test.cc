#include "crypto/key_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/check.h"
#include "crypto/key_table_kit.h"
#include "sim/chance.h"

namespace hygie::crypto {
namespace {

constexpr std::size_t kSlotBytes = 128;

ByteView slot_in(const Bytes& file, KeySlot slot) {
    return ByteView(file).subspan(slot * kSlotBytes, kSlotBytes);
}

/// True when any eight bytes in a row of `slot`, zeros aside, are found in `file`.
bool any_part_remains(ByteView slot, ByteView file) {
    for (std::size_t at = 0; at + 8 <= slot.size(); ++at) {
        const ByteView part = slot.subspan(at, 8);
        if (std::ranges::count(part, 0) > 4) continue;
        if (std::ranges::search(file, part).begin() != file.end()) return true;
    }
    return false;
}

TEST(KeyTable, one_key_per_subject_and_scope) {
    House house;
    const auto table = house.open();
    const auto first = table->find_or_make("p/1", kTrace).value();
    EXPECT_TRUE(first.fresh);
    const auto again = table->find_or_make("p/1", kTrace).value();
    EXPECT_FALSE(again.fresh);
    EXPECT_EQ(again.slot, first.slot);
    EXPECT_TRUE(again.key == first.key);
    for (const auto& [subject, scope] :
         {std::pair{"p/2", kTrace}, {"p/1", KeyScope{2, 2026}}, {"p/1", KeyScope{1, 2025}}}) {
        const auto other = table->find_or_make(subject, scope).value();
        EXPECT_TRUE(other.fresh);
        EXPECT_NE(other.slot, first.slot);
        EXPECT_FALSE(other.key == first.key);
    }
    EXPECT_EQ(table->find("p/1", kTrace)->slot, first.slot);
    EXPECT_TRUE(table->get(first.slot).value() == first.key);
    EXPECT_EQ(table->live(), 4u);
    EXPECT_EQ(table->slots(), 4u);
}

TEST(KeyTable, what_never_was_is_not_found) {
    House house;
    const auto table = house.open();
    EXPECT_FALSE(table->find("p/1", kTrace));
    for (const KeySlot slot : {KeySlot{0}, KeySlot{1}, ~KeySlot{0}})
        EXPECT_EQ(table->get(slot).error().code, Code::NotFound);
    EXPECT_TRUE(table->shred("p/1", {}).value().empty());
}

TEST(KeyTable, keys_outlive_the_process_and_numbers_go_on_without_a_gap) {
    House house;
    std::vector<KeyTable::Found> made;
    for (int run = 0; run < 3; ++run) {
        const auto table = house.open();
        for (const auto& found : made) EXPECT_TRUE(table->get(found.slot).value() == found.key);
        for (int i = 0; i < 5; ++i)
            made.push_back(table->find_or_make("p/" + std::to_string(made.size()), kTrace).value());
    }
    const auto table = house.open();
    EXPECT_EQ(table->live(), made.size());
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_EQ(made[i].slot, i + 1);
        EXPECT_EQ(table->find("p/" + std::to_string(i), kTrace)->slot, made[i].slot);
    }
    EXPECT_EQ(house.bytes().size(), (made.size() + 1) * kSlotBytes);
}

TEST(KeyTable, many_keys_cross_reservations) {
    House house;
    const auto table = house.open();
    for (int i = 0; i < 2500; ++i)
        ASSERT_EQ(table->find_or_make("p/" + std::to_string(i), kTrace).value().slot,
                  static_cast<KeySlot>(i) + 1);
    ASSERT_TRUE(table->sync());
    house.disk.kill();
    const auto again = house.open();
    EXPECT_EQ(again->live(), 2500u);
    EXPECT_TRUE(again->get(2500).value() == table->get(2500).value());
}

TEST(KeyTable, a_key_that_was_not_synced_dies_with_its_process_but_its_number_is_spent) {
    House house;
    auto table = house.open();
    const auto kept = table->find_or_make("p/1", kTrace).value();
    ASSERT_TRUE(table->sync());
    const auto lost = table->find_or_make("p/2", kTrace).value();
    house.disk.kill();
    table = house.open();
    EXPECT_TRUE(table->get(kept.slot).value() == kept.key);
    EXPECT_EQ(table->get(lost.slot).error().code, Code::NotFound);
    EXPECT_FALSE(table->find("p/2", kTrace));
    EXPECT_GT(table->find_or_make("p/2", kTrace).value().slot, lost.slot);
}

TEST(KeyTable, sync_writes_nothing_when_nothing_is_fresh) {
    House house;
    const auto table = house.open();
    ASSERT_TRUE(table->find_or_make("p/1", kTrace));
    ASSERT_TRUE(table->sync());
    const std::uint64_t steps = house.disk.steps();
    ASSERT_TRUE(table->sync());
    ASSERT_TRUE(table->find_or_make("p/1", kTrace));
    ASSERT_TRUE(table->sync());
    EXPECT_EQ(house.disk.steps(), steps);
}

TEST(KeyTable, nobody_can_read_who_the_subjects_are) {
    House house;
    const auto table = house.open();
    const auto found = table->find_or_make("p/279035121518989", kTrace).value();
    ASSERT_TRUE(table->sync());
    const Bytes file = house.bytes();
    EXPECT_EQ(as_text(file).find("279035"), std::string_view::npos);
    EXPECT_FALSE(any_part_remains(found.key.view(), file));
}

TEST(KeyTable, shred_leaves_nothing_of_the_slots) {
    House house;
    auto table = house.open();
    std::vector<KeySlot> doomed;
    for (const KeyScope scope : {kTrace, KeyScope{2, 2026}, KeyScope{3, 2020}})
        doomed.push_back(table->find_or_make("p/1", scope).value().slot);
    const auto other = table->find_or_make("p/2", kTrace).value();
    ASSERT_TRUE(table->sync());
    const Bytes before = house.bytes();
    const std::uint64_t steps = house.disk.steps();

    EXPECT_EQ(table->shred("p/1", {}).value(), doomed);
    // One write for each slot and a single sync.
    EXPECT_EQ(house.disk.steps() - steps, doomed.size() + 1);
    house.disk.kill();
    for (const KeySlot slot : doomed) {
        EXPECT_FALSE(any_part_remains(slot_in(before, slot), house.bytes()));
        EXPECT_EQ(table->get(slot).error().code, Code::Erased);
    }
    table = house.open();
    for (const KeySlot slot : doomed) EXPECT_EQ(table->get(slot).error().code, Code::Erased);
    EXPECT_FALSE(table->find("p/1", kTrace));
    EXPECT_TRUE(table->get(other.slot).value() == other.key);
    EXPECT_EQ(table->live(), 1u);
    const auto anew = table->find_or_make("p/1", kTrace).value();
    EXPECT_TRUE(anew.fresh);
    EXPECT_GT(anew.slot, other.slot);
    EXPECT_TRUE(table->shred("p/3", {}).value().empty());
}

TEST(KeyTable, shred_of_a_fresh_key_never_writes_it) {
    House house;
    auto table = house.open();
    const auto found = table->find_or_make("p/1", kTrace).value();
    ASSERT_TRUE(table->shred("p/1", {}));
    EXPECT_TRUE(table->sync());
    house.disk.kill();
    table = house.open();
    EXPECT_EQ(table->get(found.slot).error().code, Code::Erased);
    EXPECT_EQ(table->live(), 0u);
}

TEST(KeyTable, shred_may_spare_other_retention_classes) {
    House house;
    const auto table = house.open();
    const auto kept = table->find_or_make("p/1", {2, 2026}).value();
    const auto gone = table->find_or_make("p/1", {1, 2026}).value();
    EXPECT_EQ(table->shred("p/1", std::uint8_t{1}).value(), std::vector{gone.slot});
    EXPECT_EQ(table->find("p/1", {2, 2026})->slot, kept.slot);
    EXPECT_FALSE(table->find("p/1", {1, 2026}));
}

TEST(KeyTable, the_end_of_a_retention_period_destroys_its_scopes_alone) {
    House house;
    const auto table = house.open();
    std::vector<KeySlot> doomed;
    for (const char* subject : {"p/1", "p/2", "p/3"})
        for (std::uint16_t year = 2022; year <= 2024; ++year) {
            const KeySlot slot = table->find_or_make(subject, {1, year}).value().slot;
            if (year <= 2023) doomed.push_back(slot);
            ASSERT_TRUE(table->find_or_make(subject, {2, year}));
        }
    EXPECT_EQ(table->shred_expired(1, 2023).value(), doomed);
    EXPECT_EQ(table->live(), 12u);
    EXPECT_TRUE(table->find("p/2", {1, 2024}));
    EXPECT_TRUE(table->find("p/2", {2, 2022}));
    EXPECT_FALSE(table->find("p/2", {1, 2022}));
    EXPECT_TRUE(table->shred_expired(1, 2023).value().empty());
}

TEST(KeyTable, another_wrapping_key_is_denied) {
    House house;
    house.open();
    house.wrapping = key_of("another");
    EXPECT_EQ(house.try_open().error().code, Code::Denied);
}

TEST(KeyTable, a_flipped_bit_is_never_another_key) {
    House house;
    auto table = house.open();
    const auto first = table->find_or_make("p/1", kTrace).value();
    const auto second = table->find_or_make("p/2", kTrace).value();
    table.reset();
    const Bytes sound = house.bytes();
    ASSERT_EQ(sound.size(), 3 * kSlotBytes);
    for (std::size_t bit = 0; bit < 2 * kSlotBytes * 8; ++bit) {
        Bytes flipped = sound;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        house.put(flipped);
        const auto opened = house.try_open();
        if (bit < kSlotBytes * 8) {
            ASSERT_EQ(opened.error().code, Code::Corrupt) << "header bit " << bit;
            continue;
        }
        ASSERT_EQ(opened.value()->get(first.slot).error().code, Code::Corrupt) << "bit " << bit;
        ASSERT_FALSE(opened.value()->find("p/1", kTrace));
        ASSERT_TRUE(opened.value()->get(second.slot).value() == second.key);
    }
}

TEST(KeyTable, a_slot_moved_or_taken_from_another_table_does_not_open) {
    House house(1), other(2);
    ASSERT_TRUE(house.open()->find_or_make("p/1", kTrace));
    ASSERT_TRUE(house.open()->find_or_make("p/2", kTrace));
    ASSERT_TRUE(other.open()->find_or_make("p/1", kTrace));
    const Bytes file = house.bytes(), foreign = other.bytes();

    Bytes swapped(file.begin(), file.begin() + kSlotBytes);
    append(swapped, slot_in(file, 2));
    append(swapped, slot_in(file, 1));
    house.put(swapped);
    EXPECT_EQ(house.open()->get(1).error().code, Code::Corrupt);
    EXPECT_EQ(house.open()->get(2).error().code, Code::Corrupt);

    Bytes mixed(file.begin(), file.begin() + kSlotBytes);
    append(mixed, slot_in(foreign, 1));
    house.put(mixed);
    EXPECT_EQ(house.open()->get(1).error().code, Code::Corrupt);
}

TEST(KeyTable, a_damaged_slot_is_destroyed_with_its_subject) {
    House house;
    const KeySlot slot = house.open()->find_or_make("p/1", kTrace).value().slot;
    Bytes damaged = house.bytes();
    damaged[slot * kSlotBytes + 60] ^= 1;
    house.put(damaged);
    EXPECT_EQ(house.open()->shred("p/1", {}).value(), std::vector{slot});
    EXPECT_FALSE(any_part_remains(slot_in(damaged, slot), house.bytes()));
    EXPECT_EQ(house.open()->get(slot).error().code, Code::Erased);
}

TEST(KeyTable, a_file_cut_short_keeps_what_it_holds) {
    House house;
    const auto first = house.open()->find_or_make("p/1", kTrace).value();
    ASSERT_TRUE(house.open()->find_or_make("p/2", kTrace));
    const Bytes whole = house.bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        house.put(ByteView(whole).first(size));
        const auto opened = house.try_open();
        if (size < kSlotBytes) {
            ASSERT_EQ(opened.error().code, Code::Corrupt) << size;
        } else if (size >= 2 * kSlotBytes) {
            ASSERT_TRUE(opened.value()->get(first.slot).value() == first.key) << size;
            const auto second = opened.value()->get(2);
            // Only zeros stand behind the sealed key: without them it is still whole.
            if (size < 2 * kSlotBytes + 80)
                ASSERT_EQ(second.error().code,
                          size == 2 * kSlotBytes ? Code::NotFound : Code::Corrupt);
            else
                ASSERT_TRUE(second);
        }
    }
}

TEST(KeyTable, rewrap_shuts_out_the_old_key_and_older_copies) {
    House house;
    auto table = house.open();
    const auto kept = table->find_or_make("p/1", kTrace).value();
    const auto gone = table->find_or_make("p/2", kTrace).value();
    const auto fresh = table->find_or_make("p/3", kTrace).value();
    ASSERT_TRUE(table->shred("p/2", {}));
    const Bytes before = house.bytes();
    const auto old_file = house.disk.open(kFile, Open::Read).value();

    ASSERT_TRUE(table->rewrap(key_of("next")));
    EXPECT_FALSE(any_part_remains(slot_in(before, kept.slot).subspan(20), house.bytes()));
    Bytes old_bytes(before.size(), 0xFF);
    ASSERT_EQ(old_file->read_at(0, old_bytes).value(), before.size());
    EXPECT_EQ(old_bytes, Bytes(before.size()));

    const auto later = table->find_or_make("p/4", kTrace).value();
    EXPECT_GT(later.slot, fresh.slot);
    ASSERT_TRUE(table->sync());
    house.disk.kill();
    EXPECT_EQ(house.try_open().error().code, Code::Denied);
    house.wrapping = key_of("next");
    table = house.open();
    for (const auto& found : {kept, fresh, later})
        EXPECT_TRUE(table->get(found.slot).value() == found.key);
    EXPECT_EQ(table->find("p/1", kTrace)->slot, kept.slot);
    EXPECT_EQ(table->get(gone.slot).error().code, Code::Erased);
}

TEST(KeyTable, rewrap_keeps_a_damaged_slot_damaged) {
    House house;
    ASSERT_TRUE(house.open()->find_or_make("p/1", kTrace));
    Bytes damaged = house.bytes();
    damaged.back() ^= 1;
    house.put(damaged);
    ASSERT_TRUE(house.open()->rewrap(key_of("next")));
    house.wrapping = key_of("next");
    EXPECT_EQ(house.open()->get(1).error().code, Code::Corrupt);
}

TEST(KeyTable, a_rewrap_that_finds_no_room_changes_nothing_and_leaves_nothing) {
    House house;
    const auto table = house.open();
    const auto found = table->find_or_make("p/1", kTrace).value();
    house.disk.set_free_bytes(100);
    EXPECT_EQ(table->rewrap(key_of("next")).error().code, Code::Full);
    house.disk.set_free_bytes(1 << 20);
    EXPECT_FALSE(house.disk.exists(kFile + ".tmp"));
    EXPECT_TRUE(table->sync());
    EXPECT_TRUE(house.open()->get(found.slot).value() == found.key);
}

TEST(KeyTable, what_an_interrupted_rewrap_left_is_destroyed_before_anything_changes) {
    House house;
    ASSERT_TRUE(house.open()->find_or_make("p/1", kTrace));
    const Bytes file = house.bytes();
    ASSERT_TRUE(house.disk.write_file(kFile + ".tmp", file));
    const auto draft = house.disk.open(kFile + ".tmp", Open::Read).value();
    ASSERT_TRUE(house.open()->shred("p/1", {}));
    EXPECT_FALSE(house.disk.exists(kFile + ".tmp"));
    Bytes bytes(file.size(), 0xFF);
    ASSERT_TRUE(draft->read_at(0, bytes));
    EXPECT_EQ(bytes, Bytes(file.size()));
}

TEST(KeyTable, a_full_disk_is_an_error_and_then_no_more) {
    House house;
    const auto table = house.open();
    house.disk.set_free_bytes(0);
    EXPECT_EQ(table->find_or_make("p/1", kTrace).error().code, Code::Full);
    house.disk.set_free_bytes(1 << 20);
    EXPECT_EQ(table->find_or_make("p/1", kTrace).value().slot, 1u);
}

TEST(KeyTable, after_a_failed_sync_keys_are_read_but_nothing_is_written) {
    House house;
    auto table = house.open();
    const auto kept = table->find_or_make("p/1", kTrace).value();
    ASSERT_TRUE(table->sync());
    ASSERT_TRUE(table->find_or_make("p/2", kTrace));
    house.disk.inject(sim::Fault::SyncFails, "slots");
    EXPECT_EQ(table->sync().error().code, Code::Io);
    EXPECT_EQ(table->sync().error().code, Code::Io);
    EXPECT_EQ(table->shred("p/1", {}).error().code, Code::Io);
    EXPECT_EQ(table->rewrap(key_of("next")).error().code, Code::Io);
    EXPECT_TRUE(table->get(kept.slot).value() == kept.key);
    table.reset();
    EXPECT_TRUE(house.open()->get(kept.slot).value() == kept.key);
}

TEST(KeyTable, a_read_only_disk_can_still_be_read) {
    House house;
    const auto found = house.open()->find_or_make("p/1", kTrace).value();
    house.disk.set_read_only(true);
    const auto table = house.open();
    EXPECT_TRUE(table->get(found.slot).value() == found.key);
    EXPECT_TRUE(table->sync());
    EXPECT_FALSE(table->find_or_make("p/2", kTrace));
    EXPECT_FALSE(table->shred("p/1", {}));
    EXPECT_TRUE(table->get(found.slot).value() == found.key);
}

TEST(KeyTable, threads_agree_on_every_key) {
    constexpr int kThreads = 4, kSubjects = 300;
    House house;
    const auto table = house.open();
    std::vector<std::map<std::string, KeySlot>> seen(kThreads);
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([&, thread] {
                for (int i = 0; i < kSubjects; ++i) {
                    const std::string subject =
                        "p/" + std::to_string((i * (2 * thread + 1)) % kSubjects);
                    const auto found = table->find_or_make(subject, kTrace).value();
                    HYGIE_CHECK(table->get(found.slot).value() == found.key, "another key");
                    seen[static_cast<std::size_t>(thread)][subject] = found.slot;
                    if (i % 50 == 0) HYGIE_CHECK(table->sync().has_value(), "sync failed");
                    if (i % 100 == 0) {
                        const std::string passing = "q/" + std::to_string(thread * 1000 + i);
                        HYGIE_CHECK(table->find_or_make(passing, kTrace), "no key");
                        HYGIE_CHECK(table->shred(passing, {}).value().size() == 1, "no shred");
                    }
                }
            });
    }
    for (const auto& map : seen)
        for (const auto& [subject, slot] : map) EXPECT_EQ(table->find(subject, kTrace)->slot, slot);
    EXPECT_EQ(table->live(), kSubjects);
}

}  // namespace
}  // namespace hygie::crypto
