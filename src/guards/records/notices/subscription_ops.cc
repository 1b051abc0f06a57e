#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "event/uuid.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/notices/notices.h"
#include "guards/records/request/bundle.h"
#include "guards/records/sight/sight.h"

/// $status, $events and $get-ws-binding-token
/// (http://hl7.org/fhir/uv/subscriptions-backport), and the WebSocket they lead to.
namespace hygie::records {

namespace {

using fhir::Json;

constexpr std::string_view kBind = "bind-with-token:";

std::string new_uuid(Desk& desk) {
    return event::print_uuid(event::make_uuid(desk.rooms.clock.now(), desk.rooms.random));
}

Notice notice_of(const Subscribed& known, std::string_view type) {
    Notice notice{.type = type,
                  .subscription = known.id,
                  .status = known.status,
                  .since_start = known.log.count,
                  .error = known.error};
    if (known.terms) {
        notice.topic = known.terms->topic->url;
        notice.content = known.terms->content;
    }
    return notice;
}

/// A subscription of the asker; for all others there is none.
Answer<Subscribed> own_subscription(Desk& desk, const Call& call, std::string_view id) {
    Sight sight(desk, call);
    TRY(sight.open(event::Action::Read, "Subscription", id));
    if (auto known = desk.notices->find(id)) return *std::move(known);
    return std::unexpected(not_found());
}

/// Those that are named by `ids`, or all of the asker.
Answer<std::vector<Subscribed>> wanted_subscriptions(Desk& desk, const Call& call,
                                                     const OperationInput& input,
                                                     std::string_view name) {
    std::vector<std::string> ids;
    if (call.target.shape == Shape::InstanceOperation) ids = {call.target.id};
    for (const Parameter& one : input.texts)
        if (one.name == name) ids.push_back(one.value);
    if (ids.empty()) ids = desk.notices->owned_by(call.actor.id);
    std::vector<Subscribed> found;
    for (const std::string& id : ids) found.push_back(TRY(own_subscription(desk, call, id)));
    return found;
}

event::Event read_event(Desk& desk, const Call& call) {
    event::Event e = event_of(
        desk, call, event::Type::RecordRead, {},
        call.target.id.empty() ? std::string() : reference_to("Subscription", call.target.id));
    e.query = call.asked;
    return e;
}

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = UINT64_MAX;
};

Answer<Range> range_of(const OperationInput& input) {
    Range range;
    const auto read = [&](std::string_view name, std::uint64_t& into) {
        const std::string_view text = input.text(name);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        return text.empty() || (error == std::errc() && end == text.data() + text.size());
    };
    if (read("eventsSinceNumber", range.first) && read("eventsUntilNumber", range.last))
        return range;
    return refuse(400, "invalid",
                  {"un numéro d'événement n'est pas un nombre", "an event number is no number"},
                  {"écrivez un nombre entier", "write a whole number"});
}

/// Events in the range that the asker may see now, and what they owe the ledger.
Answer<std::vector<event::Event>> collect(Desk& desk, const Call& call, const Subscribed& known,
                                          const Range& range, Notice& notice) {
    Sight sight(desk, call);
    std::vector<event::Event> owed;
    for (const NoticeEvent& event : known.log.events) {
        if (event.number < range.first || event.number > range.last) continue;
        const auto found = desk.rooms.vault.find(event.type, event.id);
        if (!found || !sight.may(event::Action::Read, *found)) continue;
        owed.push_back(event_of(desk, call, event::Type::RecordRead, found->record->patient(),
                                reference_to(event.type, event.id)));
        owed.back().query = call.asked;
        add_basis(owed.back(), sight.reasons());
        notice.events.push_back(event);
        if (notice.content != Terms::Content::FullResource) continue;
        auto version = desk.rooms.vault.read(*found, event.version);
        const bool shows = version && !version->deleted && sight.may_show(*found, *version);
        std::string body = shows ? std::move(version->body) : std::string();
        sight.narrow(*found, body);
        notice.bodies.push_back(std::move(body));
    }
    if (owed.empty()) owed.push_back(read_event(desk, call));
    return owed;
}

Json parameter(fhir::Arena& arena, std::string_view name, std::string_view member,
               std::string_view value) {
    return arena.object({{"name", arena.string(name)}, {member, arena.string(value)}});
}

std::string socket_url(const Desk& desk) {
    const std::string_view base(desk.options.base);
    const bool is_tls = base.starts_with("https://");
    return std::string(is_tls ? "wss" : "ws") + std::string(base.substr(base.find("://"))) +
           std::string(kSocketPath);
}

}  // namespace

Answer<Disclosure> subscription_status(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 2> kKnown = {"id", "status"};
    const OperationInput input = TRY(read_input(call, kKnown));
    const std::string_view status = input.text("status");
    fhir::Arena arena;
    BundleWriter writer("searchset", desk.options.base);
    writer.link("self", self_link(desk, call));
    for (const Subscribed& known : TRY(wanted_subscriptions(desk, call, input, "id"))) {
        if (!status.empty() && status != known.status) continue;
        const Notice notice = notice_of(known, "query-status");
        writer.add({.resource = fhir::to_text(status_of(arena, notice)), .search_mode = "match"});
    }
    return Disclosure{json_response(call, 200, writer.finish()), {read_event(desk, call)}};
}

Answer<Disclosure> subscription_events(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 3> kKnown = {"eventsSinceNumber", "eventsUntilNumber",
                                                        "content"};
    const OperationInput input = TRY(read_input(call, kKnown));
    const Range range = TRY(range_of(input));
    const Subscribed known = TRY(own_subscription(desk, call, call.target.id));
    Notice notice = notice_of(known, "query-event");
    if (input.text("content") == "id-only") notice.content = Terms::Content::IdOnly;
    if (input.text("content") == "full-resource") notice.content = Terms::Content::FullResource;
    auto owed = TRY(collect(desk, call, known, range, notice));
    return Disclosure{json_response(call, 200,
                                    notice_bundle(desk.options.base, new_uuid(desk),
                                                  desk.rooms.clock.now(), notice)),
                      std::move(owed)};
}

Answer<Disclosure> give_socket_token(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 1> kKnown = {"ids"};
    const OperationInput input = TRY(read_input(call, kKnown));
    std::vector<std::string> ids;
    for (const Subscribed& known : TRY(wanted_subscriptions(desk, call, input, "ids"))) {
        const bool has_socket = known.terms && known.terms->channel == Terms::Channel::WebSocket;
        if (has_socket && known.status == "active") ids.push_back(known.id);
    }
    if (ids.empty())
        return refuse(422, "business-rule",
                      {"aucun abonnement actif à canal websocket",
                       "no active subscription with a websocket channel"},
                      {"voyez Subscription/$status", "see Subscription/$status"});
    const auto token = desk.notices->sockets().give(ids, desk.rooms.clock.now());
    if (!token)
        return refuse(429, "throttled", {"trop de jetons en attente", "too many tokens are out"},
                      {"recommencez dans une minute", "try again in a minute"});
    fhir::Arena arena;
    std::vector<Json> told = {
        parameter(arena, "token", "valueString", token->text),
        parameter(arena, "expiration", "valueDateTime", to_rfc3339(token->end)),
        parameter(arena, "websocket-url", "valueUrl", socket_url(desk))};
    for (const std::string& id : ids)
        told.push_back(parameter(arena, "subscription", "valueString", id));
    return Disclosure{
        json_response(call, 200,
                      fhir::to_text(arena.object({{"resourceType", arena.string("Parameters")},
                                                  {"parameter", arena.array(told)}}))),
        {read_event(desk, call)}};
}

bool hear_socket(Desk& desk, const NoticeSocket& socket, std::string_view message) {
    if (!message.starts_with(kBind)) return false;
    message.remove_prefix(kBind.size());
    while (message.starts_with(' ')) message.remove_prefix(1);
    const WallTime now = desk.rooms.clock.now();
    const auto ids = desk.notices->sockets().redeem(message, now);
    if (!ids) return false;
    for (const std::string& id : *ids) {
        const auto known = desk.notices->find(id);
        if (!known || known->status != "active") continue;
        Notice hello = notice_of(*known, "handshake");
        hello.content = Terms::Content::Empty;
        if (!socket.send(notice_bundle(desk.options.base, new_uuid(desk), now, hello)) ||
            !desk.notices->sockets().bind(id, socket))
            return false;
    }
    return true;
}

}  // namespace hygie::records
