#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <atomic>
#include <latch>
#include <nlohmann/json.hpp>
#include <thread>

#include "access/accounts/base64url.h"
#include "access/accounts/jwt_kit.h"
#include "serve/front_kit.h"
#include "serve/id_tokens.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::json;

class OAuth : public FrontTest {
  protected:
    Response redeem(const std::string& code) { return post("/oauth/token", redemption(code)); }
    std::string code() { return sent_back(sign_in(wish())).at("code"); }
    Response records(const std::string& token) {
        return get("/fhir/Patient/1", "", {{"authorization", "Bearer " + token}});
    }
    std::string error_at_program(Form asked) {
        return sent_back(get("/oauth/authorize", spell_form(asked))).at("error");
    }
};

TEST_F(OAuth, APersonSignsInAndTheProgramGetsATokenThatWorks) {
    const Form back = sent_back(sign_in(wish()));
    EXPECT_EQ(back.at("state"), "état-1");
    EXPECT_EQ(back.at("iss"), kUrl);
    const Response answer = redeem(back.at("code"));
    ASSERT_EQ(answer.status, 200) << text(answer);
    EXPECT_EQ(header_of(answer, "Cache-Control"), "no-store");
    const Json json = Json::parse(text(answer));
    EXPECT_EQ(json["token_type"], "Bearer");
    EXPECT_EQ(json["scope"], "openid fhirUser user/*.rs");
    EXPECT_EQ(json["expires_in"], 36'000);
    EXPECT_EQ(records(json["access_token"]).status, 200);
    EXPECT_EQ(count(event::Type::SignedIn), 2U) << "the proof and the session";
}

TEST_F(OAuth, TheIdentityTokenVerifiesAgainstThePublishedKeys) {
    const Json json = Json::parse(text(redeem(code())));
    const auto jwt = access::parse_jwt(json["id_token"].get<std::string>());
    ASSERT_TRUE(jwt);
    const auto keys = access::parse_jwks(text(get("/oauth/jwks")));
    ASSERT_TRUE(keys);
    EXPECT_TRUE(access::verify_jwt(*jwt, *keys));
    const Json claims = Json::parse(jwt->payload);
    EXPECT_EQ(claims["iss"], kUrl);
    EXPECT_EQ(claims["aud"], "logiciel");
    EXPECT_EQ(claims["sub"], "anne.martin");
    EXPECT_EQ(claims["nonce"], "n-1");
    EXPECT_EQ(claims["fhirUser"], std::string(kUrl) + "/fhir/" + bench_.person().person);
}

TEST_F(OAuth, NoTraceNoToken) {
    const Filled filled = fill(wish(), "anne.martin", access::kPassphrase);
    const std::string held = code();
    ledger_is_down_ = true;
    const Response page = post("/oauth/authorize", filled.form, filled.headers);
    EXPECT_EQ(page.status, 503);
    EXPECT_EQ(header_of(page, "Location"), "");
    EXPECT_EQ(redeem(held).status, 503);
    EXPECT_EQ(sessions_->size(), 0U);
}

/// Same status, same words and the same work whether the login exists, is closed or is wrong.
TEST_F(OAuth, TellsNobodyWhichAccountsExist) {
    ASSERT_TRUE(
        accounts_->change("anne.martin", access::kNobody, "otp", [](access::Account& a) -> Status {
            a.otp_secret = Bytes(20, 1);
            return {};
        }));
    const auto page_of = [&](const std::string& login, const std::string& password) {
        const Response page = sign_in(wish(), login, password);
        EXPECT_EQ(page.status, 403);
        std::string shown = text(page);  // but for the secrets of the form
        for (const std::string field : {"csrf", "challenge"})
            for (std::size_t at = 0; (at = shown.find("name=\"" + field, at)) != std::string::npos;)
                shown.erase(at, shown.find('>', at) - at);
        return shown;
    };
    const std::string unknown = page_of("nobody.here", "wrong wrong wrong");
    EXPECT_EQ(page_of("anne.martin", "wrong wrong wrong"), unknown);
    EXPECT_EQ(page_of("anne.martin", access::kPassphrase), unknown) << "the code was missing";
    EXPECT_EQ(page_of("logiciel", "wrong wrong wrong"), unknown);
    EXPECT_EQ(count(event::Type::SignInRefused), 4U) << "each is in the ledger";
}

TEST_F(OAuth, SlowsGuessesDownAndSaysSo) {
    int waits = 0;
    for (int i = 0; i < 12; ++i) {
        const Response page = sign_in(wish(), "anne.martin", "wrong wrong wrong");
        waits += page.status == 429;
        if (page.status == 429) {
            EXPECT_NE(text(page).find("Trop d&#39;essais"), std::string::npos);
        }
    }
    EXPECT_EQ(waits, 6);
    EXPECT_EQ(count(event::Type::SignInRefused), 7U) << "the wait is told once, not repeated";
}

TEST_F(OAuth, NeverSendsAnybodyToAnAddressThatIsNotRegistered) {
    for (const char* evil :
         {"https://evil.example/", "https://logiciel.example/retour/..", "https://logiciel.example",
          "https://logiciel.example/retour?x", "https://logiciel.example.evil.example/retour",
          "https://logiciel.example/retour#", "//evil.example", "javascript:alert(1)", "",
          "https://logiciel.example/Retour"}) {
        Form asked = wish();
        asked["redirect_uri"] = evil;
        for (const Response& answer :
             {get("/oauth/authorize", spell_form(asked)), post("/oauth/authorize", asked)}) {
            EXPECT_EQ(answer.status, 400) << evil;
            EXPECT_EQ(header_of(answer, "Location"), "") << evil;
            EXPECT_EQ(text(answer).find("evil"), std::string::npos) << "nothing is reflected";
        }
    }
    Form asked = wish();
    asked["client_id"] = "anne.martin";
    EXPECT_EQ(get("/oauth/authorize", spell_form(asked)).status, 400) << "a person is no program";
}

TEST_F(OAuth, AllowsNoDowngradeOfPkce) {
    Form asked = wish();
    asked["code_challenge_method"] = "plain";
    EXPECT_EQ(error_at_program(asked), "invalid_request");
    asked.erase("code_challenge_method");
    EXPECT_EQ(error_at_program(asked), "invalid_request") << "the default is plain";
    asked = wish();
    asked.erase("code_challenge");
    EXPECT_EQ(error_at_program(asked), "invalid_request");
    asked = wish();
    asked["code_challenge"] = "short";
    EXPECT_EQ(error_at_program(asked), "invalid_request");
    for (const char* verifier : {"", kChallenge, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"}) {
        Form form = redemption(code());
        form["code_verifier"] = verifier;
        const Response refused = post("/oauth/token", form);
        EXPECT_EQ(refused.status, 400) << verifier;
        EXPECT_EQ(Json::parse(text(refused))["error"], "invalid_grant");
    }
}

TEST_F(OAuth, RefusesOtherFlowsAudiencesAndScopes) {
    Form asked = wish();
    asked["response_type"] = "token";
    EXPECT_EQ(error_at_program(asked), "unsupported_response_type");
    asked = wish();
    asked["aud"] = "https://evil.example/fhir";
    EXPECT_EQ(error_at_program(asked), "invalid_request");
    asked.erase("aud");
    EXPECT_EQ(error_at_program(asked), "invalid_request")
        << "a counterfeit server would not say it";
    asked["scope"] = "openid";
    EXPECT_EQ(get("/oauth/authorize", spell_form(asked)).status, 200);
    asked = wish();
    asked["scope"] = "patient/*.rs root";
    EXPECT_EQ(error_at_program(asked), "invalid_scope");
    asked["scope"] = "user/*.rs user/Observation.rs?subject:Patient.name=x";
    EXPECT_EQ(error_at_program(asked), "invalid_scope") << "never half kept";
    asked["scope"] = "system/*.rs";
    EXPECT_EQ(sent_back(sign_in(asked)).at("error"), "invalid_scope") << "not for a person";
    Form password = {{"grant_type", "password"},
                     {"client_id", "logiciel"},
                     {"username", "anne.martin"},
                     {"password", access::kPassphrase}};
    EXPECT_EQ(Json::parse(text(post("/oauth/token", password)))["error"], "unsupported_grant_type");
    std::string twice = spell_form(wish()) + "&redirect_uri=https%3A%2F%2Fevil.example";
    EXPECT_EQ(get("/oauth/authorize", twice).status, 400) << "a field given twice";
}

/// Two hold the code and we cannot know which is the thief.
TEST_F(OAuth, AReplayedCodeEndsWhatItsFirstUseGave) {
    const std::string held = code();
    const Json first = Json::parse(text(redeem(held)));
    EXPECT_EQ(records(first["access_token"]).status, 200);
    EXPECT_EQ(redeem(held).status, 400);
    EXPECT_EQ(records(first["access_token"]).status, 401);
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(events_.back().type, event::Type::SignInRefused);
    EXPECT_EQ(events_.back().detail.at("why"), "code replayed");
}

TEST_F(OAuth, AFloodOfStrangersFillsNoLedger) {
    const Form nobody = {{"grant_type", "client_credentials"}, {"client_id", "personne"}};
    for (int i = 0; i < 200; ++i) EXPECT_EQ(post("/oauth/token", nobody).status, 401);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(redeem("code-" + std::to_string(i)).status, 400);
    const std::size_t told = count(event::Type::SignInRefused);
    EXPECT_GE(told, 1U);
    EXPECT_LE(told, 6U);
    bench_.clock.advance(access::Throttle::kWaitMax);
    EXPECT_EQ(post("/oauth/token", nobody).status, 401);
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(events_.back().detail.at("untold"), std::to_string(400 - told));
}

/// A stranger's page can neither sign somebody in nor have our page signed in on its behalf.
TEST_F(OAuth, TakesNoFormThatIsNotItsOwn) {
    const Filled good = fill(wish(), "anne.martin", access::kPassphrase);
    const auto refused = [&](const Form& form, const Headers& headers) {
        const Response answer = post("/oauth/authorize", form, headers);
        EXPECT_EQ(header_of(answer, "Location"), "");
        return answer.status == 403;
    };
    EXPECT_TRUE(refused(good.form, {{"origin", kUrl}})) << "no cookie";
    EXPECT_TRUE(refused(good.form, {good.headers[0], {"origin", "https://evil.example"}}));
    EXPECT_TRUE(refused(good.form, {good.headers[0], {"sec-fetch-site", "cross-site"}}));
    Form other = good.form;
    other["csrf"] = std::string(32, 'A');
    EXPECT_TRUE(refused(other, good.headers));
    other.erase("csrf");
    EXPECT_TRUE(refused(other, good.headers));
    EXPECT_TRUE(refused(other, {{"cookie", "__Host-hygie-form="}}));
    EXPECT_EQ(count(event::Type::SignInRefused), 0U) << "nothing was even tried";
    EXPECT_EQ(post("/oauth/authorize", good.form, good.headers).status, 303);
}

/// Guesses that wait for their hash, or for the ledger, keep only other guesses waiting.
TEST_F(OAuth, AFloodOfGuessesDelaysNobodyWhoIsKnown) {
    std::latch stuck(1), go(1);
    std::atomic<bool> first = true;
    FrontParts slow = parts();
    slow.sink = [&](const std::vector<event::Event>& events,
                    const std::function<void(Status)>& done) {
        if (events.front().type == event::Type::SignInRefused) {
            if (first.exchange(false)) stuck.count_down();
            go.wait();
        }
        done({});
    };
    const Filled known = fill(wish(), "anne.martin", access::kPassphrase);
    const Filled guess = fill(wish(), "anne.martin", "wrong wrong wrong");
    const std::string set =
        header_of(post("/oauth/authorize", known.form, known.headers), "Set-Cookie");
    front_ = std::make_unique<Front>(std::move(slow));
    std::vector<std::jthread> guessers;
    for (int i = 0; i < 5; ++i)
        guessers.emplace_back([&] { post("/oauth/authorize", guess.form, guess.headers); });
    stuck.wait();
    Headers with_device = known.headers;
    with_device[0].second += "; " + set.substr(0, set.find(';'));
    EXPECT_EQ(post("/oauth/authorize", known.form, with_device).status, 303);
    EXPECT_EQ(post("/oauth/revoke", {{"token", "x"}}).status, 200);
    EXPECT_EQ(get("/readyz").status, 200);
    go.count_down();
}

/// What a thief plants before a sign-in is worth nothing after it.
TEST_F(OAuth, KeepsNoBrowserSessionThatCouldBeFixed) {
    const Filled planted = fill(wish(), "anne.martin", access::kPassphrase);
    const Response signed_in = post("/oauth/authorize", planted.form, planted.headers);
    ASSERT_EQ(signed_in.status, 303);
    Form later = wish();
    EXPECT_EQ(get("/oauth/authorize", spell_form(later), planted.headers).status, 200)
        << "the cookie of the form signs nobody in";
    std::vector<std::string> cookies;
    for (const auto& [name, value] : signed_in.headers)
        if (name == "Set-Cookie") cookies.push_back(value);
    ASSERT_EQ(cookies.size(), 1U);
    EXPECT_TRUE(cookies[0].starts_with("__Host-hygie-device="));
    for (const char* flag : {"; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"})
        EXPECT_NE(cookies[0].find(flag), std::string::npos);
    const Headers device{{"cookie", cookies[0].substr(0, cookies[0].find(';'))}};
    EXPECT_EQ(get("/oauth/authorize", spell_form(later), device).status, 200)
        << "nor does that of the device";
}

TEST_F(OAuth, ThePageLoadsNothingAndReflectsNothingUnescaped) {
    Form asked = wish();
    asked["state"] = "\"><script>alert(1)</script>";
    const Response page = get("/oauth/authorize", spell_form(asked));
    EXPECT_EQ(text(page).find("<script>alert"), std::string::npos);
    EXPECT_NE(text(page).find("&lt;script&gt;"), std::string::npos);
    const std::string policy = header_of(page, "Content-Security-Policy");
    const std::string shown = text(page);
    const auto hash_between = [&](const std::string& from, const std::string& until) {
        const std::size_t begin = shown.find(from) + from.size();
        const std::string inside = shown.substr(begin, shown.find(until, begin) - begin);
        std::array<std::uint8_t, 32> hash;
        SHA256(reinterpret_cast<const unsigned char*>(inside.data()), inside.size(), hash.data());
        return "'sha256-" + to_base64(hash) + "'";
    };
    EXPECT_NE(policy.find("style-src " + hash_between("<style>", "</style>")), std::string::npos);
    EXPECT_NE(policy.find("script-src " + hash_between("<script>", "</script>") + ";"),
              std::string::npos)
        << "our own script, and no other";
    EXPECT_EQ(shown.find("<script", shown.find("<script>") + 1), std::string::npos);
    EXPECT_TRUE(policy.starts_with("default-src 'none'; style-src 'sha256-")) << policy;
    EXPECT_NE(policy.find("form-action 'self' https://logiciel.example;"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    for (const char* word : {"Identifiant", "Login", "Mot de passe", "Password"})
        EXPECT_NE(shown.find(word), std::string::npos) << "both languages, side by side";
    EXPECT_EQ(header_of(page, "X-Frame-Options"), "DENY");
    EXPECT_EQ(header_of(page, "Referrer-Policy"), "same-origin");
}

TEST_F(OAuth, APatientBringsTheOwnRecordAlongAndStaffDoesNot) {
    access::Account patient = bench_.person("jean.durand", "Jean Durand");
    patient.role = access::Role::Patient;
    patient.person = "Patient/7";
    patient.sponsor = ActorId("anne.martin");
    ASSERT_TRUE(accounts_->add(patient, access::kNobody));
    ASSERT_TRUE(
        accounts_->change("logiciel", access::kNobody, "scopes", [](access::Account& a) -> Status {
            a.scopes = {"launch/patient", "patient/*.rs", "user/*.rs"};
            return {};
        }));
    Form asked = wish();
    asked["scope"] = "launch/patient patient/*.rs user/*.cruds";
    const Json own = Json::parse(text(redeem(sent_back(sign_in(asked, "jean.durand")).at("code"))));
    EXPECT_EQ(own["patient"], "7");
    EXPECT_EQ(own["scope"], "launch/patient patient/*.rs user/*.rs");
    EXPECT_EQ(own["expires_in"], 3600);
    const Json staff = Json::parse(text(redeem(sent_back(sign_in(asked)).at("code"))));
    EXPECT_FALSE(staff.contains("patient"));
    EXPECT_EQ(staff["scope"], "user/*.rs");
}

TEST_F(OAuth, ATokenEndsWhenItIsRevoked) {
    const std::string token = Json::parse(text(redeem(code())))["access_token"];
    EXPECT_EQ(post("/oauth/revoke", {{"token", token}}).status, 200);
    EXPECT_EQ(records(token).status, 401);
    EXPECT_EQ(count(event::Type::SignedOut), 1U);
    EXPECT_EQ(post("/oauth/revoke", {{"token", token}}).status, 200) << "and again";
    EXPECT_EQ(post("/oauth/revoke", {}).status, 200);
}

class Backend : public OAuth {
  protected:
    void SetUp() override {
        OAuth::SetUp();
        ASSERT_TRUE(accounts_->change("logiciel", access::kNobody, "keys",
                                      [&](access::Account& a) -> Status {
                                          a.jwks = key_.jwks();
                                          return {};
                                      }));
    }
    std::string assertion(const access::TestKey& key, const std::string& id = "1",
                          const std::string& audience = std::string(kUrl) + "/oauth/token") {
        const auto now =
            std::chrono::floor<std::chrono::seconds>(bench_.clock.now().time_since_epoch()).count();
        return key.sign(Json{
            {"iss", "logiciel"},
            {"sub", "logiciel"},
            {"aud", audience},
            {"exp", now + 60},
            {"jti", id}}.dump());
    }
    Form asked(const std::string& signed_text, const std::string& scope = "system/*.rs") {
        return {{"grant_type", "client_credentials"},
                {"scope", scope},
                {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                {"client_assertion", signed_text}};
    }
    access::TestKey key_{access::Alg::ES384};
};

TEST_F(Backend, AProgramProvesItselfByItsKey) {
    const Response answer =
        post("/oauth/token", asked(assertion(key_), "system/*.cruds user/*.rs"));
    ASSERT_EQ(answer.status, 200) << text(answer);
    const Json json = Json::parse(text(answer));
    EXPECT_EQ(json["scope"], "system/*.rs") << "its ceiling, and nothing of a person";
    EXPECT_EQ(json["expires_in"], 300);
    EXPECT_EQ(text(records(json["access_token"])), "logiciel /fhir/Patient/1\n");
    const std::scoped_lock lock(mutex_);
    EXPECT_EQ(events_.back().type, event::Type::SignedIn);
    EXPECT_EQ(events_.back().actor.auth, "key");
}

TEST_F(Backend, RefusesAndTracesEveryOtherProof) {
    const access::TestKey thief(access::Alg::ES384);
    EXPECT_EQ(post("/oauth/token", asked(assertion(thief))).status, 401);
    EXPECT_EQ(post("/oauth/token", asked(assertion(key_, "1", "https://evil.example"))).status,
              401);
    EXPECT_EQ(post("/oauth/token", asked("a.b.c")).status, 401);
    Form untyped = asked(assertion(key_, "2"));
    untyped.erase("client_assertion_type");
    EXPECT_EQ(post("/oauth/token", untyped).status, 401);
    Form named = asked(assertion(key_, "3"));
    named["client_id"] = "anne.martin";
    EXPECT_EQ(post("/oauth/token", named).status, 401);
    EXPECT_EQ(post("/oauth/token", {{"grant_type", "client_credentials"},
                                    {"client_id", "logiciel"},
                                    {"scope", "system/*.rs"}})
                  .status,
              401)
        << "a program with keys is never public";
    EXPECT_EQ(count(event::Type::SignInRefused), 6U);
    EXPECT_EQ(post("/oauth/token", asked(assertion(key_, "4"))).status, 200);
    EXPECT_EQ(post("/oauth/token", asked(assertion(key_, "4"))).status, 401) << "replayed";
    EXPECT_EQ(
        Json::parse(text(post("/oauth/token", asked(assertion(key_, "5"), "user/*.rs"))))["error"],
        "invalid_scope");
    bench_.clock.advance(std::chrono::minutes(3));
    const std::string stale = assertion(key_, "6");
    bench_.clock.advance(std::chrono::minutes(3));
    EXPECT_EQ(post("/oauth/token", asked(stale)).status, 401);
}

TEST_F(Backend, ARestartMakesNoAssertionGoodAgain) {
    const std::string held = assertion(key_);
    EXPECT_EQ(post("/oauth/token", asked(held)).status, 200);
    start_again();
    EXPECT_EQ(post("/oauth/token", asked(held)).status, 401);
    EXPECT_EQ(post("/oauth/token", asked(assertion(key_, "2"))).status, 200);
}

TEST_F(Backend, ItsCodesNeedItsKeyToo) {
    const std::string held = code();
    EXPECT_EQ(redeem(held).status, 401) << "the code alone is not enough";
    Form form = redemption(held);
    form["client_assertion"] = assertion(key_, "7");
    form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    EXPECT_EQ(post("/oauth/token", form).status, 200);
}

TEST_F(Backend, AsksWhatATokenIsWorth) {
    const auto opened = sessions_->prepare(
        {ActorId("anne.martin"), "pwd", ActorId("logiciel"), {"user/*.rs"}, access::kStaffSession});
    ASSERT_TRUE(sessions_->confirm(*opened));
    const std::string token = opened->token.reveal();
    EXPECT_EQ(post("/oauth/introspect", {{"token", token}}).status, 401) << "not for everybody";
    EXPECT_EQ(post("/oauth/introspect", {{"token", token}}, {{"authorization", "Bearer " + token}})
                  .status,
              401)
        << "nor for people";
    const std::string own =
        Json::parse(text(post("/oauth/token", asked(assertion(key_)))))["access_token"];
    const auto told = [&](const std::string& about) {
        return Json::parse(text(
            post("/oauth/introspect", {{"token", about}}, {{"authorization", "Bearer " + own}})));
    };
    const Json live = told(token);
    EXPECT_EQ(live["active"], true);
    EXPECT_EQ(live["sub"], "anne.martin");
    EXPECT_EQ(live["scope"], "user/*.rs");
    EXPECT_EQ(live["client_id"], "logiciel");
    ASSERT_TRUE(sessions_->revoke(token));
    EXPECT_EQ(told(token), Json({{"active", false}}));
    EXPECT_EQ(told("unknown"), Json({{"active", false}}));
}

}  // namespace
}  // namespace hygie::serve
