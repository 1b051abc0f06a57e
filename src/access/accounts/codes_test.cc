#include "access/accounts/codes.h"

#include <gtest/gtest.h>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

const ActorId kClient{"logiciel"};
constexpr const char* kRedirect = "https://logiciel.example/retour";
/// RFC 7636 appendix B.
constexpr const char* kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr const char* kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

class CodesTest : public testing::Test {
  protected:
    std::string make() {
        return *codes_.make(
            {ActorId("anne.martin"), "otp", kClient, kRedirect, kChallenge, {}, ""});
    }
    Bench bench_;
    Codes codes_{bench_.clock, bench_.random};
};

TEST_F(CodesTest, KnowsTheVectorOfTheStandard) {
    EXPECT_EQ(challenge_of(kVerifier), kChallenge);
    EXPECT_TRUE(is_challenge(kChallenge));
    EXPECT_TRUE(is_verifier(kVerifier));
    for (const char* bad : {"", "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=",
                            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"})
        EXPECT_FALSE(is_challenge(bad)) << bad;
    EXPECT_FALSE(is_verifier(std::string(42, 'a')));
    EXPECT_FALSE(is_verifier(std::string(129, 'a')));
    EXPECT_FALSE(is_verifier(std::string(42, 'a') + " "));
}

TEST_F(CodesTest, GivesItsGrantOnceAndNamesWhatAThiefTook) {
    const std::string code = make();
    const auto spent = codes_.spend(code, kClient, kRedirect, kVerifier);
    ASSERT_TRUE(spent);
    EXPECT_EQ(spent->grant.login.str(), "anne.martin");
    EXPECT_TRUE(spent->stolen_session.empty());
    EXPECT_TRUE(codes_.gave(code, "session-1"));
    const auto replayed = codes_.spend(code, kClient, kRedirect, kVerifier);
    ASSERT_TRUE(replayed);
    EXPECT_TRUE(replayed->grant.login.empty());
    EXPECT_EQ(replayed->stolen_session, "session-1");
}

TEST_F(CodesTest, TellsTheFirstUserOfAReplayThatCameBeforeHisSessionWasKnown) {
    const std::string code = make();
    ASSERT_TRUE(codes_.spend(code, kClient, kRedirect, kVerifier));
    const auto replayed = codes_.spend(code, kClient, kRedirect, kVerifier);
    ASSERT_TRUE(replayed);
    EXPECT_TRUE(replayed->stolen_session.empty()) << "not known yet";
    EXPECT_FALSE(codes_.gave(code, "session-1")) << "so the first user must end it";
}

TEST_F(CodesTest, IsSpentByAnyWrongUse) {
    const auto wrong = [&](const ActorId& client, const char* redirect, const char* verifier) {
        const std::string code = make();
        const auto refused = codes_.spend(code, client, redirect, verifier);
        EXPECT_FALSE(refused);
        const auto later = codes_.spend(code, kClient, kRedirect, kVerifier);
        EXPECT_TRUE(!later || later->grant.login.empty()) << "it must not serve again";
    };
    wrong(ActorId("autre"), kRedirect, kVerifier);
    wrong(kClient, "https://logiciel.example/retour2", kVerifier);
    wrong(kClient, kRedirect, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX");
    wrong(kClient, kRedirect, "");
    wrong(kClient, kRedirect, kChallenge);  // the method "plain" is a downgrade
    EXPECT_FALSE(codes_.spend("unknown", kClient, kRedirect, kVerifier));
}

TEST_F(CodesTest, LivesAMinute) {
    const std::string late = make(), timely = make();
    bench_.clock.advance(Codes::kCodeLife - Micros(1));
    EXPECT_TRUE(codes_.spend(timely, kClient, kRedirect, kVerifier));
    bench_.clock.advance(Micros(1));
    EXPECT_FALSE(codes_.spend(late, kClient, kRedirect, kVerifier));
}

TEST_F(CodesTest, HoldsABoundedNumber) {
    for (std::size_t i = 0; i < Codes::kCodesMax; ++i) make();
    const auto full = codes_.make({});
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::Full);
    bench_.clock.advance(Codes::kCodeLife);
    EXPECT_TRUE(codes_.make({}));
}

}  // namespace
}  // namespace hygie::access
