#include "serve/front.h"

#include <gtest/gtest.h>

#include <latch>
#include <nlohmann/json.hpp>
#include <thread>

#include "serve/front_kit.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::json;

class FrontRoutes : public FrontTest {
  protected:
    std::string token() {
        const auto opened = sessions_->prepare(
            {ActorId("anne.martin"), "pwd", {}, {"user/*.rs"}, access::kStaffSession});
        EXPECT_TRUE(sessions_->confirm(*opened));
        return opened->token.reveal();
    }
    Response measured(const std::string& peer, Headers headers = {}) {
        return ask({"GET", "/metrics", "", std::move(headers), {}, peer});
    }
};

TEST_F(FrontRoutes, ShowsMeasuresToThisMachineAlone) {
    for (const std::string peer : {"127.0.0.1", "::1", "::ffff:127.0.0.1"})
        EXPECT_EQ(measured(peer).status, 200) << peer;
    EXPECT_EQ(measured("192.0.2.1").status, 401);
    EXPECT_EQ(measured("127.0.0.1", {{"x-forwarded-for", "192.0.2.1"}}).status, 401)
        << "a proxy on this machine asks for somebody else";
    EXPECT_EQ(measured("192.0.2.1", {{"authorization", "Bearer " + token()}}).status, 401)
        << "a caregiver looks after no machine";
}

/// Who types the address alone finds the way, in lines that end where French lets them.
TEST_F(FrontRoutes, LeadsPeopleToTheirPages) {
    const std::string page = text(get("/"));
    EXPECT_TRUE(page.contains("<a href=\"/my\">")) << page;
    EXPECT_TRUE(page.contains("<a href=\"/oauth/passkeys\">")) << page;
    EXPECT_TRUE(page.contains("mon dossier\xC2\xA0?")) << page;
}

TEST_F(FrontRoutes, TellsHowItIs) {
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/readyz").status, 200);
    ready_ = false;
    const Response waiting = get("/readyz");
    EXPECT_EQ(waiting.status, 503);
    EXPECT_EQ(text(waiting), "pas prêt / not ready\n");
    const std::string metrics = text(measured("127.0.0.1"));
    EXPECT_NE(metrics.find("hygie_http_answers_total{resource=\"other\",code=\"503\"} 1\n"),
              std::string::npos)
        << metrics;
    EXPECT_TRUE(metrics.ends_with("hygie_other 1\n")) << metrics;
}

TEST_F(FrontRoutes, OpensRecordsOnlyToWhoShowsALiveToken) {
    EXPECT_EQ(text(get("/fhir/metadata")), "capability\n") << "for everybody";
    for (const Headers& headers :
         {Headers{}, Headers{{"authorization", "Bearer "}},
          Headers{{"authorization", "Basic eDp5"}},
          Headers{{"authorization", "Bearer " + std::string(43, 'A')}},
          Headers{{"authorization", token()}}, Headers{{"cookie", "access_token=" + token()}}}) {
        const Response refused = get("/fhir/Patient/1", "", headers);
        EXPECT_EQ(refused.status, 401);
        EXPECT_TRUE(header_of(refused, "WWW-Authenticate").starts_with("Bearer "));
        EXPECT_EQ(Json::parse(text(refused))["resourceType"], "OperationOutcome");
    }
    EXPECT_EQ(get("/fhir/Patient/1", "access_token=" + token()).status, 401)
        << "a token in an address ends in logs";
    EXPECT_EQ(text(get("/fhir/Patient/1", "", {{"authorization", "Bearer " + token()}})),
              "anne.martin /fhir/Patient/1\n");
    EXPECT_EQ(header_of(get("/fhir/Patient/1", "", {{"authorization", "Bearer " + token()}}),
                        "Cache-Control"),
              "no-store");
    EXPECT_EQ(text(get("/fhir", "", {{"authorization", "bearer " + token()}})),
              "anne.martin /fhir\n");
    EXPECT_EQ(get("/fhirx", "", {{"authorization", "Bearer " + token()}}).status, 404);
}

TEST_F(FrontRoutes, GivesRoomForBodiesToWhoIsKnown) {
    const auto limit = [&](const std::string& path, const Headers& headers) {
        return front_->body_limit({"POST", path, "", headers, {}, ""});
    };
    const Headers known{{"authorization", "Bearer " + token()}};
    EXPECT_GE(limit("/fhir", known), 64U << 20);
    EXPECT_LE(limit("/fhir", {}), 64U << 10);
    EXPECT_LE(limit("/oauth/token", known), 64U << 10);
}

TEST_F(FrontRoutes, ServesTheLogWithoutItsPrefix) {
    EXPECT_EQ(text(get("/log/checkpoint")), "log /checkpoint\n");
    EXPECT_EQ(get("/log").status, 404);
    EXPECT_EQ(get("/nothing").status, 404);
    EXPECT_EQ(get("/oauth/token").status, 405);
    EXPECT_EQ(header_of(get("/oauth/token"), "Allow"), "POST, OPTIONS");
    EXPECT_EQ(ask({"DELETE", "/healthz", "", {}, {}, ""}).status, 405);
}

TEST_F(FrontRoutes, DescribesItselfTruthfully) {
    const Json smart = Json::parse(text(get("/fhir/.well-known/smart-configuration")));
    EXPECT_EQ(smart, Json::parse(text(get("/.well-known/smart-configuration"))));
    EXPECT_EQ(smart["issuer"], kUrl);
    EXPECT_EQ(smart["code_challenge_methods_supported"], Json::array({"S256"}));
    const Json openid = Json::parse(text(get("/.well-known/openid-configuration")));
    EXPECT_EQ(openid["issuer"], kUrl);
    for (const Json* described : {&smart, &openid})
        for (const char* name : {"authorization_endpoint", "token_endpoint", "jwks_uri",
                                 "revocation_endpoint", "introspection_endpoint"}) {
            const std::string address = (*described)[name];
            ASSERT_TRUE(address.starts_with(kUrl));
            EXPECT_NE(get(address.substr(std::string(kUrl).size())).status, 404) << address;
        }
    const Json openapi = Json::parse(text(get("/openapi.json")));
    EXPECT_EQ(openapi["openapi"], "3.1.0");
    EXPECT_GE(openapi["paths"].size(), 10U);
    for (const auto& [path, methods] : openapi["paths"].items())
        for (const auto& [method, operation] : methods.items()) {
            const Response answer = method == "get" ? get(path) : post(path, {});
            EXPECT_NE(answer.status, 404) << path;
            EXPECT_NE(answer.status, 405) << method << path;
        }
}

TEST_F(FrontRoutes, SharesAnswersOnlyWithPagesThatPeopleAreSentBackTo) {
    const auto allowed = [&](const std::string& path, const std::string& origin) {
        return header_of(get(path, "", {{"origin", origin}}), "Access-Control-Allow-Origin");
    };
    EXPECT_EQ(allowed("/fhir/metadata", "https://logiciel.example"), "https://logiciel.example");
    EXPECT_EQ(allowed("/fhir/metadata", "https://evil.example"), "");
    EXPECT_EQ(allowed("/fhir/metadata", "null"), "");
    EXPECT_EQ(allowed("/oauth/authorize", "https://logiciel.example"), "") << "never the page";
    const Response preflight =
        ask({"OPTIONS", "/fhir/Patient", "", {{"origin", "https://logiciel.example"}}, {}, ""});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(header_of(preflight, "Access-Control-Allow-Origin"), "https://logiciel.example");
    EXPECT_EQ(header_of(preflight, "Access-Control-Allow-Credentials"), "");
    EXPECT_EQ(header_of(preflight, "Allow"), "GET, HEAD, OPTIONS");
    const auto allow = [&](const std::string& path) {
        return header_of(ask({"OPTIONS", path, "", {}, {}, ""}), "Allow");
    };
    EXPECT_EQ(allow("/fhir/Nothing"), "");
    EXPECT_EQ(allow("/healthz"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(allow("/oauth/token"), "POST, OPTIONS");
    EXPECT_EQ(allow("/oauth/authorize"), "GET, HEAD, POST, OPTIONS");
    for (const std::string asked :
         {"If-Modified-Since", "Idempotency-Key", "X-Security-Context", "X-Purpose-Of-Use"})
        EXPECT_TRUE(header_of(preflight, "Access-Control-Allow-Headers").contains(asked)) << asked;
    ASSERT_TRUE(accounts_->change("logiciel", access::kNobody, "disabled",
                                  [](access::Account& a) -> Status {
                                      a.disabled = true;
                                      return {};
                                  }));
    EXPECT_EQ(allowed("/fhir/metadata", "https://logiciel.example"), "");
}

TEST_F(FrontRoutes, CompressesLongTextsForWhoAsksAndNeverThePage) {
    const Response plain = get("/openapi.json");
    const Response packed = get("/openapi.json", "", {{"accept-encoding", "br, gzip"}});
    EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip");
    EXPECT_LT(packed.body.size(), plain.body.size() / 2);
    EXPECT_EQ(packed.body[0], 0x1f);
    EXPECT_EQ(packed.body[1], 0x8b);
    EXPECT_EQ(header_of(get("/healthz", "", {{"accept-encoding", "gzip"}}), "Content-Encoding"),
              "");
    EXPECT_EQ(header_of(get("/oauth/authorize", spell_form(wish()), {{"accept-encoding", "gzip"}}),
                        "Content-Encoding"),
              "");
}

TEST_F(FrontRoutes, HandsChangesOfAccountsToTheLedgerOnce) {
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(count(event::Type::AccountChanged), 2U);
    front_.reset();  // finishes what it settles
    EXPECT_TRUE(accounts_->untraced().empty());
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(events_.front().source.str(), "front");
    EXPECT_EQ(events_.front().node.str(), "cabinet-1");
}

TEST_F(FrontRoutes, KeepsChangesOfAccountsWhileTheLedgerIsDown) {
    ledger_is_down_ = true;
    get("/readyz");
    EXPECT_EQ(accounts_->untraced().size(), 2U);
    ledger_is_down_ = false;
    get("/readyz");
    EXPECT_EQ(count(event::Type::AccountChanged), 2U);
}

/// Their callback uses the front.
TEST_F(FrontRoutes, EndsOnceTheTracesOfAccountsAreAnswered) {
    std::function<void(Status)> held;
    FrontParts late = parts();
    late.sink = [&](const std::vector<event::Event>&, const std::function<void(Status)>& done) {
        held = done;
    };
    auto front = std::make_unique<Front>(std::move(late));
    front->at(kUrl);
    ASSERT_TRUE(held) << "accounts were added";
    std::atomic<bool> answered = false;
    std::latch ending(1);
    std::thread end([&] {
        ending.count_down();
        front.reset();
        EXPECT_TRUE(answered);
    });
    ending.wait();
    for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
    answered = true;
    held({});
    end.join();
}

}  // namespace
}  // namespace hygie::serve
