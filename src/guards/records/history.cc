#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <queue>
#include <set>

#include "fhir/search_value.h"
#include "guards/records/around.h"
#include "guards/records/bundle.h"
#include "guards/records/handlers.h"
#include "guards/records/sight.h"
#include "guards/records/versions.h"
#include "vault/unassigned.h"

/// history of one resource, of a type and of everything that is open to the asker
/// (https://hl7.org/fhir/R4/http.html#history).
namespace hygie::records {

namespace {

constexpr std::size_t kCountDefault = 20;
constexpr std::size_t kCountMax = 1'000;
/// Of bodies; what is beyond comes on the next page.
constexpr std::size_t kPageBytesMax = 32 << 20;

struct Wanted {
    std::size_t count = kCountDefault;
    WallTime since = WallTime::min();
    WallTime from = WallTime::min();   ///< of _at: what was in force at some time from here…
    WallTime until = WallTime::max();  ///< …to here, not included

    /// Whether a version that was in force from `updated` to `replaced` is asked for.
    bool has(WallTime updated, WallTime replaced) const {
        return updated >= since && updated < until && replaced > from;
    }
};

/// "2026-11": versions that were in force at any moment of it.
Answer<void> add_at(Wanted& wanted, std::string_view value) {
    const auto range = fhir::parse_date(value);
    if (!range)
        return refuse(400, "invalid", {"_at n'est pas une date", "_at is no date"},
                      {"écrivez une date ou un instant FHIR", "write a FHIR date or instant"});
    wanted.from = WallTime{Micros(range->first / fhir::kDateUnitsPerMicro)};
    wanted.until = WallTime{Micros(range->last / fhir::kDateUnitsPerMicro + 1)};
    return {};
}

Answer<Wanted> wanted_of(const Call& call) {
    Wanted wanted;
    for (const auto& [name, value] : call.parameters) {
        if (name == "_count") {
            const auto [end, error] =
                std::from_chars(value.data(), value.data() + value.size(), wanted.count);
            if (error == std::errc() && end == value.data() + value.size()) {
                wanted.count = std::clamp<std::size_t>(wanted.count, 1, kCountMax);
                continue;
            }
        } else if (name == "_since") {
            wanted.since = TRY(from_rfc3339(value));
            continue;
        } else if (name == "_at") {
            TRY_STATUS(add_at(wanted, value));
            continue;
        } else if (call.wishes.lenient) {
            continue;
        }
        return refuse(400, "not-supported",
                      {"un paramètre de cet historique est inconnu, ou sa valeur",
                       "a parameter of this history is unknown, or its value"},
                      {"seuls _count, _since et _at conviennent ici",
                       "only _count, _since and _at fit here"});
    }
    return wanted;
}

void add_version(BundleWriter& writer, const vault::Version& version) {
    const std::string reference = reference_to(version.type, version.id);
    const std::string etag = etag_of(version.version);
    const std::string updated = to_rfc3339(version.updated);
    const bool first = version.version == 1;
    writer.add({.reference = reference,
                .resource = version.body,
                .method = version.deleted ? "DELETE"
                          : first         ? "POST"
                                          : "PUT",
                .url = first ? std::string_view(version.type) : std::string_view(reference),
                .status = version.deleted ? "204 No Content"
                          : first         ? "201 Created"
                                          : "200 OK",
                .etag = etag,
                .last_modified = updated});
}

/// A resource with versions yet to tell, the newest of them first.
struct Thread {
    vault::Found found{};
    vault::Version next{};
    WallTime replaced = WallTime::max();  ///< when the version after it came
    /// Order of a wide history: newest first, then by name, so that pages fit together.
    auto key() const { return std::tuple(next.updated, std::string_view(next.type), next.id); }
    bool operator<(const Thread& other) const { return key() < other.key(); }
};

/// "2026-11-24T08:30:00.000000Z Observation/1/3": the version told last.
std::string place_of(const vault::Version& version) {
    return fmt::format("{} {}/{}/{}", to_rfc3339(version.updated), version.type, version.id,
                       version.version);
}

/// Newest entries of a record that the asker may read, deleted ones too.
void add_entries(Sight& sight, const std::shared_ptr<const vault::Record>& record,
                 std::string_view type, WallTime since, std::vector<vault::Found>& into) {
    for (const auto& piece : record->index().pieces()) {
        const fhir::Segment& segment = *piece.segment;
        const auto [first, last] = type.empty()
                                       ? std::pair<std::size_t, std::size_t>(0, segment.size())
                                       : segment.range_of(type);
        for (std::size_t i = first; i < last; ++i) {
            const auto entry = segment.entry(i);
            const auto newest = record->index().find(entry.type, entry.id);
            if (!newest || newest->version != entry.version || entry.updated < since) continue;
            // What is assigned to no patient is found by programs alone.
            if (record->patient() == vault::kUnassigned &&
                !sight.may(event::Action::Read, entry.type, *record))
                continue;
            if (vault::Found one{record, entry}; sight.may(event::Action::Read, one))
                into.push_back(std::move(one));
        }
    }
}

/// All versions of these resources, newest first, given to `tell` until it returns false.
Answer<void> tell_versions(
    Desk& desk, std::vector<vault::Found> found, const Wanted& wanted,
    const std::function<bool(const vault::Version&, const vault::Found&)>& tell) {
    std::ranges::sort(found, std::greater(), [](const vault::Found& f) { return f.entry.updated; });
    std::priority_queue<Thread> threads;
    std::size_t opened = 0;
    for (;;) {
        // Bodies are opened only when their time has come.
        while (opened < found.size() &&
               (threads.empty() || found[opened].entry.updated >= threads.top().next.updated)) {
            vault::Version newest = TRY(desk.rooms.vault.read(found[opened]));
            threads.push({found[opened], std::move(newest)});
            ++opened;
        }
        if (threads.empty()) return {};
        Thread thread = threads.top();
        threads.pop();
        if (thread.next.updated < wanted.since || thread.replaced <= wanted.from) continue;
        const bool is_asked = wanted.has(thread.next.updated, thread.replaced);
        if (is_asked && !tell(thread.next, thread.found)) return {};
        if (thread.next.version == 1) continue;
        thread.replaced = thread.next.updated;
        auto before = desk.rooms.vault.read(thread.found, thread.next.version - 1);
        if (!before) return std::unexpected(Refusal(before.error()));
        thread.next = *std::move(before);
        threads.push(std::move(thread));
    }
}

event::Event history_event(Sight& sight, std::string_view patient, std::string_view object) {
    event::Event e = event_of(sight.desk(), sight.call(), event::Type::RecordRead, patient, object);
    e.query = sight.call().asked;
    return e;
}

/// Ledger entries of a wide history: one for each patient of whom something is told, and why.
std::vector<event::Event> history_events(Sight& sight, const std::vector<vault::Found>& told) {
    const std::string_view type = sight.call().target.type;
    std::set<std::string_view> patients;
    std::vector<event::Event> events;
    for (const vault::Found& found : told) {
        if (!patients.insert(found.record->patient()).second) continue;
        events.push_back(history_event(sight, found.record->patient(), type));
        if (sight.may(event::Action::Read, found)) add_basis(events.back(), sight.reasons());
    }
    add_glasses(sight, event::Action::Read, told, events);
    if (events.empty()) events.push_back(history_event(sight, {}, type));
    return events;
}

/// A page of all versions of these resources that are asked for, newest first.
Answer<Disclosure> disclose_versions(Sight& sight, const Wanted& wanted,
                                     std::vector<vault::Found> found) {
    Desk& desk = sight.desk();
    const Call& call = sight.call();
    std::vector<vault::Version> page;
    std::vector<vault::Found> told;
    bool is_behind = call.cursor.last.empty();
    bool more = false;
    std::size_t bytes = 0;
    TRY_STATUS(tell_versions(desk, std::move(found), wanted,
                             [&](const vault::Version& version, const vault::Found& of) {
                                 if (!is_behind) {
                                     is_behind = place_of(version) == call.cursor.last;
                                     return true;
                                 }
                                 more = page.size() == wanted.count || bytes > kPageBytesMax;
                                 if (more) return false;
                                 bytes += version.body.size();
                                 page.push_back(version);
                                 told.push_back(of);
                                 return true;
                             }));
    BundleWriter writer("history", desk.options.base);
    writer.link("self", self_link(desk, call));
    if (more) writer.link("next", page_link(desk, call, {.last = place_of(page.back())}));
    for (const vault::Version& version : page) add_version(writer, version);
    return Disclosure{json_response(call, 200, writer.finish()), history_events(sight, told)};
}

}  // namespace

Answer<std::vector<vault::Version>> versions_since(Sight& sight, WallTime since, std::size_t most) {
    std::vector<vault::Found> found;
    for (const auto& record : TRY(records_around(sight, "Observation")))
        add_entries(sight, record, {}, since, found);
    std::vector<vault::Version> versions;
    Wanted wanted;
    wanted.since = since;
    TRY_STATUS(tell_versions(sight.desk(), std::move(found), wanted,
                             [&](const vault::Version& version, const vault::Found&) {
                                 versions.push_back(version);
                                 return versions.size() < most;
                             }));
    std::ranges::reverse(versions);
    return versions;
}

Answer<Disclosure> read_history(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const auto found = TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
    const Wanted wanted = TRY(wanted_of(call));
    if (wanted.from != WallTime::min()) return disclose_versions(sight, wanted, {found});
    const auto from = static_cast<std::uint32_t>(call.cursor.offset);
    auto versions = TRY(desk.rooms.vault.history(found, from, wanted.count));
    std::erase_if(versions, [&](const auto& version) { return version.updated < wanted.since; });
    BundleWriter writer("history", desk.options.base);
    if (wanted.since == WallTime::min()) writer.total(found.entry.version);
    writer.link("self", self_link(desk, call));
    if (versions.size() == wanted.count && versions.back().version > 1)
        writer.link("next", page_link(desk, call, {.offset = versions.back().version - 1}));
    for (const vault::Version& version : versions) add_version(writer, version);
    event::Event e = history_event(sight, found.record->patient(),
                                   reference_to(found.entry.type, found.entry.id));
    add_basis(e, sight.reasons());
    return Disclosure{json_response(call, 200, writer.finish()), {std::move(e)}};
}

Answer<Disclosure> read_wide_history(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const Wanted wanted = TRY(wanted_of(call));
    const std::string_view type = call.target.type;
    const auto records = TRY(records_around(sight, type.empty() ? "Observation" : type));
    std::vector<vault::Found> found;
    for (const auto& record : records) add_entries(sight, record, type, wanted.since, found);
    TRY_STATUS(sight.settle());
    return disclose_versions(sight, wanted, std::move(found));
}

}  // namespace hygie::records
