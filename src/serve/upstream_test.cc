#include "serve/upstream.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "access/accounts/codes.h"
#include "access/accounts/jwt_kit.h"
#include "host/process.h"
#include "serve/front_kit.h"
#include "sim/sim_fetch.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::json;

constexpr const char* kIssuer = "https://id.example";

/// A provider by script, which can be told to lie.
class Scripted : public FrontTest {
  protected:
    void SetUp() override {
        upstream_ = std::make_unique<Upstream>(
            fetch_, bench_.clock, bench_.random,
            UpstreamSettings{kIssuer,
                             "hygie",
                             Sensitive<std::string>("s3cret"),
                             "openid scope_all",
                             "acr_values=eidas1",
                             "psc",
                             {"Pro Santé Connect", "Pro Santé Connect"}});
        FrontTest::SetUp();
        FrontParts parts = this->parts();
        parts.upstream = upstream_.get();
        parts.organisation_of = [](const std::string& place) {
            return place == "750000001" ? std::string("Organization/hopital") : std::string();
        };
        front_ = std::make_unique<Front>(std::move(parts));
        ASSERT_TRUE(accounts_->change("anne.martin", access::kNobody, "identity",
                                      [](access::Account& a) -> Status {
                                          a.identities = {std::string(kIssuer) + " 899700218896"};
                                          return {};
                                      }));
    }
    static Result<FetchResponse> json(const Json& body, int status = 200) {
        return FetchResponse{status, "application/json", to_bytes(as_bytes(body.dump()))};
    }
    Result<FetchResponse> answer(const FetchRequest& request) {
        if (down_) return fail(Code::Unavailable, {"panne", "down"});
        const std::string path = request.url.substr(std::string(kIssuer).size());
        if (path == "/.well-known/openid-configuration")
            return json({{"issuer", kIssuer},
                         {"authorization_endpoint", std::string(kIssuer) + "/auth"},
                         {"token_endpoint", std::string(kIssuer) + "/token"},
                         {"jwks_uri", std::string(kIssuer) + "/jwks"},
                         {"userinfo_endpoint", std::string(kIssuer) + "/userinfo"}});
        if (path == "/jwks")
            return FetchResponse{200, "application/json", to_bytes(as_bytes(key_.jwks()))};
        const Form form = parse_form(as_text(request.body)).value_or(Form{});
        if (path == "/userinfo")
            return json({{"sub", userinfo_sub_},
                         {"SubjectNameID", number_},
                         {"SubjectRefPro",
                          {{"exercices",
                            {{{"codeProfession", "21"},
                              {"activities", {{{"numeroFinessSite", "750000001"}}}}}}}}}});
        EXPECT_EQ(path, "/token");
        EXPECT_EQ(field(form, "client_secret"), "s3cret");
        if (access::challenge_of(field(form, "code_verifier")) != challenge_)
            return json({{"error", "invalid_grant"}}, 400);
        const auto now =
            std::chrono::floor<std::chrono::seconds>(bench_.clock.now().time_since_epoch()).count();
        return json({{"access_token", "t"},
                     {"id_token", key_.sign(Json{{"iss", kIssuer},
                                                 {"sub", "f:1"},
                                                 {"aud", "hygie"},
                                                 {"exp", now + 60},
                                                 {"iat", now},
                                                 {"nonce", nonce_}}
                                                .dump())}});
    }
    /// Leaves for the provider as a browser would, and says what it carries.
    Response leave(const Filled& filled) {
        Form form = filled.form;
        form.erase("login");
        form.erase("password");
        Response away = post("/oauth/upstream", form, filled.headers);
        const std::string location = header_of(away, "Location");
        if (location.starts_with(kIssuer)) {
            asked_ = *parse_form(location.substr(location.find('?') + 1));
            nonce_ = asked_["nonce"];
            challenge_ = asked_["code_challenge"];
        }
        return away;
    }
    static Headers cookie_of(const Response& response) {
        const std::string set = header_of(response, "Set-Cookie");
        return {{"cookie", set.substr(0, set.find(';'))}};
    }
    Response arrive(const Form& form, const Headers& headers) {
        return get("/oauth/callback", spell_form(form), headers);
    }

    access::TestKey key_{access::Alg::RS256};
    sim::SimFetch fetch_{[this](const FetchRequest& request) { return answer(request); }};
    std::unique_ptr<Upstream> upstream_;
    bool down_ = false;
    std::string userinfo_sub_ = "f:1", number_ = "899700218896", nonce_, challenge_;
    Form asked_;
};

TEST_F(Scripted, APersonComesBackAndTheProgramGetsItsCode) {
    const Filled filled = fill(wish(), "", "");
    const Response page = get("/oauth/authorize", spell_form(wish()));
    EXPECT_TRUE(text(page).contains("action=\"/oauth/upstream\""));
    EXPECT_TRUE(header_of(page, "Content-Security-Policy").contains(" https://id.example;"));
    const Response away = leave(filled);
    ASSERT_EQ(away.status, 303) << text(away);
    EXPECT_EQ(asked_["redirect_uri"], std::string(kUrl) + "/oauth/callback");
    EXPECT_EQ(asked_["acr_values"], "eidas1");
    EXPECT_EQ(asked_["code_challenge_method"], "S256");
    const Form back =
        sent_back(arrive({{"code", "c"}, {"state", asked_["state"]}}, cookie_of(away)));
    EXPECT_EQ(back.at("state"), "état-1") << "what the program had said";
    const Json json = Json::parse(text(post("/oauth/token", redemption(back.at("code")))));
    const auto session = sessions_->find(json["access_token"].get<std::string>());
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(session->actor->id.str(), "anne.martin");
    EXPECT_EQ(session->actor->auth, "psc");
    EXPECT_EQ(session->actor->profession, "21") << "as the national directory has it";
    EXPECT_EQ(session->actor->organisation, "Organization/hopital") << "where she works today";
    EXPECT_EQ(arrive({{"code", "c"}, {"state", asked_["state"]}}, cookie_of(away)).status, 403)
        << "a state serves once";
}

TEST_F(Scripted, OnlyTheBrowserThatLeftMayArrive) {
    const Response away = leave(fill(wish(), "", ""));
    const Form answer{{"code", "c"}, {"state", asked_["state"]}};
    EXPECT_EQ(arrive(answer, {}).status, 403);
    EXPECT_EQ(arrive(answer, {{"cookie", "__Host-hygie-upstream=" + std::string(43, 'A')}}).status,
              403);
    EXPECT_EQ(arrive({{"code", "c"}, {"state", "other"}}, cookie_of(away)).status, 403);
    EXPECT_EQ(count(event::Type::SignInRefused), 3U);
    EXPECT_EQ(arrive(answer, cookie_of(away)).status, 303) << "the honest one still does";
    bench_.clock.advance(std::chrono::minutes(1));
    const Response late = leave(fill(wish(), "", ""));
    bench_.clock.advance(Upstream::kWaitMax);
    EXPECT_EQ(arrive({{"code", "c"}, {"state", asked_["state"]}}, cookie_of(late)).status, 403);
}

TEST_F(Scripted, RefusesAProviderThatLiesAndSaysWhenItIsDown) {
    const auto arrives = [&](const std::function<void()>& lie, Form more = {}) {
        const Response away = leave(fill(wish(), "", ""));
        lie();
        more.merge(Form{{"code", "c"}, {"state", asked_["state"]}});
        return arrive(more, cookie_of(away)).status;
    };
    EXPECT_EQ(arrives([&] { nonce_ = "other"; }), 403);
    EXPECT_EQ(arrives([&] { challenge_ = "other"; }), 403) << "the code was for another verifier";
    EXPECT_EQ(arrives([] {}, {{"iss", "https://evil.example"}}), 403) << "mixed up";
    EXPECT_EQ(arrives([] {}, {{"error", "access_denied"}}), 403);
    userinfo_sub_ = "f:2";
    EXPECT_EQ(arrives([] {}), 403);
    userinfo_sub_ = "f:1";
    number_ = "000000000000";
    EXPECT_EQ(arrives([] {}), 403) << "nobody's number here";
    number_ = "899700218896";
    EXPECT_EQ(arrives([] {}), 303);
    EXPECT_EQ(arrives([&] { down_ = true; }), 503);
    bench_.clock.advance(Upstream::kDiscoveryAge);
    EXPECT_EQ(leave(fill(wish(), "", "")).status, 503);
    EXPECT_EQ(sign_in(wish()).status, 303) << "passwords still work";
}

TEST_F(Scripted, ClosedAccountsStayOutByThisDoorToo) {
    ASSERT_TRUE(accounts_->change("anne.martin", access::kNobody, "disabled",
                                  [](access::Account& a) -> Status {
                                      a.disabled = true;
                                      return {};
                                  }));
    const Response away = leave(fill(wish(), "", ""));
    EXPECT_EQ(arrive({{"code", "c"}, {"state", asked_["state"]}}, cookie_of(away)).status, 403);
}

/// A real OpenID provider (tests/oidc/oidc_test starts it and says where).
TEST(UpstreamLive, SignsInWithARealProvider) {
    const char* issuer = std::getenv("HYGIE_TEST_OIDC_ISSUER");
    const char* browser = std::getenv("HYGIE_TEST_OIDC_BROWSER");
    if (!issuer || !browser) GTEST_SKIP() << "run by tests/oidc/oidc_test";
    Upstream upstream(real_fetch(), real_clock(), real_random(),
                      {issuer,
                       "hygie",
                       Sensitive<std::string>("a-secret-of-the-test"),
                       "openid",
                       "",
                       "oidc",
                       {"Test", "Test"}});
    const std::string redirect = "http://127.0.0.1:9/oauth/callback";
    const auto begun = upstream.begin({{"state", "kept"}}, redirect);
    ASSERT_TRUE(begun) << begun.error().what.en;
    // A program that follows redirects and keeps cookies, and stops at our address.
    const auto browsed = real_process().run({"node", browser, begun->address, redirect}, {}, {});
    ASSERT_TRUE(browsed);
    const std::string back(as_text(browsed->out));
    ASSERT_TRUE(back.starts_with(redirect + "?")) << back << as_text(browsed->err);
    const Form answer = *parse_form(back.substr(redirect.size() + 1));
    EXPECT_FALSE(upstream.finish(answer, "another browser", redirect));
    const auto arrived = upstream.finish(answer, begun->browser, redirect);
    ASSERT_TRUE(arrived) << arrived.error().what.en;
    EXPECT_EQ(arrived->identity.issuer, issuer);
    EXPECT_EQ(arrived->identity.subjects, (std::vector<std::string>{"f:real:1", "899700218896"}));
    EXPECT_EQ(arrived->identity.profession, "10");
    EXPECT_EQ(field(arrived->kept, "state"), "kept");
    EXPECT_FALSE(upstream.finish(answer, begun->browser, redirect)) << "once";
}

}  // namespace
}  // namespace hygie::serve
