#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>
#include <span>

#include "base/only.h"
#include "crypto/sha256.h"
#include "fhir/data/schema.h"
#include "fhir/search/search_extract.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/request/bundle.h"
#include "guards/records/request/references.h"
#include "guards/records/sight/sight.h"

/// Patient/$everything (https://hl7.org/fhir/R4/patient-operation-everything.html): the record, and
/// what of the house it refers to.
namespace hygie::records {

namespace {

constexpr std::size_t kCountMax = 1'000;

struct Wanted {
    std::size_t count = kCountMax;
    WallTime since = WallTime::min();
    std::optional<fhir::DateRange> care{};       ///< from `start` to the end of `end`
    std::set<std::string, std::less<>> types{};  ///< empty: all
};

Answer<std::optional<fhir::DateRange>> care_of(const OperationInput& input) {
    const std::string_view start = input.text("start");
    const std::string_view end = input.text("end");
    if (start.empty() && end.empty()) return std::optional<fhir::DateRange>();
    const auto first =
        start.empty() ? fhir::DateRange{.first = fhir::kDateOpenStart} : fhir::parse_date(start);
    const auto last =
        end.empty() ? fhir::DateRange{.last = fhir::kDateOpenEnd} : fhir::parse_date(end);
    if (first && last) return fhir::DateRange{first->first, last->last};
    return refuse(400, "invalid", {"start ou end n'est pas une date", "start or end is no date"},
                  {"écrivez AAAA-MM-JJ", "write YYYY-MM-DD"});
}

Answer<Wanted> wanted_of(const OperationInput& input) {
    Wanted wanted;
    if (const auto since = input.text("_since"); !since.empty())
        wanted.since = TRY(from_rfc3339(since));
    if (const auto count = input.text("_count"); !count.empty()) {
        const auto [end, error] =
            std::from_chars(count.data(), count.data() + count.size(), wanted.count);
        if (error != std::errc() || end != count.data() + count.size())
            return refuse(400, "invalid", {"_count n'est pas un nombre", "_count is no number"},
                          {"écrivez un nombre entier", "write a whole number"});
        wanted.count = std::clamp<std::size_t>(wanted.count, 1, kCountMax);
    }
    wanted.care = TRY(care_of(input));
    std::string_view types = input.text("_type");
    while (!types.empty()) {
        const auto comma = std::min(types.find(','), types.size());
        const std::string_view type = types.substr(0, comma);
        if (!is_resource_type(type))
            return refuse(400, "invalid",
                          {"_type nomme un type inconnu", "_type names an unknown type"},
                          {"écrivez des types FHIR séparés par des virgules",
                           "write FHIR types, separated by commas"});
        wanted.types.emplace(type);
        types.remove_prefix(std::min(comma + 1, types.size()));
    }
    return wanted;
}

/// Whether the care that a resource tells of falls in the range; what has no date always does.
bool is_within(fhir::Json resource, const fhir::DateRange& range) {
    // Of the types of the compartment, by weight: when it happened comes before when it was noted.
    constexpr std::array<std::string_view, 12> kDates = {
        "date",       "performed", "onset-date", "effective",  "period",  "authored",
        "authoredon", "started",   "sent",       "identified", "created", "issued"};
    const auto rows = fhir::extract(resource);
    for (const std::string_view code : kDates) {
        const auto* const param = fhir::find_search_param(resource["resourceType"].text(), code);
        if (!param || param->type != fhir::SearchParam::Type::Date) continue;
        bool has_date = false;
        for (const fhir::IndexRow& row : rows) {
            if (row.param != param->number) continue;
            const auto* const when = std::get_if<fhir::DateRange>(&row.value);
            if (when && when->first <= range.last && when->last >= range.first) return true;
            has_date = true;
        }
        if (has_date) return false;
    }
    return true;
}

/// Leaves out what tells of care at another time.
Answer<void> keep_care(Sight& sight, const fhir::DateRange& range,
                       std::vector<vault::Found>& found) {
    std::vector<vault::Found> kept;
    for (vault::Found& one : found) {
        const vault::Version version = TRY(sight.desk().rooms.vault.read(one));
        const auto document = TRY(fhir::parse(version.body));
        if (is_within(document.root, range)) kept.push_back(std::move(one));
    }
    found = std::move(kept);
    return {};
}

std::string reference_of(const vault::Found& found) {
    return reference_to(found.entry.type, found.entry.id);
}

/// What the asker may see of the record, in an order that does not change.
Answer<std::vector<vault::Found>> open_entries(Sight& sight, const vault::Record& record,
                                               const Wanted& wanted) {
    auto found = TRY(sight.desk().rooms.vault.everything(record.patient()));
    std::ranges::move(TRY(sight.desk().rooms.vault.shared_with(record.patient())),
                      std::back_inserter(found));
    std::erase_if(found, [&](const vault::Found& one) {
        const bool is_asked = wanted.types.empty() || wanted.types.contains(one.entry.type);
        return !is_asked || one.entry.updated < wanted.since ||
               !sight.may(event::Action::Read, one);
    });
    TRY_STATUS(sight.settle());
    if (wanted.care) TRY_STATUS(keep_care(sight, *wanted.care, found));
    std::ranges::sort(found, {}, reference_of);
    return found;
}

/// What of the house was told on this page or on those before it. A page's link remembers the
/// names, blinded and cut, as long as they are few; beyond that one may be told again.
class Told {
  public:
    /// `kept`: what text() gave on the page before.
    explicit Told(std::string_view kept) {
        for (; kept.size() >= kTagLetters; kept.remove_prefix(kTagLetters))
            tags_.emplace(kept.substr(0, kTagLetters));
    }
    /// False when it was told before.
    bool add(const std::string& reference) {
        return tags_.insert(to_hex(crypto::sha256(as_bytes(reference))).substr(0, kTagLetters))
            .second;
    }
    std::string text() const {
        std::string all;
        for (const std::string& tag : tags_)
            if (all.size() < kKeptMax * kTagLetters) all += tag;
        return all;
    }

  private:
    static constexpr std::size_t kTagLetters = 12;
    static constexpr std::size_t kKeptMax = 128;
    std::set<std::string> tags_;
};

/// Where a page begins: behind the entry named last, and what was told by then.
struct Place {
    std::string_view last;
    std::string_view told;
};
Place place_in(std::string_view cursor) {
    const auto blank = std::min(cursor.find(' '), cursor.size());
    return {cursor.substr(0, blank), cursor.substr(std::min(blank + 1, cursor.size()))};
}

struct Item {
    std::string reference;
    std::string body;
    std::string_view mode;
};

/// Adds the house's resources that a body refers to, each once.
Answer<void> add_referred(Sight& sight, const Wanted& wanted, std::string_view body, Told& told,
                          std::vector<Item>& page) {
    auto document = TRY(fhir::parse(body));
    std::set<std::string> references;
    const auto collected = relinked(
        document.arena, document.root,
        [&](std::string_view link, bool is_reference) -> Answer<std::optional<std::string>> {
            if (is_reference && is_literal_reference(link)) references.emplace(link);
            return std::optional<std::string>();
        });
    if (!collected) return std::unexpected(collected.error());
    for (const std::string& reference : references) {
        const auto slash = reference.find('/');
        const std::string type = reference.substr(0, slash);
        if (!wanted.types.empty() && !wanted.types.contains(type)) continue;
        const auto found = sight.open(event::Action::Read, type, reference.substr(slash + 1));
        if (!found || !found->record->patient().empty() || found->entry.deleted) continue;
        if (!told.add(reference)) continue;
        vault::Version version = TRY(sight.desk().rooms.vault.read(*found));
        page.push_back({reference, std::move(version.body), "include"});
    }
    return {};
}

}  // namespace

Answer<Disclosure> everything(Desk& desk, const Call& call) {
    constexpr std::array<std::string_view, 5> kKnown = {"_since", "_type", "_count", "start",
                                                        "end"};
    const OperationInput input = TRY(read_input(call, kKnown));
    const Wanted wanted = TRY(wanted_of(input));
    Sight sight(desk, call);
    const auto patient = TRY(sight.open(event::Action::Read, "Patient", call.target.id));
    const auto reasons = sight.reasons();
    const auto entries = TRY(open_entries(sight, *patient.record, wanted));
    const Place place = place_in(call.cursor.last);
    const auto at = std::ranges::upper_bound(entries, place.last, {}, reference_of);
    BundleWriter writer("searchset", desk.options.base);
    writer.total(entries.size());
    writer.link("self", self_link(desk, call));
    const auto left = static_cast<std::size_t>(entries.end() - at);
    const auto end = at + static_cast<std::ptrdiff_t>(std::min(wanted.count, left));
    const std::span<const vault::Found> shown(at, end);
    Told told(place.told);
    std::vector<Item> page;
    for (const vault::Found& one : shown) {
        std::string body = TRY(desk.rooms.vault.read(one)).body;
        sight.narrow(one, body);
        page.push_back({reference_of(one), body, "match"});
        TRY_STATUS(add_referred(sight, wanted, body, told, page));
    }
    if (end != entries.end() && end != at)
        writer.link("next", page_link(desk, call, input.texts,
                                      {.last = reference_of(*(end - 1)) + ' ' + told.text()}));
    for (const Item& item : page) {
        writer.add({.reference = item.reference, .resource = item.body, .search_mode = item.mode});
        TRY_STATUS(writer.check_size());
    }
    event::Event e = event_of(desk, call, event::Type::RecordRead, patient.record->patient(),
                              reference_to("Patient", call.target.id));
    e.query = call.asked;
    add_basis(e, reasons);
    add_glasses(sight, event::Action::Read, shown, {&e, 1});
    return Disclosure{json_response(call, 200, writer.finish()), only(std::move(e))};
}

}  // namespace hygie::records
