#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "event/event.h"
#include "guards/mail/incoming.h"
#include "guards/mail/judge_pool.h"
#include "guards/mail/quarantine.h"
#include "host/clock.h"
#include "host/random.h"

/// What happens to a message at the door, whatever protocol brought it there.
namespace hygie::mail {

enum class Fate : std::uint8_t {
    Deliver,
    Hold,   ///< a sealed copy is durable; the mail server forgets the message
    Defer,  ///< the mail server keeps it and asks again
};

struct Decision {
    Fate fate = Fate::Defer;
    std::string mark{};                                          ///< value of kMarkField
    std::vector<std::pair<std::string, std::string>> headers{};  ///< to set, name and value
    std::optional<std::string> body{};                           ///< in place of the old one
};

struct GatePolicy {
    enum class Suspicious : std::uint8_t { Banner, Hold };
    enum class OnFailure : std::uint8_t { Defer, Deliver };
    Suspicious suspicious = Suspicious::Banner;
    OnFailure on_failure = OnFailure::Defer;
    Micros deadline = std::chrono::seconds(30);
    /// Whose Authentication-Results are believed: names of our own mail servers, lower case.
    std::vector<std::string> authserv_ids{};
};

/// Keeps a trace durably, or says why not.
using EventSink = std::function<Status(const event::Event&)>;

/// The trace of a verdict on the message known by `object`: where its reasons stand, nothing of
/// what the message says.
event::Event event_of(WallTime now, Random& random, event::Type type, const std::string& object,
                      const Envelope& envelope, const Judgement& judgement);

struct GateDoors {
    Clock& clock;
    Random& random;
    JudgePool& judges;
    Quarantine& quarantine;
    EventSink trace;
};

/// Judges and decides. Thread-safe. A message is never lost: it is delivered, or held after its
/// sealed copy is durable, or left to the mail server.
class Gate {
  public:
    Gate(GateDoors doors, GatePolicy policy);

    Decision pass(Incoming incoming);
    /// Hands releases by other processes to the trace.
    Status tell_releases();

  private:
    Decision failed(const Incoming& incoming, const Error& why);
    Decision held(const Incoming& incoming, const Opened& opened);
    Decision delivered(const Incoming& incoming, const Opened& opened);
    Status trace(event::Type type, const std::string& id, const Incoming& incoming,
                 const Judgement& judgement);
    std::string new_id();

    GateDoors doors_;
    GatePolicy policy_;
};

}  // namespace hygie::mail
