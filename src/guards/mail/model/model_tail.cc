#include "guards/mail/model/model_tail.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace hygie::mail {
namespace {

constexpr double kAlike = 0.1;  ///< how much letters of one source tell the same
constexpr double kTailShare = 0.05;

struct Weighed {
    double raw;
    double weight;  ///< all together 1
};

/// The highest first.
std::vector<Weighed> weighed(std::span<const HonestScore> scores) {
    std::map<std::string, double> counts;
    for (const HonestScore& one : scores) ++counts[one.source];
    double all = 0;
    for (const auto& [source, count] : counts) all += count / (1 + kAlike * (count - 1));
    std::vector<Weighed> out;
    for (const HonestScore& one : scores)
        out.push_back({one.raw, 1 / (1 + kAlike * (counts[one.source] - 1)) / all});
    std::ranges::sort(out, std::greater<>(), &Weighed::raw);
    return out;
}

}  // namespace

double tail_point(std::span<const HonestScore> scores, double share) {
    if (scores.empty()) return -1e9;
    const std::vector<Weighed> all = weighed(scores);
    double above = 0;
    double sum = 0;  // of the scores above, weighed
    auto start = all.begin();
    for (; start + 1 != all.end() && above + start->weight <= kTailShare; ++start) {
        above += start->weight;
        sum += start->weight * start->raw;
    }
    if (above == 0) return start->raw;
    const double excess = sum / above - start->raw;
    return start->raw + excess * std::log(above / share);
}

double tail_share(std::span<const HonestScore> scores, double point) {
    double above = 0;
    for (const Weighed& one : weighed(scores)) above += one.raw > point ? one.weight : 0;
    return above;
}

}  // namespace hygie::mail
