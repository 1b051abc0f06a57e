#include "access/lifecycle.h"

#include <gtest/gtest.h>

#include "access/access_kit.h"

namespace hygie::access {
namespace {

class Lifecycle : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(accounts_->add(bench_.person(), kNobody)); }
    Result<std::vector<Account>> parse(std::string_view text) {
        return parse_accounts_csv(text, kAnne, bench_.clock.now());
    }
    void use(const std::string& login) {
        ASSERT_TRUE(accounts_->consume(login, [&](Account& a) -> Status {
            a.last_used = bench_.clock.now();
            return {};
        }));
    }
    void add(const std::string& login, const std::string& name, Role role) {
        Account account = bench_.person(login, name);
        account.role = role;
        account.sponsor = kAnne;
        ASSERT_TRUE(accounts_->add(account, kAnne));
    }
    const ActorId kAnne{"anne.martin"};
    Bench bench_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
};

TEST_F(Lifecycle, ReadsTheTableOfASpreadsheet) {
    const auto accounts = parse(
        "\xef\xbb\xbfnom;identifiant;role;personne;profession;fin;parrain\r\n"
        "Zoé Roy;zoe.roy;care;Practitioner/9;60;2027-03-01;\r\n"
        "\"Petit; Paul\";paul.petit;desk;;;;anne.martin\r\n\r\n");
    ASSERT_TRUE(accounts) << accounts.error().what.en;
    ASSERT_EQ(accounts->size(), 2U);
    EXPECT_EQ((*accounts)[0].login.str(), "zoe.roy");
    EXPECT_EQ((*accounts)[0].end, *from_rfc3339("2027-03-01"));
    EXPECT_EQ((*accounts)[0].sponsor, kAnne);
    EXPECT_EQ((*accounts)[0].profession, "60");
    EXPECT_EQ((*accounts)[1].name, "Petit; Paul");
    EXPECT_EQ((*accounts)[1].role, Role::Desk);
    EXPECT_TRUE(accounts_->add_all(*accounts, kAnne));
    EXPECT_TRUE(parse("login,name,role\nzoe.roy,Zoé Roy,desk")) << "or with commas, in English";
}

TEST_F(Lifecycle, NamesTheLineThatIsWrongAndNotWhatItSays) {
    const std::string head = "login,name,role,end\n";
    for (const auto& [text, line] : std::vector<std::pair<std::string, std::string>>{
             {"login,name\na,b\n", "line 1:"},
             {"login,login,role\n", "line 1:"},
             {"login,name,role,secret\n", "line 1:"},
             {head + "zoe.roy,Zoé Roy,desk,2027-01-01\nSECRET,Zoé Roy,desk,\n", "line 3:"},
             {head + "zoe.roy,Zoé Roy,boss,\n", "line 2:"},
             {head + "zoe.roy,Zoé Roy,desk,tomorrow\n", "line 2:"},
             {head + "zoe.roy,Zoé Roy,desk,2099-01-01\n", "line 2:"},
             {head + "accueil,Accueil,desk,\n", "line 2:"},
             {head + "zoe.roy,Zoé Roy,desk\n", "line 2:"},
             {head + "zoe.roy,\"Zoé Roy,desk,\n", "line 2:"}}) {
        const auto refused = parse(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_TRUE(refused.error().what.en.starts_with(line)) << refused.error().what.en;
        EXPECT_FALSE(refused.error().what.en.contains("SECRET"));
        EXPECT_TRUE(refused.error().what.fr.starts_with("ligne ")) << refused.error().what.fr;
    }
    EXPECT_FALSE(parse("login,name,role\nx,\xff,desk\n"));
}

TEST_F(Lifecycle, ClosesWhatNobodyUses) {
    add("paul.petit", "Paul Petit", Role::Desk);
    add("zoe.roy", "Zoé Roy", Role::Desk);
    bench_.clock.advance(kDormantAfter - Micros(1));
    EXPECT_TRUE(close_dormant(*accounts_, bench_.clock, kAnne)->empty());
    use("zoe.roy");
    bench_.clock.advance(Micros(1));
    const auto closed = close_dormant(*accounts_, bench_.clock, kAnne);
    ASSERT_TRUE(closed);
    EXPECT_EQ(*closed, std::vector{ActorId("paul.petit")});
    EXPECT_TRUE(accounts_->find("paul.petit")->disabled);
    EXPECT_FALSE(accounts_->find("zoe.roy")->disabled);
    EXPECT_FALSE(accounts_->find("anne.martin")->disabled) << "who closes stays";
    EXPECT_EQ(accounts_->untraced().back().detail.at("change"), "dormant");
}

TEST_F(Lifecycle, NeverClosesTheLastAdministrator) {
    add("ada.root", "Ada Racine", Role::Operations);
    add("bob.root", "Bob Racine", Role::Operations);
    bench_.clock.advance(kDormantAfter);
    const auto closed = close_dormant(*accounts_, bench_.clock, ActorId("system"));
    ASSERT_TRUE(closed);
    const bool ada = accounts_->find("ada.root")->disabled;
    const bool bob = accounts_->find("bob.root")->disabled;
    EXPECT_NE(ada, bob) << "one of the two stays";
}

TEST_F(Lifecycle, ASignInKeepsAnAccountAwake) {
    bench_.clock.advance(kDormantAfter);
    EXPECT_TRUE(is_dormant(*accounts_->find("anne.martin"), bench_.clock.now()));
    auto sessions = Sessions::open(bench_.doors(), "state", bench_.key, *accounts_);
    const auto opened = (*sessions)->prepare({kAnne, "pwd", {}, {}, kStaffSession});
    ASSERT_TRUE((*sessions)->confirm(*opened));
    EXPECT_FALSE(is_dormant(*accounts_->find("anne.martin"), bench_.clock.now()));
    EXPECT_NE((*sessions)->find(opened->token.reveal()), nullptr);
}

TEST_F(Lifecycle, ReviewsWhatNeedsALook) {
    add("ada.root", "Ada Racine", Role::Operations);
    Account orphan = bench_.person("paul.petit", "Paul Petit");
    orphan.sponsor = ActorId("ada.root");
    orphan.end = bench_.clock.now() + std::chrono::days(20);
    orphan.otp_secret = Bytes(20, 1);
    ASSERT_TRUE(accounts_->add(orphan, kAnne));
    Review review = review_accounts(accounts_->list(), bench_.clock.now());
    EXPECT_EQ(review.privileged, std::vector{ActorId("ada.root")});
    EXPECT_EQ(review.ending, std::vector{ActorId("paul.petit")});
    EXPECT_EQ(review.without_factor, (std::vector{ActorId("ada.root"), kAnne}));
    EXPECT_EQ(review.orphans, std::vector{kAnne}) << "the first of all has no sponsor";
    EXPECT_TRUE(review.dormant.empty());
    ASSERT_TRUE(accounts_->change("ada.root", kAnne, "left", [](Account& a) -> Status {
        a.disabled = true;
        return {};
    }));
    review = review_accounts(accounts_->list(), bench_.clock.now());
    EXPECT_EQ(review.orphans, (std::vector{kAnne, ActorId("paul.petit")}));
    EXPECT_TRUE(review.privileged.empty());
}

TEST_F(Lifecycle, ASponsorRenewsForAYearAtMost) {
    const WallTime now = bench_.clock.now();
    EXPECT_FALSE(renew(*accounts_, bench_.clock, "anne.martin", now, kAnne));
    EXPECT_FALSE(
        renew(*accounts_, bench_.clock, "anne.martin", now + kAccountTimeMax + Micros(1), kAnne));
    bench_.clock.advance(std::chrono::days(366));
    EXPECT_FALSE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
    EXPECT_TRUE(renew(*accounts_, bench_.clock, "anne.martin",
                      bench_.clock.now() + std::chrono::days(100), kAnne));
    EXPECT_TRUE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
}

}  // namespace
}  // namespace hygie::access
