#include "guards/records/notices/notice.h"

#include <fmt/format.h>

namespace hygie::records {

namespace {

using fhir::Arena;
using fhir::Json;

Json named(Arena& arena, std::string_view name, std::string_view member, Json value) {
    return arena.object({{"name", arena.string(name)}, {member, value}});
}

Json text_named(Arena& arena, std::string_view name, std::string_view member,
                std::string_view value) {
    return named(arena, name, member, arena.string(value));
}

Json profiled(Arena& arena, std::string_view profile) {
    const Json url = arena.string(std::string(kBackport) + std::string(profile));
    return arena.object({{"profile", arena.array({&url, 1})}});
}

Json reference(Arena& arena, std::string_view text) {
    return arena.object({{"reference", arena.string(text)}});
}

/// One event in the status.
Json event_parameter(Arena& arena, const NoticeEvent& event) {
    const std::vector<Json> parts = {
        text_named(arena, "event-number", "valueString", fmt::format("{}", event.number)),
        text_named(arena, "timestamp", "valueInstant", to_rfc3339(event.when)),
        named(arena, "focus", "valueReference",
              reference(arena, reference_to(event.type, event.id)))};
    return named(arena, "notification-event", "part", arena.array(parts));
}

Json status_entry(Arena& arena, std::string_view base, std::string_view id, const Notice& notice) {
    const std::string url = fmt::format("{}Subscription/{}/$status", base, notice.subscription);
    return arena.object(
        {{"fullUrl", arena.string(fmt::format("urn:uuid:{}", id))},
         {"resource", status_of(arena, notice)},
         {"request", arena.object({{"method", arena.string("GET")}, {"url", arena.string(url)}})},
         {"response", arena.object({{"status", arena.string("200")}})}});
}

struct Words {
    std::string_view method, status;
};

Words words_of(Happened happened) {
    switch (happened) {
        case Happened::Created:
            return {"POST", "201"};
        case Happened::Updated:
            return {"PUT", "200"};
        case Happened::Deleted:
            return {"DELETE", "204"};
    }
    return {"PUT", "200"};
}

Json event_entry(Arena& arena, std::string_view base, const NoticeEvent& event,
                 std::string_view body) {
    const std::string name = reference_to(event.type, event.id);
    const auto [method, status] = words_of(event.happened);
    const std::string_view url = event.happened == Happened::Created ? event.type : name;
    Json entry = arena.object(
        {{"fullUrl", arena.string(fmt::format("{}{}", base, name))},
         {"request", arena.object({{"method", arena.string(method)}, {"url", arena.string(url)}})},
         {"response", arena.object({{"status", arena.string(status)},
                                    {"etag", arena.string(fmt::format("W/\"{}\"", event.version))},
                                    {"lastModified", arena.string(to_rfc3339(event.when))}})}});
    if (const auto resource = arena.parse(body); resource && !body.empty())
        entry = arena.with(entry, "resource", *resource);
    return entry;
}

}  // namespace

Json status_of(Arena& arena, const Notice& notice) {
    std::vector<Json> parameters = {
        named(arena, "subscription", "valueReference",
              reference(arena, reference_to("Subscription", notice.subscription))),
        text_named(arena, "topic", "valueCanonical", notice.topic),
        text_named(arena, "status", "valueCode", notice.status),
        text_named(arena, "type", "valueCode", notice.type),
        text_named(arena, "events-since-subscription-start", "valueString",
                   fmt::format("{}", notice.since_start))};
    if (notice.topic.empty()) parameters.erase(parameters.begin() + 1);
    if (notice.content != Terms::Content::Empty)
        for (const NoticeEvent& event : notice.events)
            parameters.push_back(event_parameter(arena, event));
    if (!notice.error.empty())
        parameters.push_back(named(arena, "error", "valueCodeableConcept",
                                   arena.object({{"text", arena.string(notice.error)}})));
    return arena.object({{"resourceType", arena.string("Parameters")},
                         {"meta", profiled(arena, "backport-subscription-status-r4")},
                         {"parameter", arena.array(parameters)}});
}

std::string notice_bundle(std::string_view base, std::string_view id, WallTime now,
                          const Notice& notice) {
    Arena arena;
    std::vector<Json> entries = {status_entry(arena, base, id, notice)};
    if (notice.content != Terms::Content::Empty)
        for (std::size_t i = 0; i < notice.events.size(); ++i)
            entries.push_back(event_entry(arena, base, notice.events[i],
                                          i < notice.bodies.size()
                                              ? std::string_view(notice.bodies[i])
                                              : std::string_view()));
    return fhir::to_text(
        arena.object({{"resourceType", arena.string("Bundle")},
                      {"meta", profiled(arena, "backport-subscription-notification-r4")},
                      {"type", arena.string("history")},
                      {"timestamp", arena.string(to_rfc3339(now))},
                      {"entry", arena.array(entries)}}));
}

}  // namespace hygie::records
