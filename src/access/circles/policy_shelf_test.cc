#include "access/circles/policy_shelf.h"

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

class PolicyShelfTest : public testing::Test {
  protected:
    std::unique_ptr<PolicyShelf> open() {
        auto opened = PolicyShelf::open(bench_.doors(), "state", bench_.key);
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
    static std::string pack(int version) {
        std::string text(default_policy_text());
        const std::string_view name = "\"fr-dmp-default\"", first = "\"version\": 1";
        text.replace(text.find(name), name.size(), "\"maison\"");
        text.replace(text.find(first), first.size(), "\"version\": " + std::to_string(version));
        return text;
    }
    Bench bench_;
    crypto::SigningKey key_ =
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{3}));
    crypto::SigningKey other_ =
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{4}));
};

TEST_F(PolicyShelfTest, TakesWhatATrustedKeySignedAndEveryProcessSeesItAtOnce) {
    const auto shelf = open();
    const auto beside = open();
    EXPECT_EQ(shelf->current()->name, "fr-dmp-default");
    const std::string text = pack(2);
    EXPECT_EQ(shelf->put(text, sign_policy(text, key_), {}).error().code, Code::Denied);
    EXPECT_EQ(shelf->put(text, "", key_.public_key()).error().code, Code::Forged);
    EXPECT_EQ(shelf->put(text, sign_policy(text, other_), key_.public_key()).error().code,
              Code::Forged);
    EXPECT_EQ(beside->current()->name, "fr-dmp-default");
    ASSERT_TRUE(shelf->put(text, sign_policy(text, key_), key_.public_key()));
    EXPECT_EQ(beside->current()->name, "maison");
    EXPECT_EQ(open()->current()->version, 2U);
    // The key stays trusted; older rules do not come back, newer ones do.
    const std::string older = pack(1), newer = pack(3);
    EXPECT_EQ(shelf->put(older, sign_policy(older, key_), {}).error().code, Code::Stale);
    EXPECT_EQ(shelf->put(newer, sign_policy(newer, other_), {}).error().code, Code::Forged);
    ASSERT_TRUE(beside->put(newer, sign_policy(newer, key_), {}));
    EXPECT_EQ(shelf->current()->version, 3U);
    ASSERT_TRUE(shelf->put(std::string(default_policy_text()), "", {}));
    EXPECT_EQ(shelf->current()->name, "fr-dmp-default");
    EXPECT_EQ(shelf->put("{}", "", {}).error().code, Code::BadInput);
}

TEST_F(PolicyShelfTest, WhatCannotBeReadOpensNothing) {
    const auto shelf = open();
    ASSERT_TRUE(shelf->put(pack(2), sign_policy(pack(2), key_), key_.public_key()));
    const auto opened = PolicyShelf::open(bench_.doors(), "state",
                                          crypto::Secret32(std::array<std::uint8_t, 32>{8}));
    if (!opened) return;  // refused at the door is as closed
    EXPECT_TRUE((*opened)->current()->rows.empty());
}

}  // namespace
}  // namespace hygie::access
