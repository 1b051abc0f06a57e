#include "guards/records/notices/subscription.h"

#include <algorithm>
#include <charconv>

#include "fhir/search/search_single.h"
#include "guards/records/notices/outbound.h"

namespace hygie::records {

namespace {

using fhir::Json;

constexpr std::string_view kOwner = "urn:hygie:subscription-owner";

std::unexpected<Error> not_served(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

/// The value[x] of an extension of the guide.
Json extension_in(Json element, std::string_view name) {
    for (const Json one : element["extension"].items()) {
        const std::string_view url = one["url"].text();
        if (!url.starts_with(kBackport) || url.substr(kBackport.size()) != name) continue;
        for (const auto& [member, value] : one.members())
            if (member.starts_with("value")) return value;
    }
    return {};
}

std::chrono::seconds seconds_of(Json value, std::chrono::seconds otherwise) {
    std::uint32_t number = 0;
    const std::string_view text = value.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && !text.empty() ? std::chrono::seconds(number) : otherwise;
}

/// A filter is judged on the resource alone: where it leads to others, nobody would be told.
bool is_plain(const fhir::Query& query) {
    return !query.all.empty() && query.includes.empty() &&
           std::ranges::all_of(query.all, [](const fhir::Criterion& one) {
               return one.kind != fhir::Criterion::Kind::Chain &&
                      one.kind != fhir::Criterion::Kind::Has;
           });
}

Result<Terms::Filter> filter_of(const Desk& desk, std::string_view text) {
    const auto question = text.find('?');
    const std::string type(text.substr(0, question));
    if (question == text.npos || !is_resource_type(type))
        return not_served({"un filtre n'est pas de la forme Type?critère=valeur",
                           "a filter is not of the form Type?criterion=value"},
                          {"corrigez backport-filter-criteria", "mend backport-filter-criteria"});
    const auto parameters = TRY(parse_query(text.substr(question + 1)));
    auto query = TRY(fhir::parse_query(type, parameters,
                                       {.base = desk.options.base, .now = desk.rooms.clock.now()}));
    if (!is_plain(query))
        return not_served(
            {"un filtre ne porte que sur la ressource elle-même",
             "a filter asks of the resource itself alone"},
            {"ôtez les chaînes, _has et _include", "leave out chains, _has, _include"});
    return Terms::Filter{type, std::move(query)};
}

Status add_filters(const Desk& desk, Json subscription, Terms& terms) {
    for (const Json one : subscription["_criteria"]["extension"].items()) {
        const std::string_view url = one["url"].text();
        if (!url.starts_with(kBackport) || !url.ends_with("backport-filter-criteria")) continue;
        if (terms.filters.size() == Terms::kFiltersMax)
            return not_served(
                {"trop de filtres", "too many filters"},
                {"réunissez-les, ou abonnez-vous deux fois", "join them, or subscribe twice"});
        terms.filters.push_back(TRY(filter_of(desk, one["valueString"].text())));
    }
    return {};
}

Status set_channel(const Desk& desk, Json channel, Terms& terms) {
    const std::string_view type = channel["type"].text();
    terms.endpoint = channel["endpoint"].text();
    if (type == "rest-hook") {
        if (!desk.rooms.post)
            return not_served({"ce serveur n'écrit à personne", "this server writes to nobody"},
                              {"employez un canal websocket", "use a websocket channel"});
        return check_endpoint(terms.endpoint, desk.options.notify);
    }
    if (type != "websocket")
        return not_served({"ce type de canal n'existe pas ici", "there is no such channel here"},
                          {"employez rest-hook ou websocket", "use rest-hook or websocket"});
    terms.channel = Terms::Channel::WebSocket;
    return {};
}

Status set_payload(Json channel, Terms& terms) {
    const std::string_view mime = channel["payload"].text();
    if (!mime.empty() && mime != "application/fhir+json" && mime != "application/json")
        return not_served(
            {"une notification est en JSON", "a notification is JSON"},
            {"écrivez payload : application/fhir+json", "write payload: application/fhir+json"});
    const std::string_view content =
        extension_in(channel["_payload"], "backport-payload-content").text();
    if (content == "empty") terms.content = Terms::Content::Empty;
    if (content == "full-resource") terms.content = Terms::Content::FullResource;
    return {};
}

void set_limits(Json subscription, Terms& terms) {
    const Json channel = subscription["channel"];
    terms.heartbeat = seconds_of(extension_in(channel, "backport-heartbeat-period"), {});
    if (terms.heartbeat.count() > 0)
        terms.heartbeat = std::max(terms.heartbeat, Terms::kHeartbeatMin);
    terms.timeout =
        std::clamp(seconds_of(extension_in(channel, "backport-timeout"), Terms::kTimeout),
                   std::chrono::seconds(1), Terms::kTimeoutMax);
    const auto most =
        seconds_of(extension_in(channel, "backport-max-count"), std::chrono::seconds(1));
    terms.events_max =
        std::clamp<std::size_t>(static_cast<std::size_t>(most.count()), 1, Terms::kEventsMax);
    if (const auto end = from_rfc3339(subscription["end"].text())) terms.end = *end;
}

/// The header lines of a channel: what goes out, and what is shown of it.
struct Lines {
    std::vector<std::string> sent{}, shown{};
};

Lines lines_of(Json channel) {
    Lines lines;
    for (const Json one : channel["header"].items()) {
        const std::string line(one.text());
        lines.sent.push_back(line);
        lines.shown.push_back(line.substr(0, line.find(':')) + ": " + std::string(kHidden));
    }
    return lines;
}

Json with_owner(fhir::Arena& arena, Json body, const access::Actor& actor) {
    std::vector<Json> kept;
    for (const Json one : body["extension"].items())
        if (one["url"].text() != kOwner) kept.push_back(one);
    const auto part = [&](std::string_view url, std::string_view value) {
        return arena.object({{"url", arena.string(url)}, {"valueString", arena.string(value)}});
    };
    std::vector<Json> parts = {part("login", actor.id.str())};
    for (const std::string& scope : actor.scopes) parts.push_back(part("scope", scope));
    kept.push_back(
        arena.object({{"url", arena.string(kOwner)}, {"extension", arena.array(parts)}}));
    return arena.with(body, "extension", arena.array(kept));
}

Status check_headers(const std::vector<std::string>& lines) {
    const bool good =
        lines.size() <= Terms::kHeadersMax && std::ranges::all_of(lines, is_sendable_header);
    if (good) return {};
    return not_served(
        {"un en-tête du canal ne peut pas être envoyé", "a header of the channel cannot be sent"},
        {"écrivez « Nom: valeur », sans ceux de HTTP lui-même",
         "write \"Name: value\", none of HTTP's own"});
}

}  // namespace

Result<Terms> read_terms(Desk& desk, Json subscription) {
    Terms terms;
    if (desk.options.notice_dir.empty())
        return not_served(
            {"ce serveur n'envoie pas de notification", "this server sends no notifications"},
            {"abonnez-vous au serveur principal", "subscribe at the main server"});
    terms.topic = find_topic(desk, subscription["criteria"].text());
    if (!terms.topic)
        return not_served({"ce serveur ne connaît pas ce sujet d'abonnement",
                           "this server does not know this subscription topic"},
                          {"nommez dans criteria un sujet de GET [base]/metadata",
                           "name in criteria a topic of GET [base]/metadata"});
    TRY_STATUS(set_channel(desk, subscription["channel"], terms));
    TRY_STATUS(set_payload(subscription["channel"], terms));
    TRY_STATUS(add_filters(desk, subscription, terms));
    TRY_STATUS(check_headers(lines_of(subscription["channel"]).sent));
    set_limits(subscription, terms);
    return terms;
}

bool passes_filters(const Terms& terms, std::string_view type, const Versions& versions) {
    if (terms.filters.empty()) return true;
    const Json body = versions.after ? versions.after : versions.before;
    bool is_named = false;
    for (const Terms::Filter& filter : terms.filters) {
        if (filter.type != type) continue;
        is_named = true;
        if (!fhir::would_find(filter.query, body, versions.updated)) return false;
    }
    return is_named;
}

Owner owner_of(Json subscription) {
    Owner owner;
    for (const Json one : subscription["extension"].items()) {
        if (one["url"].text() != kOwner) continue;
        for (const Json part : one["extension"].items()) {
            const std::string value(part["valueString"].text());
            if (part["url"].text() == "login") owner.login = ActorId(value);
            if (part["url"].text() == "scope") owner.scopes.push_back(value);
        }
    }
    return owner;
}

Json with_status(fhir::Arena& arena, Json body, std::string_view status, std::string_view error) {
    body = arena.with(body, "status", arena.string(status));
    return arena.with(body, "error", error.empty() ? Json() : arena.string(error));
}

Prepared prepare_subscription(Desk& desk, const Call& call, fhir::Arena& arena, Json body) {
    const auto terms = read_terms(desk, body);
    const Lines lines = lines_of(body["channel"]);
    Prepared prepared{.body = with_owner(arena, body, call.actor), .headers = lines.sent};
    if (!lines.shown.empty()) {
        std::vector<Json> shown;
        for (const std::string& line : lines.shown) shown.push_back(arena.string(line));
        prepared.body = arena.with(prepared.body, "channel",
                                   arena.with(body["channel"], "header", arena.array(shown)));
    }
    if (body["status"].text() == "off") return prepared;
    if (!terms) {
        const Text& why = terms.error().what;
        prepared.body = with_status(arena, prepared.body, "error", why.fr + " / " + why.en);
        return prepared;
    }
    const bool greets = terms->channel == Terms::Channel::RestHook;
    prepared.body = with_status(arena, prepared.body, greets ? "requested" : "active", {});
    return prepared;
}

}  // namespace hygie::records
