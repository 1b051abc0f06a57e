#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "guards/records/notices/notice_log.h"
#include "guards/records/notices/notice_sockets.h"

/// Tells who subscribed what happened: judged by what its owner may see when it happens and again
/// when it leaves, and in the ledger before it leaves.
namespace hygie::records {

class Sight;

inline constexpr std::size_t kSubscriptionsMax = 1'000;

/// What is known of one subscription.
struct Subscribed {
    std::string id;
    Owner owner;
    std::optional<Terms> terms;  ///< none when it cannot be served
    std::string status;
    std::string error;
    NoticeLog log;
};

/// Thread-safe. Its threads sleep as long as nobody subscribes.
class Notices {
  public:
    explicit Notices(Desk& desk);
    /// Begins to judge and to tell, once the desk knows it.
    void start();
    /// Ends its threads; what waits is told after the next start.
    ~Notices();

    /// What was written, once it is durable. Costs nothing when nobody subscribes.
    void written(const std::vector<vault::Version>& versions);
    /// Header lines of a subscription that is about to be written; kHidden keeps what was there.
    void adopt(const std::string& id, std::vector<std::string> headers);

    /// A copy; none when there is none that could still be live.
    std::optional<Subscribed> find(std::string_view id);
    std::vector<std::string> owned_by(const ActorId& login);

    NoticeSockets& sockets() { return sockets_; }

  private:
    struct Live {
        Subscribed known;
        std::unique_ptr<NoticeFile> file;
        WallTime since{};        ///< nothing from before is told
        bool busy = false;       ///< a thread is telling
        unsigned attempts = 0;   ///< that failed in a row
        SteadyTime due{};        ///< when to tell next, if there is something to tell
        SteadyTime heartbeat{};  ///< when the next heartbeat is due
        bool is_live() const { return known.terms && known.status == "active"; }
        bool must_greet() const { return known.terms && known.status == "requested"; }
    };
    using LivePtr = std::shared_ptr<Live>;
    struct Change {
        Happened happened;
        vault::Version version;
    };
    static constexpr SteadyTime kNever = SteadyTime::max();
    enum class Sent : std::uint8_t { Yes, No, Closed };

    void load();
    void take(const vault::Version& version, WallTime since, bool is_new);
    void forget(const std::string& id);
    std::vector<LivePtr> live_ones();
    void catch_up(const std::vector<LivePtr>& lives);
    void judge_all(const std::vector<LivePtr>& found_at_start);
    /// For one subscription alone, or for all.
    void judge(const Change& change, const LivePtr& only = nullptr);
    void consider(Live& live, const Change& change, const Versions& versions);
    void tell_all(const std::stop_token& stop);
    LivePtr next_due(SteadyTime now, SteadyTime& until);
    bool has_work(const Live& live, SteadyTime now) const;
    void tell(Live& live, const std::stop_token& stop);
    Sent send(const Subscribed& known, const Notice& notice, const std::stop_token& stop);
    Sent send_events(const Subscribed& known, Notice notice, const std::stop_token& stop);
    void end_attempt(Live& live, const Notice& notice, Sent sent, std::uint64_t told);
    void set_status(Live& live, std::string_view status, const Text& error);
    void save(Live& live);
    /// Whether nobody wrote the subscription anew meanwhile. Under the mutex.
    bool is_current(const Live& live) const;

    Desk& desk_;
    std::mutex mutex_;
    std::condition_variable changed_, due_;
    bool stopping_ = false;
    std::map<std::string, LivePtr, std::less<>> lives_;
    std::map<std::string, std::vector<std::string>, std::less<>> adopted_;
    std::deque<Change> changes_;
    NoticeSockets sockets_;
    std::jthread judge_;
    std::vector<std::jthread> tellers_;
};

/// The owner of a subscription, as the house knows them at this moment, in a call of its own; none
/// when their account is closed.
std::shared_ptr<Call> call_of(Desk& desk, const Owner& owner);

/// Whether that call may see what an event is about.
bool may_see(Desk& desk, Sight& sight, const NoticeEvent& event);

}  // namespace hygie::records
