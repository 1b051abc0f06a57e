#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "serve/front_kit.h"

/// What a program is allowed at the sign-in page, and how it goes on after its session.
namespace hygie::serve {
namespace {

using Json = nlohmann::json;

class Allowing : public FrontTest {
  protected:
    void SetUp() override {
        FrontTest::SetUp();
        auto opened =
            access::Refreshes::open(bench_.doors(), "state", bench_.key, *accounts_, *sessions_);
        ASSERT_TRUE(opened);
        refreshes_ = std::move(*opened);
        FrontParts more = parts();
        more.refreshes = refreshes_.get();
        more.patient_of = [](const std::string& person) {
            return person == "RelatedPerson/mere" ? "enfant" : "";
        };
        front_ = std::make_unique<Front>(std::move(more));
        ASSERT_TRUE(accounts_->change(
            "logiciel", access::kNobody, "test", [](access::Account& a) -> Status {
                for (const char* scope :
                     {"offline_access", "online_access", "launch/patient", "patient/*.cruds"})
                    a.scopes.emplace_back(scope);
                return {};
            }));
    }
    void add_patient(const std::string& login, const std::string& person) {
        access::Account account = bench_.person(login, "Louise Martin");
        account.role = access::Role::Patient;
        account.profession = "";
        account.person = person;
        account.sponsor = ActorId("anne.martin");
        ASSERT_TRUE(accounts_->add(account, access::kNobody));
    }
    static Form asking(const std::string& scope) {
        Form asked = wish();
        asked["scope"] = scope;
        return asked;
    }
    Json signed_in(const Form& asked, const std::string& login = "anne.martin") {
        const Form back = sent_back(sign_in(asked, login));
        const auto code = back.find("code");
        EXPECT_NE(code, back.end());
        if (code == back.end()) return {};
        return Json::parse(text(post("/oauth/token", redemption(code->second))));
    }
    Response refresh(const std::string& token, const std::string& scope = "",
                     const std::string& client = "logiciel") {
        Form form = {
            {"grant_type", "refresh_token"}, {"refresh_token", token}, {"client_id", client}};
        if (!scope.empty()) form["scope"] = scope;
        return post("/oauth/token", form);
    }
    bool works(const Json& answer) {
        return get("/fhir/Patient/1", "",
                   {{"authorization", "Bearer " + answer["access_token"].get<std::string>()}})
                   .status == 200;
    }
    Form answered(const Form& asked, const Form& choice) {
        Filled filled = fill(asked, "anne.martin", access::kPassphrase);
        filled.form.insert(choice.begin(), choice.end());
        return sent_back(post("/oauth/authorize", filled.form, filled.headers));
    }

    std::unique_ptr<access::Refreshes> refreshes_;
};

const std::string kWanted = "openid user/Observation.rs user/Condition.crs offline_access";

TEST_F(Allowing, ThePageSaysInWordsWhatTheProgramAsksFor) {
    const std::string page = text(get("/oauth/authorize", spell_form(asking(kWanted))));
    for (const std::string said :
         {"Logiciel du cabinet", "lire\xC2\xA0: mesures et résultats (Observation)",
          "read: measurements and results (Observation)",
          "lire, ajouter\xC2\xA0: maladies, allergies, antécédents (Condition)",
          "rester connecté même sans vous", "stay signed in even without you", "Refuser", "Refuse"})
        EXPECT_TRUE(page.contains(said)) << said << page;
    EXPECT_FALSE(
        text(get("/oauth/authorize", spell_form(asking("openid system/Group.rs user/*.rs"))))
            .contains("(Group)"))
        << "what the program may not get is not asked of anybody";
}

TEST_F(Allowing, WhatIsNotTickedIsNotGiven) {
    const Form back = answered(asking(kWanted), {{"choice", "1"},
                                                 {"allow-0", "openid"},
                                                 {"allow-1", "user/Observation.rs"},
                                                 {"allow-7", "user/*.cruds"}});
    const Json json = Json::parse(text(post("/oauth/token", redemption(back.at("code")))));
    EXPECT_EQ(json["scope"], "openid user/Observation.rs") << "nor what was never asked for";
    EXPECT_FALSE(json.contains("refresh_token"));
    EXPECT_EQ(answered(asking(kWanted), {{"choice", "1"}, {"allow-0", "openid"}}).at("error"),
              "access_denied")
        << "no token that reads nothing";
}

TEST_F(Allowing, ARefusalGoesBackWithoutAWordOfWhoItWas) {
    Filled filled = fill(asking(kWanted), "", "");
    filled.form["refuse"] = "1";
    const Form back = sent_back(post("/oauth/authorize", filled.form, filled.headers));
    EXPECT_EQ(back.at("error"), "access_denied");
    EXPECT_EQ(back.at("state"), "état-1");
    EXPECT_FALSE(back.contains("code"));
    filled.headers.clear();
    EXPECT_EQ(post("/oauth/authorize", filled.form, filled.headers).status, 403)
        << "another site's form decides nothing";
}

TEST_F(Allowing, AWrongPasswordForgetsNoChoice) {
    Filled filled = fill(asking(kWanted), "anne.martin", "wrong wrong wrong");
    filled.form["choice"] = "1";
    filled.form["allow-1"] = "user/Observation.rs";
    const std::string page = text(post("/oauth/authorize", filled.form, filled.headers));
    EXPECT_TRUE(page.contains("value=\"user/Observation.rs\" checked")) << page;
    EXPECT_TRUE(page.contains("value=\"user/Condition.crs\">")) << page;
}

TEST_F(Allowing, AsksNoPatientOfAProfessional) {
    EXPECT_EQ(sent_back(sign_in(asking("launch/patient patient/*.rs"))).at("error"),
              "invalid_scope");
}

TEST_F(Allowing, ARepresentativesProgramLearnsWhoseRecordItIs) {
    add_patient("louise.martin", "RelatedPerson/mere");
    const Json json = signed_in(asking("launch/patient patient/*.rs"), "louise.martin");
    EXPECT_EQ(json["patient"], "enfant");
}

TEST_F(Allowing, ARefreshTokenServesOnceAndEndsWhatItGaveBefore) {
    const Json first = signed_in(asking(kWanted));
    EXPECT_EQ(first["expires_in"], 3600) << "short, since it can be had again";
    const Response answer = refresh(first["refresh_token"]);
    ASSERT_EQ(answer.status, 200) << text(answer);
    const Json second = Json::parse(text(answer));
    EXPECT_EQ(second["scope"], kWanted);
    EXPECT_NE(second["refresh_token"], first["refresh_token"]);
    EXPECT_TRUE(works(second));
    EXPECT_FALSE(works(first));
    EXPECT_EQ(header_of(answer, "Cache-Control"), "no-store");
    EXPECT_FALSE(signed_in(asking("openid user/*.rs")).contains("refresh_token"))
        << "who did not ask goes on no longer than the session";
}

TEST_F(Allowing, OneThatComesBackEndsEverythingAndIsInTheLedger) {
    const Json first = signed_in(asking(kWanted));
    const Json second = Json::parse(text(refresh(first["refresh_token"])));
    ASSERT_TRUE(works(second));
    EXPECT_EQ(refresh(first["refresh_token"]).status, 400);
    EXPECT_FALSE(works(second)) << "we cannot know which of the two is the thief";
    EXPECT_EQ(refresh(second["refresh_token"]).status, 400);
    const std::scoped_lock lock(mutex_);
    const auto told = std::ranges::find_if(events_, [](const event::Event& e) {
        return e.detail.contains("why") && e.detail.at("why") == "refresh replayed";
    });
    ASSERT_NE(told, events_.end());
    EXPECT_EQ(told->actor.id.str(), "anne.martin");
}

/// RFC 6749 §4.1.2: all that was given for the code ends, what was refreshed since, too.
TEST_F(Allowing, AReplayedCodeEndsWhatWasRefreshedMeanwhile) {
    const std::string code = sent_back(sign_in(asking(kWanted)))["code"];
    const Json first = Json::parse(text(post("/oauth/token", redemption(code))));
    const Json second = Json::parse(text(refresh(first["refresh_token"])));
    const Json third = Json::parse(text(refresh(second["refresh_token"])));
    ASSERT_TRUE(works(third));
    EXPECT_EQ(post("/oauth/token", redemption(code)).status, 400);
    EXPECT_FALSE(works(third)) << "the first to use a code may have been the thief";
    EXPECT_EQ(refresh(third["refresh_token"]).status, 400);
}

TEST_F(Allowing, LessMayBeAskedForAndNeverMore) {
    const Json first = signed_in(asking(kWanted));
    const Json less =
        Json::parse(text(refresh(first["refresh_token"], "openid user/Observation.r")));
    EXPECT_EQ(less["scope"], "openid user/Observation.r");
    EXPECT_EQ(refresh(less["refresh_token"], "user/Patient.cruds").status, 400);
    const Json whole = Json::parse(text(refresh(less["refresh_token"])));
    EXPECT_EQ(whole["scope"], kWanted) << "what was allowed stays allowed";
    // The program may have less by now.
    ASSERT_TRUE(
        accounts_->change("logiciel", access::kNobody, "test", [](access::Account& a) -> Status {
            a.scopes = {"openid", "user/Observation.rs"};
            return {};
        }));
    EXPECT_EQ(Json::parse(text(refresh(whole["refresh_token"])))["scope"],
              "openid user/Observation.rs");
}

TEST_F(Allowing, NoTraceNoRefreshAndTheTokenIsNotUsedUp) {
    const Json first = signed_in(asking(kWanted));
    ledger_is_down_ = true;
    EXPECT_EQ(refresh(first["refresh_token"]).status, 503);
    ledger_is_down_ = false;
    EXPECT_EQ(refresh(first["refresh_token"]).status, 200);
}

TEST_F(Allowing, NobodyWhoseSessionsWereEndedComesBack) {
    Json json = signed_in(asking(kWanted));
    ASSERT_TRUE(sessions_->revoke_account(ActorId("anne.martin")));
    EXPECT_EQ(refresh(json["refresh_token"]).status, 400);
    json = signed_in(asking(kWanted));
    ASSERT_TRUE(
        accounts_->change("anne.martin", access::kNobody, "test", [](access::Account& a) -> Status {
            a.disabled = true;
            return {};
        }));
    EXPECT_EQ(refresh(json["refresh_token"]).status, 400);
}

TEST_F(Allowing, RevokingEitherTokenEndsBoth) {
    Json json = signed_in(asking(kWanted));
    EXPECT_EQ(post("/oauth/revoke", {{"token", json["refresh_token"]}}).status, 200);
    EXPECT_FALSE(works(json));
    EXPECT_EQ(refresh(json["refresh_token"]).status, 400);
    json = signed_in(asking(kWanted));
    EXPECT_EQ(post("/oauth/revoke", {{"token", json["access_token"]}}).status, 200);
    EXPECT_EQ(refresh(json["refresh_token"]).status, 400);
    EXPECT_EQ(count(event::Type::SignedOut), 2U);
}

TEST_F(Allowing, APatientsTelephoneGoesOnForWeeksAndAProfessionalsForADay) {
    add_patient("louise.martin", "Patient/7");
    Json patient = signed_in(asking("launch/patient patient/*.rs offline_access"), "louise.martin");
    Json carer = signed_in(asking(kWanted));
    bench_.clock.advance(std::chrono::hours(11));
    EXPECT_EQ(refresh(carer["refresh_token"]).status, 400);
    for (int week = 0; week < 12; ++week) {
        patient = Json::parse(text(refresh(patient["refresh_token"])));
        ASSERT_TRUE(patient.contains("refresh_token")) << week;
        bench_.clock.advance(std::chrono::days(7));
    }
    bench_.clock.advance(std::chrono::days(7));
    EXPECT_EQ(refresh(patient["refresh_token"]).status, 400) << "ninety days, used or not";
}

}  // namespace
}  // namespace hygie::serve
