#include "ledger/tree/log_reader.h"

#include <gtest/gtest.h>

#include "ledger/proofs/memory_log.h"
#include "sim/temp_dir.h"

namespace hygie::ledger {
namespace {

using namespace memory;

/// Answers with what each test sets.
class Answers final : public Fetch {
  public:
    Result<FetchResponse> fetch(const FetchRequest& request) override {
        ++asked;
        last = request;
        return answer;
    }
    Result<FetchResponse> answer;
    FetchRequest last;
    int asked = 0;
};

Result<std::vector<ByteView>> split(const Bytes& bytes, std::size_t width) {
    std::vector<ByteView> entries;
    TRY_STATUS(split_bundle(bytes, width, entries));
    return entries;
}

TEST(LogReader, BundlesAreCutExactly) {
    EXPECT_EQ(as_text(split({0, 1, 'a', 0, 0, 0, 2, 'b', 'c'}, 3)->at(2)), "bc");
    EXPECT_TRUE(split({}, 0));
    for (const auto& [bytes, width] :
         std::vector<std::pair<Bytes, std::size_t>>{{{}, 1},
                                                    {{0}, 1},
                                                    {{0, 1}, 1},
                                                    {{0, 0, 0}, 1},
                                                    {{0, 1, 'a'}, 2},
                                                    {{0, 1, 'a', 0, 0}, 1},
                                                    {{255, 255, 'a'}, 1}})
        EXPECT_EQ(split(bytes, width).error().code, Code::Corrupt);
}

TEST(LogReader, TilesHaveTheirExactSize) {
    Chance chance(1);
    const auto entries = honest_entries(300, chance);
    Files files = tree_files(entries);
    FilesReader reader(files);
    EXPECT_EQ(read_tile(reader, {0, 1, 44})->size(), 44u);
    EXPECT_EQ(read_tile(reader, {0, 0, 7})->size(), 7u) << "the front of the full tile";
    EXPECT_EQ(read_tile(reader, {0, 2, 7}).error().code, Code::NotFound);
    EXPECT_EQ(read_bundle(reader, {1, 44})->entries.size(), 44u);
    EXPECT_TRUE(std::ranges::equal(read_bundle(reader, {0, 9})->entries[8], entries[8]));
    files["tile/0/001.p/44"].pop_back();
    EXPECT_EQ(read_tile(reader, {0, 1, 44}).error().code, Code::Corrupt);
    files["tile/0/000"].push_back(0);
    EXPECT_FALSE(read_tile(reader, {0, 0, 256}));
    files["tile/entries/000"].push_back(0);
    EXPECT_EQ(read_bundle(reader, {0, 9}).error().code, Code::Corrupt)
        << "also beyond what is needed";
}

TEST(LogReader, ReadsADirectory) {
    const sim::TempDir dir;
    DirReader reader(real_disk(), dir.path());
    ASSERT_TRUE(real_disk().make_dirs(dir / "tile/0"));
    ASSERT_TRUE(real_disk().write_file(dir / "tile/0/000.p", Bytes{1, 2, 3}));
    EXPECT_EQ(reader.read("tile/0/000.p", 3).value(), (Bytes{1, 2, 3}));
    EXPECT_EQ(reader.read("tile/0/000.p", 2).error().code, Code::Full);
    EXPECT_EQ(reader.read("tile/0/001", 3).error().code, Code::NotFound);
    EXPECT_EQ(reader.read("checkpoint", 3).error().code, Code::NotFound);
}

TEST(LogReader, TheMinimumIndexIsOneNumber) {
    Files files;
    FilesReader reader(files);
    EXPECT_EQ(read_minimum_index(reader).value(), 0u);
    files["pruned"] = to_bytes(as_bytes("512\n"));
    EXPECT_EQ(read_minimum_index(reader).value(), 512u);
    for (const char* bad :
         {"", "512", "0512\n", "-1\n", "512\n\n", "x\n", "9999999999999999999999999999\n"}) {
        files["pruned"] = to_bytes(as_bytes(bad));
        EXPECT_EQ(read_minimum_index(reader).error().code, Code::Corrupt) << bad;
    }
}

TEST(LogReader, ReadsOverHttpAndGivesUp) {
    Answers http;
    HttpReader reader(http, "http://log.example/prefix");
    http.answer = FetchResponse{200, "", {1, 2}};
    EXPECT_EQ(reader.read("tile/0/000", 8).value(), (Bytes{1, 2}));
    EXPECT_EQ(http.last.url, "http://log.example/prefix/tile/0/000");
    EXPECT_EQ(http.last.response_bytes_max, 8u);
    EXPECT_EQ(http.asked, 1);
    for (const auto& [status, code, asked] : {std::tuple{404, Code::NotFound, 1},
                                              {410, Code::NotFound, 1},
                                              {403, Code::Unavailable, 1},
                                              {302, Code::Unavailable, 1},
                                              {503, Code::Unavailable, 3}}) {
        http.asked = 0;
        http.answer = FetchResponse{status, "", {}};
        EXPECT_EQ(reader.read("checkpoint", 8).error().code, code);
        EXPECT_EQ(http.asked, asked);
    }
    http.asked = 0;
    http.answer = fail(Code::Unavailable, {"", ""});
    EXPECT_EQ(reader.read("checkpoint", 8).error().code, Code::Unavailable);
    EXPECT_EQ(http.asked, 3);
    http.answer = fail(Code::Full, {"", ""});
    EXPECT_EQ(reader.read("checkpoint", 8).error().code, Code::Full);
    EXPECT_EQ(http.asked, 4);
}

}  // namespace
}  // namespace hygie::ledger
