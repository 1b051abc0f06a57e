#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/accounts/accounts.h"
#include "access/accounts/assertions.h"
#include "access/accounts/refreshes.h"
#include "access/accounts/sessions.h"
#include "access/accounts/sign_in.h"
#include "event/event.h"
#include "serve/gate.h"
#include "serve/http_server.h"
#include "serve/upstream.h"

namespace hygie::serve {

/// Where sign-ins are traced; `done` may come from any thread, and a token is given only after it
/// came without error (vault::Trace::submit has this shape).
using EventSink = std::function<void(std::vector<event::Event>, std::function<void(Status)> done)>;

/// What the core puts behind its one address.
struct FrontParts {
    access::SealedFile::Doors doors;
    access::Accounts& accounts;
    access::Sessions& sessions;
    access::SignIn& sign_in;
    access::Assertions& assertions;
    /// The address people and programs use, "https://hygie.example:8443", without a slash at the
    /// end: issuer and audience of tokens. Empty until it is known: see Front::at().
    std::string url;
    EventSink sink;
    event::Event origin;                   ///< source, node and device of the events above
    SignedHandler records;                 ///< /fhir and below; the path keeps its prefix
    AsyncHandler capability;               ///< GET /fhir/metadata, for everybody
    HttpServer::Handler log;               ///< /log/…: the served ledger; the prefix is taken off
    std::function<Status()> ready;         ///< for /readyz
    std::function<std::string()> metrics;  ///< further lines of /metrics, Prometheus text
    Upstream* upstream = nullptr;  ///< where people may sign in instead; /oauth/callback there
    /// "Organization/…" of the place that a provider names (FINESS); empty when not known here.
    std::function<std::string(const std::string& place)> organisation_of{};
    /// Id of the patient whom a "RelatedPerson/…" speaks for, for SMART's launch context; empty
    /// when not known here.
    std::function<std::string(const std::string& person)> patient_of{};
    access::Refreshes* refreshes = nullptr;  ///< null: no program goes on beyond its session
    SignedHandler circles{};                 ///< /circles and below; /my shows it in a browser
    /// Methods of a path below /fhir/, "GET, HEAD"; empty when nothing is there.
    std::function<std::string(std::string_view path)> allowed{};
};

/// Every route of the core: health, metrics, sign-in, OAuth, OpenAPI, the records behind the gate.
/// Outlives the server it serves, and the sink calls back before it dies. It also hands to the sink
/// the traces that changes of accounts bring along.
class Front {
  public:
    explicit Front(FrontParts parts);
    ~Front();

    /// Says at which address it is reached, before the first request.
    void at(std::string url);
    void operator()(Request request, Reply reply);
    /// Small for who is not known, large for bundles of who is.
    std::uint64_t body_limit(const Request& head) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hygie::serve
