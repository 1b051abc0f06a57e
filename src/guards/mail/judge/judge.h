#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "event/event.h"
#include "guards/mail/facts/envelope.h"
#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/message/message.h"
#include "guards/mail/signals/signals.h"

namespace hygie::mail {

/// What kind of message it is. Order is that of the arrays below.
enum class Class : std::uint8_t {
    None,
    Spam,
    Phishing,
    SpearPhishing,
    Malware,
    TechSupport,
    PaymentFraud,
    Extortion,
    DataTheft,
};
inline constexpr std::size_t kClasses = 9;
/// "none", "spam", "phishing", "spear_phishing", "malware", "tech_support", "payment_fraud",
/// "extortion", "data_theft".
std::string_view name_of(Class kind);
bool class_named(std::string_view name, Class& out);

/// One reason: a signal, its sentence, and the bytes it stands on.
struct Reason {
    std::string id;
    Text text;
    std::string evidence;
    std::string where;
    double weight = 0;  ///< log-odds it added to the class
};

/// A passage whose words the model weighs: it says less to a reader than any fact.
bool is_sentence(const Reason& reason);

struct Judgement {
    event::Level level = event::Level::Clean;
    Class kind = Class::None;
    double score = 0;             ///< probability that it is an attack or spam, [0, 1]
    std::vector<Reason> reasons;  ///< at most kReasonsMax, the most telling first
    Text advice;                  ///< one sentence: what to do
    std::array<double, kClasses> class_scores{};
};

/// What the learned model adds: log-odds per class over signals and text, and which features gave
/// them. A feature that is a signal carries its id; a word carries "word" and itself as evidence.
struct Opinion {
    std::array<double, kClasses> log_odds{};
    struct Part {
        std::string feature;
        std::string evidence;
        double weight = 0;
    };
    std::vector<Part> parts;  ///< strongest first, for the likeliest class
};
/// The learned model as judge() sees it; an empty function means that rules judge alone.
using Scorer = std::function<Opinion(const Message&, const Evidence&, std::span<const Signal>)>;

/// Facts and signals of a message, before any opinion: what training reads.
struct Reading {
    Evidence evidence;
    std::vector<Signal> signals;
};
/// Reads attachments in the sandboxed child when there are some that can hold something.
Reading read_evidence(const Message& message, const Envelope& envelope, const History& history);

/// The verdict on what was read.
Judgement judge(const Message& message, const Reading& reading, const Scorer& model);
/// Both in one.
Judgement judge(const Message& message, const Envelope& envelope, const History& history,
                const Scorer& model);

}  // namespace hygie::mail
