#include "access/circles/lifecycle.h"

#include <gtest/gtest.h>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

class Lifecycle : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(accounts_->add(bench_.person(), kNobody)); }
    Table parse(std::string_view text) {
        return read_accounts_csv(text, kAnne, bench_.clock.now());
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
    const Table table = parse(
        "\xef\xbb\xbfnom;identifiant;role;personne;profession;fin;parrain;identité\r\n"
        "Zoé Roy;zoe.roy;care;Practitioner/9;60;2027-03-01;;https://psc.example 8990001\r\n"
        "\"Petit; Paul\";paul.petit;desk;;;;anne.martin;\r\n\r\n");
    ASSERT_TRUE(table.issues.empty()) << table.issues[0].what.en;
    ASSERT_EQ(table.arrivals.size(), 2U);
    const Account& zoe = table.arrivals[0].account;
    EXPECT_EQ(zoe.login.str(), "zoe.roy");
    EXPECT_EQ(zoe.end, *from_rfc3339("2027-03-01"));
    EXPECT_EQ(zoe.sponsor, kAnne);
    EXPECT_EQ(zoe.profession, "60");
    EXPECT_EQ(zoe.identities, std::vector<std::string>{"https://psc.example 8990001"});
    EXPECT_EQ(table.arrivals[1].account.name, "Petit; Paul");
    EXPECT_EQ(table.arrivals[1].account.role, Role::Desk);
    EXPECT_EQ(table.arrivals[1].line, 3U);
    EXPECT_TRUE(judge_arrivals(*accounts_, table.arrivals).empty());
    EXPECT_TRUE(accounts_->add_all({zoe, table.arrivals[1].account}, kAnne));
    EXPECT_TRUE(parse("login,name,role\nzoe.roy,Zoé Roy,desk").issues.empty())
        << "or with commas, in English";
}

TEST_F(Lifecycle, NamesEveryLineThatIsWrongAndNotWhatItSays) {
    const std::string head = "login,name,role,end\n";
    using Lines = std::vector<std::size_t>;
    for (const auto& [text, lines] : std::vector<std::pair<std::string, Lines>>{
             {"login,name\na,b\n", {1}},
             {"login,login,role\n", {1}},
             {"login,name,role,secret\n", {1}},
             {head + "zoe.roy,Zoé Roy,desk,2027-01-01\nSECRET,Zoé Roy,desk,\nx,y,z,\n", {3, 4}},
             {head + "zoe.roy,Zoé Roy,boss,\n", {2}},
             {head + "zoe.roy,Zoé Roy,desk,tomorrow\n", {2}},
             {head + "zoe.roy,Zoé Roy,desk,2099-01-01\n", {2}},
             {head + "\naccueil,Accueil,desk,\n", {3}},
             {head + "zoe.roy,Zoé Roy,desk\n", {2}},
             {head + "zoe.roy,\"Zoé\nRoy\",desk,\npaul,Paul,desk,\n", {2, 4}},
             {head + "zoe.roy,\"Zoé Roy,desk,\n", {2}}}) {
        const Table refused = parse(text);
        Lines found;
        for (const TableIssue& issue : refused.issues) {
            found.push_back(issue.line);
            EXPECT_FALSE(issue.what.en.contains("SECRET") || issue.what.fr.empty());
        }
        EXPECT_EQ(found, lines) << text;
    }
    EXPECT_FALSE(parse("login,name,role\nx,\xff,desk\n").issues.empty());
}

TEST_F(Lifecycle, JudgesArrivalsAgainstWhoIsThereAlready) {
    const Table table = parse(
        "login,name,role,sponsor,person\nzoe.roy,Zoé Roy,desk,,\nanne.martin,Anne Martin,desk,,\n"
        "zoe.roy,Zoé Roy,desk,,\npaul.petit,Paul Petit,desk,nobody,\n" +
        std::string("mia.roy,Mia Roy,care,zoe.roy,") + bench_.person().person + "\n");
    ASSERT_TRUE(table.issues.empty());
    std::vector<std::size_t> lines;
    for (const TableIssue& issue : judge_arrivals(*accounts_, table.arrivals))
        lines.push_back(issue.line);
    EXPECT_EQ(lines, (std::vector<std::size_t>{3, 4, 5, 6}));
    EXPECT_EQ(accounts_->list().size(), 1U) << "nothing was added";
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

TEST_F(Lifecycle, ClosesByItselfOnlyWhomItWarnedFourteenDaysBefore) {
    add("paul.petit", "Paul Petit", Role::Care);
    bench_.clock.advance(kDormantAfter - kDormantWarning - Micros(1));
    const ActorId self("hygie");
    EXPECT_TRUE(tend_dormant(*accounts_, bench_.clock, self)->warned.empty());
    // The service was off: nobody is closed on its first day back.
    bench_.clock.advance(std::chrono::days(100));
    auto round = tend_dormant(*accounts_, bench_.clock, self);
    ASSERT_TRUE(round);
    EXPECT_EQ(round->warned.size(), 2U);
    EXPECT_TRUE(round->closed.empty());
    EXPECT_EQ(accounts_->untraced().back().detail.at("change"), "dormant soon");
    EXPECT_EQ(review_accounts(accounts_->list(), bench_.clock.now()).warned.size(), 2U);
    EXPECT_TRUE(tend_dormant(*accounts_, bench_.clock, self)->warned.empty()) << "warned once";
    // One of them comes back.
    ASSERT_TRUE(accounts_->consume("anne.martin", [&](Account& a) -> Status {
        a.last_used = bench_.clock.now() + std::chrono::days(1);
        return {};
    }));
    bench_.clock.advance(kDormantWarning - Micros(1));
    EXPECT_TRUE(tend_dormant(*accounts_, bench_.clock, self)->closed.empty());
    bench_.clock.advance(Micros(1));
    EXPECT_EQ(tend_dormant(*accounts_, bench_.clock, self)->closed,
              std::vector{ActorId("paul.petit")});
    EXPECT_TRUE(accounts_->find("paul.petit")->disabled);
    EXPECT_EQ(accounts_->untraced().back().detail.at("change"), "dormant");
}

TEST_F(Lifecycle, AFreezeHoldsUntilSomebodyThawsIt) {
    const std::string why = "mot de passe saisi sur une fausse page";
    EXPECT_EQ(
        freeze(*accounts_, bench_.clock, "anne.martin", Micros(0), "phish", kAnne).error().code,
        Code::BadInput);
    ASSERT_TRUE(freeze(*accounts_, bench_.clock, "anne.martin", Micros(0), why, kAnne));
    EXPECT_EQ(accounts_->untraced().back().detail.at("change"), "frozen");
    EXPECT_EQ(accounts_->untraced().back().detail.at("why"), why);
    EXPECT_FALSE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
    EXPECT_EQ(review_accounts(accounts_->list(), bench_.clock.now()).frozen,
              std::vector{ActorId("anne.martin")});
    EXPECT_EQ(freeze(*accounts_, bench_.clock, "anne.martin", Micros(0), why, kAnne).error().code,
              Code::AlreadyThere);
    // What opens a disabled account does not lift it.
    ASSERT_TRUE(accounts_->change("anne.martin", kAnne, "enabled", [](Account& a) -> Status {
        a.disabled = false;
        return {};
    }));
    EXPECT_FALSE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
    ASSERT_TRUE(thaw(*accounts_, bench_.clock, "anne.martin", "poste vérifié, mot changé", kAnne));
    EXPECT_TRUE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
    EXPECT_EQ(thaw(*accounts_, bench_.clock, "anne.martin", why, kAnne).error().code,
              Code::NotFound);
}

TEST_F(Lifecycle, AFreezeForATimeEndsByItselfAndItsSessionsDoNotComeBack) {
    auto sessions = Sessions::open(bench_.doors(), "state", bench_.key, *accounts_);
    const auto opened = (*sessions)->prepare({kAnne, "pwd", {}, {}, kStaffSession});
    ASSERT_TRUE((*sessions)->confirm(*opened));
    ASSERT_NE((*sessions)->find(opened->token.reveal()), nullptr);
    ASSERT_TRUE(freeze(*accounts_, bench_.clock, "anne.martin", std::chrono::minutes(5),
                       "le temps de vérifier le poste", kAnne));
    EXPECT_EQ((*sessions)->find(opened->token.reveal()), nullptr);
    bench_.clock.advance(std::chrono::minutes(5));
    EXPECT_TRUE(accounts_->find("anne.martin")->open_at(bench_.clock.now()));
    EXPECT_EQ((*sessions)->find(opened->token.reveal()), nullptr);
    EXPECT_TRUE((*sessions)->prepare({kAnne, "pwd", {}, {}, kStaffSession}));
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

TEST_F(Lifecycle, AHeldUnitIsKnownToTheOthersAtTheirNextQuestionUntilItIsReleased) {
    const auto other = bench_.open_accounts();
    EXPECT_TRUE(other->holds()->empty());
    constexpr std::string_view kWhy = "Postes du service chiffrés";
    for (const std::string unit : {"ward", "Location/", "Patient/p", ""})
        EXPECT_EQ(contain(*accounts_, bench_.clock, unit, {}, kWhy, kAnne).error().code,
                  Code::BadInput)
            << unit;
    EXPECT_EQ(contain(*accounts_, bench_.clock, "Location/w", {}, "", kAnne).error().code,
              Code::BadInput);
    ASSERT_TRUE(contain(*accounts_, bench_.clock, "Location/w", {}, kWhy, kAnne));
    const auto held = *other->holds();
    ASSERT_EQ(held.size(), 1U);
    const event::Event trace = accounts_->untraced().back();
    EXPECT_EQ(trace.type, event::Type::OrderDone);
    EXPECT_EQ(trace.subject.object.str(), "Location/w");
    EXPECT_EQ(trace.detail.at("change"), "contained");
    EXPECT_EQ(trace.detail.at("why"), kWhy);
    EXPECT_EQ(held[0], (UnitHold{.unit = "Location/w",
                                 .since = bench_.clock.now(),
                                 .until = {},
                                 .by = kAnne,
                                 .why = std::string(kWhy),
                                 .evidence = "event/" + trace.id}));
    EXPECT_EQ(contain(*other, bench_.clock, "Location/w", {}, kWhy, kAnne).error().code,
              Code::AlreadyThere);
    ASSERT_TRUE(release(*other, bench_.clock, "Location/w", "Postes réinstallés", kAnne));
    EXPECT_TRUE(accounts_->holds()->empty());
    EXPECT_EQ(accounts_->untraced().back().detail.at("change"), "released");
    EXPECT_EQ(release(*other, bench_.clock, "Location/w", kWhy, kAnne).error().code,
              Code::NotFound);
}

TEST_F(Lifecycle, AHoldForATimeEndsByItself) {
    const std::chrono::hours hour(1);
    ASSERT_TRUE(contain(*accounts_, bench_.clock, "Location/w", hour, "Le temps du tri", kAnne));
    EXPECT_TRUE(accounts_->holds()->front().holds_at(bench_.clock.now() + hour - Micros(1)));
    EXPECT_FALSE(accounts_->holds()->front().holds_at(bench_.clock.now() + hour));
    bench_.clock.advance(hour);
    EXPECT_TRUE(contain(*accounts_, bench_.clock, "Location/w", {}, "Et de nouveau tenu", kAnne));
    EXPECT_EQ(accounts_->holds()->size(), 1U);
}

constexpr std::string_view kTask = "Codage des séjours de 2026";

TEST_F(Lifecycle, LeaveForAPurposeIsGivenByAnotherForATimeAndTakenBack) {
    add("paul.petit", "Paul Petit", Role::Desk);
    add("olga.roy", "Olga Roy", Role::Operations);
    const auto give = [&](std::string_view login, Micros lasts, const ActorId& by,
                          Purpose purpose = Purpose::Coding, std::string_view why = kTask) {
        const Status given = grant(*accounts_, bench_.clock, login, purpose, lasts, why, by);
        return given ? std::nullopt : std::optional(given.error().code);
    };
    const std::chrono::days day(1);
    EXPECT_EQ(give("paul.petit", day, ActorId("paul.petit")), Code::Denied);
    EXPECT_EQ(give("paul.petit", std::chrono::days(367), kAnne), Code::BadInput);
    EXPECT_EQ(give("paul.petit", Micros::zero(), kAnne), Code::BadInput);
    EXPECT_EQ(give("paul.petit", day, kAnne, Purpose::None), Code::BadInput);
    EXPECT_EQ(give("paul.petit", day, kAnne, Purpose::Coding, ""), Code::BadInput);
    EXPECT_EQ(give("olga.roy", day, kAnne), Code::BadInput);
    EXPECT_EQ(give("nobody", day, kAnne), Code::NotFound);
    ASSERT_TRUE(grant(*accounts_, bench_.clock, "paul.petit", Purpose::Coding, day, kTask, kAnne));
    const auto other = bench_.open_accounts();
    const auto grants = other->find("paul.petit")->grants;
    ASSERT_EQ(grants.size(), 1U);
    const event::Event trace = accounts_->untraced().back();
    EXPECT_EQ(trace.detail.at("change"), "leave for coding");
    EXPECT_EQ(trace.detail.at("why"), kTask);
    EXPECT_EQ(grants[0], (PurposeGrant{.purpose = Purpose::Coding,
                                       .since = bench_.clock.now(),
                                       .until = bench_.clock.now() + day,
                                       .by = kAnne,
                                       .why = std::string(kTask),
                                       .evidence = "event/" + trace.id}));
    EXPECT_EQ(actor_of(*other->find("paul.petit"), "otp", "", {}).grants, grants);
    EXPECT_EQ(revoke(*accounts_, bench_.clock, "paul.petit", Purpose::Research, kTask, kAnne)
                  .error()
                  .code,
              Code::NotFound);
    ASSERT_TRUE(revoke(*accounts_, bench_.clock, "paul.petit", Purpose::Coding, kTask, kAnne));
    EXPECT_TRUE(other->find("paul.petit")->grants.empty());
}

}  // namespace
}  // namespace hygie::access
