#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/decision.h"
#include "base/http.h"
#include "event/event.h"
#include "guards/records/desk/options.h"

namespace hygie::records {

/// The FHIR R4 interface: request → decision → trace → disclosure. No byte of an answer leaves
/// before the ledger keeps the entry that says so. Thread-safe.
class Door {
  public:
    Door(const Rooms& rooms, Options options);
    /// Waits for what is under way.
    ~Door();

    /// Answers a request below the base of the options. `reply` is called exactly once, here or on
    /// another thread. What `actor` is comes from sign-in and is believed.
    void handle(const access::Actor& actor, http::Request request, http::Reply reply);

    /// Before the first request: an act of before a restart, so that emergencies, motives and the
    /// pace of each actor go on where they were. In the order of time.
    void remember(const event::Event& event);
    /// The types of such acts; all others mean nothing to remember().
    static std::vector<event::Type> remembered();
    /// Those of them that open records.
    static std::vector<event::Type> openings();
    /// Whether such an act counts for the pace of its actor: another soon after it, about the same
    /// patient, changes nothing.
    static bool counts_as_opening(const event::Event& event);
    /// A WebSocket opened at the base and kSocketPath: hears its messages; false ends it. `send`
    /// takes a message that leaves soon, and says whether the socket is still open.
    std::function<bool(std::string_view)> open_socket(std::function<bool(std::string)> send);
    /// Where somebody belongs now, as the house says it.
    std::vector<access::Belonging> belongings(const std::string& person);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hygie::records
