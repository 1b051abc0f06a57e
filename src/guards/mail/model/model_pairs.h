#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guards/mail/model/model_train.h"

/// Facts that matter only together: an office's mailbox is nothing, a name of the domain is
/// nothing, both are a house that writes. A sum of facts cannot say so; a pair is one more fact,
/// "a&b", worth the product of the two.
namespace hygie::mail {

/// Two ids of a Vocabulary, the smaller first.
struct FactPair {
    std::uint32_t first;
    std::uint32_t second;
    auto operator<=>(const FactPair&) const = default;
};

/// An example and what a model that did not learn from it thinks: its log-odds.
struct Judged {
    const TrainingExample* example;
    double raw;
};

/// Up to `count` pairs among the first `names` facts that explain best what the judgements leave
/// unexplained, the best first; none whose effect is not the same wherever it was seen.
std::vector<FactPair> choose_pairs(std::span<const Judged> judged, std::uint32_t names,
                                   std::uint32_t folds, std::size_t count);

/// The example with the pairs that it holds, numbered from `names`.
TrainingExample with_pairs(const TrainingExample& example, std::span<const FactPair> pairs,
                           std::uint32_t names);

/// The names of facts, then of pairs.
std::vector<std::string> names_with(std::vector<std::string> names,
                                    std::span<const FactPair> pairs);

}  // namespace hygie::mail
