#include "guards/mail/model/model_train.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "guards/mail/judge/rules.h"
#include "guards/mail/model/model_pairs.h"
#include "guards/mail/model/model_tail.h"
#include "guards/mail/twins/twin_grammar.h"

namespace hygie::mail {
namespace {

/// Weights while they are learned (Adagrad: each has its own step).
struct Learner {
    std::vector<float> weights;
    std::vector<float> squares;

    explicit Learner(std::size_t size) : weights(size), squares(size, 1e-4F) {}
    void step(std::size_t at, double gradient, double rate) {
        squares[at] += static_cast<float>(gradient * gradient);
        weights[at] -=
            static_cast<float>(rate * gradient / std::sqrt(static_cast<double>(squares[at])));
    }
};

struct AttackLearner {
    Learner words{kWordSlots};
    Learner named;
    Learner bias{1};
    explicit AttackLearner(std::size_t names) : named(names) {}

    double raw(const TrainingExample& example) const {
        double sum = bias.weights[0];
        for (const auto& [slot, value] : example.words) sum += words.weights[slot] * value;
        for (const auto& [id, value] : example.named) sum += named.weights[id] * value;
        return sum;
    }
    template <typename Change>
    void change_weights(const AttackLearner& by, const Change& change) {
        for (std::size_t i = 0; i < words.weights.size(); ++i)
            words.weights[i] = change(words.weights[i], by.words.weights[i]);
        for (std::size_t i = 0; i < named.weights.size(); ++i)
            named.weights[i] = change(named.weights[i], by.named.weights[i]);
        bias.weights[0] = change(bias.weights[0], by.bias.weights[0]);
    }
};

using Examples = std::vector<const TrainingExample*>;

/// Honest messages, whose words pad others.
Examples honest_of(const Examples& examples) {
    Examples honest;
    for (const TrainingExample* example : examples)
        if (example->truth == Class::None) honest.push_back(example);
    return honest;
}

/// The example with some features hidden and, at times, words of an honest one added; the words
/// have length one again.
TrainingExample disturbed(const TrainingExample& example, const Examples& honest,
                          const TrainingOptions& options, Dice& dice) {
    TrainingExample out;
    out.truth = example.truth;
    for (const auto& part : example.words)
        if (!dice.chance(options.words_dropped)) out.words.push_back(part);
    if (!honest.empty() && dice.chance(options.padded)) {
        const TrainingExample& other = *dice.pick(honest);
        const auto kept = static_cast<unsigned>(dice.below(100));
        for (const auto& part : other.words)
            if (dice.chance(kept)) out.words.push_back(part);
    }
    double square = 0;
    for (const auto& [slot, value] : out.words) square += static_cast<double>(value) * value;
    const auto scale = static_cast<float>(1 / std::sqrt(std::max(square, 1e-6)));
    for (auto& [slot, value] : out.words) value *= scale;
    for (const auto& part : example.named)
        if (!dice.chance(options.named_dropped)) out.named.push_back(part);
    return out;
}

std::vector<std::size_t> shuffled(std::size_t size, Dice& dice) {
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = size; i > 1; --i) std::swap(order[i - 1], order[dice.below(i)]);
    return order;
}

/// What each look takes off the weight of a fact.
std::vector<double> decay_of(const Examples& examples, std::size_t names,
                             const TrainingOptions& options) {
    std::vector<double> decay(names);
    for (const TrainingExample* example : examples)
        for (const auto& [id, value] : example->named) ++decay[id];
    for (double& one : decay) one = options.decay_named + options.rare_named / std::max(one, 1.0);
    return decay;
}

/// The mean of the weights at the ends of the later rounds: where the last look happened to be
/// weighs less.
AttackLearner one_course(const Examples& examples, std::size_t names,
                         const TrainingOptions& options, std::uint64_t seed) {
    AttackLearner learner(names);
    AttackLearner mean(names);
    const unsigned first_kept = options.epochs / 2;
    const auto kept = static_cast<float>(options.epochs - first_kept);
    const std::vector<double> decay = decay_of(examples, names, options);
    const Examples honest = honest_of(examples);
    Dice dice(seed);
    for (unsigned epoch = 0; epoch < options.epochs; ++epoch) {
        for (const std::size_t at : shuffled(examples.size(), dice)) {
            const TrainingExample example = disturbed(*examples[at], honest, options, dice);
            const double truth = example.truth == Class::None ? 0 : 1;
            const double error =
                (1 / (1 + std::exp(-learner.raw(example))) - truth) * examples[at]->weight;
            for (const auto& [slot, value] : example.words)
                learner.words.step(
                    slot, error * value + options.decay_words * learner.words.weights[slot],
                    options.rate);
            for (const auto& [id, value] : example.named)
                learner.named.step(id, error * value + decay[id] * learner.named.weights[id],
                                   options.rate);
            learner.bias.step(0, error, options.rate);
        }
        if (epoch >= first_kept)
            mean.change_weights(learner, [&](float sum, float now) { return sum + now / kept; });
    }
    return mean;
}

AttackLearner learn_attack(const Examples& examples, std::size_t names,
                           const TrainingOptions& options) {
    constexpr std::uint64_t kSeedsApart = 1'000;
    AttackLearner mean(names);
    for (unsigned course = 0; course < options.courses; ++course)
        mean.change_weights(
            one_course(examples, names, options, options.seed + course * kSeedsApart),
            [&](float sum, float one) { return sum + one / static_cast<float>(options.courses); });
    return mean;
}

struct ClassLearner {
    Learner words{static_cast<std::size_t>(kClassSlots) * kAttackClasses};
    Learner named;
    Learner bias{kAttackClasses};
    explicit ClassLearner(std::size_t names) : named(names * kAttackClasses) {}

    std::array<double, kAttackClasses> shares(const TrainingExample& example) const {
        std::array<double, kAttackClasses> raw{};
        for (std::size_t k = 0; k < kAttackClasses; ++k) raw[k] = bias.weights[k];
        for (const auto& [slot, value] : example.words)
            for (std::size_t k = 0; k < kAttackClasses; ++k)
                raw[k] += words.weights[(slot & (kClassSlots - 1)) * kAttackClasses + k] * value;
        for (const auto& [id, value] : example.named)
            for (std::size_t k = 0; k < kAttackClasses; ++k)
                raw[k] += named.weights[id * kAttackClasses + k] * value;
        const double top = *std::ranges::max_element(raw);
        double sum = 0;
        for (double& value : raw) sum += value = std::exp(value - top);
        for (double& value : raw) value /= sum;
        return raw;
    }
};

ClassLearner learn_classes(const Examples& examples, std::size_t names,
                           const TrainingOptions& options) {
    ClassLearner learner(names);
    const Examples honest = honest_of(examples);
    Dice dice(options.seed + 1);
    for (unsigned epoch = 0; epoch < options.epochs; ++epoch) {
        for (const std::size_t at : shuffled(examples.size(), dice)) {
            if (examples[at]->truth == Class::None || !examples[at]->is_sorted) continue;
            const TrainingExample example = disturbed(*examples[at], honest, options, dice);
            std::array<double, kAttackClasses> error = learner.shares(example);
            error[static_cast<std::size_t>(example.truth) - 1] -= 1;
            for (std::size_t k = 0; k < kAttackClasses; ++k) {
                for (const auto& [slot, value] : example.words) {
                    const std::size_t cell = (slot & (kClassSlots - 1)) * kAttackClasses + k;
                    learner.words.step(cell, error[k] * value, options.rate);
                }
                for (const auto& [id, value] : example.named)
                    learner.named.step(id * kAttackClasses + k, error[k] * value, options.rate);
                learner.bias.step(k, error[k], options.rate);
            }
        }
    }
    return learner;
}

/// What is learned from some examples, and of nothing else: which pairs of facts count as well.
struct Lesson {
    std::vector<FactPair> pairs;
    std::uint32_t names = 0;
    AttackLearner attack;
    ClassLearner classes;

    TrainingExample wide(const TrainingExample& example) const {
        return with_pairs(example, pairs, names);
    }
};

/// The pairs that single facts leave to be said, seen on parts held out of each other.
std::vector<FactPair> pairs_of(const Examples& examples, std::uint32_t names,
                               const TrainingOptions& options) {
    std::vector<Judged> judged;
    for (unsigned part = 0; part < options.pair_parts; ++part) {
        Examples seen;
        Examples unseen;
        for (const TrainingExample* example : examples)
            (example->fold % options.folds % options.pair_parts == part ? unseen : seen)
                .push_back(example);
        const AttackLearner learner = one_course(seen, names, options, options.seed);
        for (const TrainingExample* example : unseen)
            judged.push_back({example, learner.raw(*example)});
    }
    return choose_pairs(judged, names, options.folds, options.pairs);
}

Lesson learn(const Examples& examples, std::uint32_t names, const TrainingOptions& options) {
    const std::vector<FactPair> pairs = pairs_of(examples, names, options);
    std::vector<TrainingExample> wide;
    wide.reserve(examples.size());
    for (const TrainingExample* example : examples)
        wide.push_back(with_pairs(*example, pairs, names));
    Examples all;
    for (const TrainingExample& example : wide) all.push_back(&example);
    const std::size_t facts = names + pairs.size();
    return {pairs, names, learn_attack(all, facts, options), learn_classes(all, facts, options)};
}

/// A score of a message that the model had not seen.
struct HeldOut {
    double raw;
    bool attack;
    bool hard;
    double weight;
    const TrainingExample* example;
};

/// The score that at most `share` of those scores exceed.
double quantile_above(std::vector<double> scores, double share) {
    if (scores.empty()) return -1e9;
    std::ranges::sort(scores, std::greater<>());
    const auto at = static_cast<std::size_t>(share * static_cast<double>(scores.size()));
    return scores[std::min(at, scores.size() - 1)];
}

std::vector<std::int8_t> quantised(const std::vector<float>& weights, float& scale) {
    std::vector<float> sizes;
    for (const float weight : weights)
        if (weight != 0) sizes.push_back(std::abs(weight));
    std::ranges::sort(sizes);
    // The few largest are cut rather than making all others coarse.
    scale =
        sizes.empty()
            ? 1
            : sizes[static_cast<std::size_t>(static_cast<double>(sizes.size() - 1) * 0.9995)] / 127;
    std::vector<std::int8_t> out(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
        out[i] =
            static_cast<std::int8_t>(std::clamp(std::round(weights[i] / scale), -127.0F, 127.0F));
    return out;
}

Model model_of(const Lesson& lesson, const Vocabulary& vocabulary) {
    const auto& [pairs, count, attack, classes] = lesson;
    const std::vector<std::string> names = names_with(vocabulary.names(), pairs);
    Model model;
    model.bias = attack.bias.weights[0];
    model.words = quantised(attack.words.weights, model.word_scale);
    model.class_words = quantised(classes.words.weights, model.class_scale);
    for (std::size_t k = 0; k < kAttackClasses; ++k) model.class_bias[k] = classes.bias.weights[k];
    for (std::size_t id = 0; id < names.size(); ++id) {
        NamedWeight weight{.name = names[id], .attack = attack.named.weights[id]};
        for (std::size_t k = 0; k < kAttackClasses; ++k)
            weight.classes[k] = classes.named.weights[id * kAttackClasses + k];
        model.named.push_back(std::move(weight));
    }
    std::ranges::sort(model.named, {}, &NamedWeight::name);
    return model;
}

struct Validation {
    std::vector<HeldOut> scores;
    std::vector<HeldOut> apart;  ///< as the model that is kept sees them
    std::size_t class_right = 0;
    std::size_t class_asked = 0;
};

/// The messages of one fold, scored by a model that saw neither them nor their authors or sources.
Validation hold_out_fold(const Examples& examples, std::uint32_t names,
                         const TrainingOptions& options, std::uint32_t fold) {
    Validation validation;
    Examples seen;
    Examples unseen;
    for (const TrainingExample* example : examples)
        (example->fold % options.folds == fold ? unseen : seen).push_back(example);
    const Lesson lesson = learn(seen, names, options);
    for (const TrainingExample* example : unseen) {
        const TrainingExample wide = lesson.wide(*example);
        validation.scores.push_back({lesson.attack.raw(wide), example->truth != Class::None,
                                     example->is_hard, example->weight, example});
        if (example->truth == Class::None || !example->is_sorted) continue;
        ++validation.class_asked;
        const auto share = lesson.classes.shares(wide);
        const auto best = std::ranges::max_element(share) - share.begin();
        if (best + 1 == static_cast<std::ptrdiff_t>(example->truth)) ++validation.class_right;
    }
    return validation;
}

/// All folds, two at once: what each learns depends on no other, nor the result on which ends
/// first.
Validation hold_out(const Examples& examples, std::uint32_t names, const TrainingOptions& options) {
    constexpr int kAtOnce = 2;
    std::vector<Validation> folds(options.folds);
    std::atomic<std::uint32_t> next = 0;
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < kAtOnce; ++thread)
            threads.emplace_back([&] {
                for (std::uint32_t fold = next++; fold < options.folds; fold = next++)
                    folds[fold] = hold_out_fold(examples, names, options, fold);
            });
    }
    Validation all;
    for (const Validation& one : folds) {
        all.scores.insert(all.scores.end(), one.scores.begin(), one.scores.end());
        all.class_right += one.class_right;
        all.class_asked += one.class_asked;
    }
    return all;
}

void name_worst(TrainingReport& report, std::vector<HeldOut> scores, double point) {
    std::ranges::sort(scores, std::greater<>(), &HeldOut::raw);
    std::map<std::string, std::size_t> counts;
    for (const HeldOut& one : scores) {
        if (one.attack) {
            ++counts[one.example->name];
            report.recall_by_name[one.example->name] += one.raw > point;
        } else if (report.worst_honest.size() < TrainingReport::kWorstMax) {
            report.worst_honest.push_back(
                fmt::format("{:.2f} {}", one.raw - point, one.example->name));
        }
    }
    for (auto& [name, recall] : report.recall_by_name) recall /= static_cast<double>(counts[name]);
}

/// What the threshold costs, at usual shares of false alarms.
void draw_curve(TrainingReport& report, const std::vector<HeldOut>& scores) {
    std::vector<double> mixed;
    for (const HeldOut& one : scores)
        if (!one.attack && !one.hard) mixed.push_back(one.raw);
    for (const double share : {0.001, 0.002, 0.005, 0.01}) {
        const double point = quantile_above(mixed, share);
        const auto above = [&](bool attack) {
            std::size_t hits = 0;
            std::size_t all = 0;
            for (const HeldOut& one : scores) {
                if (one.attack != attack || (!attack && !one.hard)) continue;
                ++all;
                hits += one.raw > point;
            }
            return static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(all, 1));
        };
        report.curve.push_back({share, above(true), above(false)});
    }
}

/// Of one kind, what the bar is set by: mail kept apart, as the model that is kept sees it. Of
/// mixed mail, which comes in more kinds than anybody keeps apart, that and real mail whose source
/// was held out. Generated letters are written to be mistaken for attacks and say nothing of how
/// often such mail comes: they stand in where there is no other.
std::vector<HonestScore> honest_scores(const Validation& validation, bool hard) {
    std::vector<HonestScore> apart;
    std::vector<HonestScore> real;
    std::vector<HonestScore> generated;
    for (const HeldOut& one : validation.apart)
        if (one.hard == hard) apart.push_back({one.raw, one.example->source});
    for (const HeldOut& one : validation.scores)
        if (!one.attack && one.hard == hard)
            (one.example->is_generated ? generated : real)
                .push_back({one.raw, one.example->source});
    if (!hard) real.insert(real.end(), apart.begin(), apart.end());
    return hard && !apart.empty() ? apart : !real.empty() ? real : generated;
}

/// Sets calibration so that log-odds 0 is where a message begins to be suspicious and those of
/// kMaliciousScore where it is held, and says what was held out there.
void calibrate(Model& model, TrainingReport& report, const Validation& validation,
               const TrainingOptions& options) {
    constexpr double kSlopeMin = 0.4;
    constexpr double kSlopeMax = 3;
    const std::vector<HonestScore> mixed = honest_scores(validation, false);
    const std::vector<HonestScore> hard = honest_scores(validation, true);
    const double point = std::max(tail_point(mixed, options.mixed_false_max),
                                  tail_point(hard, options.hard_false_max));
    const double sure = std::max(tail_point(mixed, options.mixed_sure_max),
                                 tail_point(hard, options.hard_sure_max));
    report.source_false = tail_share(mixed, point);
    report.source_hard_false = tail_share(hard, point);
    const double certain = std::log(kMaliciousScore / (1 - kMaliciousScore));
    const double slope =
        sure > point ? std::clamp(certain / (sure - point), kSlopeMin, kSlopeMax) : 1;
    model.calibration_slope = static_cast<float>(slope);
    model.calibration_offset = static_cast<float>(-slope * point - 1e-3);
    report.sure_at = certain / slope;
    std::size_t hard_honest = 0;
    for (const HeldOut& one : validation.scores) {
        const bool above = one.raw > point;
        const bool held = one.raw > point + report.sure_at;
        if (one.attack) report.sure_recall += held;
        if (!one.attack) report.sure_false += held;
        if (one.attack) report.held_out_recall += above;
        if (!one.attack) report.held_out_false += above;
        if (!one.attack && one.hard) ++hard_honest;
        if (!one.attack && one.hard) report.held_out_hard_false += above;
    }
    name_worst(report, validation.scores, point);
    draw_curve(report, validation.scores);
    report.held_out_recall /= static_cast<double>(std::max<std::size_t>(report.attacks, 1));
    report.sure_recall /= static_cast<double>(std::max<std::size_t>(report.attacks, 1));
    report.sure_false /= static_cast<double>(std::max<std::size_t>(report.honest, 1));
    report.held_out_false /= static_cast<double>(std::max<std::size_t>(report.honest, 1));
    report.held_out_hard_false /= static_cast<double>(std::max<std::size_t>(hard_honest, 1));
    report.class_right = static_cast<double>(validation.class_right) /
                         static_cast<double>(std::max<std::size_t>(validation.class_asked, 1));
}

}  // namespace

std::uint32_t Vocabulary::id_of(std::string_view name) {
    const auto [at, made] =
        ids_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_.size()));
    if (made) names_.emplace_back(name);
    return at->second;
}

TrainingExample example_of(const Features& features, Class truth, Vocabulary& vocabulary) {
    TrainingExample example;
    example.truth = truth;
    for (const WordFeature& word : features.words)
        example.words.emplace_back(word.slot, word.value);
    for (const NamedFeature& named : features.named)
        example.named.emplace_back(vocabulary.id_of(named.name), named.value);
    return example;
}

Result<Trained> train_model(const std::vector<TrainingExample>& examples,
                            const Vocabulary& vocabulary, const TrainingOptions& options) {
    Trained trained;
    Examples all;
    Examples apart;
    for (const TrainingExample& example : examples) {
        (example.is_apart ? apart : all).push_back(&example);
        if (example.is_apart) continue;
        ++(example.truth == Class::None ? trained.report.honest : trained.report.attacks);
    }
    trained.report.examples = all.size();
    if (trained.report.attacks == 0 || trained.report.honest == 0 ||
        vocabulary.names().size() + options.pairs > kNamedWeightsMax)
        return fail(Code::BadInput,
                    {"il faut des messages honnêtes et des attaques pour apprendre",
                     "learning needs both honest messages and attacks"},
                    {"ajoutez des données par --data ou des jumeaux par --twins",
                     "add data with --data or twins with --twins"});
    const auto names = static_cast<std::uint32_t>(vocabulary.names().size());
    Validation validation = hold_out(all, names, options);
    const Lesson lesson = learn(all, names, options);
    for (const TrainingExample* example : apart)
        validation.apart.push_back({lesson.attack.raw(lesson.wide(*example)), false,
                                    example->is_hard, example->weight, example});
    trained.model = model_of(lesson, vocabulary);
    calibrate(trained.model, trained.report, validation, options);
    return trained;
}

}  // namespace hygie::mail
