#pragma once

#include <atomic>
#include <thread>

#include "guards/files/retention.h"
#include "guards/files/store.h"

namespace hygie::files {

/// Puts the store in order while nothing else wants the machine: seals what was superseded a day
/// ago, lets go of what is too old, gives room back.
class Keeper {
  public:
    static constexpr Micros kEvery = std::chrono::minutes(10);

    Keeper(StoreDoors doors, Store& store, std::string state, RetentionRules rules);
    ~Keeper() = default;

    /// One round, now. For the thread, and for tests.
    Status round();
    std::uint64_t sealed() const { return sealed_; }

  private:
    void run(const std::stop_token& stop);

    StoreDoors doors_;
    Store& store_;
    std::string state_;
    RetentionRules rules_;
    std::atomic<std::uint64_t> sealed_ = 0;
    std::jthread thread_;
};

}  // namespace hygie::files
