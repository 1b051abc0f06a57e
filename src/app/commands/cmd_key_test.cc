#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/line/harness.h"
#include "crypto/keyring.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

/// Keys sealed by key files: a passphrase costs a second a guess, on purpose. It has one test of
/// its own.
class KeyCommands : public testing::Test {
  protected:
    Ran create() {
        return run({"key", "create", file_, "--seal", "key-file", "--key-file", dir_ / "opener"});
    }
    Ran run(std::vector<std::string> args) {
        args.insert(args.begin(), {"--lang", "en"});
        return harness_.run(args);
    }
    crypto::Secret32 secret(const std::string& opener) {
        const auto root = crypto::open_root(real_disk(), file_, crypto::WithKeyFile{dir_ / opener});
        EXPECT_TRUE(root) << root.error().what.en;
        return root ? root->secret() : crypto::Secret32();
    }
    std::vector<std::string> split(std::vector<std::string> more) {
        more.insert(more.begin(), {"key", "split", file_, "--json"});
        return nlohmann::json::parse(run(more).out).at("shares");
    }

    Harness harness_;
    sim::TempDir dir_;
    const std::string file_ = dir_ / "root.hyk";
};

TEST_F(KeyCommands, CreateNeverOverwrites) {
    EXPECT_EQ(create().code, kExitOk);
    const crypto::Secret32 before = secret("opener");
    const Ran again = create();
    EXPECT_EQ(again.code, kExitFailed);
    EXPECT_NE(again.err, "");
    EXPECT_TRUE(before == secret("opener"));
}

TEST_F(KeyCommands, StatusSaysHowItIsSealed) {
    create();
    const Ran people = run({"key", "status", file_});
    EXPECT_EQ(people.code, kExitOk);
    EXPECT_NE(people.out.find("sealed by key-file (" + (dir_ / "opener") + ")"), std::string::npos)
        << people.out;
    EXPECT_NE(people.out.find("Starts with nobody there."), std::string::npos) << people.out;
    const auto report = nlohmann::json::parse(run({"key", "status", file_, "--json"}).out);
    EXPECT_EQ(report["seal"], "key-file");
    EXPECT_EQ(report["starts_unattended"], true);
    EXPECT_NE(run({"key", "status", dir_ / "absent"}).code, kExitOk);
}

TEST_F(KeyCommands, SealKeepsTheKeyAndChangesWhatOpensIt) {
    create();
    const crypto::Secret32 before = secret("opener");
    EXPECT_EQ(run({"key", "seal", file_, "--seal", "key-file", "--key-file", dir_ / "other"}).code,
              kExitOk);
    EXPECT_TRUE(before == secret("other"));
    EXPECT_FALSE(crypto::open_root(real_disk(), file_, crypto::WithKeyFile{dir_ / "opener"}));
}

TEST_F(KeyCommands, SharesBringTheKeyBack) {
    create();
    const crypto::Secret32 before = secret("opener");
    const std::vector<std::string> shares = split({"--needed", "3", "--total", "5"});
    ASSERT_EQ(shares.size(), 5u);
    ASSERT_TRUE(real_disk().remove(file_));
    const std::vector<std::string> recover = {"key",      "recover",    file_,       "--seal",
                                              "key-file", "--key-file", dir_ / "new"};
    harness_.in.str(shares[4] + "\n" + shares[0] + "\n");
    const Ran few = run(recover);
    EXPECT_EQ(few.code, kExitFailed) << "two shares out of three needed";
    EXPECT_FALSE(real_disk().exists(file_));
    harness_.in =
        std::istringstream(shares[4] + "\n" + shares[0] + "\n" + shares[2] + "\n\nignored\n");
    const Ran enough = run(recover);
    EXPECT_EQ(enough.code, kExitOk) << enough.err;
    EXPECT_TRUE(before == secret("new"));
}

TEST_F(KeyCommands, SplitWritesOneShareALineAndNothingElse) {
    create();
    const Ran ran = run({"key", "split", file_});
    EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3);
    EXPECT_EQ(ran.out.find("hygie-share-1:2-of-3:1:"), 0u) << ran.out;
    EXPECT_EQ(run({"key", "split", file_, "--needed", "4"}).code, kExitFailed) << "four of three";
    EXPECT_EQ(run({"key", "split", file_, "--needed", "1"}).code, kExitUsage);
}

TEST_F(KeyCommands, RefuseLinesThatAreNoShares) {
    for (const std::string& line :
         {std::string("hello"), std::string(5000, 'a'), std::string("\xFF\xFE")}) {
        harness_.in = std::istringstream(line + "\n");
        EXPECT_EQ(
            run({"key", "recover", file_, "--seal", "key-file", "--key-file", dir_ / "new"}).code,
            kExitFailed);
        EXPECT_FALSE(real_disk().exists(file_));
    }
}

TEST_F(KeyCommands, AskForAPassphraseOrReadItFromAFile) {
    EXPECT_EQ(run({"key", "create", file_}).code, kExitOk);
    EXPECT_NE(run({"key", "status", file_}).out.find("sealed by passphrase"), std::string::npos);
    ASSERT_TRUE(
        real_disk().write_file(dir_ / "phrase", as_bytes(harness_.secret + "\nsecond line\n")));
    harness_.secret = "something else entirely";
    EXPECT_EQ(run({"key", "split", file_}).code, kExitFailed) << "the wrong passphrase";
    EXPECT_EQ(run({"key", "split", file_, "--passphrase-file", dir_ / "phrase"}).code, kExitOk);
}

TEST_F(KeyCommands, SayWhatASealIsMissing) {
    const Ran file = run({"key", "create", file_, "--seal", "key-file"});
    EXPECT_EQ(file.code, kExitFailed);
    EXPECT_NE(file.err.find("--key-file is missing"), std::string::npos) << file.err;
    const Ran credential = run({"key", "create", file_, "--seal", "credential"});
    EXPECT_EQ(credential.code, kExitEnvironment) << "no unit gives a credential here";
    EXPECT_FALSE(real_disk().exists(file_));
}

}  // namespace
}  // namespace hygie::app
