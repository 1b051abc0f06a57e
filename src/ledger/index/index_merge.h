#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ledger/index/index_postings.h"
#include "ledger/index/index_run.h"

namespace hygie::ledger {

/// Makes one run out of neighbouring ones, a little at a time and in bounded memory: one block per
/// input, whatever the inputs hold.
class Merge {
  public:
    /// `inputs` tile a range, in order.
    static Result<Merge> start(Disk& disk, Random& random, const std::string& path,
                               const crypto::Secret32& index_key,
                               std::vector<std::shared_ptr<const Run>> inputs);

    /// Moves a hundred thousand postings or so; true when none are left.
    Result<bool> step();
    /// After the last step: ends the file, durable on return.
    Status finish();

  private:
    /// A place in one dimension of an input.
    struct Cursor {
        std::shared_ptr<const Run> run;
        std::size_t next_block = 0;
        Block block;
        std::size_t list = 0;     ///< in `block`
        std::size_t list_at = 0;  ///< where its offsets begin

        bool at_end() const { return list == block.keys.size(); }
        std::uint64_t key() const { return block.keys[list]; }
    };

    Merge(RunWriter writer, std::vector<std::shared_ptr<const Run>> inputs, SequenceRange range);
    Dimension dimension() const { return kDimensions[dimension_]; }
    Status refill(Cursor& cursor);
    bool has_more(const Cursor& cursor) const;
    std::span<const std::uint32_t> take_list(Cursor& cursor);
    Result<std::size_t> move_some();
    Status next_dimension();

    RunWriter writer_;
    SequenceRange range_;
    std::vector<Cursor> cursors_;
    std::size_t dimension_ = 0;
    std::vector<Posting> batch_;  ///< lists that may go out now: key, number in lists_
    std::vector<std::span<const std::uint32_t>> lists_;
    std::vector<Posting> scratch_;
};

}  // namespace hygie::ledger
