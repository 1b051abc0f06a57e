#include "access/accounts/passkey.h"

#include <gtest/gtest.h>

#include <functional>

#include "access/accounts/access_kit.h"
#include "access/accounts/otp.h"
#include "access/accounts/passkey_kit.h"
#include "access/accounts/sign_in.h"

namespace hygie::access {
namespace {

const RelyingParty kParty{"https://hygie.example:8443", "hygie.example"};
const std::string kChallenge = to_base64url(Bytes(40, 7));

TEST(Passkey, EveryAllowedAlgorithmRegistersAndSigns) {
    for (const PasskeyAlg alg : {PasskeyAlg::ES256, PasskeyAlg::EdDSA, PasskeyAlg::RS256}) {
        const TestAuthenticator key(alg);
        const auto made =
            check_creation(key.create(key.creation(kChallenge)), kParty, kChallenge, WallTime{});
        ASSERT_TRUE(made) << cose_number(alg);
        EXPECT_EQ(made->id, key.id());
        const auto asserted =
            check_assertion(key.sign(key.assertion(kChallenge, 2)), *made, kParty, kChallenge);
        ASSERT_TRUE(asserted) << cose_number(alg);
        EXPECT_TRUE(asserted->verified);
        EXPECT_EQ(asserted->counter, 2U);
        EXPECT_EQ(*passkey_alg(std::to_string(cose_number(alg))), alg);
    }
    for (const char* other : {"-35", "-37", "-65535", "7", "", "-07"})
        EXPECT_FALSE(passkey_alg(other)) << other;
}

TEST(Passkey, BelievesNoAnswerThatIsNotToOurQuestion) {
    const TestAuthenticator key, thief;
    const auto made =
        check_creation(key.create(key.creation(kChallenge)), kParty, kChallenge, WallTime{});
    ASSERT_TRUE(made);
    using Says = TestAuthenticator::Says;
    const std::vector<std::pair<const char*, std::function<void(Says&)>>> lies = {
        {"origin", [](Says& s) { s.origin = "https://hygie.example.evil.example:8443"; }},
        {"port", [](Says& s) { s.origin = "https://hygie.example"; }},
        {"plain", [](Says& s) { s.origin = "http://hygie.example:8443"; }},
        {"rp", [](Says& s) { s.rp = "example"; }},
        {"challenge", [](Says& s) { s.challenge = to_base64url(Bytes(40, 8)); }},
        {"no challenge", [](Says& s) { s.challenge = ""; }},
        {"type", [](Says& s) { s.type = "webauthn.create"; }},
        {"payment", [](Says& s) { s.type = "payment.get"; }},
        {"framed", [](Says& s) { s.more = R"(,"crossOrigin":true)"; }},
        {"framed by", [](Says& s) { s.more = R"(,"topOrigin":"https://evil.example")"; }},
        {"twice", [](Says& s) { s.more = R"(,"origin":"https://hygie.example:8443")"; }},
        {"absent", [](Says& s) { s.flags = 4; }},
        {"backed up what cannot be", [](Says& s) { s.flags = 1 | 4 | 16; }},
        {"same counter", [](Says& s) { s.counter = 1; }},
        {"counter back", [](Says& s) { s.counter = 0; }}};
    ASSERT_TRUE(check_assertion(key.sign(key.assertion(kChallenge, 2)), *made, kParty, kChallenge));
    for (const auto& [what, lie] : lies) {
        Says says = key.assertion(kChallenge, 2);
        lie(says);
        EXPECT_FALSE(check_assertion(key.sign(says), *made, kParty, kChallenge)) << what;
    }
    const Says honest = key.assertion(kChallenge, 2);
    EXPECT_FALSE(check_assertion(thief.sign(honest), *made, kParty, kChallenge));
    PasskeyAssertion borrowed = thief.sign(honest);
    borrowed.id = made->id;
    EXPECT_FALSE(check_assertion(borrowed, *made, kParty, kChallenge)) << "another key";
    PasskeyAssertion changed = key.sign(honest);
    changed.authenticator_data[32] ^= 8U;
    EXPECT_FALSE(check_assertion(changed, *made, kParty, kChallenge)) << "a flag after signing";
    changed = key.sign(honest);
    changed.authenticator_data.push_back(0);
    EXPECT_FALSE(check_assertion(changed, *made, kParty, kChallenge)) << "bytes behind";
    EXPECT_FALSE(check_assertion(key.sign(honest), *made, {kParty.origin, ""}, kChallenge))
        << "no name, no passkeys";
    Says touched = key.assertion(kChallenge, 2);
    touched.flags = 1;
    EXPECT_FALSE(check_assertion(key.sign(touched), *made, kParty, kChallenge)->verified);
}

TEST(Passkey, RegistersNothingWeakForeignOrHalf) {
    const TestAuthenticator key, small(PasskeyAlg::RS256, 1024), edwards(PasskeyAlg::EdDSA);
    const auto refused = [&](const PasskeyCreation& given) {
        return !check_creation(given, kParty, kChallenge, WallTime{});
    };
    EXPECT_TRUE(refused(small.create(small.creation(kChallenge)))) << "1024 bits";
    PasskeyCreation given = key.create(key.creation(kChallenge));
    given.alg = PasskeyAlg::RS256;
    EXPECT_TRUE(refused(given)) << "a key of another algorithm";
    given = key.create(key.creation(kChallenge));
    given.key = edwards.spki();
    EXPECT_TRUE(refused(given));
    given.key = Bytes(10, 1);
    EXPECT_TRUE(refused(given)) << "no key";
    given.key = key.spki();
    given.key.push_back(0);
    EXPECT_TRUE(refused(given)) << "bytes behind the key";
    given = key.create(key.creation(kChallenge));
    for (std::size_t size = 0; size < given.authenticator_data.size(); ++size) {
        PasskeyCreation half = given;
        half.authenticator_data.resize(size);
        EXPECT_TRUE(refused(half)) << size;
    }
    auto says = key.creation(kChallenge);
    says.type = "webauthn.get";
    EXPECT_TRUE(refused(key.create(says)));
    says = key.creation(kChallenge);
    says.rp = "evil.example";
    EXPECT_TRUE(refused(key.create(says)));
    says = key.creation(kChallenge);
    says.flags = 1 | 4;
    EXPECT_TRUE(refused(key.create(says))) << "without a key";
}

TEST(Passkey, KnowsItsSiteByName) {
    EXPECT_EQ(relying_party("https://hygie.example:8443").id, "hygie.example");
    EXPECT_EQ(relying_party("https://localhost").id, "localhost");
    for (const char* url :
         {"https://192.0.2.1:8443", "https://[::1]:8443", "http://hygie.example", "", "https://"})
        EXPECT_EQ(relying_party(url).id, "") << url;
}

TEST(Passkey, AChallengeServesOnceOnTimeAndWhereItWasGiven) {
    Bench bench;
    PasskeyChallenges challenges(bench.clock, bench.random), other(bench.clock, bench.random);
    const std::string made = challenges.make("page 1");
    EXPECT_TRUE(challenges.fits(made, "page 1"));
    EXPECT_FALSE(challenges.fits(made, "page 2"));
    EXPECT_FALSE(other.fits(made, "page 1")) << "of another process";
    EXPECT_FALSE(challenges.fits("", "page 1"));
    EXPECT_TRUE(challenges.spend(made));
    EXPECT_FALSE(challenges.spend(made));
    bench.clock.advance(PasskeyChallenges::kLife - Micros(1));
    EXPECT_TRUE(challenges.fits(made, "page 1"));
    bench.clock.advance(Micros(1));
    EXPECT_FALSE(challenges.fits(made, "page 1"));
}

class PasskeySignIn : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(accounts_->add(bench_.person(), kNobody));
        const auto made =
            check_creation(key_.create(key_.creation(kChallenge)), kParty, kChallenge, WallTime{});
        ASSERT_TRUE(made);
        ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "passkey", [&](Account& a) -> Status {
            a.passkeys = {*made};
            return {};
        }));
    }
    Credentials signed_now(std::uint32_t counter, unsigned flags = 1 | 4) {
        Credentials given{.peer = "192.0.2.1", .party = kParty};
        given.challenge = sign_in_.challenges().make(std::to_string(++pages_));
        auto says = key_.assertion(given.challenge, counter);
        says.flags = flags;
        given.passkey = key_.sign(says);
        return given;
    }
    SignInRefusal::Why why(const Credentials& given) {
        const auto judged = sign_in_.judge(given);
        EXPECT_FALSE(judged);
        return judged ? SignInRefusal::Why::Wait : judged.error().why;
    }
    using Why = SignInRefusal::Why;
    Bench bench_;
    int pages_ = 0;
    TestAuthenticator key_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
    SignIn sign_in_{bench_.doors(), *accounts_, bench_.key, kTestCost};
};

TEST_F(PasskeySignIn, LetsInWithoutAPasswordWhomTheKeyKnows) {
    const auto judged = sign_in_.judge(signed_now(5));
    ASSERT_TRUE(judged);
    EXPECT_EQ(judged->account->login.str(), "anne.martin");
    EXPECT_EQ(judged->auth, "passkey");
    EXPECT_TRUE(is_strong(judged->auth));
    EXPECT_EQ(accounts_->find("anne.martin")->passkeys[0].counter, 5U);
}

TEST_F(PasskeySignIn, AMereTouchNeedsThePasswordToo) {
    Credentials given = signed_now(5, 1);
    EXPECT_EQ(why(given), Why::Password) << "no name, no password";
    given = signed_now(6, 1);
    given.login = "anne.martin";
    given.password = Sensitive<std::string>("wrong wrong wrong");
    EXPECT_EQ(why(given), Why::Password);
    given = signed_now(7, 1);
    given.login = "Anne.Martin ";
    given.password = Sensitive<std::string>(kPassphrase);
    const auto judged = sign_in_.judge(given);
    ASSERT_TRUE(judged);
    EXPECT_EQ(judged->auth, "pwd passkey");
}

TEST_F(PasskeySignIn, APasswordAloneNoLongerLetsIn) {
    Credentials given{.login = "anne.martin", .password = Sensitive<std::string>(kPassphrase)};
    given.peer = "192.0.2.1";
    EXPECT_EQ(why(given), Why::Code);
    given.code = otp_code({}, otp_step(bench_.clock.now()));
    EXPECT_EQ(why(given), Why::Code) << "the code of no secret is known to everybody";
    const std::vector<std::string> codes = make_recovery_codes(bench_.random);
    ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "recovery", [&](Account& a) -> Status {
        a.recovery = {recovery_hash(codes[0])};
        return {};
    }));
    EXPECT_EQ(why(given), Why::Code) << "nor beside recovery codes";
    given.code = codes[0];
    EXPECT_TRUE(sign_in_.judge(given));
}

TEST_F(PasskeySignIn, NeverTwiceAndNeverBackwards) {
    const Credentials given = signed_now(5);
    EXPECT_TRUE(sign_in_.judge(given));
    EXPECT_EQ(why(given), Why::Passkey) << "replayed";
    EXPECT_EQ(why(signed_now(5)), Why::Passkey) << "a copy of the key counts the same";
    EXPECT_EQ(why(signed_now(4)), Why::Passkey);
    EXPECT_TRUE(sign_in_.judge(signed_now(6)));
}

/// Keys that are synchronised between devices do not count: then the challenge alone stops replays.
TEST_F(PasskeySignIn, KeysThatDoNotCountServeEachChallengeOnce) {
    ASSERT_TRUE(accounts_->consume("anne.martin", [&](Account& a) -> Status {
        a.passkeys[0].counter = 0;
        return {};
    }));
    const Credentials given = signed_now(0);
    EXPECT_TRUE(sign_in_.judge(given));
    EXPECT_EQ(why(given), Why::Passkey);
    EXPECT_TRUE(sign_in_.judge(signed_now(0)));
}

TEST_F(PasskeySignIn, RefusesForeignHandlesUnknownKeysAndClosedAccounts) {
    Credentials given = signed_now(5);
    given.passkey->handle = sign_in_.passkey_handle(ActorId("paul.petit"));
    EXPECT_EQ(why(given), Why::Passkey);
    given = signed_now(6);
    given.passkey->handle = sign_in_.passkey_handle(ActorId("anne.martin"));
    EXPECT_TRUE(sign_in_.judge(given));
    given = signed_now(7);
    given.passkey->id.push_back(0);
    EXPECT_EQ(why(given), Why::Passkey);
    ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "left", [](Account& a) -> Status {
        a.disabled = true;
        return {};
    }));
    EXPECT_EQ(why(signed_now(8)), Why::Closed);
}

TEST_F(PasskeySignIn, APasskeyBelongsToOnePersonAndItsRemovalEndsSessions) {
    Account other = bench_.person("paul.petit", "Paul Petit");
    other.sponsor = ActorId("anne.martin");
    other.passkeys = accounts_->find("anne.martin")->passkeys;
    EXPECT_FALSE(accounts_->add(other, kNobody));
    const std::uint64_t epoch = accounts_->find("anne.martin")->epoch;
    EXPECT_EQ(bench_.open_accounts()->find("anne.martin")->passkeys, other.passkeys) << "kept";
    ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "removed", [](Account& a) -> Status {
        a.passkeys.clear();
        return {};
    }));
    EXPECT_EQ(accounts_->find("anne.martin")->epoch, epoch + 1);
}

}  // namespace
}  // namespace hygie::access
