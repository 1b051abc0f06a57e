#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "event/uuid.h"
#include "guards/records/notices/notices.h"
#include "guards/records/notices/outbound.h"
#include "guards/records/sight/sight.h"
#include "host/log.h"

/// How a subscription is told: greeted first, then in order, again after a pause when it fails.
namespace hygie::records {

namespace {

constexpr Micros kRetryMax = std::chrono::minutes(5);
constexpr unsigned kDoublingsMax = 20;
constexpr int kStatusOk = 200;
constexpr int kStatusMore = 300;

Status waited(vault::Trace& trace, std::vector<event::Event> events) {
    std::promise<Status> kept;
    auto waiting = kept.get_future();
    trace.submit(std::move(events), [&](Status status) { kept.set_value(std::move(status)); });
    return waiting.get();
}

/// The entry that one event owes the ledger before it leaves.
event::Event trace_of(Desk& desk, const Call& call, const NoticeEvent& event,
                      const vault::Found& found, const std::string& subscription) {
    event::Event e = event_of(desk, call, event::Type::RecordRead, found.record->patient(),
                              reference_to(event.type, event.id));
    e.detail["notice"] = reference_to("Subscription", subscription);
    e.detail["number"] = fmt::format("{}", event.number);
    return e;
}

Micros pause_after(unsigned attempts, Micros first) {
    const unsigned doublings = std::min(attempts - 1, kDoublingsMax);
    return std::min<Micros>(kRetryMax, first * (std::int64_t{1} << doublings));
}

}  // namespace

void Notices::tell(Live& live, const std::stop_token& stop) {
    Subscribed known;
    SteadyTime heartbeat;
    {
        const std::lock_guard lock(mutex_);
        known = live.known;
        heartbeat = live.heartbeat;
    }
    if (!known.terms) return;
    if (known.terms->end <= desk_.rooms.clock.now())
        return set_status(
            live, "off",
            {"l'abonnement est arrivé à son terme", "the subscription has come to its end"});
    Notice notice{.subscription = known.id,
                  .status = known.status,
                  .topic = known.terms->topic->url,
                  .since_start = known.log.count,
                  .content = known.terms->content};
    if (known.status == "requested") {
        notice.type = "handshake";
        return end_attempt(live, notice, send(known, notice, stop), known.log.told);
    }
    notice.events = known.log.waiting(known.terms->events_max);
    if (notice.events.empty()) {
        if (heartbeat > desk_.rooms.clock.steady()) return;
        notice.type = "heartbeat";
        return end_attempt(live, notice, send(known, notice, stop), known.log.told);
    }
    const std::uint64_t told = notice.events.back().number;
    end_attempt(live, notice, send_events(known, notice, stop), told);
}

/// Only what the owner may see at this moment, and only behind the ledger's acknowledgement.
Notices::Sent Notices::send_events(const Subscribed& known, Notice notice,
                                   const std::stop_token& stop) {
    const auto call = call_of(desk_, known.owner);
    if (!call) return Sent::Closed;
    Sight sight(desk_, *call);
    std::vector<event::Event> owed;
    std::vector<NoticeEvent> shown;
    for (const NoticeEvent& event : notice.events) {
        const auto found = desk_.rooms.vault.find(event.type, event.id);
        if (!found || !sight.may(event::Action::Read, *found)) continue;
        owed.push_back(trace_of(desk_, *call, event, *found, known.id));
        add_basis(owed.back(), sight.reasons());
        shown.push_back(event);
        if (notice.content != Terms::Content::FullResource) continue;
        auto version = desk_.rooms.vault.read(*found, event.version);
        const bool shows = version && !version->deleted && sight.may_show(*found, *version);
        std::string body = shows ? std::move(version->body) : std::string();
        sight.narrow(*found, body);
        notice.bodies.push_back(std::move(body));
    }
    if (shown.empty()) return Sent::Yes;
    notice.events = std::move(shown);
    // To be handed whole resources is to open records: far too many of them are too many here too.
    access::Pressure pressure = call->pressure;
    if (notice.content == Terms::Content::FullResource && held(desk_, *call, owed, pressure))
        return Sent::No;
    if (!waited(desk_.rooms.trace, std::move(owed))) return Sent::No;
    return send(known, notice, stop);
}

Notices::Sent Notices::send(const Subscribed& known, const Notice& notice,
                            const std::stop_token& stop) {
    const WallTime now = desk_.rooms.clock.now();
    std::string bundle =
        notice_bundle(desk_.options.base,
                      event::print_uuid(event::make_uuid(now, desk_.rooms.random)), now, notice);
    if (known.terms->channel == Terms::Channel::WebSocket)
        return sockets_.send(known.id, bundle) || notice.type == "heartbeat" ? Sent::Yes : Sent::No;
    // The configuration may have changed since it was written.
    if (!desk_.rooms.post || !check_endpoint(known.terms->endpoint, desk_.options.notify))
        return Sent::Closed;
    const auto status = desk_.rooms.post->post({.url = known.terms->endpoint,
                                                .headers = known.log.headers,
                                                .content_type = "application/fhir+json",
                                                .body = to_bytes(as_bytes(bundle)),
                                                .timeout = known.terms->timeout,
                                                .stop = stop});
    const bool taken = status && *status >= kStatusOk && *status < kStatusMore;
    return taken ? Sent::Yes : Sent::No;
}

/// What an attempt leaves behind: the next one, a pause, or the end.
void Notices::end_attempt(Live& live, const Notice& notice, Sent sent, std::uint64_t told) {
    const SteadyTime now = desk_.rooms.clock.steady();
    bool greeted = false;
    bool given_up = sent == Sent::Closed;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ && sent == Sent::No) return;
        const bool is_socket =
            live.known.terms && live.known.terms->channel == Terms::Channel::WebSocket;
        if (sent == Sent::Yes || (sent == Sent::No && is_socket)) {
            live.attempts = 0;
            live.due = now;
            live.known.log.told = std::max(live.known.log.told, told);
            live.heartbeat = kNever;
            greeted = notice.type == "handshake";
        } else if (sent == Sent::No) {
            ++live.attempts;
            live.due = now + pause_after(live.attempts, desk_.options.notice_pause);
            given_up = live.attempts >= desk_.options.notice_attempts;
        }
    }
    if (greeted) set_status(live, "active", {});
    if (given_up)
        set_status(live, "error",
                   sent == Sent::Closed
                       ? Text{"le compte ou l'adresse de l'abonnement n'est plus ouvert",
                              "the account or the address of the subscription is no longer open"}
                       : Text{"l'adresse du canal ne répond pas",
                              "the address of the channel does not answer"});
    save(live);
}

/// Here at once, and in the resource: everybody sees how it stands.
void Notices::set_status(Live& live, std::string_view status, const Text& error) {
    const std::string told = error.fr.empty() ? std::string() : error.fr + " / " + error.en;
    Owner owner;
    std::string id;
    {
        const std::lock_guard lock(mutex_);
        if (!is_current(live)) return;
        live.known.status = status;
        live.known.error = told;
        owner = live.known.owner;
        id = live.known.id;
    }
    const auto found = desk_.rooms.vault.find("Subscription", id);
    if (!found || found->entry.deleted) return;
    const auto version = desk_.rooms.vault.read(*found);
    if (!version) return;
    fhir::Arena arena;
    const auto body = arena.parse(version->body);
    if (!body || (*body)["status"].text() == "off") return;
    Call call;
    call.actor.id = owner.login;
    vault::Transaction transaction;
    transaction.writes.push_back({.type = "Subscription",
                                  .id = id,
                                  .resource = with_status(arena, *body, status, told),
                                  .if_match = found->entry.version});
    transaction.event =
        event_of(desk_, call, event::Type::RecordUpdated, {}, reference_to("Subscription", id));
    transaction.event.detail["notice"] = status;
    std::promise<bool> done;
    auto waiting = done.get_future();
    desk_.rooms.vault.commit(
        std::move(transaction),
        [&](Result<std::vector<vault::Version>> written) { done.set_value(written.has_value()); });
    // Somebody wrote it meanwhile: theirs counts, and is taken as it is.
    if (!waiting.get()) log::info("records.notice-status-not-kept");
}

}  // namespace hygie::records
