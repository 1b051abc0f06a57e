#include "guards/mail/message/fold.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"

namespace hygie::mail {
namespace {

TEST(Fold, MakesWordsComparable) {
    EXPECT_EQ(folded("Où est l'Été ?"), " ou est l ete ");
    EXPECT_EQ(folded("Straße, œuvre, ＦＵＬＬ width"), " strasse oeuvre full width ");
    EXPECT_EQ(folded("𝗣𝗮𝘆𝗣𝗮𝗹"), " paypal ");
    EXPECT_EQ(folded(""), " ");
}

TEST(Fold, UndoesDisguises) {
    const Folded seen = fold("Micrоsоft pa\xE2\x80\x8Bssword");  // Cyrillic о, zero-width space
    EXPECT_EQ(seen.text, " microsoft password ");
    EXPECT_EQ(seen.disguised, 2U);
    EXPECT_EQ(seen.invisible, 1U);
    EXPECT_EQ(fold("Москва").disguised, 0U) << "an honest Russian word is no disguise";
    EXPECT_EQ(fold("a\xE1\xA5\xB4"
                   "count")
                  .disguised,
              1U)
        << "a letter of Tai Le";
    EXPECT_EQ(fold("T\xE3\x82\xB7\xE3\x83\xA3\xE3\x83\x84").disguised, 0U)
        << "a T-shirt in Japanese";
}

TEST(Fold, GivesBackTheWordsAsTheyStand) {
    const std::string text = "Votre COMPTE Améli, vite";
    const Folded seen = fold(text);
    const std::size_t at = seen.text.find("compte ameli");
    EXPECT_EQ(seen.source(text, at, 12), "COMPTE Améli");
}

RC_GTEST_PROP(Fold, TakesAnyBytes, (const std::string& bytes)) {
    const Folded seen = fold(bytes);
    RC_ASSERT(seen.text.size() == seen.origin.size());
    RC_ASSERT(seen.text.starts_with(' ') && seen.text.ends_with(' '));
    RC_ASSERT(is_utf8(seen.text));
    RC_ASSERT(is_utf8(clean_utf8(bytes)));
}

}  // namespace
}  // namespace hygie::mail
