#include "access/accounts/accounts.h"

#include <gtest/gtest.h>

#include <thread>

#include "access/accounts/access_kit.h"
#include "access/accounts/account_codec.h"
#include "sim/temp_dir.h"

namespace hygie::access {
namespace {

TEST(Account, RefusesGenericOnes) {
    Bench bench;
    EXPECT_TRUE(check_account(bench.person(), bench.clock.now()));
    for (const char* login : {"accueil", "interne2", "medecin.garde", "poste-1", "secretariat_3",
                              "admin", "test@cabinet"})
        EXPECT_FALSE(check_account(bench.person(login), bench.clock.now())) << login;
    for (const char* name : {"Secrétariat", "Medecin Remplacant", "Anne", "Poste 12",
                             "Équipe Médicale", "Infirmière Remplaçante", ""})
        EXPECT_FALSE(check_account(bench.person("a.martin", name), bench.clock.now())) << name;
    for (const char* login : {"admin", "test-2", "secretariat"})
        EXPECT_FALSE(check_account(bench.program(login), bench.clock.now())) << login;
    EXPECT_TRUE(check_account(bench.person("810001234567"), bench.clock.now())) << "an RPPS number";
}

TEST(Account, RefusesWhatIsIllFormed) {
    Bench bench;
    const auto refused = [&](const std::function<void(Account&)>& edit, bool program = false) {
        Account account = program ? bench.program() : bench.person();
        edit(account);
        return !check_account(account, bench.clock.now());
    };
    EXPECT_FALSE(refused([](Account&) {}));
    EXPECT_FALSE(refused([](Account&) {}, true));
    EXPECT_TRUE(refused([](Account& a) { a.login = ActorId("A B"); }));
    EXPECT_TRUE(refused([](Account& a) { a.login = ActorId(std::string(65, 'a')); }));
    EXPECT_TRUE(refused([](Account& a) { a.name = "Anne\nMartin"; }));
    EXPECT_TRUE(refused([](Account& a) { a.name = "Anne \xff Martin"; }));
    EXPECT_TRUE(refused([](Account& a) { a.person = ""; }));
    EXPECT_TRUE(refused([](Account& a) { a.person = "Patient/1"; }));
    EXPECT_TRUE(refused([](Account& a) { a.person = "Practitioner/1/_history/2"; }));
    EXPECT_TRUE(refused([](Account& a) { a.end = a.since; }));
    EXPECT_TRUE(refused([](Account& a) { a.end += std::chrono::days(2); }));
    EXPECT_TRUE(refused([](Account& a) { a.scopes = {"user/*.rs"}; }));
    EXPECT_TRUE(refused([](Account& a) { a.password = "x"; }, true));
    EXPECT_TRUE(refused([](Account& a) { a.scopes = {"everything"}; }, true));
    EXPECT_TRUE(refused([](Account& a) { a.jwks = "{}"; }, true));
    for (const char* redirect : {"http://logiciel.example/", "javascript:alert(1)", "//x",
                                 "https://x/#y", "https:///x", "https://x y/", "/retour"})
        EXPECT_TRUE(refused([&](Account& a) { a.redirects = {redirect}; }, true)) << redirect;
    for (const char* redirect :
         {"https://x/cb?a=b", "http://127.0.0.1:8000/cb", "fr.exemple.app:/cb"})
        EXPECT_FALSE(refused([&](Account& a) { a.redirects = {redirect}; }, true)) << redirect;
}

class AccountsTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(accounts_->add(bench_.person(), kNobody)); }
    Account sponsored(const std::string& login, const std::string& name) {
        Account account = bench_.person(login, name);
        account.sponsor = ActorId("anne.martin");
        return account;
    }
    Bench bench_;
    std::unique_ptr<Accounts> accounts_ = bench_.open_accounts();
};

TEST_F(AccountsTest, KeepsEveryFieldAcrossARestart) {
    Account program = bench_.program();
    ASSERT_TRUE(accounts_->add(program, kNobody));
    ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "otp", [](Account& a) -> Status {
        a.otp_secret = Bytes(20, 9);
        a.otp_last = 77;
        a.recovery = {"00", "11"};
        return {};
    }));
    const std::vector<Account> before = accounts_->list();
    accounts_ = bench_.open_accounts();
    EXPECT_EQ(accounts_->list(), before);
    EXPECT_EQ(accounts_->find("anne.martin")->otp_last, 77U);
    EXPECT_EQ(accounts_->find("absent"), nullptr);
}

TEST_F(AccountsTest, GivesNoLoginAndNoPersonTwice) {
    const auto again = accounts_->add(sponsored("anne.martin", "Annette Martin"), kNobody);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::AlreadyThere);
    Account same_person = sponsored("a.martin", "Anne Martin");
    same_person.person = bench_.person().person;
    EXPECT_EQ(accounts_->add(same_person, kNobody).error().code, Code::AlreadyThere);
}

TEST_F(AccountsTest, WantsSomebodyToAnswerForEachAccount) {
    Account orphan = bench_.person("paul.petit", "Paul Petit");
    EXPECT_EQ(accounts_->add(orphan, kNobody).error().code, Code::BadInput);
    orphan.sponsor = ActorId("absent");
    EXPECT_FALSE(accounts_->add(orphan, kNobody));
    orphan.sponsor = ActorId("paul.petit");
    EXPECT_FALSE(accounts_->add(orphan, kNobody)) << "nobody answers for himself";
    ASSERT_TRUE(accounts_->add(bench_.program(), kNobody));
    orphan.sponsor = ActorId("logiciel");
    EXPECT_FALSE(accounts_->add(orphan, kNobody)) << "a program answers for nobody";
    orphan.sponsor = ActorId("anne.martin");
    EXPECT_TRUE(accounts_->add(orphan, kNobody));
}

TEST_F(AccountsTest, AddsAllOrNone) {
    const std::vector<Account> batch = {sponsored("paul.petit", "Paul Petit"),
                                        sponsored("accueil", "Accueil")};
    EXPECT_FALSE(accounts_->add_all(batch, kNobody));
    EXPECT_EQ(accounts_->list().size(), 1U);
    EXPECT_TRUE(accounts_->add_all({batch[0], sponsored("zoe.roy", "Zoé Roy")}, kNobody));
    EXPECT_EQ(accounts_->list().size(), 3U);
}

TEST_F(AccountsTest, ShowsToOneProcessWhatAnotherChanged) {
    const auto other = bench_.open_accounts();
    const std::uint64_t version = other->version();
    EXPECT_EQ(other->version(), version) << "nothing changed";
    ASSERT_TRUE(accounts_->change("anne.martin", kNobody, "disabled", [](Account& a) -> Status {
        a.disabled = true;
        return {};
    }));
    EXPECT_NE(other->version(), version);
    EXPECT_TRUE(other->find("anne.martin")->disabled);
}

TEST_F(AccountsTest, TracesEachChangeWithTheChangeItself) {
    ASSERT_TRUE(accounts_->change("anne.martin", ActorId("paul"), "role", [](Account& a) -> Status {
        a.role = Role::Desk;
        return {};
    }));
    EXPECT_FALSE(accounts_->change("anne.martin", kNobody, "bad", [](Account&) -> Status {
        return fail(Code::Denied, {"non", "no"});
    }));
    ASSERT_TRUE(accounts_->consume("anne.martin", [](Account& a) -> Status {
        a.otp_last = 5;
        return {};
    }));
    const std::vector<event::Event> traces = bench_.open_accounts()->untraced();
    ASSERT_EQ(traces.size(), 2U);
    EXPECT_EQ(traces[0].type, event::Type::AccountChanged);
    EXPECT_EQ(traces[0].action, event::Action::Create);
    EXPECT_EQ(traces[1].actor.id.str(), "paul");
    EXPECT_EQ(traces[1].subject.object.str(), "account/anne.martin");
    EXPECT_EQ(traces[1].detail.at("change"), "role");
    ASSERT_TRUE(accounts_->settle({traces[0]}));
    ASSERT_EQ(accounts_->untraced().size(), 1U);
    EXPECT_EQ(accounts_->untraced()[0].id, traces[1].id);
}

TEST_F(AccountsTest, LeavesNothingReadableOnTheDisk) {
    const std::vector<DirEntry> entries = bench_.disk.list("state").value();
    EXPECT_GE(entries.size(), 2U);
    for (const DirEntry& entry : entries) {
        const Bytes bytes = *bench_.disk.read_file("state/" + entry.name, 1 << 20);
        for (const char* text : {"anne", "martin", "Martin", "Practitioner", "argon2", "cabinet"})
            EXPECT_FALSE(as_text(bytes).contains(text)) << entry.name << " " << text;
    }
}

TEST_F(AccountsTest, RefusesAFileThatWasTouchedOrIsOfAnotherKey) {
    Bytes bytes = *bench_.disk.read_file("state/accounts", 1 << 20);
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(bench_.disk.write_file("state/accounts", bytes));
    const auto damaged = Accounts::open(bench_.doors(), "state", bench_.key);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, Code::Corrupt);
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(bench_.disk.write_file("state/accounts", bytes));
    EXPECT_TRUE(Accounts::open(bench_.doors(), "state", bench_.key));
    const auto other = Accounts::open(bench_.doors(), "state", crypto::Secret32());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::Corrupt);
}

/// Books of before there were held units (version 3), freezes (version 2) and passkeys (version 1).
TEST(Account, OldBooksAreStillRead) {
    Bench bench;
    Account account = bench.person();
    account.identities = {"https://id.example 1"};
    Bytes book = *encode_book({{account}, {}, {}});
    // [4, [[…24 fields…, no passkeys, no freeze, never warned, no leave]], no traces, no held
    // units]
    ASSERT_EQ(book[0], 0x84);
    ASSERT_EQ(book[1], 4);
    book.pop_back();
    EXPECT_FALSE(decode_book(book));
    ASSERT_EQ(book[3], 0x98);
    ASSERT_EQ(book[4], 24);
    book.erase(book.begin() + 4);
    book[3] = 0x97;
    book.erase(book.end() - 2);
    book[0] = 0x83;
    book[1] = 3;
    ASSERT_TRUE(decode_book(book));
    EXPECT_EQ(decode_book(book)->accounts, std::vector{account});
    ASSERT_EQ(book[3], 0x97);
    ASSERT_EQ(Bytes(book.end() - 4, book.end()), (Bytes{0x80, 0x80, 0, 0x80}));
    book.erase(book.end() - 3, book.end() - 1);
    book[1] = 2;
    book[3] = 0x95;
    ASSERT_TRUE(decode_book(book));
    EXPECT_EQ(decode_book(book)->accounts, std::vector{account});
    book.erase(book.end() - 2);
    book[1] = 1;
    book[3] = 0x94;
    ASSERT_TRUE(decode_book(book));
    EXPECT_EQ(decode_book(book)->accounts, std::vector{account});
    for (const int version : {0, 2, 3, 4, 5}) {
        book[1] = static_cast<std::uint8_t>(version);
        EXPECT_FALSE(decode_book(book)) << version;
    }
}

/// A sealed file is taken for no other: sessions cannot be swapped in for accounts.
TEST(SealedFile, IsBoundToItsName) {
    Bench bench;
    const auto file = SealedFile::open(bench.doors(), "d", "one", bench.key);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->change([](ByteView) -> Result<Bytes> { return Bytes{1, 2, 3}; }));
    ASSERT_TRUE(bench.disk.write_file("d/two", *bench.disk.read_file("d/one", 1 << 20)));
    EXPECT_FALSE(SealedFile::open(bench.doors(), "d", "two", bench.key));
    EXPECT_EQ(*(*file)->read(), (Bytes{1, 2, 3}));
}

TEST(SealedFile, LosesNoChangeAmongManyWriters) {
    sim::TempDir dir;
    const SealedFile::Doors doors{real_disk(), real_clock(), real_random()};
    const crypto::Secret32 key(std::array<std::uint8_t, 32>{1});
    constexpr int kWriters = 4, kChanges = 20;
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < kWriters; ++i)
            writers.emplace_back([&] {
                const auto file = SealedFile::open(doors, dir.path(), "f", key);
                for (int change = 0; file && change < kChanges; ++change)
                    EXPECT_TRUE((*file)->change([](ByteView current) -> Result<Bytes> {
                        Bytes next = to_bytes(current);
                        next.push_back(1);
                        return next;
                    }));
            });
    }
    const auto file = SealedFile::open(doors, dir.path(), "f", key);
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->read()->size(), static_cast<std::size_t>(kWriters * kChanges));
    EXPECT_FALSE((*file)->stale());
}

/// Cut the power at any write: what was acknowledged is there, and what is there was written whole.
TEST(SealedFile, SurvivesAnyLossOfPower) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        sim::SimDisk disk(seed);
        sim::SimClock clock;
        sim::SimRandom random(seed);
        const SealedFile::Doors doors{disk, clock, random};
        const crypto::Secret32 key(std::array<std::uint8_t, 32>{1});
        std::uint8_t acknowledged = 0;
        {
            const auto file = SealedFile::open(doors, "d", "f", key);
            ASSERT_TRUE(file);
            disk.inject(seed % 2 ? sim::Fault::SyncFails : sim::Fault::WriteFails, "d/f",
                        seed % 23);
            for (std::uint8_t i = 1; i < 20; ++i) {
                if (!(*file)->change([&](ByteView) -> Result<Bytes> { return Bytes(500, i); }))
                    break;
                acknowledged = i;
            }
        }
        disk.crash(seed);
        const auto file = SealedFile::open(doors, "d", "f", key);
        ASSERT_TRUE(file) << seed << file.error().what.en;
        const Bytes content = *(*file)->read();
        ASSERT_EQ(content.size(), acknowledged == 0 && content.empty() ? 0U : 500U) << seed;
        EXPECT_GE(content.empty() ? 0 : content[0], acknowledged) << seed;
    }
}

}  // namespace
}  // namespace hygie::access
