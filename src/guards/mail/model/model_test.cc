#include "guards/mail/model/model.h"

#include <gtest/gtest.h>

#include "guards/mail/model/bench.h"
#include "guards/mail/model/model_train.h"

namespace hygie::mail {
namespace {

Message message_of(std::string_view subject, std::string_view text) {
    Message message;
    message.subject = subject;
    message.text = message.plain = text;
    message.from.push_back({"Somebody", "somebody@example.test"});
    return message;
}

Features features_of_text(std::string_view subject, std::string_view text) {
    return features_of(message_of(subject, text), Evidence{}, {});
}

constexpr std::string_view kHonestAboutPasswords = "réunion : confirmez votre mot de passe";

/// Attacks ask for passwords, honest mail speaks of meetings; `apart` letters say `words`.
Trained small_model(std::uint64_t seed, std::uint32_t apart = 0,
                    std::string_view subject = "compte",
                    std::string_view words = kHonestAboutPasswords) {
    Vocabulary vocabulary;
    std::vector<TrainingExample> examples;
    for (std::uint32_t i = 0; i < 60; ++i) {
        const std::string number(1, static_cast<char>('a' + i % 20));
        TrainingExample attack =
            example_of(features_of_text("compte", "confirmez votre mot de passe " + number),
                       Class::Phishing, vocabulary);
        TrainingExample honest =
            example_of(features_of_text("planning", "la réunion du service est déplacée " + number),
                       Class::None, vocabulary);
        attack.fold = honest.fold = i;
        examples.push_back(attack);
        examples.push_back(honest);
    }
    for (std::uint32_t i = 0; i < apart; ++i) {
        TrainingExample honest =
            example_of(features_of_text(subject, words), Class::None, vocabulary);
        honest.is_apart = true;
        honest.source = std::to_string(i);
        examples.push_back(honest);
    }
    TrainingOptions options;
    options.seed = seed;
    return *train_model(examples, vocabulary, options);
}

TEST(MailModel, LearnsWordsAndShowsThem) {
    const Trained trained = small_model(1);
    const Features attack = features_of_text("compte", "merci, confirmez votre mot de passe");
    const Features honest = features_of_text("planning", "la réunion du service est déplacée");
    EXPECT_GT(trained.model.attack_log_odds(attack), 0);
    EXPECT_GT(trained.model.attack_log_odds(attack), 1 + trained.model.attack_log_odds(honest));
    const Opinion opinion = trained.model.opinion(attack);
    ASSERT_FALSE(opinion.parts.empty());
    EXPECT_NE(attack.text.find(opinion.parts.front().evidence), std::string::npos);
    EXPECT_GT(opinion.log_odds[static_cast<std::size_t>(Class::Phishing)], 0);
}

TEST(MailModel, SameSeedSameBytes) {
    EXPECT_EQ(write_model(small_model(4).model), write_model(small_model(4).model));
    EXPECT_NE(write_model(small_model(4).model), write_model(small_model(5).model));
}

TEST(MailModel, MailKeptApartSetsTheBarAndTeachesNothing) {
    const Features letter = features_of_text("compte", kHonestAboutPasswords);
    const Model without = small_model(3).model;
    const Model with = small_model(3, 40).model;
    ASSERT_GT(without.attack_log_odds(letter), 0);
    EXPECT_LE(with.attack_log_odds(letter), 0);
    EXPECT_EQ(with.words, without.words);
}

TEST(MailModel, QuietMailKeptApartDoesNotSpeakForAllMixedMail) {
    const auto bar = [](const Trained& trained) {
        return -trained.model.calibration_offset / trained.model.calibration_slope;
    };
    const double without = bar(small_model(3));
    EXPECT_GT(bar(small_model(3, 2, "planning", "la réunion du service est déplacée")),
              without - 0.3)
        << without;
    EXPECT_GT(bar(small_model(3, 2)), without + 0.3) << without;
}

TEST(MailModel, FileSpellsAgainToTheSameBytes) {
    const Bytes bytes = write_model(small_model(2).model);
    const Result<Model> read = read_model(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(write_model(*read), bytes);
}

TEST(MailModel, DamagedFileIsRefused) {
    const Bytes bytes = write_model(small_model(2).model);
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 97) {
        Bytes damaged = bytes;
        damaged[at] ^= 0x40;
        EXPECT_FALSE(read_model(damaged)) << at;
    }
    EXPECT_FALSE(read_model(ByteView(bytes).first(bytes.size() - 1)));
    EXPECT_FALSE(read_model({}));
}

TEST(MailModel, ShippedModelIsSmallAndTrained) {
    const Model& model = shipped_model();
    EXPECT_LE(write_model(model).size(), kModelBytesMax);
    EXPECT_NE(model.recipe.find("without phishing_pot"), std::string::npos) << model.recipe;
    EXPECT_NE(model.recipe.find("apart 2129 of 36 sources: "), std::string::npos) << model.recipe;
    EXPECT_GT(model.named.size(), 50U);
}

TEST(MailModel, NeitherLinksNorAddressesAreWords) {
    const Features with =
        features_of_text("a", "voir https://bad.example/login et x@y.example ici");
    const Features without = features_of_text("a", "voir et ici");
    EXPECT_EQ(with.words.size(), without.words.size());
}

TEST(MailModel, WordsOfTrustedSendersWeighApart) {
    Evidence trusted;
    trusted.relations.from_own_authenticated = true;
    const Message message = message_of("planning", "le virement est parti");
    const Features known = features_of(message, trusted, {});
    const Features unknown = features_of(message, Evidence{}, {});
    ASSERT_FALSE(known.words.empty());
    EXPECT_NE(known.words.front().slot, unknown.words.front().slot);
}

TEST(MailBench, WilsonBoundsAreTheTextbookOnes) {
    const Share share{.hits = 8, .of = 10};
    EXPECT_NEAR(share.low(), 0.4902, 1e-3);
    EXPECT_NEAR(share.high(), 0.9433, 1e-3);
    EXPECT_NEAR((Share{.hits = 0, .of = 2500}.high()), 0.0015, 1e-4);
    EXPECT_EQ((Share{}.value()), 0);
}

TEST(MailBench, EvidenceStandsOnlyWhereItIs) {
    const Message message = message_of("Votre compte", "cliquez vite");
    const Reason here{.id = "word", .text = {}, .evidence = "cliquez", .where = "text"};
    const Reason nowhere{.id = "word", .text = {}, .evidence = "bitcoin", .where = "text"};
    EXPECT_TRUE(evidence_stands(message, {}, here));
    EXPECT_FALSE(evidence_stands(message, {}, nowhere));
    EXPECT_EQ(without_evidence(message, {here}).text, " vite");
}

TEST(MailBench, IndexNeedsItsColumnsAndLabels) {
    EXPECT_FALSE(parse_index("name,label\na,ham\n"));
    EXPECT_FALSE(parse_index("path,label\na,maybe\n"));
    const auto rows =
        parse_index("path,label,class,truth\nm/a.eml,phish,x,malware\nb.eml,ham,list,\n");
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ((*rows)[0].truth, Class::Malware);
    EXPECT_FALSE((*rows)[1].is_attack);
}

}  // namespace
}  // namespace hygie::mail
