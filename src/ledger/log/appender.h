#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <thread>
#include <vector>

#include "ledger/log/log.h"
#include "ledger/log/queue.h"

namespace hygie::ledger {

struct AppenderOptions {
    /// Entries in one batch at most: past the knee of the disk (about 1,000 entries), bigger only
    /// waits longer.
    std::size_t batch_max = 4096;
    /// How often a growing log shows a checkpoint.
    Micros checkpoint_interval = std::chrono::seconds(1);
    /// How often an idle log shows that it lives: the bound on how old an honest view may be.
    Micros heartbeat = std::chrono::seconds(10);
    /// Bytes in the write-ahead log that make it settle its tiles.
    std::uint64_t settle_bytes = 128ull << 20;
};

/// Many writers, one log. Each stage of the log runs in a thread of its own, so that sealing one
/// batch overlaps the sync of the one before it, and all that comes meanwhile goes out together
/// with the next sync (group commit).
class Appender {
  public:
    /// The sequence of each draft, none for a counter seen before; or why nothing of the call was
    /// kept.
    using Sequences = Result<std::vector<std::optional<std::uint64_t>>>;
    using Done = std::function<void(Sequences)>;

    Appender(Log& log, Cosigner cosign, AppenderOptions options);
    /// close(), if nobody did.
    ~Appender();

    /// Returns once the entries are durable. Thread-safe.
    Sequences append(std::vector<Draft> drafts);
    /// Returns at once, waiting only for room; `done` is called from another thread once the
    /// entries are durable.
    void submit(std::vector<Draft> drafts, Done done);
    /// The same for drafts that their owner leaves alone until `done` is called: nothing is copied.
    void submit_lent(std::span<const Draft> drafts, Done done);
    /// Runs `task` on the log while nothing is being appended, e.g. to destroy keys. Returns when
    /// it is done.
    Status exclusive(const std::function<Status(Log&)>& task);
    /// Shows a checkpoint that covers all that was acknowledged before the call.
    Status publish();
    /// Finishes what was submitted and shows a last checkpoint; the log stays open. What went
    /// wrong, if anything did; nothing can be appended through this appender afterwards.
    Status finish();
    /// finish(), then closes the log.
    Status close();
    /// What stopped the appender, if anything did.
    Status health() const;

  private:
    struct Job {
        std::vector<Draft> kept;  ///< empty when they are lent
        std::span<const Draft> drafts;
        Done done;
    };
    struct Sealed {
        Batch batch;
        std::vector<std::pair<std::size_t, Done>>
            waiting;  ///< how many drafts each job had, in order
    };
    struct Shown {
        Snapshot snapshot;
        bool settle;
    };

    void seal_loop();
    void commit_loop();
    void apply_loop();
    void publish_loop();

    void submit_job(Job job);
    void seal_jobs(std::vector<Job> jobs);
    bool join(Sealed& waiting, Sealed& next);
    Status apply_one(Sealed& sealed);
    void submit_own(std::vector<Draft> drafts);
    Status show_when_due(bool last);
    void stop(const Error& error);
    void count_finished(std::size_t jobs);
    bool is_stopped() const;

    Log& log_;
    const Cosigner cosign_;
    const AppenderOptions options_;
    Queue<Job> jobs_;
    Queue<Sealed> sealed_;
    Queue<Sealed> committed_;
    Queue<Shown> shown_;

    std::shared_mutex gate_;    ///< shared by submitters, held alone by exclusive()
    std::mutex apply_mutex_;    ///< held while a batch is applied or a snapshot taken
    std::mutex publish_mutex_;  ///< held while a checkpoint is made
    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::optional<Error> stopped_;
    std::uint64_t submitted_ = 0;  ///< jobs
    std::uint64_t finished_ = 0;   ///< jobs applied or refused
    std::uint64_t published_ = 0;  ///< size last shown
    std::uint64_t wanted_ = 0;     ///< size somebody waits to see shown
    std::uint64_t unshown_ = 0;    ///< snapshots taken and not shown yet
    bool closed_ = false;

    // The apply stage's own:
    std::uint64_t unsettled_bytes_ = 0;
    std::uint64_t snapshot_size_ = 0;
    std::chrono::steady_clock::time_point last_snapshot_;

    std::vector<std::jthread> threads_;
};

}  // namespace hygie::ledger
