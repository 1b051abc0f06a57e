#include "access/accounts/sign_in.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "access/accounts/access_kit.h"
#include "access/accounts/otp.h"

namespace hygie::access {
namespace {

using Why = SignInRefusal::Why;

class SignInTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(accounts_->add(bench_.person(), kNobody)); }
    std::expected<SignedIn, SignInRefusal> judge(const std::string& login,
                                                 const std::string& password,
                                                 const std::string& code = "",
                                                 const std::string& peer = "192.0.2.1",
                                                 const std::string& device = "") {
        return sign_in_.judge({login, Sensitive<std::string>(password), code, peer, device});
    }
    Why why(const std::string& login, const std::string& password, const std::string& code = "") {
        const auto judged = judge(login, password, code);
        EXPECT_FALSE(judged);
        return judged ? Why::Wait : judged.error().why;
    }
    void edit(const std::function<void(Account&)>& what) {
        EXPECT_TRUE(accounts_->change("anne.martin", kNobody, "test", [&](Account& a) -> Status {
            what(a);
            return {};
        }));
    }

    Bench bench_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
    SignIn sign_in_{bench_.doors(), *accounts_, bench_.key, kTestCost};
};

TEST_F(SignInTest, LetsInWhoKnowsThePassword) {
    const auto signed_in = judge(" Anne.Martin ", kPassphrase);
    ASSERT_TRUE(signed_in);
    EXPECT_EQ(signed_in->account->login.str(), "anne.martin");
    EXPECT_EQ(signed_in->auth, "pwd");
    EXPECT_EQ(why("anne.martin", "wrong wrong wrong"), Why::Password);
    EXPECT_EQ(why("nobody", kPassphrase), Why::Unknown);
    EXPECT_EQ(why("", ""), Why::Unknown);
}

TEST_F(SignInTest, ClosedAccountsAndProgramsStayOut) {
    ASSERT_TRUE(accounts_->add(bench_.program(), kNobody));
    EXPECT_EQ(why("logiciel", kPassphrase), Why::Password);
    EXPECT_EQ(why("logiciel", ""), Why::Password);
    edit([](Account& a) { a.disabled = true; });
    EXPECT_EQ(why("anne.martin", kPassphrase), Why::Closed);
    EXPECT_EQ(why("anne.martin", "wrong wrong wrong"), Why::Password)
        << "only who knows the password may learn that it is closed";
}

TEST_F(SignInTest, SaysFrozenOnlyToWhoKnowsThePassword) {
    edit([&](Account& a) { a.freeze = Freeze{bench_.clock.now(), {}, {}, {}}; });
    EXPECT_EQ(why("anne.martin", kPassphrase), Why::Frozen);
    EXPECT_EQ(why("anne.martin", "wrong wrong wrong"), Why::Password);
    edit([](Account& a) { a.freeze.reset(); });
    EXPECT_TRUE(judge("anne.martin", kPassphrase));
}

TEST_F(SignInTest, AsksForTheSecondFactorAndTakesACodeOnce) {
    const Bytes secret(kOtpSecretBytes, 5);
    edit([&](Account& a) { a.otp_secret = secret; });
    EXPECT_EQ(why("anne.martin", kPassphrase), Why::Code);
    const std::string code = otp_code(secret, otp_step(bench_.clock.now()));
    EXPECT_EQ(why("anne.martin", "wrong wrong wrong", code), Why::Password);
    const auto signed_in = judge("anne.martin", kPassphrase, code);
    ASSERT_TRUE(signed_in) << "a wrong password does not spend the code";
    EXPECT_EQ(signed_in->auth, "otp");
    EXPECT_EQ(why("anne.martin", kPassphrase, code), Why::Code) << "replayed";
    bench_.clock.advance(std::chrono::seconds(30));
    EXPECT_TRUE(judge("anne.martin", kPassphrase, otp_code(secret, otp_step(bench_.clock.now()))));
}

TEST_F(SignInTest, TakesEachRecoveryCodeOnce) {
    const std::vector<std::string> codes = make_recovery_codes(bench_.random);
    edit([&](Account& a) {
        a.otp_secret = Bytes(kOtpSecretBytes, 5);
        for (const std::string& code : codes) a.recovery.push_back(recovery_hash(code));
    });
    EXPECT_TRUE(judge("anne.martin", kPassphrase, codes[0]));
    EXPECT_EQ(why("anne.martin", kPassphrase, codes[0]), Why::Code);
    EXPECT_TRUE(judge("anne.martin", kPassphrase, codes[1]));
    EXPECT_EQ(accounts_->find("anne.martin")->recovery.size(), kRecoveryCodes - 2);
}

/// Existing or not, right or wrong: the same wait after the same number of tries.
TEST_F(SignInTest, SlowsUnknownNamesExactlyAsKnownOnes) {
    const auto waits = [&](const std::string& login, const std::string& peer) {
        std::vector<Micros> seen;
        for (int i = 0; i < 12; ++i) {
            const auto judged = judge(login, "wrong wrong wrong", "", peer);
            seen.push_back(judged.error().wait);
            bench_.clock.advance(std::chrono::seconds(1));
        }
        return seen;
    };
    EXPECT_EQ(waits("anne.martin", "192.0.2.8"), waits("nobody", "192.0.2.9"));
}

TEST_F(SignInTest, ReportsAWaitOnceAndNotItsRepeats) {
    for (unsigned i = 0; i <= Throttle::kFreeTries; ++i) judge("anne.martin", "wrong wrong wrong");
    const auto first = judge("anne.martin", kPassphrase),
               second = judge("anne.martin", kPassphrase);
    ASSERT_FALSE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(first.error().why, Why::Wait);
    EXPECT_TRUE(first.error().worth_a_trace);
    EXPECT_FALSE(second.error().worth_a_trace);
    EXPECT_GT(second.error().wait, Micros::zero());
    bench_.clock.advance(second.error().wait);
    EXPECT_TRUE(judge("anne.martin", kPassphrase)) << "nobody is locked out";
}

TEST_F(SignInTest, ADeviceOfAnotherPersonCountsForNothing) {
    ASSERT_TRUE(accounts_->add(
        [&] {
            Account paul = bench_.person("paul.petit", "Paul Petit");
            paul.sponsor = ActorId("anne.martin");
            return paul;
        }(),
        kNobody));
    const std::string device = judge("paul.petit", kPassphrase)->device;
    for (unsigned i = 0; i <= Throttle::kFreeTries; ++i) judge("anne.martin", "wrong wrong wrong");
    EXPECT_FALSE(judge("anne.martin", kPassphrase, "", "192.0.2.1", device));
    EXPECT_FALSE(judge("anne.martin", kPassphrase, "", "192.0.2.1", "forged"));
}

TEST_F(SignInTest, ADeviceServesTheFewPeopleWhoShareIt) {
    Account paul = bench_.person("paul.petit", "Paul Petit");
    paul.sponsor = ActorId("anne.martin");
    ASSERT_TRUE(accounts_->add(paul, kNobody));
    std::string device = judge("anne.martin", kPassphrase)->device;
    device = judge("paul.petit", kPassphrase, "", "192.0.2.1", device)->device;
    device = judge("paul.petit", kPassphrase, "", "192.0.2.1", device)->device;
    EXPECT_EQ(std::ranges::count(device, '.'), 1) << "one mark for each person";
    for (const char* login : {"anne.martin", "paul.petit"}) {
        for (unsigned i = 0; i <= 2 * Throttle::kFreeTries; ++i)
            judge(login, "wrong wrong wrong", "", std::string("198.51.100.") + login[0]);
        EXPECT_FALSE(judge(login, kPassphrase));
        EXPECT_TRUE(judge(login, kPassphrase, "", "192.0.2.1", device)) << login;
    }
}

/// A million guesses from a thousand addresses in a day of simulated time: how few are ever
/// compared, that the attack is reported, and that Anne works on from the device she used before.
TEST_F(SignInTest, HoldsAgainstAMillionGuessesWhileTheHonestUserComesIn) {
    const std::string device = judge("anne.martin", kPassphrase)->device;
    constexpr int kGuesses = 1'000'000;
    int compared = 0, reported = 0, honest = 0;
    for (int i = 0; i < kGuesses; ++i) {
        const std::string peer =
            "198.51." + std::to_string(i % 4) + "." + std::to_string(i / 4 % 250);
        const auto judged = judge("anne.martin", "guess number", "", peer);
        ASSERT_FALSE(judged);
        compared += judged.error().why != Why::Wait;
        reported += judged.error().worth_a_trace;
        bench_.clock.advance(std::chrono::microseconds(86'400));
        if (i % 100'000 == 99'999)
            honest += judge("anne.martin", kPassphrase, "", "192.0.2.1", device).has_value();
    }
    EXPECT_EQ(honest, 10);
    EXPECT_LT(compared, 150) << "guesses that were ever compared with the password";
    EXPECT_GE(compared, 5);
    EXPECT_GE(reported, compared) << "every one of them is in the ledger";
    EXPECT_LT(reported, 2'500) << "and the ledger is not flooded";
}

/// The same against names that do not exist, to find out which do.
TEST_F(SignInTest, TellsNothingToWhoTriesManyNamesFromOneAddress) {
    int compared = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto judged = judge("name" + std::to_string(i), "guess number", "", "198.51.100.7");
        compared += judged.error().why != Why::Wait;
        bench_.clock.advance(std::chrono::milliseconds(100));
    }
    EXPECT_LT(compared, 50);
}

}  // namespace
}  // namespace hygie::access
