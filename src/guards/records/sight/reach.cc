#include "guards/records/sight/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "access/decide/circle.h"
#include "access/decide/circle_words.h"
#include "guards/records/sight/sight.h"
#include "vault/indexing.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

using access::Rule;

/// Nobody's record: what is refused there for scope or role is refused everywhere.
constexpr std::string_view kNobody = "-";

Rule rule_on(const Desk& desk, const Call& call, std::string_view type, std::string_view patient) {
    return static_cast<Rule>(judge(desk, call,
                                   {.action = event::Action::Execute,
                                    .type = type,
                                    .patient = patient,
                                    .by_person = true,
                                    .now = desk.rooms.clock.now()})
                                 .rule);
}

/// Scope or Ceiling where no resource of the type can be shown to the asker; none elsewhere.
std::optional<Rule> bar_on(const Desk& desk, const Call& call, std::string_view type) {
    const auto is_bar = [](Rule rule) { return rule == Rule::Scope || rule == Rule::Ceiling; };
    const bool in_house = type != "Patient" && !vault::speaks_of_patients(type);
    if (in_house && !is_bar(rule_on(desk, call, type, {}))) return std::nullopt;
    const Rule rule = vault::is_in_records(type) ? rule_on(desk, call, type, kNobody)
                                                 : rule_on(desk, call, type, {});
    return is_bar(rule) ? std::optional(rule) : std::nullopt;
}

/// What a token would need.
std::string scope_for(const access::Actor& actor, std::string_view type) {
    const std::string_view reach = actor.role == access::Role::Program   ? "system"
                                   : actor.role == access::Role::Patient ? "patient"
                                                                         : "user";
    return fmt::format("{}/{}.s", reach, type);
}

Refusal out_of_reach(const Call& call, Rule rule, std::string_view type) {
    const access::Outcome outcome{.rule = rule};
    Refusal refusal(403, "forbidden", access::sentence_of(outcome), {});
    if (rule == Rule::Scope) {
        const std::string scope = scope_for(call.actor, type);
        refusal.issues.front().remedy = {fmt::format("demandez un jeton avec la portée {}", scope),
                                         fmt::format("ask for a token with the scope {}", scope)};
        refusal.headers.emplace_back(
            "WWW-Authenticate",
            fmt::format(R"(Bearer realm="hygie", error="insufficient_scope", scope="{}")", scope));
    } else {
        refusal.issues.front().remedy = {
            fmt::format("ne cherchez pas dans {} avec ce compte", type),
            fmt::format("do not search {} with this account", type)};
    }
    refusal.reasons = {
        {.id = access::reason_id(outcome), .text = access::sentence_of(outcome), .evidence = {}}};
    return refusal;
}

/// Where an include without a target type may lead, one way open is enough.
Answer<void> check_targets(const Desk& desk, const Call& call, const fhir::Include& include) {
    if (!include.target.empty()) return check_reach(desk, call, include.target);
    if (!include.param || include.param->targets.empty()) return {};
    Answer<void> last;
    for (const std::string_view target : include.param->targets) {
        last = check_reach(desk, call, target);
        if (last) return last;
    }
    return last;
}

}  // namespace

Answer<void> check_reach(const Desk& desk, const Call& call, std::string_view type) {
    if (const auto bar = bar_on(desk, call, type))
        return std::unexpected(out_of_reach(call, *bar, type));
    return {};
}

Answer<void> check_reach(const Desk& desk, const Call& call, const fhir::Query& query) {
    fhir::Query without = query;
    without.includes.clear();
    for (const std::string_view type : fhir::types_touched(without))
        TRY_STATUS(check_reach(desk, call, type));
    for (const fhir::Include& include : query.includes) {
        // Whatever refers: that some of it stays closed is understood.
        if (include.reverse && include.param == nullptr) continue;
        TRY_STATUS(check_reach(desk, call, include.source));
        if (!include.reverse) TRY_STATUS(check_targets(desk, call, include));
    }
    return {};
}

}  // namespace hygie::records
