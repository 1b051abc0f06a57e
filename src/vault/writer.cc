#include "vault/writer.h"

#include <algorithm>
#include <future>

#include "host/log.h"
#include "vault/outbox.h"
#include "vault/settings.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

/// Stored texts that may wait; beyond it writers are told to come back.
constexpr std::size_t kQueuedBytesMax = 64 << 20;
/// Stored in one batch.
constexpr std::size_t kGroupBytesMax = 32 << 20;

/// Far beyond all that one life of a vault writes; 2²³ of them fit into the numbers there are.
std::uint64_t leap(Random& random) {
    constexpr int kLeapBits = 40;
    return load_be<std::uint64_t>(random.bytes<8>().data()) >> (64 - kLeapBits);
}

std::size_t bytes_of(const Prepared& prepared) {
    std::size_t bytes = 0;
    for (const PreparedWrite& write : prepared.writes)
        bytes += write.stored.size() + write.version.body.size();
    return bytes;
}

std::vector<Version> versions_of(Prepared& prepared) {
    std::vector<Version> versions(prepared.writes.size());
    for (PreparedWrite& write : prepared.writes) versions[write.asked] = std::move(write.version);
    return versions;
}

Error too_busy() {
    return fail(Code::Busy,
                {"trop d'écritures attendent déjà", "too many writes are waiting already"},
                {"recommencez dans un instant", "try again in a moment"})
        .error();
}

}  // namespace

Writer::Writer(Shelf& shelf, Clock& clock, Random& random, Trace& trace, Origin origin)
    : shelf_(shelf), clock_(clock), random_(random), trace_(trace), origin_(std::move(origin)) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ == 0; });
}

// --- the beginning -------------------------------------------------------------------------------

Status Writer::start() {
    const auto mark = TRY(shelf_.store().get(Table::Settings, key_of(Setting::Reserved)));
    // Another copy of this vault may have gone on from the same mark, under the same keys: each
    // time it opens it takes its numbers somewhere else.
    numbers_.start_at(mark ? VarintReader(*mark).number() + leap(random_) : 1);
    if (const auto state = TRY(shelf_.store().get(Table::Settings, key_of(Setting::State))))
        state_ = TRY(decode_state(*state));
    acknowledged_ = TRY(trace_.last_counter(origin_.source, origin_.node));
    if (acknowledged_ >= state_.next_counter) {
        // An older copy of the vault: its commits must not take the numbers of those it lost.
        log::warning("vault.older-than-ledger",
                     {{"ledger", acknowledged_}, {"vault", state_.next_counter - 1}});
        state_.next_counter = acknowledged_ + 1;
    }
    TRY_STATUS(hand_over_missed());
    TRY_STATUS(raise_mark());
    thread_ = std::jthread([this] { run(); });
    return {};
}

Status Writer::hand_over_missed() {
    std::vector<event::Event> missed;
    Status opened;
    TRY_STATUS(
        shelf_.store().scan(Table::Outbox, kFirstKey, kLastKey, [&](Key key, ByteView sealed) {
            const auto counter = static_cast<std::uint64_t>(key.major);
            in_outbox_.push_back(counter);
            if (counter <= acknowledged_) return true;
            auto event =
                open_event(shelf_.keys().outbox, counter, sealed, origin_.source, origin_.node);
            if (event)
                missed.push_back(std::move(*event));
            else
                opened = std::unexpected(event.error());
            return opened.has_value();
        }));
    TRY_STATUS(opened);
    return missed.empty() ? Status() : hand_over_and_wait(std::move(missed));
}

/// Before numbers run low, never when they are used: a number may reach the disk in a batch that a
/// crash undoes, and must not come back.
Status Writer::raise_mark() {
    if (!numbers_.is_low()) return {};
    const std::uint64_t mark = numbers_.next_mark();
    Bytes value;
    put_varint(value, mark);
    Batch batch;
    batch.put(Table::Settings, key_of(Setting::Reserved), std::move(value));
    TRY_STATUS(shelf_.commit(batch));
    numbers_.rise(mark);
    return {};
}

// --- asking --------------------------------------------------------------------------------------

std::optional<Error> Writer::refusal() const {
    const std::lock_guard lock(mutex_);
    if (broken_) return broken_;
    if (queued_bytes_ > kQueuedBytesMax) return too_busy();
    return std::nullopt;
}

void Writer::enqueue(Item item, std::size_t bytes) {
    {
        const std::lock_guard lock(mutex_);
        queued_bytes_ += bytes;
        items_.push_back(std::move(item));
    }
    changed_.notify_all();
}

void Writer::commit(Transaction transaction, Done done) {
    if (auto refused = refusal()) return done(std::unexpected(std::move(*refused)));
    auto prepared = prepare(shelf_, clock_, numbers_, transaction.writes, transaction.author,
                            [&](Key place, std::string_view type, std::string_view id) {
                                return shelf_.known(place, type, id);
                            });
    if (!prepared) return done(std::unexpected(prepared.error()));
    const std::size_t bytes = bytes_of(*prepared);
    enqueue(Job{.prepared = std::move(*prepared),
                .author = std::move(transaction.author),
                .event = std::move(transaction.event),
                .done = std::move(done),
                .bytes = bytes},
            bytes);
}

Status Writer::block_on(AloneJob job) {
    if (auto refused = refusal()) return std::unexpected(std::move(*refused));
    auto promise = std::make_shared<std::promise<Status>>();
    auto future = promise->get_future();
    job.done = [promise](Status status) { promise->set_value(std::move(status)); };
    enqueue(std::move(job), 0);
    return future.get();
}

Status Writer::carry_out(Task task) {
    return block_on({.task = std::move(task), .has_event = true, .done = {}});
}

Status Writer::maintain(std::function<Result<Batch>()> rows) {
    Task task{.rows = [rows = std::move(rows)](VaultState&) { return rows(); }, .event = {}};
    return block_on({.task = std::move(task), .has_event = false, .done = {}});
}

VaultState Writer::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

std::uint64_t Writer::acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
}

Status Writer::reindex(CompartmentNumber number) {
    const Status done = maintain([this, number]() -> Result<Batch> {
        const Record record = TRY(shelf_.rebuild(number));
        Batch batch;
        const auto [first, last] = keys_of(static_cast<std::int64_t>(number));
        TRY_STATUS(shelf_.store().scan(Table::Pieces, first, last, [&](Key key, ByteView) {
            batch.erase(Table::Pieces, key);
            return true;
        }));
        const std::uint64_t piece = TRY(numbers_.take(1));
        batch.put(Table::Pieces,
                  {static_cast<std::int64_t>(number), static_cast<std::int64_t>(piece)},
                  seal_piece(record.key(), number, piece,
                             encode_piece(record.pieces().front(), record.patient())));
        return batch;
    });
    shelf_.forget(number);
    return done;
}

// --- writing -------------------------------------------------------------------------------------

/// All that waits, as long as it fits into one batch. Empty: the end.
std::vector<Writer::Item> Writer::next_items() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || !items_.empty(); });
    std::vector<Item> taken;
    std::size_t bytes = 0;
    while (!items_.empty() && bytes < kGroupBytesMax) {
        if (const Job* job = std::get_if<Job>(&items_.front())) bytes += job->bytes;
        taken.push_back(std::move(items_.front()));
        items_.pop_front();
    }
    queued_bytes_ -= bytes;
    return taken;
}

void Writer::run() {
    for (auto items = next_items(); !items.empty(); items = next_items()) {
        std::vector<Job> jobs;
        for (Item& item : items) {
            if (auto* job = std::get_if<Job>(&item)) {
                jobs.push_back(std::move(*job));
                continue;
            }
            write_jobs(std::exchange(jobs, {}));
            write_alone(std::get<AloneJob>(std::move(item)));
        }
        write_jobs(std::move(jobs));
    }
}

/// Erases what the ledger has; how many of them.
std::ptrdiff_t Writer::trim_outbox(Batch& batch) const {
    const std::uint64_t up_to = acknowledged();
    const auto end = std::ranges::upper_bound(in_outbox_, up_to);
    for (auto counter = in_outbox_.begin(); counter != end; ++counter)
        batch.erase(Table::Outbox, {static_cast<std::int64_t>(*counter)});
    return end - in_outbox_.begin();
}

/// Keys first: nothing is sealed under a key that a crash could lose.
Status Writer::store(Group& group) {
    const std::uint64_t first_counter = state_.next_counter;
    Batch batch = TRY(group.finish());
    const std::ptrdiff_t trimmed = trim_outbox(batch);
    TRY_STATUS(shelf_.table().sync());
    if (Status stored = shelf_.commit(batch); !stored) {
        const std::lock_guard lock(mutex_);
        if (stored.error().code != Code::Full) broken_ = stored.error();
        return stored;
    }
    group.publish();
    in_outbox_.erase(in_outbox_.begin(), in_outbox_.begin() + trimmed);
    for (std::uint64_t counter = first_counter; counter < group.state().next_counter; ++counter)
        in_outbox_.push_back(counter);
    const std::lock_guard lock(mutex_);
    state_ = group.state();
    return {};
}

void Writer::write_jobs(std::vector<Job> jobs) {
    if (jobs.empty()) return;
    Group group({shelf_, clock_, random_, numbers_, origin_}, state_);
    const Status ready = raise_mark();
    auto waiting = std::make_shared<std::vector<Waiting>>();
    std::vector<event::Event> events;
    for (Job& job : jobs) {
        const Status admitted = ready ? group.admit(job.prepared, job.author, job.event) : ready;
        if (!admitted) {
            job.done(std::unexpected(admitted.error()));
            continue;
        }
        events.push_back(std::move(job.event));
        waiting->push_back({versions_of(job.prepared), std::move(job.done)});
    }
    if (waiting->empty()) return;
    const auto tell = [waiting](const Status& status) {
        for (Waiting& each : *waiting) {
            if (status)
                each.done(std::move(each.versions));
            else
                each.done(std::unexpected(status.error()));
        }
    };
    if (const Status stored = store(group); !stored) return tell(stored);
    hand_over(std::move(events), tell);
}

void Writer::write_alone(AloneJob job) {
    const Status done = [&]() -> Status {
        TRY_STATUS(raise_mark());
        Group group({shelf_, clock_, random_, numbers_, origin_}, state_);
        Batch rows = TRY(job.task.rows(group.state()));
        if (!job.has_event) return shelf_.commit(rows);
        TRY_STATUS(group.admit(job.task.event, std::move(rows)));
        TRY_STATUS(store(group));
        TRY_STATUS(job.task.after());
        return hand_over_and_wait({job.task.event});
    }();
    job.done(done);
}

// --- the ledger ----------------------------------------------------------------------------------

void Writer::hand_over(std::vector<event::Event> events, Told told) {
    const std::uint64_t last = events.back().counter;
    {
        const std::lock_guard lock(mutex_);
        ++under_way_;
    }
    // Shared, since what std::function holds must be copyable.
    auto shared = std::make_shared<Told>(std::move(told));
    trace_.submit(std::move(events), [this, last, shared](Status kept) {
        {
            const std::lock_guard lock(mutex_);
            if (kept)
                acknowledged_ = std::max(acknowledged_, last);
            else if (!broken_)
                broken_ = kept.error();
        }
        (*shared)(std::move(kept));
        const std::lock_guard lock(mutex_);
        --under_way_;
        changed_.notify_all();
    });
}

Status Writer::hand_over_and_wait(std::vector<event::Event> events) {
    std::promise<Status> promise;
    auto future = promise.get_future();
    hand_over(std::move(events), [&](Status status) { promise.set_value(std::move(status)); });
    return future.get();
}

}  // namespace hygie::vault
