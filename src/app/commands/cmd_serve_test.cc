#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/line/harness.h"
#include "ledger/log/layout.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

/// The first start of a house: what people do wrong then must not cost them the folder.
class FirstStart : public testing::Test {
  protected:
    Ran serve(std::vector<std::string> more) {
        more.insert(more.begin(), {"serve", "--state", state_, "--listen", "127.0.0.1:0"});
        return harness_.run(more);
    }
    Ran init(const std::string& origin) {
        return harness_.run({"ledger", "init", state_, "--origin", origin});
    }
    std::vector<std::string> by_key_file() {
        return {"--seal", "key-file", "--key-file", dir_ / "opener"};
    }

    Harness harness_;
    sim::TempDir dir_;
    const std::string state_ = dir_ / "house";
};

TEST_F(FirstStart, GoesOnWhereARefusedPassphraseEndedIt) {
    harness_.secret = "too short";
    EXPECT_EQ(serve({}).code, kExitFailed);
    const Ran ran = serve(by_key_file());
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
}

TEST_F(FirstStart, GoesOnWhereARefusedNameEndedIt) {
    std::vector<std::string> badly = by_key_file();
    badly.insert(badly.end(), {"--origin", "Cabinet Martin"});
    EXPECT_EQ(serve(badly).code, kExitFailed);
    const Ran ran = serve(by_key_file());
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
}

TEST_F(FirstStart, AsksForTheNewPassphraseAlone) {
    ASSERT_TRUE(real_disk().write_file(dir_ / "new", as_bytes("five words drawn by lot\n")));
    harness_.secret = "not the one in the file";
    const Ran ran = serve({"--new-passphrase-file", dir_ / "new"});
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
}

TEST_F(FirstStart, OfALedgerGoesOnWithTheRootKeyThatWasMade) {
    EXPECT_EQ(init("two words").code, kExitFailed);
    EXPECT_FALSE(real_disk().exists(state_));
    ASSERT_EQ(init("practice.example/ledger").code, kExitOk);
    // As if the power had failed between the root key and the ledger.
    sim::TempDir cut;
    const std::string root = ledger::layout::root_key(cut.path());
    const std::string beside = ledger::layout::private_dir(cut.path()) + "/root.key";
    ASSERT_TRUE(real_disk().make_dirs(ledger::layout::private_dir(cut.path())));
    for (const auto& [from, to] :
         {std::pair(ledger::layout::root_key(state_), root),
          std::pair(ledger::layout::private_dir(state_) + "/root.key", beside)})
        ASSERT_TRUE(real_disk().write_file(to, *real_disk().read_file(from, 4096)));
    const Ran ran =
        harness_.run({"ledger", "init", cut.path(), "--origin", "practice.example/ledger"});
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    EXPECT_EQ(harness_.run({"ledger", "tail", cut.path()}).code, kExitOk);
}

TEST_F(FirstStart, NeverReplacesTheRootKeyOfALedger) {
    ASSERT_EQ(init("practice.example/ledger").code, kExitOk);
    EXPECT_EQ(init("practice.example/ledger").code, kExitFailed);
    const std::string root = ledger::layout::root_key(state_);
    ASSERT_TRUE(real_disk().remove(root));
    EXPECT_EQ(init("practice.example/ledger").code, kExitFailed);
    const Ran tail = harness_.run({"--lang", "en", "ledger", "tail", state_});
    EXPECT_NE(tail.err.find("hygie key recover " + root), std::string::npos) << tail.err;
    EXPECT_FALSE(real_disk().exists(root));
}

TEST_F(FirstStart, IsWhatACommandOfAHouseAsksForWhereThereIsNone) {
    const Ran ran = harness_.run({"--lang", "en", "user", "list", "--state", state_});
    EXPECT_EQ(ran.code, kExitFailed);
    EXPECT_NE(ran.err.find("hygie serve"), std::string::npos) << ran.err;
    EXPECT_FALSE(real_disk().exists(state_));
}

}  // namespace
}  // namespace hygie::app
