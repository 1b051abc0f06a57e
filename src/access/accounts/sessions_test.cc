#include "access/accounts/sessions.h"

#include <gtest/gtest.h>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

class SessionsTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(accounts_->add(bench_.person(), kNobody)); }
    std::unique_ptr<Sessions> open_sessions(Accounts& accounts) {
        auto opened = Sessions::open(bench_.doors(), "state", bench_.key, accounts);
        EXPECT_TRUE(opened) << opened.error().what.en;
        return std::move(*opened);
    }
    Sessions::Opened open(Micros lasts = kStaffSession) {
        auto opened = sessions_->prepare(
            {ActorId("anne.martin"), "otp", ActorId("logiciel"), {"user/*.rs"}, lasts});
        EXPECT_TRUE(opened);
        EXPECT_TRUE(sessions_->confirm(*opened));
        return *opened;
    }
    Status edit(const std::function<void(Account&)>& what) {
        return accounts_->change("anne.martin", kNobody, "test", [&](Account& a) -> Status {
            what(a);
            return {};
        });
    }
    bool lives(const Sessions::Opened& opened) {
        return sessions_->find(opened.token.reveal()) != nullptr;
    }

    Bench bench_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
    std::unique_ptr<Sessions> sessions_ = open_sessions(*accounts_);
};

TEST_F(SessionsTest, WorksOnlyOnceConfirmed) {
    const auto opened = sessions_->prepare({ActorId("anne.martin"), "pwd", {}, {}, kStaffSession});
    ASSERT_TRUE(opened);
    EXPECT_FALSE(lives(*opened)) << "the trace is not written yet";
    ASSERT_TRUE(sessions_->confirm(*opened));
    const auto session = sessions_->find(opened->token.reveal());
    ASSERT_NE(session, nullptr);
    EXPECT_EQ(session->actor->id.str(), "anne.martin");
    EXPECT_EQ(session->actor->person, bench_.person().person);
    EXPECT_EQ(session->actor->session, opened->session.id);
    EXPECT_EQ(session->id, opened->session.id);
}

TEST_F(SessionsTest, RefusesTokensThatNeverWere) {
    const auto opened = open();
    const std::string& token = opened.token.reveal();
    EXPECT_TRUE(lives(opened));
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string other = token;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(sessions_->find(other), nullptr);
    }
    EXPECT_EQ(sessions_->find(""), nullptr);
    EXPECT_EQ(sessions_->find(token + "A"), nullptr);
    EXPECT_EQ(sessions_->find(opened.session.id), nullptr) << "its public name opens nothing";
}

TEST_F(SessionsTest, EndsWithItsTimeOrThatOfItsAccount) {
    const auto opened = open();
    bench_.clock.advance(kStaffSession - Micros(1));
    EXPECT_TRUE(lives(opened));
    bench_.clock.advance(Micros(1));
    EXPECT_FALSE(lives(opened));
    ASSERT_TRUE(edit([&](Account& a) { a.end = bench_.clock.now() + std::chrono::minutes(5); }));
    const auto shorter = open();
    bench_.clock.advance(std::chrono::minutes(5));
    EXPECT_FALSE(lives(shorter));
    EXPECT_FALSE(sessions_->prepare({ActorId("anne.martin"), "pwd", {}, {}, kShortSession}));
}

TEST_F(SessionsTest, IsRevokedAtOnceInEveryProcess) {
    const auto other_accounts = bench_.open_accounts();
    const auto other = open_sessions(*other_accounts);
    const auto first = open(), second = open(), third = open();
    EXPECT_NE(other->find(first.token.reveal()), nullptr);
    ASSERT_TRUE(sessions_->revoke(first.token.reveal()));
    EXPECT_EQ(other->find(first.token.reveal()), nullptr);
    EXPECT_NE(other->find(second.token.reveal()), nullptr);
    ASSERT_TRUE(other->revoke_session(second.session.id));
    EXPECT_FALSE(lives(second));
    ASSERT_TRUE(sessions_->revoke_account(ActorId("anne.martin")));
    EXPECT_EQ(other->find(third.token.reveal()), nullptr);
    EXPECT_TRUE(sessions_->revoke("unknown")) << "nothing to end is no error";
}

TEST_F(SessionsTest, EndsWithItsAccountAndStaysEndedWhenThatOpensAgain) {
    const auto opened = open();
    ASSERT_TRUE(edit([](Account& a) { a.disabled = true; }));
    EXPECT_FALSE(lives(opened));
    ASSERT_TRUE(edit([](Account& a) { a.disabled = false; }));
    EXPECT_FALSE(lives(opened)) << "a stolen token must not come back to life";
    const auto again = open();
    EXPECT_TRUE(lives(again));
    ASSERT_TRUE(edit([](Account& a) { a.password += "x"; }));
    EXPECT_FALSE(lives(again)) << "a new password ends what the old one opened";
}

TEST_F(SessionsTest, ShowsTheAccountAsItIsNow) {
    const auto opened = open();
    EXPECT_EQ(sessions_->find(opened.token.reveal())->actor->profession, "10");
    ASSERT_TRUE(edit([](Account& a) { a.profession = "21"; }));
    EXPECT_EQ(sessions_->find(opened.token.reveal())->actor->profession, "21");
}

TEST_F(SessionsTest, IsNotConfirmedWhenTheAccountClosedMeanwhile) {
    const auto opened = sessions_->prepare({ActorId("anne.martin"), "pwd", {}, {}, kStaffSession});
    ASSERT_TRUE(opened);
    ASSERT_TRUE(edit([](Account& a) { a.disabled = true; }));
    const auto refused = sessions_->confirm(*opened);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::Denied);
}

TEST_F(SessionsTest, OutlivesARestartAndKeepsNoTokenOnTheDisk) {
    const auto opened = open();
    sessions_ = open_sessions(*accounts_);
    EXPECT_TRUE(lives(opened));
    const Bytes stored = *bench_.disk.read_file("state/sessions", 1 << 20);
    EXPECT_FALSE(as_text(stored).contains(opened.token.reveal()));
    EXPECT_FALSE(as_text(stored).contains("anne.martin"));
}

TEST_F(SessionsTest, EndsTheOldestOfAnAccountThatOpensTooMany) {
    const auto first = open();
    std::vector<Sessions::Opened> later;
    for (int i = 0; i < 64; ++i) later.push_back(open());
    EXPECT_FALSE(lives(first));
    for (const auto& opened : later) EXPECT_TRUE(lives(opened));
    EXPECT_EQ(sessions_->size(), 64U);
}

TEST_F(SessionsTest, RefusesWishesOutOfBounds) {
    EXPECT_FALSE(sessions_->prepare({ActorId("absent"), "pwd", {}, {}, kShortSession}));
    EXPECT_FALSE(
        sessions_->prepare({ActorId("anne.martin"), "pwd", {}, {}, kSessionMax + Micros(1)}));
    EXPECT_FALSE(sessions_->prepare({ActorId("anne.martin"), "pwd", {}, {}, Micros(0)}));
}

}  // namespace
}  // namespace hygie::access
