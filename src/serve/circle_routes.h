#pragma once

#include <functional>
#include <string>
#include <vector>

#include "access/circles/review_opened.h"
#include "access/decide/decision.h"
#include "access/decide/policy_pack.h"
#include "host/clock.h"
#include "host/random.h"
#include "serve/front.h"

/// "Who opened my record?" and the security officer's work list, fed from the ledger: as JSON, as a
/// page, as a sheet to print. What is shown is in the ledger first.
namespace hygie::serve {

/// Lines of one answer; older ones are asked for with `until`.
inline constexpr std::size_t kOpeningsMax = 2000;

struct CircleParts {
    Clock& clock;
    Random& random;
    EventSink sink;
    event::Event origin;
    /// Newest first; empty patient: of everybody, from then on.
    struct Wanted {
        std::string patient;
        WallTime from = WallTime::min();
        WallTime until = WallTime::max();
        std::size_t count = 0;  ///< at most so many; 0: all
    };
    std::function<Result<std::vector<event::Event>>(const Wanted&)> events;
    /// Whether the actor may see who opened that patient's record.
    std::function<access::Decision(const access::Actor&, const std::string& patient)> decide;
    /// Ids of the patients whose representative, or who, the actor is.
    std::function<std::vector<std::string>(const access::Actor&)> patients_of;
    access::WhoIs who_is;
    /// Whether there is a record of that patient: who is absent is named in no trace.
    std::function<bool(const std::string& patient)> is_here;
    /// Past accesses that nothing explains, as lines of JSON; empty: not offered.
    std::function<Result<std::string>()> unexplained{};
};

/// Answers below /circles for somebody known. May take long: not on a connection's thread.
class CircleRoutes {
  public:
    explicit CircleRoutes(CircleParts parts) : parts_(std::move(parts)) {}

    void operator()(const access::Actor& actor, const Request& request, Reply reply);

  private:
    struct Ask;
    Response opened(const Ask& ask, std::vector<event::Event>& owed);
    Response work_list(const Ask& ask, std::vector<event::Event>& owed);
    Response unexplained(const Ask& ask, std::vector<event::Event>& owed);
    Response review(const Ask& ask, std::vector<event::Event>& owed);
    Response home(const Ask& ask, std::vector<event::Event>& owed);
    Result<std::vector<event::Event>> recent() const;
    event::Event event_of(const Ask& ask, event::Type type, const std::string& patient) const;
    event::Event refused_event(const Ask& ask, const std::string& patient,
                               std::vector<event::Reason> reasons) const;
    event::Event not_officer_event(const Ask& ask) const;

    CircleParts parts_;
};

}  // namespace hygie::serve
