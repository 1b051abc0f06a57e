#include "access/accounts/refreshes.h"

#include <gtest/gtest.h>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

class RefreshesTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(accounts_->add(bench_.person(), kNobody));
        sessions_ = std::move(*Sessions::open(bench_.doors(), "state", bench_.key, *accounts_));
        refreshes_ = open_again();
    }
    std::unique_ptr<Refreshes> open_again() {
        auto opened = Refreshes::open(bench_.doors(), "state", bench_.key, *accounts_, *sessions_);
        EXPECT_TRUE(opened) << opened.error().what.en;
        return std::move(*opened);
    }
    Sessions::Opened session() {
        auto opened = sessions_->prepare(
            {ActorId("anne.martin"), "otp", kProgram, {"user/*.rs"}, kShortSession});
        EXPECT_TRUE(opened);
        EXPECT_TRUE(sessions_->confirm(*opened));
        return *opened;
    }
    std::string begin(const Sessions::Opened& beside) {
        const auto token = refreshes_->begin({ActorId("anne.martin"),
                                              "otp",
                                              kProgram,
                                              {"user/*.rs"},
                                              bench_.clock.now() + kRefreshStaff},
                                             beside.session);
        EXPECT_TRUE(token);
        return token->reveal();
    }
    bool works(const std::string& token) {
        const auto look = refreshes_->look(token, kProgram);
        return look && !look->grant.login.empty();
    }
    bool lives(const Sessions::Opened& opened) {
        return sessions_->find(opened.token.reveal()) != nullptr;
    }
    Status edit(const std::function<void(Account&)>& what) {
        return accounts_->change("anne.martin", kNobody, "test", [&](Account& a) -> Status {
            what(a);
            return {};
        });
    }

    const ActorId kProgram{"logiciel"};
    Bench bench_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
    std::unique_ptr<Sessions> sessions_;
    std::unique_ptr<Refreshes> refreshes_;
};

TEST_F(RefreshesTest, GivesWhatWasAllowedAndTheNextOneInItsPlace) {
    const auto first = session();
    const std::string token = begin(first);
    const auto look = refreshes_->look(token, kProgram);
    ASSERT_TRUE(look);
    EXPECT_EQ(look->grant.login.str(), "anne.martin");
    EXPECT_EQ(look->grant.scopes, std::vector<std::string>{"user/*.rs"});
    EXPECT_TRUE(works(token)) << "looking uses nothing up";
    const auto second = session();
    const auto next = refreshes_->turn(token, second.session);
    ASSERT_TRUE(next);
    EXPECT_FALSE(lives(first)) << "what it gave before ends";
    EXPECT_TRUE(lives(second));
    refreshes_ = open_again();
    EXPECT_TRUE(works(next->reveal())) << "a restart forgets nothing";
}

TEST_F(RefreshesTest, OneThatComesBackEndsTheWholeChain) {
    const auto first = session();
    const std::string token = begin(first);
    const auto second = session();
    const auto next = refreshes_->turn(token, second.session);
    ASSERT_TRUE(next);
    const auto again = refreshes_->look(token, kProgram);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->grant.login.empty());
    EXPECT_EQ(again->stolen_session, second.session.id);
    EXPECT_EQ(again->login.str(), "anne.martin");
    EXPECT_FALSE(works(next->reveal()));
    EXPECT_FALSE(lives(second));
    EXPECT_EQ(refreshes_->size(), 0U);
}

TEST_F(RefreshesTest, TwoThatUseItAtOnceEndIt) {
    const std::string token = begin(session());
    ASSERT_TRUE(works(token));
    const auto thief = session(), owner = session();
    const auto first = refreshes_->turn(token, thief.session);
    ASSERT_TRUE(first);
    EXPECT_FALSE(refreshes_->turn(token, owner.session));
    EXPECT_FALSE(works(first->reveal()));
    EXPECT_FALSE(lives(thief));
}

TEST_F(RefreshesTest, IsAnotherProgramsAndNobodyElses) {
    const auto beside = session();
    const std::string token = begin(beside);
    const auto look = refreshes_->look(token, ActorId("autre"));
    ASSERT_TRUE(look);
    EXPECT_TRUE(look->grant.login.empty());
    EXPECT_FALSE(works(token));
    EXPECT_FALSE(lives(beside));
    EXPECT_FALSE(refreshes_->look("", kProgram));
    EXPECT_FALSE(refreshes_->look(std::string(64, 'A'), kProgram));
}

TEST_F(RefreshesTest, EndsWithItsTimeItsAccountAndItsSession) {
    const std::string timed = begin(session());
    bench_.clock.advance(kShortSession);
    EXPECT_TRUE(works(timed)) << "that the session ended by its time is what it is for";
    bench_.clock.advance(kRefreshStaff - kShortSession);
    EXPECT_FALSE(works(timed));

    const auto cut = session();
    const std::string by_cut = begin(cut);
    ASSERT_TRUE(sessions_->revoke_account(ActorId("anne.martin")));
    EXPECT_FALSE(works(by_cut)) << "who was cut does not come back by it";

    const std::string by_epoch = begin(session());
    ASSERT_TRUE(edit([](Account& account) { ++account.epoch; }));
    EXPECT_FALSE(works(by_epoch)) << "nor whose sessions were ended";

    const std::string by_freeze = begin(session());
    ASSERT_TRUE(edit([](Account& account) { account.disabled = true; }));
    ASSERT_TRUE(edit([](Account& account) { account.disabled = false; }));
    EXPECT_FALSE(works(by_freeze)) << "nor whose account was closed and opened again";
}

TEST_F(RefreshesTest, IsRevokedWithWhatItGave) {
    const auto beside = session();
    const std::string token = begin(beside);
    const auto ended = refreshes_->revoke(token);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->login.str(), "anne.martin");
    EXPECT_FALSE(works(token));
    EXPECT_FALSE(lives(beside));
    EXPECT_TRUE(refreshes_->revoke(token)->login.empty());
}

TEST_F(RefreshesTest, LeavesNothingReadableOnTheDisk) {
    const std::string token = begin(session());
    const auto stored = bench_.disk.read_file("state/refreshes", 1 << 20);
    ASSERT_TRUE(stored);
    const std::string_view text = as_text(*stored);
    for (const std::string& secret : {token, token.substr(0, 24), std::string("anne.martin")})
        EXPECT_FALSE(text.contains(secret));
}

}  // namespace
}  // namespace hygie::access
