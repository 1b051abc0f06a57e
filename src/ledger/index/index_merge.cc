#include "ledger/index/index_merge.h"

#include <optional>

#include "base/check.h"

namespace hygie::ledger {
namespace {

/// One step of a merge takes a few milliseconds and moves more than 32,768 rows bring in.
constexpr std::size_t kStepPostings = 4 * 32'768;

/// Chunks at the seams between inputs are shared by two of them.
Chunks merged_chunks(const std::vector<std::shared_ptr<const Run>>& inputs, SequenceRange range) {
    Chunks chunks = empty_chunks(range);
    for (const auto& run : inputs) {
        const std::uint64_t at =
            run->range().first / kChunkSequences - range.first / kChunkSequences;
        const Chunks& more = run->directory().chunks;
        for (std::size_t i = 0; i < more.size(); ++i) chunks[at + i].add(more[i]);
    }
    return chunks;
}

}  // namespace

Result<Merge> Merge::start(Disk& disk, Random& random, const std::string& path,
                           const crypto::Secret32& index_key,
                           std::vector<std::shared_ptr<const Run>> inputs) {
    HYGIE_CHECK(!inputs.empty(), "a merge needs runs");
    const SequenceRange range{inputs.front()->range().first, inputs.back()->range().end};
    RunWriter writer = TRY(RunWriter::create(disk, random, path, index_key, range));
    return Merge(std::move(writer), std::move(inputs), range);
}

Merge::Merge(RunWriter writer, std::vector<std::shared_ptr<const Run>> inputs, SequenceRange range)
    : writer_(std::move(writer)), range_(range) {
    for (auto& run : inputs) cursors_.push_back({.run = std::move(run), .block = {}});
}

Result<bool> Merge::step() {
    for (std::size_t moved = 0; dimension_ < kDimensions.size() && moved < kStepPostings;) {
        const std::size_t more = TRY(move_some());
        if (more == 0) TRY_STATUS(next_dimension());
        moved += more;
    }
    return dimension_ == kDimensions.size();
}

Status Merge::finish() {
    std::vector<std::shared_ptr<const Run>> inputs;
    for (const Cursor& cursor : cursors_) inputs.push_back(cursor.run);
    TRY_STATUS(writer_.finish(merged_chunks(inputs, range_)));
    return {};
}

bool Merge::has_more(const Cursor& cursor) const {
    return cursor.next_block < cursor.run->directory().of(dimension()).size();
}

/// Opens the next block once the present one is used up, its offsets counted from the merged run.
Status Merge::refill(Cursor& cursor) {
    if (!cursor.at_end() || !has_more(cursor)) return {};
    cursor.block = TRY(cursor.run->block(dimension(), cursor.next_block++));
    cursor.list = cursor.list_at = 0;
    const auto moved =
        static_cast<std::uint32_t>(positions_of(dimension(), cursor.run->range()).first -
                                   positions_of(dimension(), range_).first);
    for (std::uint32_t& offset : cursor.block.offsets) offset += moved;
    return {};
}

std::span<const std::uint32_t> Merge::take_list(Cursor& cursor) {
    const std::size_t count = cursor.block.counts[cursor.list++];
    return std::span(cursor.block.offsets)
        .subspan(std::exchange(cursor.list_at, cursor.list_at + count), count);
}

/// Moves the lists whose keys cannot come again in a later block of any input; when there are none,
/// the first input's list of the least key, which goes on in its next block. 0 when nothing is
/// left.
Result<std::size_t> Merge::move_some() {
    std::optional<std::uint64_t> bound;
    for (Cursor& cursor : cursors_) {
        TRY_STATUS(refill(cursor));
        if (has_more(cursor))
            bound = std::min(bound.value_or(UINT64_MAX), cursor.block.keys.back());
    }
    batch_.clear();
    lists_.clear();
    for (Cursor& cursor : cursors_) {
        while (!cursor.at_end() && (!bound || cursor.key() < *bound)) {
            batch_.push_back({cursor.key(), static_cast<std::uint32_t>(lists_.size())});
            lists_.push_back(take_list(cursor));
        }
    }
    std::size_t moved = 0;
    if (batch_.empty() && bound) {
        for (Cursor& cursor : cursors_) {
            if (cursor.at_end() || cursor.key() != *bound) continue;
            const auto offsets = take_list(cursor);
            TRY_STATUS(writer_.add(dimension(), *bound, offsets));
            return offsets.size();
        }
    }
    sort_by_key(batch_, scratch_);
    for (const Posting& list : batch_) {
        TRY_STATUS(writer_.add(dimension(), list.key, lists_[list.value]));
        moved += lists_[list.value].size();
    }
    return moved;
}

Status Merge::next_dimension() {
    TRY_STATUS(writer_.end_dimension(dimension()));
    ++dimension_;
    for (Cursor& cursor : cursors_) {
        cursor.next_block = 0;
        cursor.block = {};
        cursor.list = cursor.list_at = 0;
    }
    return {};
}

}  // namespace hygie::ledger
