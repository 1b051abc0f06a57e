#pragma once

#include <span>
#include <string_view>

#include "guards/mail/judge/judge.h"

namespace hygie::mail {

/// What one signal at full strength adds to the log-odds of one class. Set by knowledge of attacks,
/// not fitted to a corpus; the learned model adds to it.
struct Rule {
    std::string_view signal;
    Class kind;
    double weight;
};
std::span<const Rule> rules();
/// Log-odds of each class by the rules alone; that of Class::None means nothing.
std::array<double, kClasses> rule_scores(std::span<const Signal> signals);
/// What nothing talks away, neither an excuse nor the learned model: a signal of this list makes
/// its class at least suspicious from one strength on, and holds the message from another.
struct Floor {
    std::string_view signal;
    Class kind;
    double warns_from = 0.5;
    double holds_from = 1;
    /// Log-odds that it stands at for a signal of this strength; far below all others for none.
    double at(double strength) const;
};
std::span<const Floor> floors();
/// Log-odds of every attack class before anything is seen.
inline constexpr double kRuleBias = -5.0;
/// Log-odds from which the rules hold against the learned model.
inline constexpr double kRulesSure = 0.5;
/// What the rules think is a feature of the model in units of this many log-odds.
inline constexpr double kRulesUnit = 4;
/// Words alone never decide: together they add no more than this.
inline constexpr double kWordsMax = 3.6;

/// The one global threshold, and that of certainty.
inline constexpr double kSuspiciousScore = 0.5;
inline constexpr double kMaliciousScore = 0.9;

/// One sentence: what to do about a message of this class and these signals. `score` tells a clean
/// message that is nearly suspicious.
Text advice_for(Class kind, event::Level level, double score, std::span<const Signal> signals);

}  // namespace hygie::mail
