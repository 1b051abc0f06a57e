#include "guards/mail/judge/judge.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/judge/rules.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

using Scores = std::array<double, kClasses>;

double probability(double log_odds) {
    return 1.0 / (1.0 + std::exp(-log_odds));
}

/// Rules of one signal, found once.
const std::vector<const Rule*>& rules_of(std::string_view signal) {
    static const auto kIndex = [] {
        std::unordered_map<std::string_view, std::vector<const Rule*>> index;
        for (const Rule& rule : rules()) index[rule.signal].push_back(&rule);
        return index;
    }();
    static const std::vector<const Rule*> kNone;
    const auto it = kIndex.find(signal);
    return it == kIndex.end() ? kNone : it->second;
}

double weight_for(const Signal& signal, Class kind) {
    double weight = 0;
    for (const Rule* rule : rules_of(signal.id))
        if (rule->kind == kind) weight += rule->weight * signal.strength;
    return weight;
}

/// Classes that the rules know by facts; links, brands and wares are weighed by the model.
bool holds_by_facts(Class kind) {
    return kind != Class::Phishing && kind != Class::Spam;
}

/// What the model may not talk away of phishing: an attached page that asks for a password or sends
/// its reader on is a fact like a program is; so is a house of care named by who is not it.
double phishing_by_facts(std::span<const Signal> signals) {
    double sum = kRuleBias;
    for (const Signal& signal : signals)
        if (signal.id.starts_with("file.") || signal.id == "scheme.care_brand")
            sum += weight_for(signal, Class::Phishing);
    return sum;
}

/// The likeliest class is raised where it is an attack already, else the floor's own.
void raise_to_floors(std::span<const Signal> signals, Scores& scores) {
    for (const Floor& floor : floors()) {
        const auto signal = std::ranges::find(signals, floor.signal, &Signal::id);
        if (signal == signals.end()) continue;
        const auto best = std::max_element(scores.begin() + 1, scores.end());
        double& raised = *best > 0 ? *best : scores[static_cast<std::size_t>(floor.kind)];
        raised = std::max(raised, floor.at(signal->strength));
    }
}

/// What a floor weighs among the reasons: more than what led to it.
double weight_of_floor(std::string_view signal) {
    constexpr double kFloorWeight = 5;
    return std::ranges::find(floors(), signal, &Floor::signal) == floors().end() ? 0 : kFloorWeight;
}

Reason reason_of(const Signal& signal, double weight) {
    return {.id = std::string(signal.id),
            .text = sentence_of(signal),
            .evidence = signal.evidence,
            .where = signal.where,
            .weight = weight};
}

/// A good sign takes away from every class that it weighs in.
bool is_excuse(const Signal& signal) {
    const std::vector<const Rule*>& of_signal = rules_of(signal.id);
    return !of_signal.empty() &&
           std::ranges::all_of(of_signal, [](const Rule* rule) { return rule->weight < 0; });
}

/// What speaks for a clean message: the signals that take away.
std::vector<Reason> excuses_among(std::span<const Signal> signals) {
    std::vector<Reason> out;
    for (const Signal& signal : signals) {
        double weight = 0;
        for (const Rule* rule : rules_of(signal.id))
            weight = std::max(weight, -rule->weight * signal.strength);
        if (weight > 0) out.push_back(reason_of(signal, weight));
    }
    std::ranges::stable_sort(out, std::greater{}, &Reason::weight);
    if (out.size() > kReasonsMax) out.resize(kReasonsMax);
    return out;
}

/// All that made the verdict: signals by what they weigh in the model, and in the rules where these
/// decided; and the sentences that the model weighs.
std::vector<Reason> accusers(std::span<const Signal> signals, Class kind, const Opinion& opinion,
                             bool by_rules) {
    std::vector<Reason> out;
    for (const Signal& signal : signals) {
        double weight = weight_of_floor(signal.id) + (by_rules ? weight_for(signal, kind) : 0);
        for (const Opinion::Part& part : opinion.parts)
            if (part.feature == signal.id) weight += part.weight;
        if (weight > 0 && !is_excuse(signal)) out.push_back(reason_of(signal, weight));
    }
    for (const Opinion::Part& part : opinion.parts) {
        if (part.feature.starts_with("shape.")) {
            Signal shape;
            shape.id = part.feature;
            shape.evidence = part.evidence;
            out.push_back(reason_of(shape, part.weight));
            out.back().where = part.feature == "shape.sender"    ? "header:From"
                               : part.feature == "shape.subject" ? "header:Subject"
                                                                 : "html";
        } else if (!signal_kind(part.feature)) {
            out.push_back({.id = part.feature,
                           .text = {"Ce genre de phrase est celui des messages trompeurs.",
                                    "Sentences of this kind are those of deceptive messages."},
                           .evidence = part.evidence,
                           .where = "text",
                           .weight = part.weight});
        }
    }
    return out;
}

/// The first reason is the one sentence of a banner: what tells a reader something to look at, then
/// what a thing is made like, then passages.
int turn_of(const Reason& reason) {
    if (is_sentence(reason)) return 2;
    return reason.id.starts_with("shape.") || reason.id == "text.short" ? 1 : 0;
}

/// The strongest reasons, what is so before what a sentence is like, each on bytes of its own:
/// reasons that stand on the same bytes fall together, so the strongest of them speaks for all, and
/// the others come only if there is room.
std::vector<Reason> strongest(std::vector<Reason> reasons) {
    std::unordered_map<std::string, double> by_bytes;
    for (const Reason& reason : reasons) by_bytes[reason.evidence] += reason.weight;
    std::ranges::stable_sort(reasons, [&](const Reason& a, const Reason& b) {
        const double of_a = by_bytes[a.evidence];
        const double of_b = by_bytes[b.evidence];
        return of_a != of_b ? of_a > of_b
                            : std::tie(a.evidence, b.weight) < std::tie(b.evidence, a.weight);
    });
    std::vector<Reason> out;
    std::vector<Reason> more;
    for (Reason& reason : reasons) {
        const bool other = out.empty() || out.back().evidence != reason.evidence;
        (other && out.size() < kReasonsMax ? out : more).push_back(std::move(reason));
    }
    std::ranges::stable_sort(more, std::greater{}, &Reason::weight);
    for (Reason& reason : more)
        if (out.size() < kReasonsMax) out.push_back(std::move(reason));
    std::ranges::stable_sort(out, [](const Reason& a, const Reason& b) {
        const int turn = turn_of(a);
        return turn != turn_of(b) ? turn < turn_of(b) : a.weight > b.weight;
    });
    return out;
}

/// What a class stands on: without one of these, its name and its advice would be of another
/// letter.
bool has_ground(std::span<const Signal> signals, Class kind) {
    const auto any = [&](std::initializer_list<std::string_view> beginnings) {
        return std::ranges::any_of(signals, [&](const Signal& signal) {
            return std::ranges::any_of(
                beginnings, [&](std::string_view one) { return signal.id.starts_with(one); });
        });
    };
    switch (kind) {
        case Class::None:
        case Class::Spam:
        case Class::Phishing:
        case Class::SpearPhishing:
        case Class::PaymentFraud:
            return true;
        case Class::Malware:
            return any({"scheme.locked_bait", "scheme.program_link", "scheme.runs_command"}) ||
                   std::ranges::any_of(signals, [](const Signal& signal) {
                       return signal.id.starts_with("file.") &&
                              weight_for(signal, Class::Malware) > 0;
                   });
        case Class::TechSupport:
            return any({"phone.", "lure.call", "lure.charge", "lure.support_alert",
                        "scheme.callback", "scheme.carried", "scheme.brand_by_phone",
                        "scheme.partner_voice", "scheme.remote_asked"});
        case Class::Extortion:
            return any(
                {"lure.extortion", "scheme.extortion", "scheme.hush_money", "scheme.leak_threat"});
        case Class::DataTheft:
            return any({"lure.data_request", "scheme.access_asked", "scheme.data_",
                        "scheme.payers_asked"});
    }
    return true;
}

/// The likeliest class that has ground to stand on.
Class grounded(std::span<const Signal> signals, const Scores& scores) {
    Class best = Class::Phishing;
    double top = -1e9;
    for (std::size_t i = 1; i < kClasses; ++i)
        if (scores[i] > top && has_ground(signals, static_cast<Class>(i))) {
            best = static_cast<Class>(i);
            top = scores[i];
        }
    return best;
}

/// How strongly a signal must stand to name a class.
constexpr double kAtAll = 0.1;
constexpr double kLikely = 0.5;
constexpr double kClearly = 0.6;
constexpr double kSurely = 0.7;
constexpr double kSaidTwice = 0.8;

/// How strongly signals stand, asked by their names.
class Strengths {
  public:
    explicit Strengths(std::span<const Signal> signals) : signals_(signals) {}
    /// 0 for one that is not there.
    double of(std::string_view id) const {
        const auto it = std::ranges::find(signals_, id, &Signal::id);
        return it == signals_.end() ? 0.0 : it->strength;
    }
    bool any(std::initializer_list<std::string_view> ids, double least) const {
        return std::ranges::any_of(ids, [&](std::string_view id) { return of(id) >= least; });
    }

  private:
    std::span<const Signal> signals_;
};

/// What a message that passes for nuisance or bait wants of its reader: a program to run, a ransom,
/// a number to call about a charge, money.
std::optional<Class> class_by_want(const Strengths& seen, Class scored) {
    if (seen.any({"scheme.program_link", "scheme.runs_command"}, kAtAll)) return Class::Malware;
    if (scored == Class::Spam && seen.of("lure.extortion") >= kSaidTwice) return Class::Extortion;
    if (seen.any({"scheme.extortion"}, kClearly)) return Class::Extortion;
    // A brand that is merely spoken of is what the charge was for.
    const bool signs_in = seen.any({"link.free_host"}, kAtAll) ||
                          seen.any({"link.brand_elsewhere", "form.asks_secret"}, kClearly);
    if (!signs_in && seen.of("phone.call_asked") > 0 &&
        seen.any({"lure.charge", "lure.support_alert", "scheme.callback"}, kLikely))
        return Class::TechSupport;
    if (seen.any(
            {"scheme.bank_change", "scheme.payment_order", "scheme.payroll", "scheme.gift_card"},
            kSurely))
        return Class::PaymentFraud;
    return std::nullopt;
}

/// Words alone do not tell nuisance from bait. Whoever sells names what is for sale; a gain, a
/// parcel or a brand behind a stranger's link is bait, and coins that are given away are a gain.
Class spam_or_phishing(const Strengths& seen, Class scored) {
    const bool poses =
        seen.any({"scheme.brand_credential", "scheme.mailbox", "scheme.document", "scheme.qr",
                  "scheme.delivery_fee", "scheme.health", "scheme.prize", "sender.brand_foreign",
                  "link.look_alike", "form.asks_secret"},
                 kClearly);
    const bool presses =
        seen.any({"lure.credential", "lure.threat", "lure.delivery", "lure.refund"}, kSaidTwice);
    const bool sells = seen.any({"lure.spam_goods"}, kAtAll);
    const bool baits =
        seen.any({"link.brand_elsewhere", "lure.delivery", "lure.identify", "lure.prize"}, kAtAll);
    const bool imitates = seen.any({"scheme.brand_posing", "sender.look_alike"}, kAtAll);
    const bool hides =
        seen.any({"link.brand_in_host", "link.detour", "link.recipient_inside"}, kAtAll);
    const bool leads = seen.of("link.none") == 0;
    if (scored == Class::Phishing)
        return sells && !poses && !presses && !baits && !imitates ? Class::Spam : Class::Phishing;
    const bool is_bait = poses || presses || ((baits || hides) && !sells);
    return leads && is_bait ? Class::Phishing : Class::Spam;
}

/// The class by what the message wants of its reader, where the scores alone would mistake it.
Class class_by_facts(std::span<const Signal> signals, Class scored) {
    const Strengths seen(signals);
    if (scored == Class::PaymentFraud && seen.of("lure.data_request") >= kSaidTwice &&
        !seen.any({"lure.payment_change", "lure.payment_request", "lure.gift_card"}, kAtAll))
        return Class::DataTheft;
    if (seen.any({"scheme.data_asked", "scheme.data_led_away"}, kAtAll) && scored != Class::Malware)
        return Class::DataTheft;
    // Whoever has the data already wants money for them.
    if (scored == Class::DataTheft && seen.any({"scheme.leak_threat"}, kAtAll))
        return Class::Extortion;
    if (scored != Class::Spam && scored != Class::Phishing) return scored;
    if (const auto wanted = class_by_want(seen, scored)) return *wanted;
    return spam_or_phishing(seen, scored);
}

}  // namespace

bool is_sentence(const Reason& reason) {
    return reason.id == "word";
}

// Words support: what they add together has a ceiling, what facts add has none.
Scores rule_scores(std::span<const Signal> signals) {
    Scores facts{};
    Scores words{};
    for (const Signal& signal : signals) {
        const bool is_fact = signal_kind(signal.id)->is_fact;
        for (const Rule* rule : rules_of(signal.id))
            (is_fact ? facts : words)[static_cast<std::size_t>(rule->kind)] +=
                rule->weight * signal.strength;
    }
    for (std::size_t i = 0; i < kClasses; ++i)
        facts[i] += kRuleBias + std::min(words[i], kWordsMax);
    return facts;
}

Reading read_evidence(const Message& message, const Envelope& envelope, const History& history) {
    Reading reading;
    reading.evidence = extract_evidence(message, envelope, history, read_files(message));
    reading.signals = draw_signals(message, reading.evidence, history);
    return reading;
}

Judgement judge(const Message& message, const Reading& reading, const Scorer& model) {
    Scores scores = rule_scores(reading.signals);
    Opinion opinion;
    if (model) {
        opinion = model(message, reading.evidence, reading.signals);
        // The model has weighed the rules among its features. What a file can do, whose account it
        // is and who gives the order are facts that it may not talk away.
        for (std::size_t i = 1; i < kClasses; ++i)
            scores[i] = holds_by_facts(static_cast<Class>(i)) && scores[i] > kRulesSure
                            ? std::max(opinion.log_odds[i], scores[i])
                            : opinion.log_odds[i];
        double& phishing = scores[static_cast<std::size_t>(Class::Phishing)];
        const double by_facts = phishing_by_facts(reading.signals);
        if (by_facts > kRulesSure) phishing = std::max(phishing, by_facts);
    }
    raise_to_floors(reading.signals, scores);
    const auto best = std::max_element(scores.begin() + 1, scores.end());
    Judgement out;
    out.kind = static_cast<Class>(best - scores.begin());
    out.score = probability(*best);
    for (std::size_t i = 1; i < kClasses; ++i) out.class_scores[i] = probability(scores[i]);
    out.class_scores[0] = 1 - out.score;
    out.level = out.score >= kMaliciousScore    ? event::Level::Malicious
                : out.score >= kSuspiciousScore ? event::Level::Suspicious
                                                : event::Level::Clean;
    const bool clean = out.level == event::Level::Clean;
    const Class scored = out.kind;
    const bool by_rules = !model || *best > opinion.log_odds[static_cast<std::size_t>(out.kind)];
    out.reasons = clean ? excuses_among(reading.signals)
                        : strongest(accusers(reading.signals, scored, opinion, by_rules));
    out.kind =
        clean ? Class::None : class_by_facts(reading.signals, grounded(reading.signals, scores));
    out.advice = advice_for(out.kind, out.level, out.score, reading.signals);
    return out;
}

Judgement judge(const Message& message, const Envelope& envelope, const History& history,
                const Scorer& model) {
    return judge(message, read_evidence(message, envelope, history), model);
}

}  // namespace hygie::mail
