#include "ledger/log/appender.h"

#include <algorithm>
#include <future>
#include <utility>

namespace hygie::ledger {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Jobs that may wait for the sealer; a submitter waits beyond.
constexpr std::size_t kJobsWaitingMax = 4096;
/// One batch syncs while the next is sealed: more would only add delay.
constexpr std::size_t kSealedWaitingMax = 1;
/// While a batch waits for the disk, others gather so long before they are sealed and join it.
constexpr Micros kGatherMax = std::chrono::milliseconds(1);
/// Durable batches may run ahead of their tiles while tiles settle.
constexpr std::size_t kCommittedWaitingMax = 256;
constexpr std::size_t kShownWaitingMax = 1;
/// Past this many times the settle threshold, appending waits for the tiles.
constexpr std::uint64_t kUnsettledFactorMax = 4;

std::unexpected<Error> is_closed() {
    return fail(Code::Unavailable, {"le journal est fermé", "the ledger is closed"},
                {"rouvrez-le puis recommencez", "open it again, then retry"});
}

}  // namespace

Appender::Appender(Log& log, Cosigner cosign, AppenderOptions options)
    : log_(log),
      cosign_(std::move(cosign)),
      options_(options),
      jobs_(kJobsWaitingMax),
      sealed_(kSealedWaitingMax),
      committed_(kCommittedWaitingMax),
      shown_(kShownWaitingMax),
      last_snapshot_(SteadyClock::now()) {
    threads_.emplace_back([this] { seal_loop(); });
    threads_.emplace_back([this] { commit_loop(); });
    threads_.emplace_back([this] { apply_loop(); });
    threads_.emplace_back([this] { publish_loop(); });
}

Appender::~Appender() {
    (void)close();
}

void Appender::submit(std::vector<Draft> drafts, Done done) {
    const std::span<const Draft> all = drafts;  // where they are does not change
    submit_job({std::move(drafts), all, std::move(done)});
}

void Appender::submit_lent(std::span<const Draft> drafts, Done done) {
    submit_job({{}, drafts, std::move(done)});
}

void Appender::submit_job(Job job) {
    const std::shared_lock gate(gate_);
    {
        const std::unique_lock lock(mutex_);
        if (stopped_) return job.done(std::unexpected(*stopped_));
        if (closed_) return job.done(is_closed());
        ++submitted_;
    }
    jobs_.push(std::move(job));
}

Appender::Sequences Appender::append(std::vector<Draft> drafts) {
    std::promise<Sequences> promise;
    auto future = promise.get_future();
    submit_lent(drafts, [&](Sequences sequences) { promise.set_value(std::move(sequences)); });
    return future.get();
}

Status Appender::exclusive(const std::function<Status(Log&)>& task) {
    const std::unique_lock gate(gate_);
    {
        std::unique_lock lock(mutex_);
        if (closed_) return is_closed();
        changed_.wait(lock, [this] { return stopped_ || finished_ == submitted_; });
        if (stopped_) return std::unexpected(*stopped_);
    }
    // No snapshot is taken from here on, and those taken before go out first: after the task they
    // would be older than what it may have shown.
    const std::unique_lock apply(apply_mutex_);
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || unshown_ == 0; });
        if (stopped_) return std::unexpected(*stopped_);
    }
    const std::unique_lock publishing(publish_mutex_);
    Status done = task(log_);
    if (!done && (done.error().code == Code::Io || done.error().code == Code::Corrupt))
        stop(done.error());
    return done;
}

Status Appender::publish() {
    std::unique_lock lock(mutex_);
    const std::uint64_t size = log_.durable_size();
    wanted_ = std::max(wanted_, size);
    // Nothing to apply: it ends a wait that would last until the next tick, a quarter of a second.
    if (published_ < size) committed_.push_now({});
    changed_.notify_all();
    changed_.wait(lock, [&] { return stopped_ || closed_ || published_ >= size; });
    if (stopped_) return std::unexpected(*stopped_);
    return {};
}

Status Appender::finish() {
    {
        const std::unique_lock gate(gate_);
        const std::unique_lock lock(mutex_);
        closed_ = true;
    }
    jobs_.close();
    threads_.clear();  // joins
    return health();
}

Status Appender::close() {
    const bool first = !threads_.empty();
    TRY_STATUS(finish());
    return first ? log_.close() : Status{};
}

Status Appender::health() const {
    const std::unique_lock lock(mutex_);
    if (stopped_) return std::unexpected(*stopped_);
    return {};
}

void Appender::seal_loop() {
    while (auto job = jobs_.pop()) {
        // Sealed a few at a time, they would be durable no sooner: a sync is under way.
        sealed_.wait_for_room(SteadyClock::now() + kGatherMax);
        std::vector<Job> jobs;
        std::size_t drafts = job->drafts.size();
        jobs.push_back(std::move(*job));
        while (drafts < options_.batch_max) {
            auto more = jobs_.try_pop();
            if (!more) break;
            drafts += more->drafts.size();
            jobs.push_back(std::move(*more));
        }
        seal_jobs(std::move(jobs));
    }
    sealed_.close();
}

void Appender::seal_jobs(std::vector<Job> jobs) {
    std::vector<const Draft*> drafts;
    Sealed sealed;
    for (Job& job : jobs) {
        sealed.waiting.emplace_back(job.drafts.size(), std::move(job.done));
        for (const Draft& draft : job.drafts) drafts.push_back(&draft);
    }
    const Status well = health();
    auto batch = well ? log_.seal(drafts) : Result<Batch>(std::unexpected(well.error()));
    if (!batch) {
        for (auto& [count, done] : sealed.waiting) done(std::unexpected(batch.error()));
        count_finished(sealed.waiting.size());
        return;
    }
    sealed.batch = std::move(*batch);
    // What comes while the disk syncs is durable with its next sync, not with the one after.
    sealed_.push_or_join(std::move(sealed),
                         [this](Sealed& waiting, Sealed& next) { return join(waiting, next); });
}

bool Appender::join(Sealed& waiting, Sealed& next) {
    if (waiting.batch.size() + next.batch.size() > options_.batch_max) return false;
    waiting.batch.join(next.batch);
    std::ranges::move(next.waiting, std::back_inserter(waiting.waiting));
    log_.recycle(std::move(next.batch));
    return true;
}

void Appender::commit_loop() {
    while (auto sealed = sealed_.pop()) {
        Status kept = health();
        if (kept) kept = log_.commit(sealed->batch);
        if (!kept) stop(kept.error());
        auto next = sealed->batch.sequences.begin();
        for (auto& [count, done] : sealed->waiting) {
            const auto end = next + static_cast<std::ptrdiff_t>(count);
            done(kept ? Sequences({next, end}) : std::unexpected(kept.error()));
            next = end;
        }
        if (kept)
            committed_.push(std::move(*sealed));
        else
            count_finished(sealed->waiting.size());
    }
    committed_.close();
}

void Appender::apply_loop() {
    const auto tick = std::min(options_.checkpoint_interval, options_.heartbeat) / 4;
    while (!committed_.drained()) {
        auto sealed = committed_.pop_until(SteadyClock::now() + tick);
        const std::unique_lock apply(apply_mutex_);
        if (sealed) {
            if (const Status applied = apply_one(*sealed); !applied) stop(applied.error());
            count_finished(sealed->waiting.size());
        }
        if (const Status shown = is_stopped() ? Status{} : show_when_due(false); !shown)
            stop(shown.error());
    }
    const std::unique_lock apply(apply_mutex_);
    if (const Status shown = is_stopped() ? Status{} : show_when_due(true); !shown)
        stop(shown.error());
    shown_.close();
}

Status Appender::apply_one(Sealed& sealed) {
    if (is_stopped() || sealed.batch.leaves.empty()) return {};
    unsettled_bytes_ += sealed.batch.buffer.size();
    TRY_STATUS(log_.apply(sealed.batch));
    log_.recycle(std::move(sealed.batch));
    std::vector<Draft> own = TRY(log_.own_drafts());
    if (!own.empty()) submit_own(std::move(own));
    return {};
}

/// What the ledger says about itself goes through the same stages. It must not wait for room here:
/// this thread makes it.
void Appender::submit_own(std::vector<Draft> drafts) {
    {
        const std::unique_lock lock(mutex_);
        if (closed_) return;  // said again when the log is next open
        ++submitted_;
    }
    const std::span<const Draft> all = drafts;
    jobs_.push_now({std::move(drafts), all, [](Sequences) {}});
}

Status Appender::show_when_due(bool last) {
    const auto now = SteadyClock::now();
    const bool grown = log_.applied_size() > snapshot_size_;
    const bool due = (grown && now >= last_snapshot_ + options_.checkpoint_interval) ||
                     now >= last_snapshot_ + options_.heartbeat;
    bool wanted = false;
    {
        const std::unique_lock lock(mutex_);
        wanted = wanted_ > published_ && log_.applied_size() >= wanted_ && grown;
    }
    const bool full = unsettled_bytes_ >= options_.settle_bytes;
    const bool overfull = unsettled_bytes_ >= kUnsettledFactorMax * options_.settle_bytes;
    if (!due && !wanted && !full && !last) return {};
    if (!overfull && !last && !shown_.has_room())
        return {};  // the witnesses are slow: appending goes on
    if (last && !grown) return {};
    Snapshot snapshot = TRY(log_.snapshot());
    snapshot_size_ = snapshot.size;
    last_snapshot_ = now;
    if (full) unsettled_bytes_ = 0;
    {
        const std::unique_lock lock(mutex_);
        ++unshown_;
    }
    shown_.push({std::move(snapshot), full});
    return {};
}

void Appender::publish_loop() {
    while (auto shown = shown_.pop()) {
        if (is_stopped()) continue;
        const std::unique_lock publishing(publish_mutex_);
        Status done = log_.publish(shown->snapshot, cosign_);
        if (done && shown->settle) done = log_.settle(shown->snapshot);
        if (!done) stop(done.error());
        const std::unique_lock lock(mutex_);
        published_ = shown->snapshot.size;
        --unshown_;
        changed_.notify_all();
    }
}

void Appender::stop(const Error& error) {
    const std::unique_lock lock(mutex_);
    if (!stopped_) stopped_ = error;
    changed_.notify_all();
}

void Appender::count_finished(std::size_t jobs) {
    const std::unique_lock lock(mutex_);
    finished_ += jobs;
    changed_.notify_all();
}

bool Appender::is_stopped() const {
    const std::unique_lock lock(mutex_);
    return stopped_.has_value();
}

}  // namespace hygie::ledger
