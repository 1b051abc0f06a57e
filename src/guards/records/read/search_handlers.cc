#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "fhir/data/schema.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/request/bundle.h"
#include "guards/records/request/shaping.h"
#include "guards/records/sight/reach.h"
#include "guards/records/sight/search.h"
#include "vault/body.h"
#include "vault/indexing.h"
#include "vault/unassigned.h"

/// Searches: one type, several types, or a compartment.
namespace hygie::records {

namespace {

constexpr std::size_t kTypesMax = 32;

/// What is searched, and where.
struct Wanted {
    std::vector<std::string> types{};
    bool are_named = true;  ///< the types are the asker's own words, not all that there are
    std::string patient{};  ///< empty: everywhere
    Parameters parameters{};
    std::string_view compartment{};  ///< of what type, when it is another than a patient's
    std::string_view id{};
};

std::unexpected<Refusal> no_types() {
    return refuse(400, "required",
                  {"une recherche sans type nomme les types voulus",
                   "a search without a type names the types that are wanted"},
                  {fmt::format("ajoutez _type=Type,Type (au plus {})", kTypesMax),
                   fmt::format("add _type=Type,Type (at most {})", kTypesMax)});
}

Answer<std::vector<std::string>> types_in(std::string_view list) {
    std::vector<std::string> types;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const std::string_view type = list.substr(0, comma);
        const auto target = parse_target(type);
        if (!target || target->shape != Shape::Type || types.size() == kTypesMax) return no_types();
        types.emplace_back(type);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    if (types.empty()) return no_types();
    return types;
}

bool contains(const std::vector<std::string>& types, std::string_view type) {
    return std::ranges::find(types, type) != types.end();
}

std::vector<std::string> types_of_compartment(std::string_view compartment) {
    std::vector<std::string> types;
    if (compartment == "Patient") types.emplace_back(compartment);
    for (const fhir::TypeDef* type : fhir::resource_types()) {
        const bool is_in = !fhir::compartment_params(compartment, type->name).empty();
        if (is_in && !is_from_ledger(type->name) && !contains(types, type->name))
            types.emplace_back(type->name);
    }
    return types;
}

/// Where "Practitioner/1/Encounter" looks.
Answer<void> enter_compartment(const Target& target, Wanted& wanted) {
    const auto types = types_of_compartment(target.type);
    // A patient's record holds more types than FHIR's compartment: tasks, devices.
    const bool is_there = target.name == "*"
                              ? !types.empty()
                              : contains(types, target.name) ||
                                    (target.type == "Patient" && vault::is_in_records(target.name));
    if (!is_there)
        return refuse(404, "not-supported",
                      {"il n'y a pas de compartiment de ce nom, ou il ne contient pas ce type",
                       "there is no compartment of that name, or it does not hold this type"},
                      {"voyez rest.compartment dans GET [base]/metadata, ou cherchez par type",
                       "see rest.compartment in GET [base]/metadata, or search by type"});
    if (target.name != "*") wanted.types = {target.name};
    if (target.type == "Patient") {
        wanted.patient = target.id;
    } else {
        wanted.compartment = target.type;
        wanted.id = target.id;
    }
    return {};
}

/// The compartment of something within one patient's record looks nowhere else.
void stay_in_record(Sight& sight, Wanted& wanted) {
    if (wanted.compartment.empty()) return;
    const auto found = sight.open(event::Action::Read, wanted.compartment, wanted.id);
    if (found && vault::is_of_patient(found->record->patient()))
        wanted.patient = found->record->patient();
}

Answer<Wanted> wanted_of(const Call& call) {
    Wanted wanted{.parameters = call.parameters};
    const Target& target = call.target;
    const bool in_compartment =
        target.shape == Shape::Compartment || target.shape == Shape::CompartmentSearch;
    if (in_compartment) {
        TRY_STATUS(enter_compartment(target, wanted));
    } else if (!target.type.empty()) {
        wanted.types = {target.type};
    }
    if (!wanted.types.empty()) return wanted;
    if (const auto list = value_of(wanted.parameters, "_type"); !list.empty()) {
        wanted.types = TRY(types_in(list));
        std::erase_if(wanted.parameters,
                      [](const Parameter& parameter) { return parameter.name == "_type"; });
    } else if (in_compartment) {
        wanted.types = types_of_compartment(target.type);
        wanted.are_named = false;
    } else {
        return no_types();
    }
    return wanted;
}

/// "http.birthdate": the first parameter that cannot be understood, when it is one of R4.
std::string expression_of(std::string_view type, const Parameters& parameters,
                          const fhir::QueryOptions& options) {
    const auto wrong = std::ranges::find_if(parameters, [&](const Parameter& parameter) {
        return !fhir::parse_query(type, {&parameter, 1}, options);
    });
    if (wrong == parameters.end()) return {};
    const std::string_view name(wrong->name);
    const auto* known = fhir::find_search_param(type, name.substr(0, name.find_first_of(":.")));
    return known ? fmt::format("http.{}", known->code) : std::string();
}

Answer<fhir::Query> query_of(const Desk& desk, const Call& call, const Wanted& wanted,
                             std::string_view type) {
    const fhir::QueryOptions options{
        .lenient = call.wishes.lenient, .base = desk.options.base, .now = desk.rooms.clock.now()};
    auto query = fhir::parse_query(type, wanted.parameters, options);
    if (!query) {
        Refusal refusal(query.error());
        refusal.issues.front().expression = expression_of(type, wanted.parameters, options);
        return std::unexpected(std::move(refusal));
    }
    if (!wanted.compartment.empty())
        if (auto within = fhir::in_compartment(wanted.compartment, wanted.id, query->type))
            query->all.push_back(*std::move(within));
    if (wanted.types.size() > 1 && (!query->sort.empty() || !query->includes.empty()))
        return refuse(400, "not-supported",
                      {"_sort et _include demandent un seul type",
                       "_sort and _include ask for a single type"},
                      {"cherchez type par type", "search type by type"});
    return *std::move(query);
}

/// A page over one type after the other, and the place where the next one begins.
struct Collected {
    Searched searched{};  ///< of all types together
    std::optional<Cursor> next{};
    fhir::Query query{};  ///< of the last type: what all have in common
};

/// Searches one type of several: types before the cursor and behind a full page are only counted.
Answer<void> collect(Sight& sight, const Wanted& wanted, std::size_t number, Collected& into) {
    const Cursor& cursor = sight.call().cursor;
    fhir::Query query = TRY(query_of(sight.desk(), sight.call(), wanted, wanted.types[number]));
    if (wanted.are_named) TRY_STATUS(check_reach(sight.desk(), sight.call(), query));
    vault::Page& all = into.searched.page;
    const bool is_full = into.next || (all.page.size() >= query.count && number > cursor.offset);
    const bool counts_only = is_full || number < cursor.offset;
    into.query = query;
    if (counts_only) {
        query.summary = fhir::Query::Summary::Count;
    } else {
        query.count -= std::min(query.count, all.page.size());
        if (number == cursor.offset) query.position = cursor.last;
    }
    auto searched = TRY(run_search(sight, query, wanted.patient));
    all.total += searched.page.total;
    if (!counts_only && !searched.page.next.empty()) into.next = Cursor{number, searched.page.next};
    if (is_full && !into.next && searched.page.total > 0) into.next = Cursor{number, {}};
    std::ranges::move(searched.page.page, std::back_inserter(all.page));
    std::ranges::move(searched.page.included, std::back_inserter(all.included));
    all.is_partial = all.is_partial || searched.page.is_partial;
    into.searched.closed_count = std::max(into.searched.closed_count, searched.closed_count);
    if (into.searched.closed.empty()) into.searched.closed = std::move(searched.closed);
    return {};
}

/// Of what surrounds a resource in a Bundle, about; and what is made room for ahead at most.
constexpr std::size_t kEntryBytes = 256;
constexpr std::size_t kExpectedMax = 1 << 20;

Answer<void> add_bodies(Sight& sight, BundleWriter& writer, const std::vector<vault::Found>& found,
                        std::string_view mode, const Extent& extent) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto body = TRY(sight.desk().rooms.vault.body(found[i]));
        const std::string reference = reference_to(found[i].entry.type, found[i].entry.id);
        std::string part;
        const bool is_whole = extent.is_whole() && !sight.is_narrowed(found[i]);
        if (!is_whole) {
            part = body->text;
            sight.narrow(found[i], part);
            part = shaped(std::move(part), extent);
        }
        const std::string_view shown = is_whole ? std::string_view(body->text) : part;
        // Resources of one type are about as long as one another.
        if (i == 0)
            writer.expect(std::min(found.size() * (shown.size() + kEntryBytes), kExpectedMax));
        writer.add({.reference = reference, .resource = shown, .search_mode = mode});
        TRY_STATUS(writer.check_size());
    }
    return {};
}

std::string self_link(const Desk& desk, const Call& call, const fhir::Query& query) {
    std::string path = path_below_base(desk, call);
    if (const auto end = path.rfind("/_search"); end != path.npos) path.erase(end);
    Parameters parameters = query.used;
    if (call.target.type.empty() || call.target.name == "*")
        if (const auto types = value_of(call.parameters, "_type"); !types.empty())
            parameters.insert(parameters.begin(), {"_type", std::string(types)});
    const std::string used = print_query(parameters);
    return desk.options.base + path + (used.empty() ? "" : "?") + used;
}

/// Tells that there may be more than is shown. Which records were left out is said of none: neither
/// those that are closed nor those that are absent count (vault::Page).
void add_partial(BundleWriter& writer, const Call& call) {
    const std::string outcome = outcome_json(
        {{Severity::Warning,
          "incomplete",
          {"cette réponse est incomplète : ce que cette recherche joint ou suit se trouve dans "
           "plus de 2 000 dossiers, et n'a pas été consulté",
           "this answer is not complete: what this search includes or follows lies in more than "
           "2,000 records, and was not looked into"},
          {"précisez la recherche, ou demandez ces ressources par une recherche à part",
           "narrow the search, or ask for those resources with a search of their own"}}},
        call.wishes.lang);
    writer.add({.resource = outcome, .search_mode = "outcome"});
}

/// Whether the total is one: not where what decides about hits was not looked into.
bool knows_total(const vault::Page& page, const fhir::Query& query) {
    const bool follows = std::ranges::any_of(
        query.all, [](const fhir::Criterion& one) { return !one.inner.empty(); });
    if (page.is_partial && follows) return query.total == fhir::Query::Total::Estimate;
    return query.total != fhir::Query::Total::None;
}

}  // namespace

Answer<Disclosure> search(Desk& desk, const Call& call) {
    Wanted wanted = TRY(wanted_of(call));
    Sight sight(desk, call);
    stay_in_record(sight, wanted);
    Collected collected;
    for (std::size_t i = 0; i < wanted.types.size(); ++i)
        TRY_STATUS(collect(sight, wanted, i, collected));
    const fhir::Query& query = collected.query;
    const vault::Page& page = collected.searched.page;
    BundleWriter writer("searchset", desk.options.base);
    if (knows_total(page, query)) writer.total(page.total);
    writer.link("self", self_link(desk, call, query));
    if (query.summary != fhir::Query::Summary::Count) {
        const Extent extent{query.summary, query.elements};
        if (collected.next) writer.link("next", page_link(desk, call, *collected.next));
        TRY_STATUS(add_bodies(sight, writer, page.page, "match", extent));
        TRY_STATUS(add_bodies(sight, writer, page.included, "include", extent));
    }
    if (!query.left_out.empty()) {
        const std::string outcome = left_out_outcome(call.wishes.lang);
        writer.add({.resource = outcome, .search_mode = "outcome"});
    }
    if (page.is_partial) add_partial(writer, call);
    std::vector<vault::Found> shown = page.page;
    shown.insert(shown.end(), page.included.begin(), page.included.end());
    return Disclosure{json_response(call, 200, writer.finish()),
                      search_events(sight, shown, collected.searched, wanted.patient)};
}

}  // namespace hygie::records
