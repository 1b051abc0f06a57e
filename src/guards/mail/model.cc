#include "guards/mail/model.h"

#include <algorithm>
#include <cmath>

#include "guards/mail/fold.h"
#include "guards/mail/limits.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kPartsMax = 12;  ///< of an opinion: more would explain nothing
constexpr double kLogOddsMax = 12;
constexpr std::size_t kToldBytesMin = 5;

/// The softmax of the classes among attacks.
std::array<double, kAttackClasses> shares(const Model& model, const Features& features) {
    std::array<double, kAttackClasses> raw{};
    for (std::size_t k = 0; k < kAttackClasses; ++k) raw[k] = model.class_bias[k];
    for (const WordFeature& word : features.words) {
        const std::size_t row = (word.slot & (kClassSlots - 1)) * kAttackClasses;
        for (std::size_t k = 0; k < kAttackClasses; ++k)
            raw[k] +=
                static_cast<double>(model.class_words[row + k]) * model.class_scale * word.value;
    }
    for (const NamedFeature& named : features.named)
        if (const NamedWeight* weight = model.find(named.name))
            for (std::size_t k = 0; k < kAttackClasses; ++k)
                raw[k] += static_cast<double>(weight->classes[k]) * named.value;
    const double top = *std::ranges::max_element(raw);
    double sum = 0;
    for (double& value : raw) sum += value = std::exp(value - top);
    for (double& value : raw) value /= sum;
    return raw;
}

/// A sentence that says something when it is cited: not an article, not a fragment.
bool tells(std::string_view evidence) {
    return trim(evidence).size() >= kToldBytesMin;
}

/// The end of the sentence that begins at `begin`; at most kEvidenceBytesMax bytes further.
std::size_t sentence_end(std::string_view text, std::size_t begin) {
    const std::size_t stop = std::min(text.find_first_of(".!?\n\r", begin), text.size());
    const std::string_view whole = text.substr(begin, stop - begin);
    const std::string_view held = cut(whole, kEvidenceBytesMax);
    if (held.size() == whole.size()) return std::min(stop + 1, text.size());
    const std::size_t blank = held.rfind(' ');
    return begin + (blank == std::string_view::npos || blank == 0 ? held.size() : blank);
}

/// What the words weigh, sentence by sentence: a sentence can be shown to a person.
template <typename Add>
void add_sentences(const Model& model, const Features& features, const Add& add) {
    std::vector<double> at(features.text.size() + 1);
    for (const WordFeature& word : features.words)
        at[std::min<std::size_t>(word.begin, features.text.size())] +=
            static_cast<double>(model.words[word.slot]) * model.word_scale * word.value;
    for (std::size_t begin = 0; begin < features.text.size();) {
        const std::size_t end = sentence_end(features.text, begin);
        double weight = 0;
        for (std::size_t i = begin; i < end; ++i) weight += at[i];
        add("word", std::string(trim(std::string_view(features.text).substr(begin, end - begin))),
            weight);
        begin = end;
    }
}

/// Signals and words that speak for an attack; shapes and rules have nothing to show.
std::vector<Opinion::Part> parts_of(const Model& model, const Features& features) {
    std::vector<Opinion::Part> parts;
    const auto add = [&](std::string name, std::string evidence, double weight) {
        if (weight > 0 && tells(evidence))
            parts.push_back(
                {std::move(name), std::move(evidence), weight * model.calibration_slope});
    };
    for (const NamedFeature& named : features.named)
        if (const NamedWeight* weight = model.find(named.name))
            add(named.name, named.evidence, static_cast<double>(weight->attack) * named.value);
    add_sentences(model, features, add);
    const auto stronger = [](const Opinion::Part& a, const Opinion::Part& b) {
        return a.weight > b.weight;
    };
    const std::size_t kept = std::min(parts.size(), kPartsMax);
    std::ranges::partial_sort(parts, parts.begin() + static_cast<std::ptrdiff_t>(kept), stronger);
    parts.resize(kept);
    return parts;
}

}  // namespace

const NamedWeight* Model::find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(named, name, {}, &NamedWeight::name);
    return found != named.end() && found->name == name ? &*found : nullptr;
}

double Model::attack_log_odds(const Features& features) const {
    double raw = bias;
    for (const WordFeature& word : features.words)
        raw += static_cast<double>(words[word.slot]) * word_scale * word.value;
    for (const NamedFeature& feature : features.named)
        if (const NamedWeight* weight = find(feature.name))
            raw += static_cast<double>(weight->attack) * feature.value;
    return std::clamp(calibration_slope * raw + calibration_offset, -kLogOddsMax, kLogOddsMax);
}

Opinion Model::opinion(const Features& features) const {
    Opinion opinion;
    const double attack = attack_log_odds(features);
    opinion.log_odds[0] = -attack;
    const std::array<double, kAttackClasses> share = shares(*this, features);
    const double best = *std::ranges::max_element(share);
    for (std::size_t k = 0; k < kAttackClasses; ++k)
        opinion.log_odds[k + 1] = attack + std::log(std::max(share[k], 1e-6) / best);
    opinion.parts = parts_of(*this, features);
    return opinion;
}

Scorer scorer_of(const Model& model) {
    return [&model](const Message& message, const Evidence& evidence,
                    std::span<const Signal> signals) {
        return model.opinion(features_of(message, evidence, signals));
    };
}

}  // namespace hygie::mail
