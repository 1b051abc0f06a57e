#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"
#include "guards/mail/facts/noted.h"
#include "guards/mail/judge/judge.h"

namespace hygie::mail {

/// What the gate needs to know of a message.
struct Opened {
    Message message;
    Judgement judgement;
    Noted noted{};
};
using Judging = std::function<Result<Opened>(const std::string& bytes, const Envelope& envelope)>;

/// A few threads that judge, however many messages come at once. Thread-safe.
class JudgePool {
  public:
    JudgePool(Judging judging, unsigned threads);
    ~JudgePool();

    /// Code::Unavailable when no opinion was there in time; the thread that is late goes on alone
    /// and what it finds is forgotten. Code::Full when too many wait.
    Result<Opened> judge(std::string bytes, Envelope envelope, Micros deadline);

  private:
    struct Job {
        std::string bytes;
        Envelope envelope;
        std::optional<Result<Opened>> answer;
        bool is_abandoned = false;
    };
    void work(const std::stop_token& stop);

    Judging judging_;
    std::mutex mutex_;
    std::condition_variable_any asked_;
    std::condition_variable answered_;
    std::deque<std::shared_ptr<Job>> waiting_;
    std::vector<std::jthread> threads_;  ///< last: they use all of the above
};

}  // namespace hygie::mail
