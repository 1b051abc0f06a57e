#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "vault/group.h"
#include "vault/trace.h"
#include "vault/transaction.h"

namespace hygie::vault {

/// The one thread that writes. It stores the transactions that wait in one batch, then hands their
/// events to the ledger; whoever asked is told once both keep them. The event waits in the outbox
/// of the same batch, so that a crash in between loses nothing.
class Writer {
  public:
    Writer(Shelf& shelf, Clock& clock, Random& random, Trace& trace, Origin origin);
    /// Stores what was asked for, and waits for the ledger.
    ~Writer();

    /// Reads where things stand, hands the ledger what it missed, and begins.
    Status start();

    void commit(Transaction transaction, Done done);

    /// Something that is done alone: rows and an event stored together, then `after`, then the
    /// ledger. Blocks.
    struct Task {
        std::function<Result<Batch>(VaultState&)> rows;
        event::Event event;
        std::function<Status()> after = [] { return Status(); };
    };
    Status carry_out(Task task);
    /// The same without an event: rows that say nothing new.
    Status maintain(std::function<Result<Batch>()> rows);

    /// Makes the index of a record anew from its bodies.
    Status reindex(CompartmentNumber number);

    VaultState state() const;
    /// The ledger has the events up to this counter.
    std::uint64_t acknowledged() const;

  private:
    struct Job {
        Prepared prepared;
        std::string author;
        event::Event event;
        Done done;
        std::size_t bytes = 0;
    };
    using Told = std::move_only_function<void(Status)>;
    struct AloneJob {
        Task task;
        bool has_event = true;
        Told done;
    };
    using Item = std::variant<Job, AloneJob>;
    /// What becomes of a job once the ledger has answered.
    struct Waiting {
        std::vector<Version> versions;
        Done done;
    };

    void run();
    std::vector<Item> next_items();
    void enqueue(Item item, std::size_t bytes);
    void write_jobs(std::vector<Job> jobs);
    void write_alone(AloneJob job);
    Status store(Group& group);
    Status raise_mark();
    std::ptrdiff_t trim_outbox(Batch& batch) const;
    void hand_over(std::vector<event::Event> events, Told told);
    Status hand_over_and_wait(std::vector<event::Event> events);
    Status hand_over_missed();
    std::optional<Error> refusal() const;
    Status block_on(AloneJob job);

    Shelf& shelf_;
    Clock& clock_;
    Random& random_;
    Trace& trace_;
    const Origin origin_;
    Numbers numbers_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> items_;
    std::size_t queued_bytes_ = 0;
    bool stopping_ = false;
    VaultState state_;
    std::uint64_t acknowledged_ = 0;       ///< the ledger has events up to this counter
    std::size_t under_way_ = 0;            ///< calls to the ledger without an answer
    std::optional<Error> broken_;          ///< store or ledger failed: nothing more is written
    std::deque<std::uint64_t> in_outbox_;  ///< counters; the writing thread's own

    std::jthread thread_;  ///< last: everything it uses is there before and after it
};

}  // namespace hygie::vault
