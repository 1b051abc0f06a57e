#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "guards/files/acts/urgent_mutex.h"
#include "guards/files/enforce/enforcer.h"
#include "guards/files/enforce/sealers.h"
#include "guards/files/judge/judge.h"
#include "guards/files/judge/judge_door.h"
#include "guards/files/judge/theft.h"
#include "guards/files/judge/tools.h"

namespace hygie::files {

/// The judge at work beside the gate: takes what happened in order, on a thread of its own or on
/// that of a doorman who waits for it, and lets an actor destroy nothing new while more than a file
/// of its doing waits to be judged.
class JudgeDesk final : public JudgeDoor {
  public:
    struct Parts {
        Judge& judge;
        TheftWatch& theft;
        ToolWatch& tools;
        Enforcer& enforcer;
        Clock& clock;
        Random& random;
        JudgeState* state = nullptr;  ///< null: nothing is remembered, no order is taken
        EventSink sink{};
        ToolPolicy tool_policy = ToolPolicy::Report;
        std::vector<std::string> canaries{};  ///< beside those that a command planted
    };

    explicit JudgeDesk(Parts parts);
    ~JudgeDesk() override;

    /// Begins to judge; what was told before waits until then.
    void start();
    /// Ends judging; what waits stays unjudged. Nothing is called back afterwards.
    void stop();

    Stop before(const Change& change) override;
    int patience(const Actor& actor) override;
    void after(Change change) override;
    Lookout lookout() override { return sealers_.lookout(parts_.clock.steady()); }
    void hold(pid_t pid) override { sealers_.hold(pid, parts_.clock.steady()); }
    void glimpse(pid_t pid) override { sealers_.glimpse(pid, parts_.clock.steady()); }
    bool is_outside_watched() override {
        return sealers_.is_anybody_reading(parts_.clock.steady());
    }
    bool is_outside_watched(const Actor& actor) override {
        return sealers_.has_read_many(actor.key(), parts_.clock.steady());
    }
    void know(pid_t pid) override;
    bool is_watchful() const override { return parts_.enforcer.is_any_stopped(); }

    /// Called when an actor was stopped: the gate asks again about every file.
    void on_stop(std::function<void()> heed) { heed_ = std::move(heed); }
    /// Blocks until all that was told so far is judged.
    void drain();
    std::uint64_t dropped() const { return dropped_; }
    /// What the tool that is about to run is called, if it is one; whether somebody enrolled it.
    /// They open nothing.
    std::optional<std::string> tool_of(const Change& execute);
    bool is_wanted(const Change& execute);
    /// Tells of it, of each program once in a while.
    void report_tool(const Change& execute, const std::string& tool);

    static constexpr std::size_t kQueueMax = 100'000;
    /// Files of an unknown actor that may wait for judgement while it goes on; one more for every
    /// kEarned that were found harmless, up to kTrustMax; none while something is held against it.
    static constexpr int kUnjudgedMax = 1;
    static constexpr int kEarned = 4;
    static constexpr int kTrustMax = 6;
    /// … of all actors of a user or a workstation, while one comes that is new.
    static constexpr int kUnjudgedTogetherMax = 3;
    static constexpr std::size_t kStandingsMax = 4096;
    /// What nobody waits for is judged by the handful.
    static constexpr std::size_t kHandful = 64;
    static constexpr Micros kWaitMax = std::chrono::milliseconds(150);
    /// Who is suspected is not let go unjudged, but refused: an honest program then gives up.
    static constexpr Micros kSuspectWaitMax = std::chrono::seconds(1);
    /// Of somebody suspected, each act but reading; what it did last is judged before in any case.
    static constexpr Micros kDelay = std::chrono::milliseconds(5);
    static constexpr Micros kRefusal = std::chrono::milliseconds(10);
    static constexpr Micros kOrdersEvery = std::chrono::milliseconds(250);
    static constexpr Micros kLook = std::chrono::milliseconds(50);
    static constexpr Micros kSaveEvery = std::chrono::seconds(60);
    static constexpr Micros kToldAgain = std::chrono::minutes(10);
    static constexpr std::size_t kToldMax = 256;

  private:
    struct Standing {
        int unjudged = 0;
        int innocent = 0;  ///< changes judged and found harmless, since the last that was not
        Rung rung = Rung::Preserve;
        SteadyTime marked{};  ///< when something was last held against it
        /// How many of its changes may wait to be judged while it goes on.
        int allowance(SteadyTime now) const;
    };

    void run(const std::stop_token& stop);
    bool judge_next(std::unique_lock<UrgentMutex>& lock);
    void judge_one(const Change& change);
    void settle(const Change& change, const Conclusion& conclusion);
    void let_judged_go();
    bool is_urgent(const Change& change) const;
    bool may_go_on(const Change& change) const;
    void obey_orders();
    void obey(const GuardOrder& order);
    void report_enrolment(const GuardOrder& order);
    void learn_canaries();
    enum class Saving { Now, WhenDue };
    void save(Saving saving);
    Stop refuse(const Change& change);
    Stop judge_execution(const Change& change);
    void report(event::Type type, const Change& change, const event::Verdict& verdict,
                const char* step);

    Parts parts_;
    Sealers sealers_;
    std::function<void()> heed_;
    UrgentMutex mutex_;
    std::condition_variable_any filled_;
    std::condition_variable_any judged_;
    std::deque<Change> queue_;
    std::unordered_map<std::string, Standing> standings_;
    std::unordered_map<std::string, int> unjudged_;  ///< by user or workstation
    bool is_open_ = false;
    bool begun_ = false;    ///< a handful is being judged to its end
    bool judging_ = false;  ///< somebody judges the change that came first
    bool urgent_ = false;   ///< something waits that somebody waits for
    std::atomic<std::uint64_t> dropped_ = 0;
    std::mutex judge_mutex_;  ///< the judge and the theft watch: one thread at a time
    SteadyTime saved_{};
    std::mutex told_mutex_;
    std::unordered_map<std::string, SteadyTime> told_;  ///< tools, by their paths
    std::jthread thread_;
};

}  // namespace hygie::files
