#include <fmt/format.h>

#include <algorithm>

#include "fhir/search/search_scan.h"

namespace hygie::fhir {
namespace {

class Includer {
  public:
    Includer(const Places& places, const Space& space, const Query& query)
        : places_(places), space_(space), query_(query) {}

    Result<std::vector<Hit>> run(const std::vector<Hit>& page) {
        for (const auto& hit : page) seen_.insert(name_of(hit.entry));
        Frontier frontier = page;
        for (bool first = true; !frontier.empty(); first = false) {
            Frontier next;
            for (const auto& include : query_.includes) {
                // Only ":iterate" goes on from what was included.
                if (!first && !include.iterate) continue;
                include.reverse ? backwards(include, frontier, next)
                                : forwards(include, frontier, next);
                if (found_.size() + next.size() > kIncludedMax) return too_many();
            }
            found_.insert(found_.end(), next.begin(), next.end());
            frontier = std::move(next);
        }
        return std::move(found_);
    }

  private:
    using Frontier = std::vector<Hit>;
    using Name = std::pair<std::string_view, std::string_view>;

    bool may_show(std::size_t compartment, std::string_view type) {
        if (!space_.includes) return true;
        const auto [known, is_new] = shown_.try_emplace({compartment, type}, false);
        if (is_new) known->second = space_.includes(compartment, type);
        return known->second;
    }

    static Name name_of(const ResourceEntry& entry) { return {entry.type, entry.id}; }

    static std::unexpected<Error> too_many() {
        return fail(
            Code::Full,
            {fmt::format("La page entraînerait plus de {} inclusions.", kIncludedMax),
             fmt::format("The page would bring along more than {} resources.", kIncludedMax)},
            {"Demander des pages plus courtes (_count) ou moins d'inclusions.",
             "Ask for shorter pages (_count) or fewer includes."});
    }

    /// The columns that an include reads.
    std::vector<Source> sources_of(const Include& include) const {
        const TypePlan& plan = *plan_of(include.source);
        if (include.param != nullptr) return plan.of(*include.param)->sources;
        std::vector<Source> all;
        for (const auto& param : plan.params) {
            if (param.param->type == SearchParam::Type::Reference && param.has_own_column()) {
                all.push_back({param.param->number, {}});
            }
        }
        return all;
    }

    /// Calls `use(place, reference, entries)` for the references that an include is about.
    template <typename Use>
    void for_references(const Include& include, Use&& use) const {
        const auto sources = sources_of(include);
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto& data = *places_[i].data;
            const auto type = data.type_named(include.source);
            if (type == data.types.size()) continue;
            for_columns(data, type, sources, [&](Values& values, const auto& source) {
                while (values.kind() == CellKind::Reference && values.next()) {
                    const auto& to = std::get<Reference>(values.value());
                    const bool other = to.type.empty() ||
                                       (!source.target.empty() && to.type != source.target) ||
                                       (!include.target.empty() && to.type != include.target);
                    if (!other) use(i, Name{to.type, to.id}, values.entries());
                }
            });
        }
    }

    void forwards(const Include& include, const Frontier& frontier, Frontier& next) {
        std::set<Name> from;
        for (const auto& hit : frontier) {
            if (hit.entry.type == include.source) from.insert(name_of(hit.entry));
        }
        if (from.empty()) return;
        for_references(include, [&](std::size_t at, const Name& name, auto entries) {
            if (seen_.contains(name)) return;
            const auto& place = places_[at];
            const bool asked = std::ranges::any_of(entries, [&](auto entry) {
                return place.piece->is_live(entry) &&
                       from.contains(name_of(place.piece->segment->entry(entry)));
            });
            if (asked) add(name, next);
        });
    }

    void backwards(const Include& include, const Frontier& frontier, Frontier& next) {
        std::set<Name> to;
        for (const auto& hit : frontier) to.insert(name_of(hit.entry));
        for_references(include, [&](std::size_t at, const Name& name, auto entries) {
            const auto& place = places_[at];
            if (!to.contains(name) || !may_show(place.compartment, include.source)) return;
            for (const auto entry : entries) {
                if (!place.piece->is_live(entry)) continue;
                const auto found = place.piece->segment->entry(entry);
                if (seen_.insert(name_of(found)).second) next.push_back({place.compartment, found});
            }
        });
    }

    void add(const Name& name, Frontier& next) {
        for (const auto& place : places_) {
            const auto index = place.piece->segment->find(name.first, name.second);
            if (!index || !place.piece->is_live(*index) || !may_show(place.compartment, name.first))
                continue;
            const auto entry = place.piece->segment->entry(*index);
            if (seen_.insert(name_of(entry)).second) next.push_back({place.compartment, entry});
            return;
        }
    }

    const Places& places_;
    const Space& space_;
    const Query& query_;
    std::map<std::pair<std::size_t, std::string_view>, bool> shown_;
    std::set<Name> seen_;
    std::vector<Hit> found_;
};

}  // namespace

Result<std::vector<Hit>> included(const Places& places, const Space& space,
                                  const std::vector<Hit>& page, const Query& query) {
    if (query.includes.empty() || page.empty()) return std::vector<Hit>{};
    return Includer(places, space, query).run(page);
}

}  // namespace hygie::fhir
