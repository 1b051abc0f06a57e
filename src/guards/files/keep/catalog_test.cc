#include "guards/files/keep/catalog.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

FileKey file(std::uint8_t number) {
    return FileKey(0, 1, Bytes{number, 0, 0, 1});
}

Known known(const std::string& path, FileType type) {
    Known known;
    known.path = path;
    known.type = type;
    return known;
}

/// Two folders: 1 holds 11 and 12, 2 holds 21 under a name that 1 has too.
class FilesCatalog : public testing::Test {
  protected:
    void SetUp() override {
        catalog_.set(file(1), known("/s/a", FileType::Folder));
        catalog_.set(file(11), known("/s/a/x", FileType::Regular));
        catalog_.set(file(12), known("/s/a/y", FileType::Regular));
        catalog_.set(file(2), known("/s/b", FileType::Folder));
        catalog_.set(file(21), known("/s/b/x", FileType::Regular));
    }
    void expect_exchanged() {
        EXPECT_EQ(catalog_.at("/s/b"), file(1));
        EXPECT_EQ(catalog_.at("/s/b/x"), file(11));
        EXPECT_EQ(catalog_.at("/s/b/y"), file(12));
        EXPECT_EQ(catalog_.at("/s/a"), file(2));
        EXPECT_EQ(catalog_.at("/s/a/x"), file(21));
        EXPECT_FALSE(catalog_.at("/s/a/y"));
        EXPECT_EQ(catalog_.find(file(12))->path, "/s/b/y");
        EXPECT_EQ(catalog_.find(file(21))->path, "/s/a/x");
    }

    Catalog catalog_;
};

TEST_F(FilesCatalog, MovesAFolderWithAllThatIsBelow) {
    EXPECT_FALSE(catalog_.move(file(1), "/s/a", "/s/c"));
    EXPECT_EQ(catalog_.at("/s/c/y"), file(12));
    EXPECT_FALSE(catalog_.at("/s/a/y"));
    EXPECT_EQ(catalog_.at("/s/b/x"), file(21));
}

/// The kernel tells of two moves. What is deleted in either afterwards must be known there.
TEST_F(FilesCatalog, LetsTwoFoldersChangePlaces) {
    EXPECT_EQ(catalog_.move(file(1), "/s/a", "/s/b"), file(2));
    catalog_.move(file(2), "/s/b", "/s/a");
    expect_exchanged();
    EXPECT_TRUE(catalog_.remove_name(file(12), "/s/b/y"));
}

TEST_F(FilesCatalog, LetsAFolderAndAFileChangePlaces) {
    catalog_.set(file(3), known("/s/f", FileType::Regular));
    catalog_.move(file(3), "/s/f", "/s/a");
    catalog_.move(file(1), "/s/a", "/s/f");
    EXPECT_EQ(catalog_.at("/s/a"), file(3));
    EXPECT_EQ(catalog_.at("/s/f/y"), file(12));
    EXPECT_FALSE(catalog_.at("/s/a/y"));
}

TEST_F(FilesCatalog, ReadsAnExchangeFromTheJournal) {
    const auto told = [](RecordKind kind, std::uint8_t number, const std::string& path,
                         const std::string& from = "") {
        Record record;
        record.kind = kind;
        record.key = file(number);
        record.path = path;
        record.from = from;
        return record;
    };
    catalog_.apply(told(RecordKind::Gone, 2, "/s/b"));
    catalog_.apply(told(RecordKind::Moved, 1, "/s/b", "/s/a"));
    catalog_.apply(told(RecordKind::Moved, 2, "/s/a", "/s/b"));
    expect_exchanged();
}

}  // namespace
}  // namespace hygie::files
