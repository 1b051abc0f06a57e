#pragma once

#include <atomic>
#include <thread>

#include "guards/files/keep/retention.h"
#include "guards/files/keep/store.h"

namespace hygie::files {

/// Puts the store in order while nothing else wants the machine: seals what was superseded a day
/// ago, lets go of what is too old, gives room back, marks what is staged.
class Keeper {
  public:
    static constexpr Micros kEvery = std::chrono::minutes(10);
    static constexpr Micros kFirst = std::chrono::minutes(1);
    /// Marking reads everything that is kept once: not all of it in one go.
    static constexpr std::uint64_t kMarkedBytesMax = std::uint64_t{16} << 30;

    Keeper(StoreDoors doors, Store& store, std::string state, RetentionRules rules);
    ~Keeper() = default;

    /// One round, now. For the thread, and for tests.
    Status round(const std::stop_token& stop = {});
    std::uint64_t sealed() const { return sealed_; }

  private:
    Result<std::vector<Chore>> chores_now();
    Status mark(const std::vector<Chore>& due, const std::stop_token& stop);
    void run(const std::stop_token& stop);

    StoreDoors doors_;
    Store& store_;
    std::string state_;
    RetentionRules rules_;
    std::atomic<std::uint64_t> sealed_ = 0;
    std::jthread thread_;
};

}  // namespace hygie::files
