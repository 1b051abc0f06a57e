#include "access/accounts/password.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <set>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

Sensitive<std::string> secret(const std::string& text) {
    return Sensitive<std::string>(text);
}

TEST(Password, IsDrawnAnewEachTimeInSignsThatAreReadAloud) {
    sim::SimRandom random(5);
    std::set<std::string> made;
    std::set<char> signs;
    for (int i = 0; i < 200; ++i) {
        const std::string password = make_password(random).reveal();
        EXPECT_EQ(password.size(), 19U);
        EXPECT_EQ(std::ranges::count(password, '-'), 3);
        signs.insert(password.begin(), password.end());
        made.insert(password);
    }
    EXPECT_EQ(made.size(), 200U);
    EXPECT_EQ(signs.size(), 33U) << "five bits a sign, and the dash";
}

TEST(Password, AHashOfNobodyLooksLikeAnyAndFitsNone) {
    sim::SimRandom random(6);
    const std::string nobody = unfitting_hash(random, kTestCost);
    const std::string real = *hash_password(secret(kPassphrase), kTestCost);
    EXPECT_EQ(nobody.size(), real.size());
    EXPECT_TRUE(nobody.starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << nobody;
    // Checking it is the whole work: it is not turned down as unreadable.
    EXPECT_EQ(
        crypto_pwhash_str_needs_rehash(nobody.c_str(), kTestCost.passes, kTestCost.memory_bytes),
        0);
    EXPECT_FALSE(password_fits(secret(kPassphrase), nobody));
    EXPECT_NE(nobody, unfitting_hash(random, kTestCost));
}

TEST(Password, FitsItsOwnHashAndNoOther) {
    const auto hash = hash_password(secret(kPassphrase), kTestCost);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << *hash;
    EXPECT_NE(*hash, *hash_password(secret(kPassphrase), kTestCost)) << "salted";
    EXPECT_TRUE(password_fits(secret(kPassphrase), *hash));
    EXPECT_FALSE(password_fits(secret(std::string(kPassphrase) + " "), *hash));
    for (const std::string& bad :
         {std::string(), std::string("plain"), std::string("$argon2id$"),
          std::string("$argon2id$") + std::string(500, 'x'), std::string("$1$md5$")})
        EXPECT_FALSE(password_fits(secret(kPassphrase), bad)) << bad;
    EXPECT_FALSE(password_fits(secret(""), ""));
}

}  // namespace
}  // namespace hygie::access
