#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/house/core_circles.h"
#include "vault/trace.h"

/// What a running core does by itself once a day: accounts that nobody uses are warned of, then
/// closed; past accesses that nothing explains go to the security officer's work list.
namespace hygie::app {

inline constexpr Micros kRoundEvery = std::chrono::hours(24);
/// How far back a round looks when the last one is that long ago, or there was none.
inline constexpr Micros kRoundReach = std::chrono::days(8);

class DailyRound {
  public:
    struct Parts {
        Context& context;
        access::Accounts& accounts;
        access::PolicyShelf& policy;
        LedgerAudit& audit;
        vault::Vault& vault;
        vault::Trace& trace;
        event::Event origin;
    };
    /// Begins; the first round is due when the ledger tells of none within kRoundEvery.
    explicit DailyRound(Parts parts);
    /// Waits for a round that is under way.
    ~DailyRound();

  private:
    void work(const std::stop_token& stop);
    Status go(const std::stop_token& stop);
    Status look_back(WallTime from, WallTime until, const std::stop_token& stop);
    Result<WallTime> last_round();
    Status keep(std::vector<event::Event> events);
    event::Event made(event::Event event) const;

    Parts parts_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace hygie::app
