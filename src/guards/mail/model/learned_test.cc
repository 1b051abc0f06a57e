#include "guards/mail/model/learned.h"

#include <gtest/gtest.h>

#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::mail {
namespace {

Features features_of_text(std::string_view text) {
    Message message;
    message.text = text;
    return features_of(message, {}, {});
}

TEST(MailLearned, ReleasedLetterAndItsLikesComeThrough) {
    Learned learned;
    const Features held = features_of_text("votre commande de gants est prête, cliquez pour payer");
    const Features alike =
        features_of_text("votre commande de masques est prête, cliquez pour payer");
    const Features other = features_of_text("the quarterly report of the museum is attached");
    ASSERT_TRUE(learned.add(held, 2.0, Click::Release));
    EXPECT_LT(2.0 + learned.adjustment(held), 0);
    EXPECT_LT(learned.adjustment(alike), 0);
    EXPECT_EQ(learned.adjustment(other), 0);
}

TEST(MailLearned, NoNumberOfClicksMovesAMessageFurtherThanTheBound) {
    Learned learned;
    for (int i = 0; i < 60; ++i) {
        const std::string text = "merci de payer la facture numero " +
                                 std::string(1, static_cast<char>('a' + i % 26)) + "x";
        learned.add(features_of_text(text), 9.0, Click::Release);
    }
    EXPECT_GE(learned.adjustment(features_of_text("merci de payer la facture numero")),
              -kAdjustmentMax);
}

/// It is moved by the bound and no further: what shares a word with it is not dragged along.
TEST(MailLearned, ALessonThatCannotBeReachedCostsOthersLittle) {
    Learned learned;
    const Features far = features_of_text(
        "merci de payer la facture numero douze avant vendredi sous peine de poursuites");
    learned.add(far, 20.0, Click::Release);
    EXPECT_EQ(learned.adjustment(far), -kAdjustmentMax);
    EXPECT_GT(learned.adjustment(features_of_text("chorale : concert vendredi soir au temple")),
              -kAdjustmentMax / 4);
}

TEST(MailLearned, OrderDoesNotMatterMuchAndNothingIsForgotten) {
    Learned learned;
    const Features first = features_of_text("alerte virement suspect sur le compte de la clinique");
    ASSERT_TRUE(learned.add(first, -1.0, Click::Report));
    for (int i = 0; i < 200; ++i)
        learned.add(features_of_text("lettre du service numero " +
                                     std::string(1, static_cast<char>('a' + i % 26)) +
                                     std::string(1, static_cast<char>('a' + i / 26))),
                    0.5, Click::Release);
    EXPECT_GT(-1.0 + learned.adjustment(first), 0);
}

TEST(MailLearned, LastWordCountsAndTheSameClickTwiceIsOne) {
    Learned learned;
    const Features letter = features_of_text("facture du mois de mai");
    EXPECT_TRUE(learned.add(letter, 0.5, Click::Release));
    EXPECT_FALSE(learned.add(letter, 0.5, Click::Release));
    EXPECT_TRUE(learned.add(letter, 0.5, Click::Report));
    EXPECT_EQ(learned.size(), 1U);
    EXPECT_GT(learned.adjustment(letter), 0);
}

TEST(MailLearned, KeptSealedAndReadBack) {
    sim::SimDisk disk(3);
    sim::SimRandom random(7);
    ASSERT_TRUE(disk.make_dirs("state"));
    crypto::Secret32 key{};
    Learned learned;
    const Features letter = features_of_text("résultats du laboratoire disponibles");
    learned.add(letter, 1.0, Click::Release);
    ASSERT_TRUE(keep_learned(disk, random, "state", key, learned));
    const Result<Learned> again = open_learned(disk, "state", key);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->write(), learned.write());
    EXPECT_EQ(again->adjustment(letter), learned.adjustment(letter));
    const Bytes sealed = *disk.read_file("state/learned.hyl", kLearnedBytesMax);
    EXPECT_EQ(as_text(sealed).find("HYGLEARN"), std::string_view::npos);
    Bytes damaged = sealed;
    damaged.back() ^= 1;
    ASSERT_TRUE(disk.write_file("state/learned.hyl", damaged));
    EXPECT_FALSE(open_learned(disk, "state", key));
}

}  // namespace
}  // namespace hygie::mail
