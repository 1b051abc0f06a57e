#include "guards/mail/model/model_tail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hygie::mail {
namespace {

/// `count` letters as an exponential law of mean 1 would spread them, around `shift`; the offset
/// keeps those of two sources apart.
void add(std::vector<HonestScore>& scores, const std::string& source, int count, double shift = 0,
         double offset = 0.5) {
    for (int i = 0; i < count; ++i)
        scores.push_back({shift - std::log((i + offset) / count), source});
}

/// Fifty sources of the same law.
std::vector<HonestScore> fifty() {
    std::vector<HonestScore> scores;
    for (int source = 0; source < 50; ++source)
        add(scores, std::to_string(source), 40, 0, (source + 0.5) / 50);
    return scores;
}

TEST(ModelTail, LiesWhereTheLawSays) {
    const std::vector<HonestScore> scores = fifty();
    EXPECT_NEAR(tail_point(scores, 0.005), -std::log(0.005), 0.5);
    EXPECT_GT(tail_point(scores, 0.001), tail_point(scores, 0.005));
}

TEST(ModelTail, NoCollectionDecidesAlone) {
    const std::vector<HonestScore> scores = fifty();
    std::vector<HonestScore> with_one_old = scores;
    add(with_one_old, "old", 4000, 1);
    EXPECT_NEAR(tail_point(with_one_old, 0.005), tail_point(scores, 0.005), 0.3);
    add(with_one_old, "tame", 40'000, -5);
    EXPECT_NEAR(tail_point(with_one_old, 0.005), tail_point(scores, 0.005), 0.3);
}

TEST(ModelTail, SharesWeighBySource) {
    const std::vector<HonestScore> scores = {{1, "a"}, {-1, "b"}, {-1, "c"}, {-1, "d"}};
    EXPECT_DOUBLE_EQ(tail_share(scores, 0), 0.25);
    EXPECT_EQ(tail_point({}, 0.005), -1e9);
}

}  // namespace
}  // namespace hygie::mail
