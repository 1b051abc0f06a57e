#include "serve/tile_routes.h"

#include <gtest/gtest.h>

#include "sim/temp_dir.h"

namespace hygie::serve {
namespace {

constexpr std::string_view kCheckpoint =
    "example.com/log\n300\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/log "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

/// A directory that looks like a ledger of 300 entries; the server reads files and judges nothing
/// else.
class TileRoutesTest : public testing::Test {
  protected:
    TileRoutesTest() {
        write("checkpoint", kCheckpoint);
        write("log.vkey", "key\n");
        write("tile/0/000", "hashes");
        write("tile/0/001.p/44", "partial hashes");
        write("tile/entries/000", "entries");
        write("tile/entries/001.p/44", "partial entries");
        write("private/root.hyk", "secret");
        write("tile/secret", "secret");
        routes_ = std::make_unique<TileRoutes>(real_disk(), dir_ / "log");
    }

    void write(const std::string& path, std::string_view text) {
        const std::string full = dir_ / ("log/" + path);
        EXPECT_TRUE(real_disk().make_dirs(parent(full)));
        EXPECT_TRUE(real_disk().write_file(full, as_bytes(text)));
    }
    Response get(const std::string& path, const std::string& method = "GET") {
        Request request;
        request.method = method;
        request.path = path;
        return (*routes_)(request);
    }
    std::string metrics() { return std::string(as_text(get("/metrics").body)); }

    sim::TempDir dir_;
    std::unique_ptr<TileRoutes> routes_;
};

std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
        if (key == name) return value;
    return "";
}

TEST_F(TileRoutesTest, ServesTheLogAsTlogTilesAsks) {
    const Response checkpoint = get("/checkpoint");
    EXPECT_EQ(checkpoint.status, 200);
    EXPECT_EQ(checkpoint.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(header(checkpoint, "Cache-Control"), "no-cache");
    EXPECT_EQ(as_text(checkpoint.body), kCheckpoint);
    for (const auto& [path, content] :
         std::map<std::string, std::string>{{"/tile/0/000", "hashes"},
                                            {"/tile/0/001.p/44", "partial hashes"},
                                            {"/tile/entries/000", "entries"},
                                            {"/tile/entries/001.p/44", "partial entries"}}) {
        const Response tile = get(path);
        EXPECT_EQ(tile.status, 200) << path;
        EXPECT_EQ(tile.content_type, "application/octet-stream");
        EXPECT_NE(header(tile, "Cache-Control").find("immutable"), std::string::npos);
        EXPECT_EQ(as_text(tile.body), content);
    }
    EXPECT_EQ(as_text(get("/log.vkey").body), "key\n");
}

TEST_F(TileRoutesTest, ServesNothingElse) {
    for (const char* path : {"",
                             "/",
                             "/tile",
                             "/tile/",
                             "/tile/0/002",
                             "/tile/1/000",
                             "/tile/0/0",
                             "/tile/secret",
                             "/private/root.hyk",
                             "/tile/../private/root.hyk",
                             "/tile/0/../../private/root.hyk",
                             "/tile/%2e%2e/private/root.hyk",
                             "//checkpoint",
                             "/checkpoint/",
                             "/checkpoint/../private/root.hyk",
                             "/tile/entries/000/../../../private/root.hyk",
                             "/pruned",
                             "/tile/0/001.p/044",
                             "/tile/0/001.p/256",
                             "/../log/checkpoint",
                             "/tile/0/000\n",
                             "checkpoint"}) {
        const Response response = get(path);
        EXPECT_EQ(response.status, 404) << path;
        EXPECT_EQ(as_text(response.body).find("secret"), std::string::npos) << path;
    }
    const Response post = get("/checkpoint", "POST");
    EXPECT_EQ(post.status, 405);
    EXPECT_EQ(header(post, "Allow"), "GET, HEAD");
    EXPECT_EQ(get("/checkpoint", "HEAD").status, 200);
}

TEST_F(TileRoutesTest, DeniesPrunedEntriesAndKeepsTheirHashes) {
    write("pruned", "255\n");
    EXPECT_EQ(get("/tile/entries/000").status, 200) << "its last entry is still published";
    write("pruned", "256\n");
    EXPECT_EQ(get("/pruned").status, 200);
    EXPECT_EQ(get("/tile/entries/000").status, 404);
    EXPECT_EQ(get("/tile/entries/001.p/44").status, 200);
    EXPECT_EQ(get("/tile/0/000").status, 200);
}

TEST_F(TileRoutesTest, IsHealthyOnlyWithAReadableCheckpoint) {
    EXPECT_EQ(get("/healthz").status, 200);
    write("checkpoint", "not a checkpoint");
    EXPECT_EQ(get("/healthz").status, 503);
    EXPECT_TRUE(real_disk().remove(dir_ / "log/checkpoint"));
    EXPECT_EQ(get("/healthz").status, 503);
}

TEST_F(TileRoutesTest, CountsWhatItDid) {
    EXPECT_NE(metrics().find("\nhygie_http_body_bytes_total 0\n"), std::string::npos) << metrics();
    get("/tile/0/000");
    get("/tile/0/000");
    get("/tile/0/777");
    const std::string text = metrics();
    EXPECT_NE(text.find("\nhygie_log_size 300\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nhygie_log_minimum_index 0\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nhygie_http_answers_total{resource=\"tile\",code=\"200\"} 2\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\nhygie_http_answers_total{resource=\"tile\",code=\"404\"} 1\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("\nhygie_http_body_bytes_total 0\n"), std::string::npos) << text;
}

TEST_F(TileRoutesTest, SaysNothingItDoesNotKnow) {
    EXPECT_TRUE(real_disk().remove(dir_ / "log/checkpoint"));
    EXPECT_EQ(metrics().find("hygie_log_size"), std::string::npos);
}

}  // namespace
}  // namespace hygie::serve
