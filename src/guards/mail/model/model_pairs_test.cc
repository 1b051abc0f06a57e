#include "guards/mail/model/model_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hygie::mail {
namespace {

constexpr std::uint32_t kFolds = 12;

TrainingExample example_with(std::vector<std::pair<std::uint32_t, float>> named, bool attack,
                             std::uint32_t fold) {
    TrainingExample example;
    example.named = std::move(named);
    example.truth = attack ? Class::Phishing : Class::None;
    example.fold = fold;
    example.is_sorted = true;
    return example;
}

/// Either of two facts is an attack, both or none is honest: no sum of weights can say so.
std::vector<TrainingExample> either_alone(std::uint32_t folds) {
    std::vector<TrainingExample> examples;
    for (std::uint32_t i = 0; i < 120; ++i) {
        const std::uint32_t fold = i % folds;
        examples.push_back(example_with({{0, 1.0F}}, true, fold));
        examples.push_back(example_with({{1, 1.0F}}, true, fold));
        examples.push_back(example_with({{0, 1.0F}, {1, 1.0F}}, false, fold));
        examples.push_back(example_with({}, false, fold));
    }
    return examples;
}

std::vector<Judged> undecided(const std::vector<TrainingExample>& examples) {
    std::vector<Judged> judged;
    for (const TrainingExample& example : examples) judged.push_back({&example, 0});
    return judged;
}

Features features_with(std::vector<NamedFeature> named) {
    Features features;
    features.named = std::move(named);
    return features;
}

Model model_with(std::vector<NamedWeight> named) {
    Model model;
    model.words.resize(kWordSlots);
    model.class_words.resize(static_cast<std::size_t>(kClassSlots) * kAttackClasses);
    model.named = std::move(named);
    return model;
}

double shown(const Opinion& opinion, std::string_view name) {
    const auto part = std::ranges::find(opinion.parts, name, &Opinion::Part::feature);
    return part == opinion.parts.end() ? 0 : part->weight;
}

TEST(MailModelPairs, SayWhatNoSumOfFactsCan) {
    Vocabulary vocabulary;
    vocabulary.id_of("a");
    vocabulary.id_of("b");
    const Trained trained = *train_model(either_alone(kFolds), vocabulary, TrainingOptions{});
    const Model& model = trained.model;
    const double alone = model.attack_log_odds(features_with({{"a", 1, {}}}));
    EXPECT_GT(alone, 0);
    EXPECT_GT(model.attack_log_odds(features_with({{"b", 1, {}}})), 0);
    EXPECT_LT(model.attack_log_odds(features_with({{"a", 1, {}}, {"b", 1, {}}})), alone - 1);
    EXPECT_GT(trained.report.held_out_recall, 0.99) << "seen by models that did not learn the fold";
    EXPECT_NE(model.find("a&b"), nullptr);
}

TEST(MailModelPairs, WhatOneHandWroteIsNotBelieved) {
    const std::vector<TrainingExample> many = either_alone(kFolds);
    EXPECT_EQ(choose_pairs(undecided(many), 2, kFolds, 10), (std::vector<FactPair>{{0, 1}}));
    const std::vector<TrainingExample> few = either_alone(3);
    EXPECT_TRUE(choose_pairs(undecided(few), 2, kFolds, 10).empty());
    EXPECT_TRUE(choose_pairs(undecided(many), 2, kFolds, 0).empty());
}

TEST(MailModelPairs, AreWorthTheProductOfTheirFacts) {
    const std::vector<FactPair> pairs = {{0, 2}};
    const TrainingExample example = example_with({{2, 0.5F}, {0, 0.5F}}, true, 0);
    const TrainingExample wide = with_pairs(example, pairs, 3);
    ASSERT_EQ(wide.named.size(), 3U);
    EXPECT_EQ(wide.named.back(), (std::pair<std::uint32_t, float>{3, 0.25F}));
    EXPECT_EQ(with_pairs(example_with({{2, 1.0F}}, true, 0), pairs, 3).named.size(), 1U);
    EXPECT_EQ(names_with({"a", "b", "c"}, pairs).back(), "a&c");
    const Model model = model_with({{.name = "a&c", .attack = 4}});
    EXPECT_DOUBLE_EQ(model.attack_log_odds(features_with({{"c", 0.5F, {}}, {"a", 0.5F, {}}})), 1);
    EXPECT_DOUBLE_EQ(model.attack_log_odds(features_with({{"c", 1, {}}})), 0);
    EXPECT_DOUBLE_EQ(model.attack_log_odds(features_with({{"a", 1, {}}})), 0);
}

TEST(MailModelPairs, AreShownByWhatTheirFactsStandOn) {
    const Model model = model_with({{.name = "asks.pay&shape.one_link", .attack = 4}});
    const Opinion one =
        model.opinion(features_with({{"asks.pay", 1, "payez ce soir"}, {"shape.one_link", 1, {}}}));
    EXPECT_DOUBLE_EQ(shown(one, "asks.pay"), 4);
    const Opinion both = model.opinion(
        features_with({{"asks.pay", 1, "payez ce soir"}, {"shape.one_link", 1, "lien.example"}}));
    EXPECT_DOUBLE_EQ(shown(both, "asks.pay"), 2);
    EXPECT_DOUBLE_EQ(shown(both, "shape.one_link"), 2);
}

}  // namespace
}  // namespace hygie::mail
