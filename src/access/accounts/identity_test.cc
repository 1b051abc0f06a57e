#include "access/accounts/identity.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "access/accounts/access_kit.h"
#include "access/accounts/jwt_kit.h"

namespace hygie::access {
namespace {

using Json = nlohmann::json;

constexpr const char* kIssuer = "https://id.example/realms/sante";

Json discovery() {
    return {{"issuer", kIssuer},
            {"authorization_endpoint", "https://id.example/auth"},
            {"token_endpoint", "https://id.example/token"},
            {"jwks_uri", "https://id.example/jwks"},
            {"userinfo_endpoint", "https://id.example/userinfo"}};
}

class IdentityTest : public testing::Test {
  protected:
    Json claims() {
        const auto now =
            std::chrono::floor<std::chrono::seconds>(bench_.clock.now().time_since_epoch()).count();
        return {{"iss", kIssuer},  {"sub", "f:1"}, {"aud", "hygie"},
                {"exp", now + 60}, {"iat", now},   {"nonce", "n-1"}};
    }
    Result<Identity> judge(const Json& said) {
        const auto jwt = parse_jwt(key_.sign(said.dump()));
        if (!jwt) return std::unexpected(jwt.error());
        return judge_id_token(*jwt, *parse_jwks(key_.jwks()),
                              *parse_discovery(discovery().dump(), kIssuer), "hygie", "n-1",
                              bench_.clock.now());
    }
    Code refusal(const std::function<void(Json&)>& edit) {
        Json said = claims();
        edit(said);
        const auto judged = judge(said);
        EXPECT_FALSE(judged) << said.dump();
        return judged ? Code::Io : judged.error().code;
    }

    Bench bench_;
    TestKey key_{Alg::RS256};
};

TEST_F(IdentityTest, ReadsTheTokenOfAProvider) {
    const auto identity = judge(claims());
    ASSERT_TRUE(identity) << identity.error().what.en;
    EXPECT_EQ(identity->issuer, kIssuer);
    EXPECT_EQ(identity->subjects, std::vector<std::string>{"f:1"});
    Json many = claims();
    many["aud"] = {"hygie", "other"};
    many["azp"] = "hygie";
    EXPECT_TRUE(judge(many));
}

TEST_F(IdentityTest, RefusesAProviderThatLies) {
    EXPECT_EQ(refusal([](Json& c) { c["iss"] = "https://evil.example"; }), Code::Forged);
    EXPECT_EQ(refusal([](Json& c) { c["aud"] = "other"; }), Code::Forged);
    EXPECT_EQ(refusal([](Json& c) { c["aud"] = {"hygie", "other"}; }), Code::Forged) << "no azp";
    EXPECT_EQ(refusal([](Json& c) { c["azp"] = "other"; }), Code::Forged);
    EXPECT_EQ(refusal([](Json& c) { c["nonce"] = "n-2"; }), Code::Forged) << "of another sign-in";
    EXPECT_EQ(refusal([](Json& c) { c.erase("nonce"); }), Code::Forged);
    EXPECT_EQ(refusal([](Json& c) { c["sub"] = ""; }), Code::Forged);
    EXPECT_EQ(refusal([](Json& c) { c["exp"] = c["iat"].get<std::int64_t>() - 61; }), Code::Stale);
    EXPECT_EQ(refusal([](Json& c) { c["iat"] = c["exp"].get<std::int64_t>() + 10; }), Code::Stale);
    const TestKey thief(Alg::RS256);
    const auto forged = parse_jwt(thief.sign(claims().dump()));
    EXPECT_EQ(judge_id_token(*forged, *parse_jwks(key_.jwks()),
                             *parse_discovery(discovery().dump(), kIssuer), "hygie", "n-1",
                             bench_.clock.now())
                  .error()
                  .code,
              Code::Forged);
}

TEST_F(IdentityTest, RefusesADescriptionOfAnotherOrInTheClear) {
    const auto refused = [](const std::function<void(Json&)>& edit) {
        Json json = discovery();
        edit(json);
        return !parse_discovery(json.dump(), kIssuer);
    };
    EXPECT_FALSE(refused([](Json&) {}));
    EXPECT_TRUE(refused([](Json& d) { d["issuer"] = "https://evil.example"; }));
    EXPECT_TRUE(refused([](Json& d) { d["issuer"] = std::string(kIssuer) + "/"; }));
    EXPECT_TRUE(refused([](Json& d) { d["token_endpoint"] = "http://id.example/token"; }));
    EXPECT_TRUE(refused([](Json& d) { d["userinfo_endpoint"] = "ftp://id.example"; }));
    EXPECT_TRUE(refused([](Json& d) { d.erase("jwks_uri"); }));
    EXPECT_FALSE(parse_discovery("[]", kIssuer));
    EXPECT_FALSE(parse_discovery("{", kIssuer));
}

/// The shape that the national agency documents for Pro Santé Connect.
TEST_F(IdentityTest, TakesProfessionAndPlaceFromProSanteConnect) {
    Identity identity = *judge(claims());
    ASSERT_TRUE(add_userinfo(identity, R"({"sub":"f:1","SubjectNameID":"899700218896",
        "SubjectRole":["10^1.2.250.1.213.1.1.5.5"],
        "SubjectRefPro":{"codeCivilite":"M","exercices":[{"codeProfession":"10",
        "codeCategorieProfessionnelle":"C","activities":[{"codeModeExercice":"L",
        "codeSecteurDactivite":"SA07","numeroFinessSite":"750000001"}]}]}})"));
    EXPECT_EQ(identity.subjects, (std::vector<std::string>{"f:1", "899700218896"}));
    EXPECT_EQ(identity.profession, "10");
    EXPECT_EQ(identity.organisation, "750000001");
    Identity other = *judge(claims());
    EXPECT_FALSE(add_userinfo(other, R"({"sub":"f:2","SubjectNameID":"899700218896"})"))
        << "the answer about somebody else";
    EXPECT_FALSE(add_userinfo(other, R"({"SubjectNameID":"899700218896"})"));
    EXPECT_TRUE(add_userinfo(other, R"({"sub":"f:1","SubjectRefPro":{"exercices":[]}})"));
    EXPECT_TRUE(add_userinfo(
        other, R"({"sub":"f:1","SubjectRefPro":{"exercices":[{"codeProfession":"<script>"}]}})"));
    EXPECT_EQ(other.profession, "");
}

}  // namespace
}  // namespace hygie::access
