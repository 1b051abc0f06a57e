#include "guards/files/keep/placed.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "guards/files/keep/store.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

crypto::HmacKey key_number(std::uint8_t number) {
    crypto::Secret32 key;
    key.mutable_view()[0] = number;
    return placed_key(key);
}

FileKey file_number(std::uint8_t number) {
    return FileKey(0, 1, Bytes(12, number));
}

Placement placement(std::uint8_t number) {
    return {file_number(number), file_number(number + 100), number};
}

class FilesPlaced : public testing::Test {
  protected:
    PlacedList expected(const std::string& name) {
        (void)real_disk().make_dirs(dir_.path() + name);
        return *PlacedList::make(dir_.path() + name, key_number(1), random_);
    }

    sim::TempDir dir_;
    sim::SimRandom random_{1};
};

TEST_F(FilesPlaced, TellsTheGuardOfWhatIsAboutToGetItsPlace) {
    Placed placed;
    placed.expect(file_number(50), expected("/next"));
    EXPECT_TRUE(placed.is_folder(file_number(50)));
    EXPECT_FALSE(placed.is_folder(file_number(51)));
    EXPECT_FALSE(placed.take(file_number(2)));
    const auto list = PlacedList::open(dir_.path() + "/next", key_number(1));
    ASSERT_TRUE(list);
    for (std::uint8_t i = 1; i <= 3; ++i) list->add(placement(i));
    EXPECT_EQ(placed.take(file_number(2)), placement(2));
    EXPECT_EQ(placed.take(file_number(3)), placement(3));
    list->add(placement(4));
    EXPECT_EQ(placed.take(file_number(4)), placement(4));
}

TEST_F(FilesPlaced, IsBelievedOnce) {
    Placed placed;
    placed.expect(file_number(50), expected("/next"));
    PlacedList::open(dir_.path() + "/next", key_number(1))->add(placement(2));
    EXPECT_TRUE(placed.is_open(file_number(2)));
    EXPECT_TRUE(placed.take(file_number(2)));
    EXPECT_FALSE(placed.take(file_number(2)));
    EXPECT_TRUE(placed.is_open(file_number(2)));
    placed.close(file_number(2));
    EXPECT_FALSE(placed.is_open(file_number(2)));
    EXPECT_FALSE(placed.take(file_number(2)));
}

TEST_F(FilesPlaced, BelievesNobodyWithoutTheKey) {
    Placed placed;
    placed.expect(file_number(50), expected("/next"));
    PlacedList::open(dir_.path() + "/next", key_number(2))->add(placement(2));
    EXPECT_FALSE(placed.take(file_number(2)));
    EXPECT_FALSE(placed.is_open(file_number(2)));
    // What another added spoils nothing.
    PlacedList::open(dir_.path() + "/next", key_number(1))->add(placement(3));
    EXPECT_EQ(placed.take(file_number(3)), placement(3));
}

TEST_F(FilesPlaced, BelievesNoEntryOfAnotherRestore) {
    Placed placed;
    placed.expect(file_number(50), expected("/last"));
    placed.expect(file_number(51), expected("/next"));
    PlacedList::open(dir_.path() + "/last", key_number(1))->add(placement(2));
    EXPECT_TRUE(placed.take(file_number(2)));
    placed.close(file_number(2));
    std::ifstream from(placed_list(dir_.path() + "/last"), std::ios::binary);
    from.seekg(PlacedList::kSaltBytes);
    std::ofstream to(placed_list(dir_.path() + "/next"), std::ios::binary | std::ios::app);
    to << from.rdbuf();
    to.close();
    EXPECT_FALSE(placed.take(file_number(2)));
}

TEST_F(FilesPlaced, WhatIsKeptStandsForItUnderAnotherNumber) {
    const std::string share = dir_.path() + "/share";
    const std::string kept_path = share + "/kept";
    const std::string placed_path = share + "/placed";
    ASSERT_TRUE(real_disk().make_dirs(share));
    auto volume = Volume::open(0, {share});
    if (!volume) GTEST_SKIP() << "no file handles here: " << volume.error().what.en;
    const StoreDoors doors{real_disk(), real_clock(), random_};
    auto store = *Store::open(doors, dir_.path() + "/state");
    ASSERT_TRUE(store->add_stage(**volume, dir_.path() + "/state/stage0"));
    const auto subject = [&](const std::string& path, UniqueFd& fd) {
        fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        return Store::Subject{**volume, fd.get(), *(*volume)->key_of(fd.get()), path};
    };
    ASSERT_TRUE(real_disk().write_file(kept_path, Bytes(40000, 7)));
    UniqueFd kept_fd;
    const Store::Subject kept = subject(kept_path, kept_fd);
    ASSERT_TRUE(store->keep(kept, Cause::Commit, "somebody", Store::Effort::Bytes));
    const VersionId version = store->catalog().find(kept.key)->version;
    // Of another size it is something else.
    ASSERT_TRUE(real_disk().write_file(placed_path, Bytes(40001, 7)));
    UniqueFd placed_fd;
    Store::Subject placed = subject(placed_path, placed_fd);
    EXPECT_FALSE(store->keep_placed(placed, {placed.key, kept.key, version}, "restore"));
    EXPECT_FALSE(store->catalog().find(placed.key));
    ASSERT_EQ(::truncate(placed_path.c_str(), 40000), 0);
    ASSERT_TRUE(store->keep_placed(placed, {placed.key, kept.key, version}, "restore"));
    // … whatever becomes of that version.
    ASSERT_TRUE(store->drop(kept.key, version));
    const auto known = store->catalog().find(placed.key);
    ASSERT_TRUE(known && known->is_held && known->path == placed_path);
    Bytes read(40000);
    const auto content = store->content(placed.key, known->version, known->size);
    EXPECT_EQ(content->read_at(0, read), read.size());
    EXPECT_EQ(read, Bytes(40000, 7));
    EXPECT_FALSE(store->keep_placed(placed, {placed.key, kept.key, version}, "restore"));
}

TEST_F(FilesPlaced, IsToldNothingWhereNobodyExpectsIt) {
    EXPECT_FALSE(PlacedList::open(dir_.path(), key_number(1)));
}

}  // namespace
}  // namespace hygie::files
