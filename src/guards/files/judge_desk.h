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

#include "guards/files/enforcer.h"
#include "guards/files/judge.h"
#include "guards/files/judge_door.h"
#include "guards/files/theft.h"
#include "guards/files/tools.h"

namespace hygie::files {

/// The judge at work beside the gate: takes what happened in order, on a thread of its own, and
/// lets an actor destroy nothing new while more than a file of its doing waits to be judged.
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
    };

    explicit JudgeDesk(Parts parts);
    ~JudgeDesk() override;

    /// Begins to judge; what was told before waits until then.
    void start();
    /// Ends judging; what waits stays unjudged. Nothing is called back afterwards.
    void stop();

    Stop before(const Change& change) override;
    void after(Change change) override;
    bool is_watchful() const override { return parts_.enforcer.is_any_stopped(); }

    /// Called when an actor was stopped: the gate asks again about every file.
    void on_stop(std::function<void()> heed) { heed_ = std::move(heed); }
    /// Blocks until all that was told so far is judged.
    void drain();
    std::uint64_t dropped() const { return dropped_; }

    static constexpr std::size_t kQueueMax = 100'000;
    /// Files of one actor that may wait for judgement while it goes on.
    static constexpr int kUnjudgedMax = 1;
    static constexpr Micros kWaitMax = std::chrono::milliseconds(150);
    static constexpr Micros kDelay = std::chrono::milliseconds(50);
    static constexpr Micros kOrdersEvery = std::chrono::milliseconds(250);
    static constexpr Micros kSaveEvery = std::chrono::seconds(60);

  private:
    struct Standing {
        int unjudged = 0;
        Rung rung = Rung::Preserve;
    };

    void run(const std::stop_token& stop);
    void judge_one(const Change& change);
    void obey_orders();
    enum class Saving { Now, WhenDue };
    void save(Saving saving);
    Stop refuse(const Change& change);
    Stop judge_execution(const Change& change);
    void report(event::Type type, const Change& change, const event::Verdict& verdict,
                const char* step);

    Parts parts_;
    std::function<void()> heed_;
    std::mutex mutex_;
    std::condition_variable_any filled_;
    std::condition_variable judged_;
    std::deque<Change> queue_;
    std::unordered_map<std::string, Standing> standings_;
    bool busy_ = false;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::mutex judge_mutex_;  ///< the judge and the theft watch: one thread at a time
    SteadyTime saved_{};
    std::jthread thread_;
};

}  // namespace hygie::files
