#include "ledger/index/index_block.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "ledger/index/index_postings.h"

namespace hygie::ledger {
namespace {

constexpr std::uint64_t kPositions = 100'000;

/// Any block that a run of kPositions could hold: few or many keys, dense or sparse lists.
Block any_block(Dimension dimension, std::uint64_t positions) {
    const unsigned bits = *rc::gen::inRange(3u, shape_of(dimension).token_bits + 1);
    const std::uint64_t key_max = UINT64_MAX >> (64 - bits);
    const auto keys = *rc::gen::inRange(1, 40);
    const auto reach = *rc::gen::inRange<std::uint64_t>(1, positions + 1);
    std::map<std::uint64_t, std::set<std::uint32_t>> lists;
    for (int i = 0; i < keys; ++i) {
        auto& list = lists[*rc::gen::arbitrary<std::uint64_t>() & key_max];
        const auto count = *rc::gen::inRange(1, 60);
        for (int j = 0; j < count; ++j)
            list.insert(static_cast<std::uint32_t>(*rc::gen::inRange<std::uint64_t>(0, reach)));
    }
    Block block;
    for (const auto& [key, list] : lists) {
        block.keys.push_back(key);
        block.counts.push_back(static_cast<std::uint32_t>(list.size()));
        block.offsets.insert(block.offsets.end(), list.begin(), list.end());
    }
    return block;
}

RC_GTEST_PROP(IndexBlock, ComesBackAsWritten, ()) {
    const Dimension dimension = *rc::gen::elementOf(kDimensions);
    const auto positions = *rc::gen::inRange<std::uint64_t>(1, kPositions);
    const Block block = any_block(dimension, positions);
    const auto read = decode_block(encode_block(block, positions), dimension, positions);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == block);
}

RC_GTEST_PROP(IndexBlock, HasOneSpelling, ()) {
    Bytes bytes = encode_block(any_block(Dimension::Actor, kPositions), kPositions);
    const auto changes = *rc::gen::inRange(1, 4);
    for (int i = 0; i < changes; ++i)
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^=
            *rc::gen::inRange<std::uint8_t>(1, 255);
    if (*rc::gen::inRange(0, 4) == 0) bytes.push_back(0);
    if (*rc::gen::inRange(0, 4) == 0) bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
    const auto read = decode_block(bytes, Dimension::Actor, kPositions);
    if (read) RC_ASSERT(encode_block(*read, kPositions) == bytes);
}

TEST(IndexBlock, IsSpelledAsItsFormatSays) {
    // The example of INDEX_FORMAT.md: 011 · 010 1 · 100 110 · 1111, then zeros.
    const Block block{{5, 9}, {2, 1}, {0, 3, 7}};
    EXPECT_EQ(to_hex(encode_block(block, 16)),
              "0000000000000005"
              "0000000000000009"
              "0002"
              "0003"
              "6b3780");
}

TEST(IndexBlock, TakesExtremes) {
    const Block wide{{0, UINT64_MAX}, {1, 1}, {UINT32_MAX - 1, 0}};
    EXPECT_EQ(decode_block(encode_block(wide, UINT32_MAX), Dimension::Actor, UINT32_MAX).value(),
              wide);
    Block dense{{7}, {kBlockPostings}, {}};
    for (std::uint32_t i = 0; i < kBlockPostings; ++i) dense.offsets.push_back(i);
    EXPECT_EQ(decode_block(encode_block(dense, kBlockPostings), Dimension::Object, kBlockPostings)
                  .value(),
              dense);
    EXPECT_LT(encode_block(dense, kBlockPostings).size(), 600u)
        << "a list without gaps is a bit each";
    // The same dense list at the far end of a long run: still about two bits each.
    for (std::uint32_t& offset : dense.offsets) offset += (1u << 24) - kBlockPostings;
    EXPECT_EQ(decode_block(encode_block(dense, 1 << 24), Dimension::Object, 1 << 24).value(),
              dense);
}

TEST(IndexBlock, RefusesWhatNoRunCanHold) {
    const Bytes bytes = encode_block({{5}, {1}, {9}}, 10);
    EXPECT_TRUE(decode_block(bytes, Dimension::Actor, 10).has_value());
    EXPECT_EQ(decode_block(bytes, Dimension::Actor, 9).error().code, Code::Corrupt);
    const Bytes wide = encode_block({{std::uint64_t{1} << 40}, {1}, {0}}, 10);
    EXPECT_TRUE(decode_block(wide, Dimension::Actor, 10).has_value());
    EXPECT_EQ(decode_block(wide, Dimension::Patient, 10).error().code, Code::Corrupt);
    EXPECT_EQ(decode_block({}, Dimension::Actor, 10).error().code, Code::Corrupt);
}

RC_GTEST_PROP(IndexPostings, SortAsAStableSortDoes, ()) {
    const unsigned bits = *rc::gen::inRange(1u, 65u);
    const auto base = *rc::gen::arbitrary<std::uint64_t>() & ~(UINT64_MAX >> (64 - bits));
    const auto size = *rc::gen::inRange<std::size_t>(0, 2000);
    std::vector<Posting> postings;
    while (postings.size() < size)
        postings.push_back({base | (*rc::gen::arbitrary<std::uint64_t>() >> (64 - bits)),
                            static_cast<std::uint32_t>(postings.size())});
    std::vector<Posting> expected = postings;
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Posting& a, const Posting& b) { return a.key < b.key; });
    std::vector<Posting> scratch;
    sort_by_key(postings, scratch);
    RC_ASSERT(postings == expected);
}

TEST(IndexPostings, SettleKeysThatDifferOnlyInLowBits) {
    std::vector<Posting> postings;
    for (std::uint32_t i = 0; i < 3000; ++i)
        postings.push_back({(std::uint64_t{i % 3} << 60) | (i * 7919 % 5), i});
    std::vector<Posting> expected = postings;
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Posting& a, const Posting& b) { return a.key < b.key; });
    std::vector<Posting> scratch;
    sort_by_key(postings, scratch);
    EXPECT_EQ(postings, expected);
}

}  // namespace
}  // namespace hygie::ledger
