#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/otp.h"
#include "access/accounts/passkey_kit.h"
#include "serve/front_kit.h"

namespace hygie::serve {
namespace {

using Says = access::TestAuthenticator::Says;

/// What a browser without windows would send, with a key in software.
class FrontPasskeys : public FrontTest {
  protected:
    static std::string value_of(const std::string& page, const std::string& name) {
        const std::string mark = "name=\"" + name + "\" value=\"";
        const std::size_t from = page.find(mark);
        if (from == std::string::npos) return "";
        return page.substr(from + mark.size(),
                           page.find('"', from + mark.size()) - from - mark.size());
    }
    /// The form of a page of ours, and the cookie that goes with it.
    static Filled filled(const Response& page) {
        const std::string shown = text(page);
        const std::string set = header_of(page, "Set-Cookie");
        return {{{"csrf", value_of(shown, "csrf")}, {"challenge", value_of(shown, "challenge")}},
                {{"cookie", set.substr(0, set.find(';'))}, {"origin", kUrl}}};
    }
    /// The page that a password opens.
    Filled own_page(const std::string& password = access::kPassphrase) {
        Filled asked = filled(get("/oauth/passkeys"));
        asked.form["login"] = "anne.martin";
        asked.form["password"] = password;
        const Response page = post("/oauth/passkeys", asked.form, asked.headers);
        EXPECT_EQ(page.status, 200) << text(page);
        Filled own = filled(page);
        own.form["login"] = "anne.martin";
        return own;
    }
    Response add(Filled own, const access::TestAuthenticator& key) {
        const auto made = key.create(key.creation(own.form["challenge"]));
        own.form["key_client"] = access::to_base64url(made.client_data);
        own.form["key_data"] = access::to_base64url(made.authenticator_data);
        own.form["key"] = access::to_base64url(made.key);
        own.form["key_alg"] = std::to_string(access::cose_number(made.alg));
        return post("/oauth/passkeys/add", own.form, own.headers);
    }
    /// Signs in by the key at the page of the program.
    Response prove(
        const access::TestAuthenticator& key, std::uint32_t counter,
        const std::function<void(Filled&, Says&)>& change = [](Filled&, Says&) {}) {
        Filled asked = filled(get("/oauth/authorize", spell_form(wish())));
        Says says = key.assertion(asked.form["challenge"], counter);
        change(asked, says);
        const auto made = key.sign(says);
        asked.form.merge(Form(wish()));
        asked.form["login"] = asked.form["password"] = "";
        asked.form["key_id"] = access::to_base64url(made.id);
        asked.form["key_client"] = access::to_base64url(made.client_data);
        asked.form["key_data"] = access::to_base64url(made.authenticator_data);
        asked.form["key_signature"] = access::to_base64url(made.signature);
        return post("/oauth/authorize", asked.form, asked.headers);
    }
    std::size_t kept() { return accounts_->find("anne.martin")->passkeys.size(); }

    access::TestAuthenticator key_;
};

TEST_F(FrontPasskeys, AreRegisteredAfterAProofAndThenSignIn) {
    const Response added = add(own_page(), key_);
    ASSERT_EQ(added.status, 200) << text(added);
    EXPECT_EQ(accounts_->find("anne.martin")->recovery.size(), access::kRecoveryCodes);
    const Form back = sent_back(prove(key_, 2));
    const auto json =
        nlohmann::json::parse(text(post("/oauth/token", redemption(back.at("code")))));
    const auto session = sessions_->find(json["access_token"].get<std::string>());
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(session->actor->id.str(), "anne.martin");
    EXPECT_EQ(session->actor->auth, "passkey");
    EXPECT_EQ(prove(key_, 2).status, 403) << "a copy counts the same";
    EXPECT_EQ(prove(access::TestAuthenticator(), 9).status, 403) << "a key nobody registered";
    EXPECT_EQ(count(event::Type::SignInRefused), 2U);
    EXPECT_EQ(sign_in(wish()).status, 403) << "a password is half of it now";
}

TEST_F(FrontPasskeys, AnswerOnlyTheQuestionOfTheirOwnPage) {
    ASSERT_EQ(add(own_page(), key_).status, 200);
    const Filled other = filled(get("/oauth/authorize", spell_form(wish())));
    EXPECT_EQ(prove(key_, 2,
                    [&](Filled& asked, Says& says) {
                        asked.form["challenge"] = says.challenge = other.form.at("challenge");
                    })
                  .status,
              403)
        << "that of another page";
    EXPECT_EQ(prove(key_, 3, [](Filled&, Says& says) { says.challenge = "AAAA"; }).status, 403);
    EXPECT_EQ(
        prove(key_, 4, [](Filled&, Says& says) { says.origin = "https://evil.example"; }).status,
        403);
    EXPECT_EQ(prove(key_, 5, [](Filled&, Says& says) { says.flags = 4; }).status, 403);
    EXPECT_EQ(prove(key_, 6, [](Filled&, Says& says) { says.flags = 1; }).status, 403)
        << "a touch alone";
    EXPECT_EQ(prove(key_, 7,
                    [&](Filled&, Says&) { bench_.clock.advance(access::PasskeyChallenges::kLife); })
                  .status,
              403)
        << "too late";
    EXPECT_EQ(prove(key_, 8).status, 303);
}

TEST_F(FrontPasskeys, NobodyRegistersOneForSomebodyElse) {
    access::Account other = bench_.person("paul.petit", "Paul Petit");
    other.sponsor = ActorId("anne.martin");
    ASSERT_TRUE(accounts_->add(other, access::kNobody));
    Filled own = own_page();
    own.form["login"] = "paul.petit";
    EXPECT_EQ(add(own, key_).status, 403);
    own = own_page();
    own.headers[0].second = "__Host-hygie-form=" + std::string(32, 'A');
    EXPECT_EQ(add(own, key_).status, 403) << "another browser";
    own = own_page();
    own.headers[1].second = "https://evil.example";
    EXPECT_EQ(add(own, key_).status, 403);
    own = own_page();
    bench_.clock.advance(access::PasskeyChallenges::kLife);
    EXPECT_EQ(add(own, key_).status, 403) << "the page was left open";
    own = own_page();
    ASSERT_TRUE(accounts_->change("anne.martin", access::kNobody, "password",
                                  [](access::Account& a) -> Status {
                                      ++a.epoch;
                                      return {};
                                  }));
    EXPECT_EQ(add(own, key_).status, 403) << "all was ended meanwhile";
    EXPECT_EQ(kept(), 0U);
    own = own_page();
    EXPECT_EQ(add(own, key_).status, 200);
    EXPECT_EQ(add(own, access::TestAuthenticator()).status, 403) << "a ticket serves once";
    EXPECT_EQ(kept(), 1U);
    EXPECT_EQ(accounts_->find("paul.petit")->passkeys.size(), 0U);
}

TEST_F(FrontPasskeys, AreTakenAwayByTheirOwner) {
    ASSERT_EQ(add(own_page(), key_).status, 200);
    Filled asked = filled(get("/oauth/passkeys"));
    const auto made = key_.sign(key_.assertion(asked.form["challenge"], 2));
    asked.form["key_id"] = access::to_base64url(made.id);
    asked.form["key_client"] = access::to_base64url(made.client_data);
    asked.form["key_data"] = access::to_base64url(made.authenticator_data);
    asked.form["key_signature"] = access::to_base64url(made.signature);
    const Response page = post("/oauth/passkeys", asked.form, asked.headers);
    ASSERT_EQ(page.status, 200) << text(page);
    EXPECT_TRUE(text(page).contains("data-known=\"" + access::to_base64url(key_.id()) + "\""));
    Filled own = filled(page);
    own.form["login"] = "anne.martin";
    own.form["id"] = access::to_base64url(key_.id());
    EXPECT_EQ(post("/oauth/passkeys/remove", own.form, own.headers).status, 200);
    EXPECT_EQ(kept(), 0U);
    EXPECT_EQ(post("/oauth/passkeys/remove", own.form, own.headers).status, 403);
}

TEST_F(FrontPasskeys, AreNotOfferedAtAnAddressOfNumbers) {
    front_->at("https://192.0.2.1:8443");
    EXPECT_EQ(get("/oauth/passkeys").status, 404);
    Form asked = wish();
    asked["aud"] = "https://192.0.2.1:8443/fhir";
    const Response page = get("/oauth/authorize", spell_form(asked));
    EXPECT_EQ(page.status, 200);
    EXPECT_FALSE(text(page).contains("<script"));
}

}  // namespace
}  // namespace hygie::serve
