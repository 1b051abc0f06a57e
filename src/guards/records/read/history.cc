#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <queue>
#include <set>

#include "base/only.h"
#include "fhir/search/search_value.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/request/bundle.h"
#include "guards/records/sight/around.h"
#include "guards/records/sight/reach.h"
#include "guards/records/sight/sight.h"
#include "guards/records/sight/versions.h"
#include "vault/unassigned.h"

/// history of one resource, of a type and of everything that is open to the asker
/// (https://hl7.org/fhir/R4/http.html#history).
namespace hygie::records {

namespace {

constexpr std::size_t kCountDefault = 20;
constexpr std::size_t kCountMax = 1'000;
constexpr std::uint64_t kVersionsCountedMax = 100'000;
/// Of bodies; what is beyond comes on the next page.
constexpr std::size_t kPageBytesMax = 32 << 20;

struct Wanted {
    std::size_t count = kCountDefault;
    bool counts = false;  ///< _count=0: no entries, how many there would be
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
                wanted.counts = wanted.count == 0;
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

/// A version's place in a wide history: newest first, then by name, so that pages fit together.
struct Place {
    WallTime updated = WallTime::max();
    std::string name{};  ///< "Observation/1"
    std::uint32_t version = 0;
    auto operator<=>(const Place&) const = default;
};

/// As a page's link keeps it: "2026-11-24T08:30:00.000000Z Observation/1/3".
std::string text_of(const Place& place) {
    return fmt::format("{} {}/{}", to_rfc3339(place.updated), place.name, place.version);
}

Answer<Place> place_in(std::string_view text) {
    const auto blank = text.find(' ');
    const auto slash = text.rfind('/');
    Place place;
    if (blank == text.npos || slash == text.npos || slash < blank)
        return std::unexpected(not_found());
    place.updated = TRY(from_rfc3339(text.substr(0, blank)));
    place.name = text.substr(blank + 1, slash - blank - 1);
    const auto digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), place.version);
    if (error != std::errc()) return std::unexpected(not_found());
    return place;
}

/// A resource with versions yet to tell: the newest of them, without its body.
struct Thread {
    std::size_t of = 0;  ///< in what was found
    Place place{};
    std::uint64_t row = 0;
    WallTime replaced = WallTime::max();  ///< when the version after it came
    bool operator<(const Thread& other) const { return place < other.place; }
};

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

/// All versions of these resources, newest first and below `from`, given to `tell` until it returns
/// false. One body at a time: what waits is known by its place alone.
class Telling {
  public:
    using Tell = std::function<bool(vault::Version&&, const vault::Found&)>;

    Telling(Sight& sight, std::vector<vault::Found> found, const Wanted& wanted)
        : sight_(sight), found_(std::move(found)), wanted_(wanted) {
        std::ranges::sort(found_, std::greater(),
                          [](const vault::Found& one) { return one.entry.updated; });
    }

    Answer<void> run(const Place& from, const Tell& tell) {
        for (;;) {
            // Bodies are opened only when their time has come.
            while (begun_ < found_.size() && (threads_.empty() || found_[begun_].entry.updated >=
                                                                      threads_.top().place.updated))
                begin(begun_++);
            if (threads_.empty()) return {};
            const Thread thread = threads_.top();
            threads_.pop();
            if (thread.place.updated < wanted_.since || thread.replaced <= wanted_.from) continue;
            const bool is_told = thread.place >= from;
            // Of most resources there is one version: it was told, and need not be opened again.
            if (is_told && thread.place.version == 1) continue;
            const vault::Found& of = found_[thread.of];
            vault::Version version = TRY(sight_.desk().rooms.vault.read_at(of, thread.row));
            if (version.previous != 0) TRY_STATUS(go_on(thread, version));
            const bool is_asked = !is_told && wanted_.has(version.updated, thread.replaced) &&
                                  sight_.may_show(of, version);
            if (is_asked && !tell(std::move(version), of)) return {};
        }
    }

  private:
    void begin(std::size_t at) {
        const vault::Entry& entry = found_[at].entry;
        threads_.push({.of = at,
                       .place = {entry.updated, reference_to(entry.type, entry.id), entry.version},
                       .row = entry.body});
    }
    /// With the version before this one.
    Answer<void> go_on(const Thread& thread, const vault::Version& version) {
        const auto before = sight_.desk().rooms.vault.read_at(found_[thread.of], version.previous);
        // It went with a patient whom it spoke of, and who was erased.
        if (!before && before.error().code == Code::NotFound) return {};
        if (!before) return std::unexpected(Refusal(before.error()));
        threads_.push({.of = thread.of,
                       .place = {before->updated, thread.place.name, before->version},
                       .row = version.previous,
                       .replaced = version.updated});
        return {};
    }

    Sight& sight_;
    std::vector<vault::Found> found_;
    const Wanted& wanted_;
    std::priority_queue<Thread> threads_;
    std::size_t begun_ = 0;
};

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

/// How many versions of these resources are asked for.
Answer<Disclosure> disclose_count(Sight& sight, const Wanted& wanted,
                                  const std::vector<vault::Found>& found) {
    std::uint64_t total = 0;
    TRY_STATUS(Telling(sight, found, wanted).run(Place(), [&](auto&&, const auto&) {
        return ++total <= kVersionsCountedMax;
    }));
    if (total > kVersionsCountedMax)
        return refuse(413, "too-costly",
                      {"trop de versions à compter", "too many versions to count"},
                      {"nommez une ressource ou une période (_since)",
                       "name a resource or a period (_since)"});
    BundleWriter writer("history", sight.desk().options.base);
    writer.total(total);
    writer.link("self", self_link(sight.desk(), sight.call()));
    const bool is_of_one = sight.call().target.shape == Shape::InstanceHistory;
    return Disclosure{json_response(sight.call(), 200, writer.finish()),
                      history_events(sight, is_of_one ? found : std::vector<vault::Found>())};
}

/// A page of all versions of these resources that are asked for, newest first.
Answer<Disclosure> disclose_versions(Sight& sight, const Wanted& wanted,
                                     std::vector<vault::Found> found) {
    if (wanted.counts) return disclose_count(sight, wanted, found);
    Desk& desk = sight.desk();
    const Call& call = sight.call();
    Place last = call.cursor.last.empty() ? Place() : TRY(place_in(call.cursor.last));
    BundleWriter writer("history", desk.options.base);
    std::vector<vault::Found> told;
    std::size_t bytes = 0;
    bool more = false;
    std::vector<vault::Version> page;
    const auto tell = [&](vault::Version&& version, const vault::Found& of) {
        more = page.size() == wanted.count || bytes > kPageBytesMax;
        if (more) return false;
        if (!version.deleted) sight.narrow(of, version.body);
        bytes += version.body.size();
        last = {version.updated, reference_to(version.type, version.id), version.version};
        page.push_back(std::move(version));
        told.push_back(of);
        return true;
    };
    TRY_STATUS(Telling(sight, std::move(found), wanted).run(Place(last), tell));
    writer.link("self", self_link(desk, call));
    if (more) writer.link("next", page_link(desk, call, {.last = text_of(last)}));
    for (const vault::Version& version : page) add_version(writer, version);
    return Disclosure{json_response(call, 200, writer.finish()), history_events(sight, told)};
}

/// A page of the versions of one resource: from the row that the last page ended at.
struct OnePage {
    std::vector<vault::Version> versions{};
    std::uint64_t next = 0;  ///< row; 0: there are no more
    bool is_whole = true;    ///< nothing was left out
};

Answer<OnePage> page_of(Sight& sight, const vault::Found& found, const Wanted& wanted) {
    OnePage page;
    const std::uint64_t offset = sight.call().cursor.offset;
    std::size_t bytes = 0;
    for (page.next = offset == 0 ? found.entry.body : offset; page.next != 0;) {
        if (page.versions.size() == wanted.count || bytes > kPageBytesMax) return page;
        auto read = sight.desk().rooms.vault.read_at(found, page.next);
        if (!read && read.error().code == Code::NotFound && !page.versions.empty()) {
            // What came before went with a patient whom it spoke of, and who was erased.
            page.is_whole = false;
            page.next = 0;
            break;
        }
        vault::Version version = TRY(std::move(read));
        page.next = version.updated < wanted.since ? 0 : version.previous;
        if (version.updated < wanted.since) break;
        if (!sight.may_show(found, version)) {
            page.is_whole = false;
            continue;
        }
        if (!version.deleted) sight.narrow(found, version.body);
        bytes += version.body.size();
        page.versions.push_back(std::move(version));
    }
    return page;
}

}  // namespace

Answer<std::vector<vault::Version>> versions_since(Sight& sight, WallTime since, std::size_t most) {
    std::vector<vault::Found> found;
    for (const auto& record : TRY(records_around(sight, "Observation")))
        add_entries(sight, record, {}, since, found);
    std::vector<vault::Version> versions;
    Wanted wanted;
    wanted.since = since;
    TRY_STATUS(Telling(sight, std::move(found), wanted)
                   .run(Place(), [&](vault::Version&& version, const vault::Found&) {
                       versions.push_back(std::move(version));
                       return versions.size() < most;
                   }));
    std::ranges::reverse(versions);
    return versions;
}

Answer<Disclosure> read_history(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const auto found = TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
    const Wanted wanted = TRY(wanted_of(call));
    if (wanted.counts || wanted.from != WallTime::min())
        return disclose_versions(sight, wanted, {found});
    const OnePage page = TRY(page_of(sight, found, wanted));
    BundleWriter writer("history", desk.options.base);
    if (wanted.since == WallTime::min() && page.is_whole) writer.total(found.entry.version);
    writer.link("self", self_link(desk, call));
    if (page.next != 0) writer.link("next", page_link(desk, call, {.offset = page.next}));
    for (const vault::Version& version : page.versions) add_version(writer, version);
    event::Event e = history_event(sight, found.record->patient(),
                                   reference_to(found.entry.type, found.entry.id));
    add_basis(e, sight.reasons());
    return Disclosure{json_response(call, 200, writer.finish()), only(std::move(e))};
}

Answer<Disclosure> read_wide_history(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const Wanted wanted = TRY(wanted_of(call));
    const std::string_view type = call.target.type;
    if (!type.empty()) TRY_STATUS(check_reach(desk, call, type));
    const auto records = TRY(records_around(sight, type.empty() ? "Observation" : type));
    std::vector<vault::Found> found;
    for (const auto& record : records) add_entries(sight, record, type, wanted.since, found);
    TRY_STATUS(sight.settle());
    return disclose_versions(sight, wanted, std::move(found));
}

}  // namespace hygie::records
