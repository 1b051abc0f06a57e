#include "vault/recent_rows.h"

#include <algorithm>
#include <mutex>
#include <ranges>
#include <tuple>

#include "crypto/sha256.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

/// Behind every row: where a turn of the sweep ends.
constexpr RecentRows::Position kEnd{static_cast<Table>(kTables), kFirstKey};
/// The sweep takes at least this share of the rows kept along, so that small commits, too, fill
/// the pages that they change.
constexpr std::size_t kStretches = 64;
/// Of the SHA-256 in front of a line.
constexpr std::size_t kCheckBytes = 8;

ByteView check_of(const crypto::Hash& hash) {
    return ByteView(hash).first(kCheckBytes);
}

void put_number(Bytes& out, std::int64_t number) {
    std::uint8_t bytes[sizeof(number)];
    store_be(bytes, number);
    append(out, bytes);
}

void put_position(Bytes& out, RecentRows::Position position) {
    out.push_back(static_cast<std::uint8_t>(position.table));
    put_number(out, position.key.major);
    put_number(out, position.key.minor);
}

Bytes encode(RecentRows::Position from, const RecentRows::Step& step) {
    Bytes out(kCheckBytes);
    put_position(out, from);
    put_position(out, step.to);
    for (const Batch::Row* row : step.coming) {
        out.push_back(static_cast<std::uint8_t>(row->table));
        put_number(out, row->key.major);
        if (has_pairs(row->table)) put_number(out, row->key.minor);
        put_varint(out, row->value ? row->value->size() + 1 : 0);
        if (row->value) append(out, *row->value);
    }
    const crypto::Hash hash = crypto::sha256(ByteView(out).subspan(kCheckBytes));
    std::ranges::copy(check_of(hash), out.begin());
    return out;
}

/// Reads what the above wrote; what is missing is 0.
class LineReader {
  public:
    explicit LineReader(ByteView bytes) : in_(bytes) {}

    RecentRows::Position position() {
        const Table table = this->table();
        const std::int64_t major = number();
        return {table, {major, number()}};
    }
    Batch::Row row() {
        const Table table = this->table();
        const std::int64_t major = number();
        const Key key{major, has_pairs(table) ? number() : 0};
        const std::uint64_t size = in_.number();
        if (size == 0) return {table, key, std::nullopt};
        return {table, key, to_bytes(in_.bytes(size - 1))};
    }
    bool has_more() const { return in_.ok() && !in_.rest().empty(); }
    bool ok() const { return in_.ok(); }

  private:
    Table table() {
        const ByteView byte = in_.bytes(1);
        return byte.empty() ? Table{} : static_cast<Table>(byte.front());
    }
    std::int64_t number() {
        const ByteView bytes = in_.bytes(sizeof(std::int64_t));
        return bytes.empty() ? 0 : load_be<std::int64_t>(bytes.data());
    }

    VarintReader in_;
};

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt,
                {"le journal des dernières lignes du coffre est abîmé",
                 "the journal of the vault's latest rows is damaged"},
                {"restaurez le coffre depuis la dernière sauvegarde",
                 "restore the vault from the last backup"});
}

}  // namespace

// --- reading -------------------------------------------------------------------------------------

RecentRows::Found RecentRows::find(Table table, Key key) const {
    const std::shared_lock lock(mutex_);
    const auto found = rows_.find({table, key});
    if (found == rows_.end()) return {};
    return {.is_here = true, .value = found->second};
}

RecentRows::Range RecentRows::range(Table table, Key first, Key last) const {
    const std::shared_lock lock(mutex_);
    Range range{.rows = {}, .as_of = as_of_};
    const Position end{table, last};
    for (auto row = rows_.lower_bound({table, first}); row != rows_.end() && row->first <= end;
         ++row)
        range.rows.emplace_back(row->first.key, row->second);
    return range;
}

std::uint64_t RecentRows::as_of() const {
    const std::shared_lock lock(mutex_);
    return as_of_;
}

// --- writing -------------------------------------------------------------------------------------

RecentRows::Step RecentRows::step(const Batch& batch) const {
    Step step{.leaving = {rows_.end(), rows_.end()}, .to = sweep_, .number = number_ + 1};
    for (const Batch::Row& row : batch.rows)
        if (takes(row.table)) step.coming.push_back(&row);
    if (step.coming.empty()) return step;
    if (rows_.size() >= rows_kept_ + rows_kept_ / kStretches) {
        const auto first = rows_.lower_bound(sweep_);
        auto last = first;
        for (std::size_t over = rows_.size() - rows_kept_; over > 0 && last != rows_.end(); --over)
            ++last;
        step.leaving = {first, last};
        step.to = last == rows_.end() ? kEnd : last->first;
    }
    if (superfluous_ > dropped_) step.superfluous = superfluous_;
    step.line = encode(sweep_, step);
    return step;
}

void RecentRows::keep(const Step& step) {
    if (step.line.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        rows_.erase(step.leaving.begin(), step.leaving.end());
        for (const Batch::Row* row : step.coming)
            rows_.insert_or_assign(Position{row->table, row->key}, row->value);
        ++as_of_;
    }
    dropped_ = std::max(dropped_, step.superfluous);
    advance(step.to, step.number);
}

/// A row of these lines lies ahead of the sweep, and is met in this turn, or behind, and is met in
/// the next before the sweep is here again.
void RecentRows::advance(Position to, std::uint64_t number) {
    number_ = number;
    turn_ += static_cast<std::int64_t>(to == kEnd);
    sweep_ = to == kEnd ? Position{} : to;
    if (!passed_.empty() && passed_.back().turn == turn_ && passed_.back().position == sweep_)
        passed_.back().number = number;
    else
        passed_.push_back({turn_, sweep_, number});
    while (std::tuple(passed_.front().turn + 1, passed_.front().position) <=
           std::tuple(turn_, sweep_)) {
        superfluous_ = passed_.front().number;
        passed_.pop_front();
    }
}

void RecentRows::forget_all() {
    {
        const std::lock_guard lock(mutex_);
        rows_.clear();
        ++as_of_;
    }
    superfluous_ = dropped_ = number_;
    sweep_ = {};
    passed_.clear();
}

/// From the last line back, so that what the sweep took along since is never kept: a row is passed
/// when the sweep went on beyond it, in the turn of its line or, from behind, in the next.
Status RecentRows::replay(std::uint64_t number, ByteView line) {
    if (line.size() < kCheckBytes) return damaged();
    const ByteView rest = line.subspan(kCheckBytes);
    if (!std::ranges::equal(line.first(kCheckBytes), check_of(crypto::sha256(rest))))
        return damaged();
    LineReader in(rest);
    const Position from = in.position();
    const Position to = in.position();
    std::vector<Batch::Row> rows;
    while (in.has_more()) rows.push_back(in.row());
    if (!in.ok() || !std::ranges::all_of(rows, &takes, &Batch::Row::table)) return damaged();
    if (!step_back(number, to)) return damaged();
    const std::lock_guard lock(mutex_);
    for (Batch::Row& row : rows | std::views::reverse) {
        const Position at{row.table, row.key};
        const std::int64_t met = back_.turn + static_cast<std::int64_t>(at < back_.position);
        if (std::tuple(met, at) >= std::tuple(turn_, sweep_))
            rows_.try_emplace(at, std::move(row.value));
    }
    back_from_ = from;
    return {};
}

/// To where the sweep stood after this line; false when that is not where the next one began.
bool RecentRows::step_back(std::uint64_t number, Position to) {
    const Position position = to == kEnd ? Position{} : to;
    if (passed_.empty()) {
        number_ = number;
        sweep_ = position;
        back_.number = number + 1;
    } else if (position != back_from_ || number + 1 != back_.number) {
        return false;
    }
    back_.turn -= static_cast<std::int64_t>(back_ends_);
    back_ends_ = to == kEnd;
    back_.position = position;
    back_.number = number;
    if (passed_.empty() || passed_.front().turn != back_.turn ||
        passed_.front().position != position)
        passed_.push_front(back_);
    return true;
}

}  // namespace hygie::vault
