#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "guards/mail/door/gate.h"

/// Mail to the guard itself: a person here sends in a message that looks wrong, or asks for one
/// that was held. Whoever writes gets one sentence why and one sentence what to do.
namespace hygie::mail {

inline constexpr std::size_t kAnswersWaitingMax = 200;

/// What a reporter sent in: the letter in the letter.
struct Reported {
    std::string bytes;
    bool is_whole = true;  ///< an attached message; else only what was forwarded in the text
};
/// The first message inside: a message/rfc822 part or an attached .eml. Without one, the letter
/// itself without who sent it.
Reported reported_in(std::string_view letter);
/// The name of a held message in the subject; empty when there is none.
std::string held_named(std::string_view subject);

struct DeskPolicy {
    std::string address;  ///< where people write to, lower case
    /// People may take back what was held as suspicious or delivered harmless; malicious mail only
    /// where the policy says so.
    bool may_release_malicious = false;
};

struct DeskDoors {
    Clock& clock;
    Random& random;
    JudgePool& judges;
    Quarantine& quarantine;
    EventSink trace;
    /// An attack that came through, as a person said.
    std::function<void(const std::string& bytes)> learn;
    /// Gives mail to the mail server; called by a thread of the desk.
    std::function<Status(const Envelope&, const std::string& message)> post;
};

/// Thread-safe.
class Desk {
  public:
    Desk(DeskDoors doors, DeskPolicy policy);
    ~Desk();

    /// Mail to the desk from one of ours is taken; anything else is left to the gate.
    std::optional<Decision> take(const Incoming& letter);
    /// A letter of `person`, who is one of ours: durable when this succeeds, the answer follows.
    Status handle(const Incoming& letter, const std::string& person);

  private:
    Status take_report(const Incoming& letter, const std::string& person);
    Status take_request(const std::string& id, const std::string& person);
    void answer(const std::string& person, const Text& words);
    void post(Envelope envelope, std::string message);
    void work(const std::stop_token& stop);

    DeskDoors doors_;
    DeskPolicy policy_;
    std::mutex mutex_;
    std::condition_variable_any posted_;
    std::deque<std::pair<Envelope, std::string>> waiting_;
    std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace hygie::mail
