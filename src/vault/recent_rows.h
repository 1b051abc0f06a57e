#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ranges>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "vault/store.h"

namespace hygie::vault {

/// Rows whose keys are tokens, as good as random: put into its table at once, each would change a
/// page of its own. A store keeps them here and, to find them again, one line of each commit in a
/// journal that grows at its end. A sweep through the keys in their order takes them into their
/// tables, many to a page, a stretch with every commit once there are enough of them; a line that
/// the sweep has gone round since is superfluous. The lines left, read again, give the same
/// rows and the same place of the sweep.
///
/// A store writes in one transaction what leaves and the line, and then tells keep(). One thread
/// writes; any may read meanwhile.
class RecentRows {
  public:
    explicit RecentRows(std::size_t rows_kept) : rows_kept_(rows_kept) {}

    /// Whether rows of this table come here first.
    static constexpr bool takes(Table table) {
        return table == Table::Places || table == Table::Names;
    }

    /// Rows leave in this order.
    struct Position {
        Table table{};
        Key key = kFirstKey;
        auto operator<=>(const Position&) const = default;
    };
    using Rows = std::map<Position, std::optional<Bytes>>;  ///< without a value: erased

    // --- reading

    struct Found {
        bool is_here = false;
        std::optional<Bytes> value{};
    };
    Found find(Table table, Key key) const;
    struct Range {
        std::vector<std::pair<Key, std::optional<Bytes>>> rows;
        std::uint64_t as_of = 0;
    };
    Range range(Table table, Key first, Key last) const;
    /// Goes on with each keep(). What a table holds, seen while this has not gone on since range(),
    /// has no row of a commit of which range() does not know, but may lack some of those it gave.
    std::uint64_t as_of() const;

    // --- writing

    /// What one commit changes here.
    struct Step {
        std::vector<const Batch::Row*> coming{};              ///< of the batch
        std::ranges::subrange<Rows::const_iterator> leaving;  ///< into their tables
        Position to{};                                        ///< where the sweep stands then
        std::uint64_t number = 0;                             ///< of the line
        Bytes line{};                                         ///< empty: none is needed
        std::uint64_t superfluous = 0;                        ///< lines up to it; 0: none
    };
    /// As long as the batch lives, and until keep().
    Step step(const Batch& batch) const;
    /// After the step is durable.
    void keep(const Step& step);

    const Rows& rows() const { return rows_; }
    /// After all rows are in their tables, and no line is left.
    void forget_all();
    /// The lines left, the last one first, before anything else. Code::Corrupt when one is damaged
    /// or missing between others.
    Status replay(std::uint64_t number, ByteView line);

  private:
    /// The lines up to `number` were written before the sweep went on from here.
    struct Passed {
        std::int64_t turn = 0;
        Position position{};
        std::uint64_t number = 0;
    };
    void advance(Position to, std::uint64_t number);
    bool step_back(std::uint64_t number, Position to);

    const std::size_t rows_kept_;
    mutable std::shared_mutex mutex_;  ///< held to change rows_ and as_of_, and by who reads them
    Rows rows_;
    std::uint64_t as_of_ = 0;
    // The writer's own:
    Position sweep_{};  ///< what is before it was taken along in this turn
    std::int64_t turn_ = 0;
    std::uint64_t number_ = 0;       ///< of the last line
    std::uint64_t superfluous_ = 0;  ///< lines up to this number are
    std::uint64_t dropped_ = 0;      ///< and were told to be, up to this one
    std::deque<Passed> passed_;
    // While lines are replayed:
    Passed back_{};           ///< after the line that was read last
    Position back_from_{};    ///< before it
    bool back_ends_ = false;  ///< whether it ends a turn
};

}  // namespace hygie::vault
