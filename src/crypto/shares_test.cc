#include "crypto/shares.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "crypto/shamir.h"
#include "sim/sim_random.h"

namespace hygie::crypto {
namespace {

/// Draws 2 ≤ k ≤ n ≤ `most`.
std::pair<unsigned, unsigned> some_split(unsigned most) {
    const auto n = *rc::gen::inRange(2u, most + 1);
    return {*rc::gen::inRange(2u, n + 1), n};
}

template <typename Item>
std::vector<Item> shuffled(std::vector<Item> items, sim::SimRandom& random) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[random.bytes<1>()[0] % i]);
    return items;
}

std::vector<std::string> five(unsigned k = 3, std::uint64_t seed = 1) {
    sim::SimRandom random(seed);
    return split(Secret32(random.bytes<32>()), k, 5, random).value();
}

std::string refusal(const std::vector<std::string>& lines) {
    const auto secret = combine(lines);
    EXPECT_FALSE(secret);
    if (secret) return "accepted";
    EXPECT_EQ(secret.error().code, Code::BadInput);
    EXPECT_FALSE(secret.error().remedy.fr.empty());
    return secret.error().what.en;
}

RC_GTEST_PROP(Shares, any_k_of_n_recover, (std::uint64_t seed)) {
    sim::SimRandom random(seed);
    const auto [k, n] = some_split(kSharesMax);
    const Secret32 secret(random.bytes<32>());
    auto lines = shuffled(split(secret, k, n, random).value(), random);
    RC_ASSERT(lines.size() == n);
    RC_ASSERT(combine(lines).value() == secret);
    lines.resize(k);
    RC_ASSERT(combine(lines).value() == secret);
    lines.pop_back();
    RC_ASSERT(combine(lines).error().code == Code::BadInput);
}

// With k - 1 points fixed, each value of one more gives another secret: all 256 stay possible.
RC_GTEST_PROP(Shares, any_k_minus_1_do_not_determine, (std::uint64_t seed, std::uint8_t secret)) {
    sim::SimRandom random(seed);
    const auto [k, n] = some_split(12);
    auto points = shuffled(detail::shamir_split(ByteView(&secret, 1), k, n, random), random);
    points.resize(k);
    std::set<Bytes> possible;
    for (unsigned value = 0; value < 256; ++value) {
        points.back().y[0] = static_cast<std::uint8_t>(value);
        possible.insert(detail::shamir_combine(points));
    }
    RC_ASSERT(possible.size() == 256u);
}

// One share alone is evenly spread whatever the secret: chi-square over 256 values, 255 degrees of
// freedom; 400 lies beyond a chance of 10⁻⁸. The seed is fixed, so the outcome is too.
TEST(Shares, a_single_share_looks_random) {
    sim::SimRandom random(7);
    std::array<int, 256> seen{};
    constexpr int kDraws = 256 * 100;
    const std::uint8_t secret = 0;
    for (int i = 0; i < kDraws; ++i)
        ++seen[detail::shamir_split(ByteView(&secret, 1), 2, 2, random)[0].y[0]];
    double chi_square = 0;
    for (const int count : seen) chi_square += (count - 100.0) * (count - 100.0) / 100.0;
    EXPECT_LT(chi_square, 400);
}

TEST(Shamir, agrees_with_a_sum_done_by_hand) {
    // In the field of AES 3·7 = 9, so through (1, s + c) and (2, s + 2c) with s = 0x42, c = 7:
    const detail::Point points[] = {{1, {0x42 ^ 0x07}}, {2, {0x42 ^ 0x0E}}, {3, {0x42 ^ 0x09}}};
    for (const auto& [i, j] : {std::pair{0, 1}, {0, 2}, {1, 2}})
        EXPECT_EQ(detail::shamir_combine(std::vector{points[i], points[j]}), Bytes{0x42});
}

TEST(Shares, are_lines_that_people_can_copy) {
    const auto lines = five();
    for (unsigned i = 0; i < lines.size(); ++i) {
        EXPECT_TRUE(lines[i].starts_with("hygie-share-1:3-of-5:" + std::to_string(i + 1) + ":"));
        EXPECT_LT(lines[i].size(), 120u);
        EXPECT_EQ(lines[i].find_first_of(" \nilo", 22), std::string::npos) << lines[i];
    }
}

TEST(Shares, forgive_what_hands_and_terminals_do) {
    const auto lines = five();
    std::vector<std::string> sloppy(lines.begin(), lines.begin() + 3);
    for (char& c : sloppy[0]) c = static_cast<char>(std::toupper(c));
    sloppy[1] = "  " + sloppy[1] + " \r";
    // Only in the value and its checksum may a letter stand for a digit.
    const std::size_t value = sloppy[2].rfind(':', sloppy[2].rfind(':') - 1);
    std::string typed = sloppy[2].substr(value);
    std::ranges::replace(typed, '0', 'O');
    std::ranges::replace(typed, '1', 'l');
    std::ranges::replace(typed, '-', ' ');
    sloppy[2].replace(value, std::string::npos, typed);
    EXPECT_TRUE(combine(sloppy).value() == combine(lines).value());
}

RC_GTEST_PROP(Shares, any_mistyped_sign_is_seen, (std::uint64_t seed)) {
    const auto lines = five(3, seed);
    std::string line = lines[1];
    const auto at = *rc::gen::inRange<std::size_t>(0, line.size());
    const char other = *rc::gen::elementOf(std::string("0123456789abcdefghjkmnpqrstvwxyz:-"));
    RC_PRE(other != line[at] && other != '-' && line[at] != '-');
    line[at] = other;
    RC_ASSERT(parse_share(line).error().code == Code::BadInput);
    RC_ASSERT(
        combine(std::vector{lines[0], line, lines[2]}).error().what.en.starts_with("share 2"));
}

RC_GTEST_PROP(Shares, two_signs_exchanged_are_seen, (std::uint64_t seed)) {
    std::string line = five(3, seed)[0];
    const auto at = *rc::gen::inRange<std::size_t>(1, line.size());
    RC_PRE(line[at] != line[at - 1] && line[at] != '-' && line[at - 1] != '-');
    std::swap(line[at], line[at - 1]);
    RC_ASSERT(!parse_share(line));
}

RC_GTEST_PROP(Shares, have_one_canonical_spelling, (std::uint32_t group)) {
    sim::SimRandom random(group);
    const auto [k, n] = some_split(kSharesMax);
    const Share share{k, n, *rc::gen::inRange(1u, n + 1), group,
                      random.bytes<Share::kValueBytes>()};
    RC_ASSERT(parse_share(format_share(share)).value() == share);
}

TEST(Shares, each_mistake_has_its_own_words) {
    const auto lines = five(), others = five(3, 2);
    EXPECT_EQ(refusal({}), "2 shares are needed, 0 are here");
    EXPECT_EQ(refusal({lines[0]}), "3 shares are needed, 1 are here");
    EXPECT_EQ(refusal({lines[0], lines[4]}), "3 shares are needed, 2 are here");
    EXPECT_EQ(refusal({lines[0], lines[1], lines[0]}),
              "share 3: the share of index 1 is given already");
    EXPECT_EQ(refusal({lines[0], others[1], lines[2]}), "share 2: it comes from another split");
    EXPECT_EQ(refusal({lines[0], five(4)[1], lines[2]}), "share 2: it comes from another split");
    EXPECT_EQ(refusal({lines[0], "", lines[2]}), "share 2: it is not a readable key share");
    EXPECT_EQ(refusal({lines[0].substr(0, 60)}), "share 1: it is not a readable key share");
    std::string later = lines[0];
    later[12] = '2';
    EXPECT_EQ(refusal({later}), "share 1: it is not a readable key share");
}

TEST(Shares, a_false_share_with_a_right_checksum_is_seen) {
    auto lines = five();
    Share forged = parse_share(lines[1]).value();
    forged.value[0] ^= 1;
    lines[1] = format_share(forged);
    lines.resize(3);
    EXPECT_EQ(refusal(lines), "these shares do not give the key back: one of them is false");
}

TEST(Shares, fields_out_of_range_are_refused_even_with_a_right_checksum) {
    const Share sound = parse_share(five()[0]).value();
    for (const auto& [k, n, index] : {std::array{1u, 5u, 1u},
                                      {6u, 5u, 1u},
                                      {3u, 33u, 1u},
                                      {3u, 5u, 0u},
                                      {3u, 5u, 6u},
                                      {0u, 0u, 0u}}) {
        Share share = sound;
        share.needed = k;
        share.total = n;
        share.index = index;
        EXPECT_FALSE(parse_share(format_share(share))) << k << ' ' << n << ' ' << index;
    }
}

TEST(Shares, impossible_splits_are_refused) {
    sim::SimRandom random(1);
    for (const auto& [k, n] : {std::pair{0u, 0u}, {1u, 1u}, {1u, 5u}, {6u, 5u}, {2u, 33u}})
        EXPECT_EQ(split(Secret32(), k, n, random).error().code, Code::BadInput);
}

}  // namespace
}  // namespace hygie::crypto
