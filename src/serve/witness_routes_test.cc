#include "serve/witness_routes.h"

#include <gtest/gtest.h>

#include "host/fetch.h"
#include "ledger/tree/checkpoint.h"
#include "sim/temp_dir.h"

namespace hygie::serve {
namespace {

ledger::NoteSigner signer(const std::string& name, ledger::KeyType type, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return {name, type, crypto::SigningKey::from_seed(crypto::Secret32(bytes))};
}

/// A witness of one log, served on a free port.
class WitnessRoutes : public testing::Test {
  protected:
    WitnessRoutes() {
        auto witness =
            ledger::Witness::open(real_disk(), real_clock(), dir_.path(),
                                  signer("example.com/witness", ledger::KeyType::Cosignature, 1),
                                  {ledger::Policy::Log{log_.verifier(), ""}});
        EXPECT_TRUE(witness) << witness.error().what.en;
        witness_ = std::move(*witness);
        HttpOptions options;
        options.limits = witness_limits();
        auto server = HttpServer::start(options, real_clock(), witness_routes(*witness_));
        EXPECT_TRUE(server) << server.error().what.en;
        server_ = std::move(*server);
    }

    FetchResponse ask(const std::string& method, const std::string& path,
                      std::string_view body = "") {
        FetchRequest request;
        request.method = method;
        request.url = server_->url() + path;
        request.body = to_bytes(as_bytes(body));
        const Result<FetchResponse> response = real_fetch().fetch(request);
        EXPECT_TRUE(response) << response.error().what.en;
        return response.value_or(FetchResponse{});
    }

    sim::TempDir dir_;
    ledger::NoteSigner log_ = signer("example.com/log", ledger::KeyType::Ed25519, 2);
    std::unique_ptr<ledger::Witness> witness_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(WitnessRoutes, CosignsOverHttpAndTellsAMonitor) {
    const ledger::SignedCheckpoint checkpoint = ledger::sign_checkpoint(
        {.origin = "example.com/log", .size = 1, .root = {}, .extensions = {}}, log_);
    const FetchResponse signed_by_witness =
        ask("POST", "/add-checkpoint", "old 0\n\n" + checkpoint.encode());
    ASSERT_EQ(signed_by_witness.status, 200) << as_text(signed_by_witness.body);
    EXPECT_TRUE(as_text(signed_by_witness.body).starts_with("— example.com/witness "));

    const FetchResponse behind = ask("POST", "/add-checkpoint", "old 0\n\n" + checkpoint.encode());
    EXPECT_EQ(behind.status, 409);
    EXPECT_EQ(behind.content_type, "text/x.tlog.size");
    EXPECT_EQ(as_text(behind.body), "1\n");

    const std::string hash = to_hex(crypto::sha256(as_bytes("example.com/log")));
    const FetchResponse seen = ask("GET", "/" + hash + "/checkpoint");
    EXPECT_EQ(seen.status, 200);
    EXPECT_TRUE(as_text(seen.body).starts_with("example.com/log\n1\n"));
}

TEST_F(WitnessRoutes, RefusesTheRest) {
    EXPECT_EQ(ask("POST", "/add-checkpoint", "hello").status, 400);
    EXPECT_EQ(ask("GET", "/add-checkpoint").status, 405);
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("POST", "/add-checkpoint", std::string(ledger::kWitnessRequestBytesMax + 1, 'x'))
                  .status,
              413);
}

}  // namespace
}  // namespace hygie::serve
