#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "app/line/harness.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

/// What a person reads about accounts.
class UserCommands : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(harness_
                      .run({"serve", "--state", state_, "--listen", "127.0.0.1:0", "--seal",
                            "key-file", "--key-file", dir_ / "opener"})
                      .code,
                  kExitOk);
        ASSERT_EQ(user("fr", {"add", "anne.martin", "--name", "Anne Martin", "--role", "care",
                              "--person", "Practitioner/7"})
                      .code,
                  kExitOk);
    }
    Ran user(const std::string& lang, std::vector<std::string> more) {
        more.insert(more.begin(), {"--lang", lang, "user"});
        more.insert(more.end(), {"--state", state_});
        return harness_.run(more);
    }

    Harness harness_;
    sim::TempDir dir_;
    const std::string state_ = dir_ / "house";
};

TEST_F(UserCommands, ShowAnAccountInTheLanguageOfWhoReads) {
    const std::string fr = user("fr", {"show", "anne.martin"}).out;
    EXPECT_TRUE(fr.contains("état                  ouvert\n")) << fr;
    EXPECT_TRUE(fr.contains("aucun : le mot de passe seul")) << fr;
    for (const char* english : {"disabled", "false", "true", "second_factor", "open", "{}", "[]"})
        EXPECT_FALSE(fr.contains(english)) << english << "\n" << fr;
    const std::string en = user("en", {"show", "anne.martin"}).out;
    EXPECT_TRUE(en.contains("state                 open\n")) << en;
}

TEST_F(UserCommands, SayWhatBecameOfAnAccount) {
    const Ran frozen =
        user("fr", {"freeze", "anne.martin", "--why", "Saisi sur une fausse page", "--for", "2h"});
    EXPECT_TRUE(frozen.out.contains("gelé depuis le ")) << frozen.out;
    EXPECT_TRUE(frozen.out.contains("Saisi sur une fausse page")) << frozen.out;
    EXPECT_TRUE(user("fr", {"list"}).out.contains("gelé"));
    ASSERT_EQ(user("fr", {"thaw", "anne.martin", "--why", "Nouveau mot de passe"}).code, kExitOk);
    EXPECT_TRUE(user("fr", {"disable", "anne.martin"}).out.contains("suspendu"));
    EXPECT_TRUE(user("fr", {"list"}).out.contains("suspendu"));
}

/// The clocks on the walls, with their offset; for programs, UTC.
TEST_F(UserCommands, ShowTimesAsTheClocksHere) {
    ::setenv("TZ", "IST-5:30", 1);
    ::tzset();
    const std::string people = user("en", {"show", "anne.martin"}).out +
                               harness_.run({"ledger", "tail", state_ + "/ledger"}).out;
    const std::string programs =
        harness_.run({"--json", "user", "show", "anne.martin", "--state", state_}).out;
    ::unsetenv("TZ");
    ::tzset();
    EXPECT_FALSE(people.contains("UTC")) << people;
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = people.find("+05:30", at)) != std::string::npos; ++at) ++lines;
    EXPECT_GE(lines, 3U) << "made, closes, and what is in the ledger: " << people;
    EXPECT_FALSE(programs.contains("+05:30")) << programs;
}

TEST_F(UserCommands, SayOneAccountAsOne) {
    const std::string table = "login,name,role,sponsor\nluc.petit,Luc Petit,desk,anne.martin\n";
    ASSERT_TRUE(real_disk().write_file(dir_ / "one.csv", as_bytes(table)).has_value());
    const auto said = [&](const std::string& lang) {
        return user(lang, {"import", dir_ / "one.csv"}).out;
    };
    EXPECT_TRUE(said("en").contains("1 account to make;")) << said("en");
    EXPECT_TRUE(said("fr").contains("1 compte à créer ;")) << said("fr");
}

TEST_F(UserCommands, TakeNoIdentityThatIsNone) {
    for (const char* wrong :
         {"x", "https://issuer.example", "https://issuer.example ", "899700218896",
          "https://issuer.example 12 34", "http://issuer.example 12"})
        EXPECT_EQ(user("en", {"identity", "anne.martin", wrong}).code, kExitFailed) << wrong;
    for (const char* right : {"https://issuer.example 12", "http://127.0.0.1:8080 12"})
        EXPECT_EQ(user("en", {"identity", "anne.martin", right}).code, kExitOk) << right;
    const auto told = nlohmann::json::parse(
        harness_.run({"--json", "user", "show", "anne.martin", "--state", state_}).out);
    EXPECT_EQ(told["identities"].size(), 2U);
}

TEST_F(UserCommands, WarnOfAUnitThatTheRecordsDoNotKnow) {
    const auto contain = [&](const std::string& unit) {
        return harness_.run({"--lang", "en", "access", "contain", unit, "--state", state_, "--why",
                             "Postes du service chiffrés"});
    };
    const Ran typo = contain("Location/crdiologie");
    EXPECT_EQ(typo.code, kExitOk) << "a hold never waits for the records";
    EXPECT_TRUE(typo.err.contains("the records know no such unit")) << typo.err;
    const std::string unit = R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)"
                             R"({"resourceType":"Location","id":"cardiologie","name":"C"}}]})";
    ASSERT_TRUE(real_disk().write_file(dir_ / "unit.json", as_bytes(unit)).has_value());
    ASSERT_EQ(harness_.run({"vault", "import", dir_ / "unit.json", "--state", state_}).code,
              kExitOk);
    const Ran known = contain("Location/cardiologie");
    EXPECT_EQ(known.code, kExitOk) << known.err;
    EXPECT_EQ(known.err, "");
}

TEST_F(UserCommands, SayThatThereIsNothing) {
    EXPECT_NE(user("en", {"dormant"}).out, "");
    EXPECT_NE(user("en", {"passkeys", "anne.martin"}).out, "");
}

}  // namespace
}  // namespace hygie::app
