#include "guards/records/request/bounds.h"

#include "access/decide/circle_scope.h"
#include "access/decide/scope_query.h"
#include "fhir/search/search_run.h"

namespace hygie::records {
namespace {

using Ids = std::set<std::string, std::less<>>;

/// What matches one of the searches; nothing when one cannot be run.
Ids matching(const fhir::Compartment& compartment, const std::vector<fhir::Query>& searches) {
    const fhir::Compartment* const only[] = {&compartment};
    Ids ids;
    for (const fhir::Query& query : searches)
        if (const auto hits = fhir::run(query, fhir::Space{.compartments = only}))
            for (const fhir::Hit& hit : hits->page) ids.emplace(hit.entry.id);
    return ids;
}

}  // namespace

Bounds::Bounds(const access::Actor& actor, WallTime now) {
    for (const std::string& text : actor.scopes) {
        const auto scope = access::parse_scope(text);
        if (!scope || scope->query.empty()) continue;
        for (const auto action : {event::Action::Read, event::Action::Execute}) {
            Searches& all = action == event::Action::Read ? read_ : searched_;
            const auto bounds = access::bounds_of(actor, action, scope->type);
            if (bounds.empty() || all.contains(scope->type)) continue;
            // One that cannot be understood any more leaves nothing.
            std::vector<fhir::Query>& searches = all[scope->type];
            for (const access::Scope& bound : bounds)
                if (auto query = access::search_of(bound, now))
                    searches.push_back(*std::move(query));
        }
    }
}

bool Bounds::bind(event::Action action, std::string_view type) const {
    if (action != event::Action::Read && action != event::Action::Execute) return false;
    return searches_of(action).contains(type);
}

bool Bounds::leave(const vault::Record& record, event::Action action, std::string_view type,
                   std::string_view id) {
    if (!bind(action, type)) return true;
    const auto searches = searches_of(action).find(type);
    const auto [known, is_new] =
        known_.try_emplace({std::string(record.patient()), &searches->second});
    if (is_new) known->second = matching(record.index(), searches->second);
    return known->second.contains(id);
}

std::optional<fhir::Compartment> Bounds::narrowed(const fhir::Compartment& seen) const {
    if (searched_.empty()) return std::nullopt;
    std::map<std::string_view, Ids> left;
    for (const auto& [type, searches] : searched_) left.emplace(type, matching(seen, searches));
    return seen.without([&](const fhir::Segment& segment, std::size_t index) {
        const fhir::ResourceEntry entry = segment.entry(index);
        const auto ids = left.find(entry.type);
        return ids != left.end() && !ids->second.contains(entry.id);
    });
}

}  // namespace hygie::records
