#include "guards/files/content/chunks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <unordered_set>

namespace hygie::files {
namespace {

using Counts = std::array<std::uint32_t, 256>;

Counts count(ByteView bytes) {
    Counts counts{};
    for (const std::uint8_t byte : bytes) ++counts[byte];
    return counts;
}

/// Whether counts over `values` symbols are what chance gives: chi-square within five standard
/// deviations of its mean. Far below it, the counts are too even: a counter, a gradient.
bool drawn_evenly(const Counts& counts, double total, double values) {
    double squares = 0;
    for (const std::uint32_t n : counts) squares += static_cast<double>(n) * n;
    const double chi_square = squares * values / total - total;
    return std::abs(chi_square - (values - 1)) < 5 * std::sqrt(2 * (values - 1));
}

bool is_line_end(std::uint8_t byte) {
    return byte == '\n' || byte == '\r';
}

/// A stretch of changed bytes ends where so many bytes are as before: a random byte equals the old
/// one once in 256.
constexpr std::size_t kRunGapMax = 8;

/// All changed bytes of two contents of one size, gathered.
struct Changes {
    Bytes before;
    Bytes after;
    std::uint32_t runs = 0;
};

Changes gather(ByteView before, ByteView after) {
    Changes changes;
    std::size_t i = 0;
    while (i < after.size()) {
        const auto [left, right] =
            std::mismatch(before.begin() + static_cast<std::ptrdiff_t>(i), before.end(),
                          after.begin() + static_cast<std::ptrdiff_t>(i));
        i = static_cast<std::size_t>(left - before.begin());
        if (i == after.size()) break;
        std::size_t end = i + 1;
        for (std::size_t j = end; j < after.size() && j - end < kRunGapMax; ++j)
            if (before[j] != after[j]) end = j + 1;
        append(changes.before, before.subspan(i, end - i));
        append(changes.after, after.subspan(i, end - i));
        ++changes.runs;
        i = end;
    }
    return changes;
}

/// Frequencies are counted over so many bytes.
constexpr std::size_t kSample = 64 << 10;

constexpr std::size_t kWindow = 32;
constexpr std::uint64_t kWindowMask = 0x1F;  // one window in 32
constexpr std::size_t kWindowsMin = 4;

/// The chosen windows of a content, each as its hash.
template <typename Take>
void each_window(ByteView bytes, Take take) {
    std::uint64_t hash = 0;
    constexpr std::uint64_t kFactor = 0x9E37'79B9'7F4A'7C15;
    constexpr std::uint64_t kFactorToWindow = [] {
        std::uint64_t power = 1;
        for (std::size_t i = 0; i < kWindow; ++i) power *= kFactor;
        return power;
    }();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        hash = hash * kFactor + bytes[i] + 1;
        if (i >= kWindow) hash -= kFactorToWindow * (bytes[i - kWindow] + 1ULL);
        if (i + 1 >= kWindow && ((hash >> 40) & kWindowMask) == 0) take(hash);
    }
}

}  // namespace

bool looks_random(ByteView bytes) {
    if (bytes.size() < kRandomBytesMin) return false;
    return drawn_evenly(count(bytes), static_cast<double>(bytes.size()), 256);
}

bool looks_spelled_random(ByteView bytes) {
    Counts counts = count(bytes);
    double total = 0;
    double values = 0;
    for (std::size_t byte = 0; byte < counts.size(); ++byte) {
        if (is_line_end(static_cast<std::uint8_t>(byte)) || byte == '=') counts[byte] = 0;
        total += counts[byte];
        values += counts[byte] != 0;
    }
    if (total < 8 * kRandomBytesMin || values < 16 || values > 128) return false;
    return drawn_evenly(counts, total, values);
}

int entropy_millibits(ByteView bytes) {
    bytes = bytes.first(std::min(bytes.size(), kSample));
    double bits = 0;
    for (const std::uint32_t n : count(bytes))
        if (n != 0) bits += n * std::log2(static_cast<double>(bytes.size()) / n);
    return static_cast<int>(
        std::lround(1000 * bits / static_cast<double>(std::max<std::size_t>(1, bytes.size()))));
}

int neighbours_millibits(ByteView bytes) {
    bytes = bytes.first(std::min(bytes.size(), kSample));
    if (bytes.size() < kRandomBytesMin) return 0;
    std::vector<std::uint32_t> pairs(std::size_t{256} * 256);
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) ++pairs[bytes[i] * 256U + bytes[i + 1]];
    const Counts firsts = count(bytes.first(bytes.size() - 1));
    const Counts seconds = count(bytes.subspan(1));
    const auto total = static_cast<double>(bytes.size() - 1);
    double information = 0;
    double cells = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (pairs[i] == 0) continue;
        ++cells;
        information +=
            pairs[i] / total * std::log2(pairs[i] * total / firsts[i / 256] / seconds[i % 256]);
    }
    const auto used = [](const Counts& counts) {
        return static_cast<double>(counts.size()) -
               static_cast<double>(std::ranges::count(counts, 0U));
    };
    const double bias =
        (cells - used(firsts) - used(seconds) + 1) / (2 * total * std::numbers::ln2);
    return static_cast<int>(std::lround(1000 * std::max(0.0, information - bias)));
}

ChunkChange compare_chunks(ByteView before, ByteView after) {
    ChunkChange change;
    change.head_equal =
        static_cast<std::uint32_t>(std::ranges::mismatch(before, after).in1 - before.begin());
    for (std::size_t at = 0; at < before.size(); at += kChunkBytes)
        change.random_before +=
            looks_random(before.subspan(at, std::min(kChunkBytes, before.size() - at)));
    for (std::size_t at = 0; at < after.size(); at += kChunkBytes) {
        const ByteView chunk = after.subspan(at, std::min(kChunkBytes, after.size() - at));
        ++change.chunks;
        if (at + chunk.size() <= before.size() &&
            std::ranges::equal(chunk, before.subspan(at, chunk.size())))
            continue;
        ++change.changed;
        change.random += looks_random(chunk);
        change.zeroed += std::ranges::all_of(chunk, [](std::uint8_t byte) { return byte == 0; });
    }
    if (before.size() != after.size() || change.changed == 0) return change;
    const Changes changes = gather(before, after);
    change.runs = changes.runs;
    change.bytes_changed = static_cast<std::uint32_t>(changes.after.size());
    change.changes_random = looks_random(changes.after);
    change.replaced_random = looks_random(changes.before);
    return change;
}

int random_permille(ByteView bytes) {
    const ChunkChange chunks = compare_chunks({}, bytes);
    return chunks.chunks == 0 ? 0 : static_cast<int>(chunks.random * 1000 / chunks.chunks);
}

int survival_permille(ByteView before, ByteView after) {
    std::unordered_set<std::uint64_t> wanted;
    each_window(before, [&](std::uint64_t hash) { wanted.insert(hash); });
    if (wanted.size() < kWindowsMin) return 1000;
    const std::size_t all = wanted.size();
    each_window(after, [&](std::uint64_t hash) { wanted.erase(hash); });
    return static_cast<int>(1000 * (all - wanted.size()) / all);
}

}  // namespace hygie::files
