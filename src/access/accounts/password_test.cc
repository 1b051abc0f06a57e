#include "access/accounts/password.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <set>

#include "access/accounts/access_kit.h"

namespace hygie::access {
namespace {

Sensitive<std::string> secret(const std::string& text) {
    return Sensitive<std::string>(text);
}

TEST(Password, RefusesWhatIsGuessed) {
    for (const char* bad :
         {"", "court", "aaaaaaaaaaaaaaaa", "abababababab", "anne.martin2026", "MotDePasse!!123",
          "password1234", "azerty123456", "\xff\xfe invalid utf-8"})
        EXPECT_FALSE(check_password(secret(bad), "anne.martin")) << bad;
    EXPECT_FALSE(check_password(secret(std::string(257, 'x') + "abcdefgh"), "anne"));
    for (const char* good : {kPassphrase, "correct horse battery staple", "Été à Étretat, 3 fois"})
        EXPECT_TRUE(check_password(secret(good), "anne.martin")) << good;
}

TEST(Password, MakesFirstOnesThatItAccepts) {
    sim::SimRandom random(5);
    std::set<std::string> made;
    for (int i = 0; i < 200; ++i) {
        const Sensitive<std::string> password = make_password(random);
        EXPECT_TRUE(check_password(password, "anne.martin"));
        EXPECT_EQ(password.reveal().size(), 19U);
        made.insert(password.reveal());
    }
    EXPECT_EQ(made.size(), 200U);
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
