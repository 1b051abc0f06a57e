#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "event/event.h"
#include "guards/mail/door/banner.h"
#include "guards/mail/door/incoming.h"
#include "guards/mail/door/quarantine.h"
#include "guards/mail/judge/judge_pool.h"
#include "guards/mail/judge/memory.h"
#include "host/clock.h"
#include "host/random.h"

/// What happens to a message at the door, whatever protocol brought it there.
namespace hygie::mail {

enum class Fate : std::uint8_t {
    Deliver,
    Hold,    ///< a sealed copy is durable; the mail server forgets the message
    Defer,   ///< the mail server keeps it and asks again
    Reject,  ///< a sealed copy is durable; the sender is told that it was refused
};

struct Decision {
    Fate fate = Fate::Defer;
    std::string mark{};                                          ///< value of kMarkField
    std::vector<std::pair<std::string, std::string>> headers{};  ///< to set, name and value
    std::optional<std::string> body{};                           ///< in place of the old one
};

struct GatePolicy {
    enum class Suspicious : std::uint8_t { Deliver, Banner, Neutralise, Hold, Reject };
    enum class Malicious : std::uint8_t { Hold, Reject };
    /// Attachments that act when opened, in messages that are delivered.
    enum class ActiveFiles : std::uint8_t { Deliver, Strip, Hold };
    /// Messages whose sender signed them by DKIM: a change breaks the signature for who reads them
    /// after us. Kept whole, a suspicious one gets our field alone; what must not pass whole is
    /// held.
    enum class DkimSigned : std::uint8_t { Change, Keep };
    enum class OnFailure : std::uint8_t { Defer, Deliver };
    Suspicious suspicious = Suspicious::Banner;
    Malicious malicious = Malicious::Hold;
    ActiveFiles active_files = ActiveFiles::Deliver;
    DkimSigned dkim_signed = DkimSigned::Change;
    OnFailure on_failure = OnFailure::Defer;
    Micros deadline = std::chrono::seconds(30);
    /// Whose Authentication-Results are believed: names of our own mail servers, lower case.
    std::vector<std::string> authserv_ids{};
    /// Who hands in mail of ours without signing in: addresses, or prefixes that end in '.' or ':'.
    std::vector<std::string> inside{};
};

/// Keeps a trace durably, or says why not.
using EventSink = std::function<Status(const event::Event&)>;

/// Given a message that was kept back wrongly, as a person showed by giving it back.
using ReleaseLesson = std::function<void(const std::string& bytes, const Envelope& envelope)>;

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
    /// Told of each message that is delivered as clean: what the house remembers.
    std::function<void(const Opened&, const Envelope&, Way)> remember{};
    /// Computes SPF, DKIM and DMARC where no server of ours said anything; within a budget.
    std::function<void(Incoming&)> authenticate{};
    /// Asked before anybody judges: mail to the guard itself.
    std::function<std::optional<Decision>(const Incoming&)> desk{};
    ReleaseLesson learn_release{};
};

/// Judges and decides. Thread-safe. A message is never lost: it is delivered, or held after its
/// sealed copy is durable, or left to the mail server.
class Gate {
  public:
    Gate(GateDoors doors, GatePolicy policy);

    Decision pass(Incoming incoming);
    /// Hands releases by other processes to the trace, and learns from them.
    Status tell_releases();
    /// Removes what is kept in the quarantine for longer than `keep`, each after its trace.
    Status expire(Micros keep);

  private:
    Decision failed(const Incoming& incoming, const Error& why);
    /// Whether the letter is signed, and the policy wants it untouched.
    bool keeps_signature(const Incoming& incoming) const;
    Fate fate_of(const Incoming& incoming, const Opened& opened) const;
    Rewrite rewrite_of(const Opened& opened) const;
    Decision kept(const Incoming& incoming, const Opened& opened, Fate fate);
    Decision delivered(const Incoming& incoming, const Opened& opened);
    Decision changed_copy(const Incoming& incoming, const Opened& opened, const Rewrite& what);
    Status seal(const std::string& id, const Incoming& incoming, const Opened& opened,
                std::string kept_as);
    Status trace(event::Type type, const std::string& id, const Incoming& incoming,
                 const Judgement& judgement);
    void learn_from(const std::string& id);
    std::string new_id();

    GateDoors doors_;
    GatePolicy policy_;
};

}  // namespace hygie::mail
