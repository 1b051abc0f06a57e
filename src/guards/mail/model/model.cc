#include "guards/mail/model/model.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <span>

#include <fmt/format.h>

#include "guards/mail/judge/rules.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kPartsMax = 24;  ///< of an opinion: more would explain nothing
constexpr std::size_t kPassageBytesMax = 900;
constexpr double kLogOddsMax = 12;
constexpr std::size_t kToldBytesMin = 5;

constexpr char kPairSign = '&';

/// The softmax of the classes among attacks.
std::array<double, kAttackClasses> shares(const Model& model, const Features& features,
                                          std::span<const KnownFact> facts) {
    std::array<double, kAttackClasses> raw{};
    for (std::size_t k = 0; k < kAttackClasses; ++k) raw[k] = model.class_bias[k];
    for (const WordFeature& word : features.words) {
        const std::size_t row = (word.slot & (kClassSlots - 1)) * kAttackClasses;
        for (std::size_t k = 0; k < kAttackClasses; ++k)
            raw[k] +=
                static_cast<double>(model.class_words[row + k]) * model.class_scale * word.value;
    }
    for (const auto& [weight, value] : facts)
        for (std::size_t k = 0; k < kAttackClasses; ++k)
            raw[k] += static_cast<double>(weight->classes[k]) * value;
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

constexpr std::string_view kEnds = ".!?\n\r";

bool is_word_sign(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// The end of the sentence that begins at `begin`; at most kEvidenceBytesMax bytes further.
std::size_t sentence_end(std::string_view text, std::size_t begin) {
    std::size_t stop = std::min(text.find_first_of(kEnds, begin), text.size());
    // No end is inside a number, an address or a domain: "1.200,00", "impots.gouv.fr".
    while (stop + 1 < text.size() && text[stop] == '.' && is_word_sign(text[stop + 1]))
        stop = std::min(text.find_first_of(kEnds, stop + 1), text.size());
    const std::string_view whole = text.substr(begin, stop - begin);
    const std::string_view held = cut(whole, kEvidenceBytesMax);
    if (held.size() == whole.size()) return std::min(stop + 1, text.size());
    const std::size_t blank = held.rfind(' ');
    return begin + (blank == std::string_view::npos || blank == 0 ? held.size() : blank);
}

/// A stretch of the text and what its words weigh.
struct Stretch {
    std::size_t begin;
    std::size_t end;
    double weight;
};

/// The sentences of subject, body and files, each with its weight; none crosses from one to
/// another.
std::vector<Stretch> sentences_of(const Model& model, const Features& features) {
    const std::string_view text = features.text;
    std::vector<double> at(text.size() + 1);
    for (const WordFeature& word : features.words)
        at[std::min<std::size_t>(word.begin, text.size())] +=
            static_cast<double>(model.words[word.slot]) * model.word_scale * word.value;
    std::vector<Stretch> out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = sentence_end(text, begin);
        double weight = 0;
        for (std::size_t i = begin; i < end; ++i) weight += at[i];
        out.push_back({begin, end, weight});
        begin = end;
    }
    return out;
}

/// What the words weigh, passage by passage: sentences that accuse and stand near each other are
/// shown to a person as one, what stands between them with them as long as the whole grows heavier.
template <typename Add>
void add_passages(const Model& model, const Features& features, const Add& add) {
    const std::string_view text = features.text;
    const std::vector<Stretch> sentences = sentences_of(model, features);
    for (std::size_t first = 0; first < sentences.size();) {
        const Stretch& start = sentences[first];
        if (start.weight <= 0) {
            ++first;
            continue;
        }
        Stretch best = start;
        double sum = 0;
        std::size_t last = first;
        for (std::size_t i = first; i < sentences.size(); ++i) {
            const Stretch& next = sentences[i];
            const bool elsewhere =
                i > first && (next.begin == features.body_at || next.begin == features.files_at);
            if (elsewhere || next.end - start.begin > kPassageBytesMax) break;
            sum += next.weight;
            if (sum <= 0) break;
            if (sum >= best.weight) {
                best = {start.begin, next.end, sum};
                last = i;
            }
        }
        add("word", std::string(trim(text.substr(best.begin, best.end - best.begin))), best.weight);
        first = last + 1;
    }
}

/// What a signal adds through the opinion of the rules, which the model weighs as well.
double weight_by_rules(const Model& model, std::string_view signal, double strength) {
    double weight = 0;
    for (const Rule& rule : rules()) {
        if (rule.signal != signal) continue;
        const NamedWeight* known = model.find("rules." + std::string(name_of(rule.kind)));
        if (known) weight += static_cast<double>(known->attack) * rule.weight / kRulesUnit;
    }
    return weight * strength;
}

/// The signal that a feature is shown as: itself, the lure of a situation ("at.….credential"), or
/// what a shape is of.
std::string shown_as(std::string_view feature) {
    if (feature.starts_with("by.") || feature.starts_with("shape.name_")) return "shape.sender";
    if (feature.starts_with("to.") || feature.starts_with("path.")) return "shape.link";
    if (feature.starts_with("head.")) return "shape.subject";
    if (!feature.starts_with("at.")) return std::string(feature);
    return "lure." + std::string(feature.substr(feature.rfind('.') + 1));
}

/// What facts that can be shown weigh, by how they are shown. Of a pair each half weighs half, or
/// all of it where the other has nothing to show.
std::map<std::string, Opinion::Part> shown_facts(const Model& model, const Features& features,
                                                 std::span<const KnownFact> facts) {
    std::map<std::string, Opinion::Part> shown;
    std::map<std::string_view, Opinion::Part*> by_fact;
    for (const NamedFeature& named : features.named) {
        if (!tells(named.evidence)) continue;
        Opinion::Part& part = shown[shown_as(named.name)];
        part.evidence = named.evidence;
        part.weight += weight_by_rules(model, named.name, named.value);
        by_fact[named.name] = &part;
    }
    const auto part_of = [&](std::string_view fact) {
        const auto found = by_fact.find(fact);
        return found == by_fact.end() ? nullptr : found->second;
    };
    for (const auto& [weight, value] : facts) {
        const auto [first, second] = halves_of(weight->name);
        Opinion::Part* const one = part_of(first);
        Opinion::Part* const other = part_of(second);
        const double each = static_cast<double>(weight->attack) * value / (one && other ? 2 : 1);
        if (one) one->weight += each;
        if (other) other->weight += each;
    }
    return shown;
}

/// Signals, shapes and words that speak for an attack; what has no evidence has nothing to show.
std::vector<Opinion::Part> parts_of(const Model& model, const Features& features,
                                    std::span<const KnownFact> facts) {
    std::map<std::string, Opinion::Part> signals = shown_facts(model, features, facts);
    std::vector<Opinion::Part> parts;
    const auto add = [&](std::string name, std::string evidence, double weight) {
        if (weight > 0 && tells(evidence))
            parts.push_back(
                {std::move(name), std::move(evidence), weight * model.calibration_slope});
    };
    for (auto& [name, part] : signals) add(name, std::move(part.evidence), part.weight);
    add_passages(model, features, add);
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

std::string pair_name(std::string_view first, std::string_view second) {
    return fmt::format("{}{}{}", first, kPairSign, second);
}

std::pair<std::string_view, std::string_view> halves_of(std::string_view name) {
    const std::size_t sign = name.find(kPairSign);
    if (sign == std::string_view::npos) return {name, {}};
    return {name.substr(0, sign), name.substr(sign + 1)};
}

std::vector<KnownFact> Model::known_facts(const Features& features) const {
    std::map<std::string_view, double> values;
    for (const NamedFeature& feature : features.named) values[feature.name] = feature.value;
    std::vector<KnownFact> out;
    for (const auto& [fact, value] : values) {
        if (const NamedWeight* weight = find(fact)) out.push_back({weight, value});
        const std::string start = pair_name(fact, {});
        for (auto pair = std::ranges::lower_bound(named, start, {}, &NamedWeight::name);
             pair != named.end() && pair->name.starts_with(start); ++pair) {
            const auto other = values.find(halves_of(pair->name).second);
            if (other != values.end()) out.push_back({&*pair, value * other->second});
        }
    }
    return out;
}

double Model::attack_log_odds(const Features& features) const {
    return attack_log_odds(features, known_facts(features));
}

double Model::attack_log_odds(const Features& features, std::span<const KnownFact> facts) const {
    double raw = bias;
    for (const WordFeature& word : features.words)
        raw += static_cast<double>(words[word.slot]) * word_scale * word.value;
    for (const auto& [weight, value] : facts) raw += static_cast<double>(weight->attack) * value;
    return std::clamp(calibration_slope * raw + calibration_offset, -kLogOddsMax, kLogOddsMax);
}

Opinion Model::opinion(const Features& features) const {
    Opinion opinion;
    const std::vector<KnownFact> facts = known_facts(features);
    const double attack = attack_log_odds(features, facts);
    opinion.log_odds[0] = -attack;
    const std::array<double, kAttackClasses> share = shares(*this, features, facts);
    const double best = *std::ranges::max_element(share);
    for (std::size_t k = 0; k < kAttackClasses; ++k)
        opinion.log_odds[k + 1] = attack + std::log(std::max(share[k], 1e-6) / best);
    if (attack > 0) opinion.parts = parts_of(*this, features, facts);
    return opinion;
}

Scorer scorer_of(const Model& model) {
    return [&model](const Message& message, const Evidence& evidence,
                    std::span<const Signal> signals) {
        return model.opinion(features_of(message, evidence, signals));
    };
}

}  // namespace hygie::mail
