#include "serve/front.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "event/uuid.h"
#include "host/log.h"
#include "serve/front_state.h"
#include "serve/scim.h"

namespace hygie::serve {
namespace {

constexpr unsigned kWorkers = 4;
constexpr std::uint64_t kBodyUnknownMax = kFormBytesMax;
constexpr std::uint64_t kBodyKnownMax = 64 << 20;
constexpr std::string_view kRecords = "/fhir";
constexpr std::string_view kLog = "/log";
constexpr std::string_view kScim = "/scim/v2";
constexpr std::string_view kCircles = "/circles";
constexpr std::string_view kMy = "/my";

bool is_below(std::string_view path, std::string_view prefix) {
    return path == prefix || (path.starts_with(prefix) && path[prefix.size()] == '/');
}

/// What a path names, as the label of a metric: a small fixed set, whatever clients send.
std::string_view label_of(std::string_view path) {
    for (const std::string_view known : {kRecords, kLog, std::string_view("/oauth"), kScim,
                                         kCircles, kMy, std::string_view("/.well-known")})
        if (is_below(path, known)) return known;
    return "other";
}

/// The origin (RFC 6454) of an address that people are sent back to; empty for installed programs.
std::string origin_of(const std::string& redirect) {
    if (!redirect.starts_with("http")) return "";
    const std::size_t host = redirect.find("://");
    if (host == std::string::npos) return "";
    return redirect.substr(0, redirect.find_first_of("/?", host + 3));
}

Response not_found() {
    return oauth_error(404, "not_found", {"rien à cette adresse", "nothing at this address"});
}

}  // namespace

Front::State::State(FrontParts given)
    : parts(std::move(given)),
      address(parts.url),
      codes(parts.doors.clock, parts.doors.random),
      id_tokens(parts.doors.random),
      records(gate(parts.sessions, parts.records)),
      workers(kWorkers),
      guesses(1) {
    log = workers.wrap(parts.log);
    if (parts.circles) circles = gate(parts.sessions, parts.circles);
    scim = gate(parts.sessions, [this](const access::Actor& actor, Request request, Reply reply) {
        later(std::move(reply), [this, actor, asked = std::move(request)](Reply ready_reply) {
            Response answer = scim_answer({parts.accounts, parts.doors.clock, url()}, actor, asked);
            trace_accounts();
            if (answer.status < 400) return ready_reply(std::move(answer));
            event::Event refusal = scim_refusal(actor, asked, answer.status);
            traced({std::move(refusal)}, std::move(ready_reply), [answer] { return answer; });
        });
    });
}

std::string Front::State::url() {
    const std::scoped_lock lock(mutex);
    return address;
}

bool Front::State::is_known_origin(const std::string& origin) {
    const std::uint64_t version = parts.accounts.version();
    const std::scoped_lock lock(mutex);
    if (version != origins_version) {
        origins.clear();
        for (const access::Account& account : parts.accounts.list())
            for (const std::string& redirect : account.redirects)
                if (account.open_at(parts.doors.clock.now())) origins.insert(origin_of(redirect));
        origins.erase("");
        origins_version = version;
    }
    return origins.contains(origin);
}

/// Programs that run in a browser may read answers when people may be sent back to them (Fetch
/// standard, "CORS protocol"). No cookie is ever looked at there, so none is offered.
void Front::State::add_cors(const std::string& origin, Response& response) {
    response.headers.emplace_back("Vary", "Origin");
    if (!is_known_origin(origin)) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Access-Control-Expose-Headers",
                                  "ETag, Location, Content-Location, Last-Modified, Retry-After, "
                                  "X-Progress, X-Request-Id, X-Warnings, X-Detected-Issue");
}

/// Counts the answer, compresses it and says whom it may be shown to.
Reply Front::State::watched(const Request& request, Reply reply) {
    const bool is_page = is_below(request.path, "/oauth") || is_below(request.path, kMy);
    const bool shareable = !is_page || request.path == "/oauth/token" ||
                           request.path == "/oauth/revoke" || request.path == "/oauth/jwks";
    std::string accepted(shareable ? request.header("accept-encoding") : std::string_view());
    std::string origin(shareable ? request.header("origin") : std::string_view());
    const bool is_record = is_below(request.path, kRecords);
    return [this, is_record, label = std::string(label_of(request.path)),
            accepted = std::move(accepted), origin = std::move(origin),
            reply = std::move(reply)](Response response) mutable {
        // What was shown once is not shown again from a cache, to whoever comes next, untraced.
        const bool says = std::ranges::any_of(
            response.headers, [](const auto& header) { return header.first == "Cache-Control"; });
        if (is_record && !says) response.headers.emplace_back("Cache-Control", "no-store");
        if (!origin.empty()) add_cors(origin, response);
        compress(accepted, response);
        {
            const std::scoped_lock lock(mutex);
            ++answers[{label, response.status}];
        }
        reply(std::move(response));
    };
}

void Front::State::later(Workers& where, Reply reply, std::function<void(Reply)> task) {
    const auto shared = std::make_shared<Reply>(std::move(reply));
    const bool taken = where.run([shared, task = std::move(task)] {
        try {
            task(std::move(*shared));
        } catch (const std::exception&) {
            // The reply dies unused: a 500 without details, which could name a person.
        }
    });
    if (taken) return;
    Response busy = oauth_error(503, "temporarily_unavailable",
                                {"trop de demandes en attente", "too many requests wait"});
    busy.headers.emplace_back("Retry-After", "1");
    (*shared)(std::move(busy));
}

void Front::State::traced(std::vector<event::Event> events, Reply reply,
                          std::function<Response()> then) {
    const auto shared = std::make_shared<Reply>(std::move(reply));
    parts.sink(std::move(events), [this, shared, then = std::move(then)](Status written) {
        if (!written)
            return (*shared)(
                oauth_error(503, "temporarily_unavailable",
                            {"le registre ne répond pas : rien n'est accordé sans trace",
                             "the ledger does not answer: nothing is granted without a trace"}));
        later(std::move(*shared), [then](Reply ready) { ready(then()); });
    });
}

event::Event Front::State::event_of(event::Type type, const std::string& peer) {
    event::Event event = parts.origin;
    event.type = type;
    event.action = event::usual_action(type);
    event.time = parts.doors.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, parts.doors.random));
    event.network.address = peer;
    return event;
}

/// What the directory asked and was not given.
event::Event Front::State::scim_refusal(const access::Actor& actor, const Request& request,
                                        int status) {
    const bool changes = request.method != "GET" && request.method != "HEAD";
    event::Event event = event_of(
        changes && status != 403 ? event::Type::AccountChanged : event::Type::AccessRefused,
        request.peer);
    event.actor.id = actor.id;
    event.actor.role = access::name_of(actor.role);
    event.actor.auth = actor.auth;
    event.outcome = status >= 500 ? event::Outcome::SeriousFailure : event::Outcome::MinorFailure;
    event.query = request.query.empty() ? request.path : request.path + '?' + request.query;
    event.detail["method"] = request.method;
    event.detail["status"] = std::to_string(status);
    return event;
}

/// Changes of accounts bring their traces along; this hands them to the ledger, once each.
void Front::State::trace_accounts() {
    const std::uint64_t version = parts.accounts.version();
    if (accounts_traced.exchange(version) == version) return;
    std::vector<event::Event> events = parts.accounts.untraced();
    if (events.empty()) return;
    for (event::Event& event : events) {
        event.source = parts.origin.source;
        event.node = parts.origin.node;
        event.network.device = parts.origin.network.device;
    }
    ++*tracing;
    // The count outlives us: who waits for it goes on while we still tell.
    parts.sink(events, [this, events, count = tracing](Status written) {
        if (!written)
            accounts_traced = 0;  // again, at the next occasion
        else
            workers.run([this, events] {
                const Status settled = parts.accounts.settle(events);
                if (!settled) log::warning("serve.accounts-not-settled", settled.error());
            });
        --*count;
        count->notify_all();
    });
}

/// No request waits for these traces: the end does. The last tasks may leave more of them.
Front::State::~State() {
    const auto wait_for_traces = [this] {
        for (int left = *tracing; left > 0; left = *tracing) tracing->wait(left);
    };
    wait_for_traces();
    workers.end();
    guesses.end();
    wait_for_traces();
}

namespace {

constexpr std::string_view kRecordsBase = "/fhir/";

/// The methods of an address (RFC 9110 §10.2.1); nothing where there is none.
void add_allow(Response& response, const std::string& methods) {
    if (!methods.empty()) response.headers.emplace_back("Allow", methods + ", OPTIONS");
}

/// What a browser asks before it asks (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
Response preflight(const std::string& methods) {
    Response response;
    response.status = 204;
    response.headers = {
        {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"},
        {"Access-Control-Allow-Headers",
         "Authorization, Content-Type, Accept, If-Match, If-None-Match, If-Modified-Since, "
         "If-None-Exist, Prefer, Idempotency-Key, X-Security-Context, X-Purpose-Of-Use, "
         "X-Request-Id"},
        {"Access-Control-Max-Age", "600"}};
    add_allow(response, methods);
    return response;
}

Response wrong_method(const std::string& methods) {
    Response refusal =
        oauth_error(405, "invalid_request", {"méthode refusée ici", "method refused here"});
    add_allow(refusal, methods);
    return refusal;
}

std::string methods_of(bool reads, bool posts) {
    if (reads) return posts ? "GET, HEAD, POST" : "GET, HEAD";
    return posts ? "POST" : "";
}

std::string methods_of(const FrontParts& parts, std::string_view path) {
    const bool is_record = path.starts_with(kRecordsBase) && parts.allowed;
    return is_record ? parts.allowed(path.substr(kRecordsBase.size())) : std::string();
}

}  // namespace

void Front::State::route(Request request, Reply reply) {
    struct Short {
        std::string_view path;
        Response (State::*answer)(const Request&);
    };
    struct Long {
        std::string_view path;
        void (State::*answer)(Request, Reply);
    };
    static constexpr std::array kShort = {
        Short{"/", &State::index},
        Short{"/healthz", &State::health},
        Short{"/metrics", &State::metrics},
        Short{"/.well-known/smart-configuration", &State::smart_configuration},
        Short{"/fhir/.well-known/smart-configuration", &State::smart_configuration},
        Short{"/.well-known/openid-configuration", &State::openid_configuration},
        Short{"/oauth/jwks", &State::jwks},
        Short{"/openapi.json", &State::openapi},
        Short{"/oauth/authorize", &State::authorize_page},
        Short{"/oauth/passkeys", &State::passkeys_door},
    };
    static constexpr std::array kLong = {
        Long{"/oauth/authorize", &State::authorize},
        Long{"/oauth/upstream", &State::leave},
        Long{"/oauth/token", &State::token},
        Long{"/oauth/revoke", &State::revoke},
        Long{"/oauth/introspect", &State::introspect},
        Long{"/oauth/passkeys", &State::open_passkeys},
        Long{"/oauth/passkeys/add", &State::add_passkey},
        Long{"/oauth/passkeys/remove", &State::remove_passkey},
    };
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const auto brief = std::ranges::find(kShort, request.path, &Short::path);
    if (reads && brief != kShort.end()) return reply((this->*brief->answer)(request));
    const auto lengthy = std::ranges::find(kLong, request.path, &Long::path);
    if (request.method == "POST" && lengthy != kLong.end())
        return later(std::move(reply), [this, answer = lengthy->answer,
                                        asked = std::move(request)](Reply ready) mutable {
            (this->*answer)(std::move(asked), std::move(ready));
        });
    if (reads && request.path == "/readyz")
        return later(std::move(reply), [this, asked = std::move(request)](Reply ready_reply) {
            ready_reply(ready(asked));
        });
    if (reads && request.path == "/oauth/callback" && parts.upstream)
        return later(std::move(reply), [this, asked = std::move(request)](Reply ready_reply) {
            arrive(asked, std::move(ready_reply));
        });
    const std::string fixed = methods_of(brief != kShort.end(), lengthy != kLong.end());
    if (request.method == "OPTIONS")
        return reply(preflight(fixed.empty() ? methods_of(parts, request.path) : fixed));
    if (!fixed.empty()) return reply(wrong_method(fixed));
    if (reads && request.path == "/fhir/metadata")
        return parts.capability(std::move(request), std::move(reply));
    if (is_below(request.path, kRecords)) return records(std::move(request), std::move(reply));
    if (parts.circles && is_below(request.path, kCircles))
        return circles(std::move(request), std::move(reply));
    if (parts.circles && is_below(request.path, kMy))
        return later(std::move(reply), [this, asked = std::move(request)](Reply ready) mutable {
            my(std::move(asked), std::move(ready));
        });
    if (is_below(request.path, kScim)) return scim(std::move(request), std::move(reply));
    if (is_below(request.path, kLog) && request.path != kLog) {
        request.path.erase(0, kLog.size());
        return log(std::move(request), std::move(reply));
    }
    reply(not_found());
}

Front::Front(FrontParts parts) : state_(std::make_unique<State>(std::move(parts))) {}
Front::~Front() = default;

void Front::at(std::string url) {
    HYGIE_CHECK(!url.empty() && !url.ends_with('/'), "tokens need an issuer");
    {
        const std::scoped_lock lock(state_->mutex);
        state_->address = std::move(url);
    }
    state_->trace_accounts();
}

void Front::operator()(Request request, Reply reply) {
    Reply watched = state_->watched(request, std::move(reply));
    state_->route(std::move(request), std::move(watched));
}

std::uint64_t Front::body_limit(const Request& head) const {
    if (!is_below(head.path, kRecords)) return kBodyUnknownMax;
    const std::string_view token = bearer_token(head);
    const bool known = !token.empty() && state_->parts.sessions.find(token);
    return known ? kBodyKnownMax : kBodyUnknownMax;
}

}  // namespace hygie::serve
