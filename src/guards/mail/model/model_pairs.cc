#include "guards/mail/model/model_pairs.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace hygie::mail {
namespace {

/// What the examples that hold a pair would have its weight be: the derivatives of their loss.
struct Pull {
    FactPair pair;
    std::uint32_t fold;
    double gradient;
    double curvature;
};

/// Every pair in every fold that holds it, in order.
std::vector<Pull> pulls_of(std::span<const Judged> judged, std::uint32_t names,
                           std::uint32_t folds) {
    struct Sums {
        double gradient = 0;
        double curvature = 0;
    };
    std::vector<Pull> out;
    for (std::uint32_t fold = 0; fold < folds; ++fold) {
        std::vector<Sums> sums(static_cast<std::size_t>(names) * names);
        for (const auto& [example, raw] : judged) {
            if (example->fold % folds != fold) continue;
            const double chance = 1 / (1 + std::exp(-raw));
            const double error =
                example->weight * ((example->truth == Class::None ? 0 : 1) - chance);
            const double spread = example->weight * chance * (1 - chance);
            for (const auto& [a, x] : example->named)
                for (const auto& [b, y] : example->named) {
                    if (a >= b || b >= names) continue;
                    const double both = static_cast<double>(x) * y;
                    Sums& here = sums[static_cast<std::size_t>(a) * names + b];
                    here.gradient += error * both;
                    here.curvature += spread * both * both;
                }
        }
        for (std::uint32_t a = 0; a < names; ++a)
            for (std::uint32_t b = a + 1; b < names; ++b)
                if (const Sums& here = sums[static_cast<std::size_t>(a) * names + b];
                    here.curvature > 0)
                    out.push_back({{a, b}, fold, here.gradient, here.curvature});
    }
    std::ranges::sort(out, {}, [](const Pull& pull) { return std::tuple(pull.pair, pull.fold); });
    return out;
}

/// How much a weight for the pair would explain; 0 when few folds pull, or some pull the other way:
/// what one author's letters say is not known of others.
double gain_of(std::span<const Pull> pulls) {
    constexpr double kTelling = 0.5;
    constexpr int kFoldsMin = 4;
    constexpr double kPrior = 20;
    double gradient = 0;
    double curvature = 0;
    int up = 0;
    int down = 0;
    for (const Pull& pull : pulls) {
        gradient += pull.gradient;
        curvature += pull.curvature;
        up += pull.gradient > kTelling;
        down += pull.gradient < -kTelling;
    }
    const int with = gradient > 0 ? up : down;
    const int against = gradient > 0 ? down : up;
    if (with < kFoldsMin || against * 2 > with) return 0;
    return gradient * gradient / (curvature + kPrior);
}

}  // namespace

std::vector<FactPair> choose_pairs(std::span<const Judged> judged, std::uint32_t names,
                                   std::uint32_t folds, std::size_t count) {
    const std::vector<Pull> pulls = pulls_of(judged, names, folds);
    std::vector<std::pair<double, FactPair>> gains;
    for (auto from = pulls.begin(); from != pulls.end();) {
        const auto to =
            std::find_if(from, pulls.end(), [&](const Pull& p) { return p.pair != from->pair; });
        if (const double gain = gain_of({from, to}); gain > 0)
            gains.emplace_back(-gain, from->pair);
        from = to;
    }
    std::ranges::sort(gains);
    std::vector<FactPair> best;
    for (const auto& [gain, pair] : gains)
        if (best.size() < count) best.push_back(pair);
    return best;
}

TrainingExample with_pairs(const TrainingExample& example, std::span<const FactPair> pairs,
                           std::uint32_t names) {
    TrainingExample out = example;
    std::vector<float> values(names);
    for (const auto& [id, value] : example.named) values[id] = value;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        if (const float both = values[pairs[i].first] * values[pairs[i].second]; both != 0)
            out.named.emplace_back(names + static_cast<std::uint32_t>(i), both);
    return out;
}

std::vector<std::string> names_with(std::vector<std::string> names,
                                    std::span<const FactPair> pairs) {
    names.reserve(names.size() + pairs.size());
    for (const auto& [first, second] : pairs)
        names.push_back(pair_name(names[first], names[second]));
    return names;
}

}  // namespace hygie::mail
