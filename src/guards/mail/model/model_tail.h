#pragma once

#include <span>
#include <string>

/// Where a bar comes to lie that few honest messages pass, reckoned from a few sources of them.
namespace hygie::mail {

/// What a model that saw nothing of its source thinks of an honest message.
struct HonestScore {
    double raw = 0;
    std::string source;  ///< a collection, or the author of generated letters
};

/// The score that a message of a source never seen exceeds with probability `share`, below 0.05.
///
/// Letters of one source tell nearly the same, so n of them count for n / (1 + 0.1 (n - 1)): at
/// most ten, and no collection decides alone. And what so few pass is not read off the few that
/// do: an exponential tail is laid through the uppermost twentieth. -1e9 when there is none.
double tail_point(std::span<const HonestScore> scores, double share);

/// The share of a source never seen that lies above `point`: letters weigh as in tail_point.
double tail_share(std::span<const HonestScore> scores, double point);

}  // namespace hygie::mail
