#include "guards/records/write/plan.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_set>

#include "fhir/search/search_single.h"
#include "fhir/validate/validate.h"
#include "guards/records/notices/subscription.h"
#include "guards/records/request/references.h"
#include "guards/records/sight/reach.h"
#include "guards/records/sight/search.h"
#include "guards/records/write/checks.h"
#include "guards/records/write/identity.h"
#include "guards/records/write/patching.h"

namespace hygie::records {

namespace {

using event::Action;
using Kind = Change::Kind;

Action action_of(Kind kind) {
    return kind == Kind::Delete ? Action::Delete : Action::Update;
}

std::unexpected<Refusal> refuse_step(const Step& step, int status, std::string_view code, Text what,
                                     Text remedy) {
    return refuse(status, code, std::move(what), std::move(remedy), step.change.expression);
}

std::unexpected<Refusal> changed_since(const Step& step) {
    return refuse_step(step, 412, "conflict",
                       {"la ressource a changé depuis cette version",
                        "the resource has changed since that version"},
                       {"relisez-la, puis recommencez", "read it again, then try again"});
}

std::unexpected<Refusal> many_matches(const Step& step) {
    return refuse_step(
        step, 412, "multiple-matches",
        {"la condition désigne plusieurs ressources", "the condition means several resources"},
        {"précisez-la", "make it more precise"});
}

/// People get the ids that the server gives: a free id of their choice would be told from one that
/// is closed to them. Programs bring the ids of the base they replace.
bool may_choose_id(const Call& call) {
    return call.actor.role == access::Role::Program;
}

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};
using Names = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;

std::set<std::string> identities_of(const Step& step) {
    const auto names = identity_names(step.change);
    return {names.begin(), names.end()};
}

class Planner {
  public:
    Planner(Sight& sight, Work& work) : sight_(sight), work_(work) {}

    Answer<Plan> make() {
        for (Change& change : work_.changes) plan_.steps.push_back({.change = std::move(change)});
        TRY_STATUS(hold_conditions());
        // What is deleted goes first (https://hl7.org/fhir/R4/http.html#trules).
        for (Step& step : plan_.steps)
            if (step.change.kind == Kind::Delete) TRY_STATUS(resolve(step));
        for (Step& step : plan_.steps)
            if (step.change.kind != Kind::Delete) TRY_STATUS(resolve(step));
        TRY_STATUS(check_distinct());
        for (Step& step : plan_.steps) {
            if (step.has_body()) TRY_STATUS(settle(step));
        }
        return std::move(plan_);
    }

  private:
    Answer<void> hold_conditions();
    Answer<void> resolve(Step& step);
    Answer<void> resolve_condition(Step& step);
    Answer<void> resolve_nothing(Step& step);
    Answer<void> resolve_target(Step& step);
    Answer<void> check_version(const Step& step);
    Answer<void> check_id(const Step& step);
    Answer<void> check_distinct();
    Answer<void> settle(Step& step);
    Answer<std::optional<std::string>> relink(const Step& step, std::string_view link,
                                              bool is_reference);
    std::optional<std::string> beside(const Step& step, std::string_view link) const;
    Answer<std::string> conditional_reference(const Step& step, std::string_view link);
    /// Of one type: what this writes, and the ids of all that it changes.
    struct Written {
        fhir::Compartment now{};
        std::set<std::string> changed{};
        const Step* wrong = nullptr;  ///< the first whose body is invalid: it cannot be searched
    };
    const Written& written_of(std::string_view type);
    Answer<std::vector<std::string>> meant_by(std::string_view type, const Parameters& criteria);
    Answer<fhir::Query> query_of(std::string_view type, const Parameters& criteria) const;
    Answer<std::vector<vault::Found>> matches_of(std::string_view type, const Parameters& criteria,
                                                 std::size_t most);

    Sight& sight_;
    Work& work_;
    Plan plan_;
    Names names_;                              ///< fullUrl → "Type/id"
    Names conditions_;                         ///< "Type?query" → "Type/id"
    std::unordered_set<std::string> deleted_;  ///< "Type/id" of what goes
    std::map<std::string, Written, std::less<>> written_;
};

Answer<void> Planner::hold_conditions() {
    std::vector<std::string> names;
    for (const Step& step : plan_.steps) {
        if (step.change.criteria)
            names.push_back(step.change.type + '?' + print_query(*step.change.criteria));
    }
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end())
        return refuse(400, "duplicate",
                      {"deux entrées ont la même condition", "two entries have one condition"},
                      {"gardez-en une", "keep one of them"}, "Bundle.entry");
    std::set<std::string> all(names.begin(), names.end());
    for (const Step& step : plan_.steps) all.merge(identities_of(step));
    if (all.empty()) return {};
    plan_.pass = sight_.desk().gate->enter({all.begin(), all.end()});
    if (plan_.pass) return {};
    return refuse(409, "conflict",
                  {"une demande avec la même condition est en cours",
                   "a request with the same condition is under way"},
                  {"recommencez dans un instant", "try again in a moment"});
}

Answer<void> Planner::resolve(Step& step) {
    if (step.change.criteria) {
        TRY_STATUS(resolve_condition(step));
    } else if (step.change.kind == Kind::Create) {
        TRY_STATUS(resolve_nothing(step));
    } else {
        TRY_STATUS(resolve_target(step));
    }
    if (!step.change.full_url.empty() && step.change.kind != Kind::Delete)
        names_.emplace(step.change.full_url, step.reference());
    if (step.change.kind == Kind::Delete && !step.is_idle) deleted_.insert(step.reference());
    return {};
}

Answer<fhir::Query> Planner::query_of(std::string_view type, const Parameters& criteria) const {
    const Desk& desk = sight_.desk();
    return TRY(fhir::parse_query(type, criteria,
                                 {.base = desk.options.base, .now = desk.rooms.clock.now()}));
}

/// A condition over what the asker can never find would be taken for one that nothing meets.
Answer<std::vector<vault::Found>> Planner::matches_of(std::string_view type,
                                                      const Parameters& criteria,
                                                      std::size_t most) {
    const fhir::Query query = TRY(query_of(type, criteria));
    TRY_STATUS(check_reach(sight_.desk(), sight_.call(), query));
    return find_matches(sight_, type, criteria, most);
}

Answer<void> Planner::resolve_condition(Step& step) {
    auto matches = TRY(matches_of(step.change.type, *step.change.criteria, 2 + deleted_.size()));
    std::erase_if(matches, [&](const vault::Found& one) {
        return deleted_.contains(reference_to(one.entry.type, one.entry.id));
    });
    if (matches.size() > 1) return many_matches(step);
    if (matches.empty()) return resolve_nothing(step);
    const std::string id(matches.front().entry.id);
    if (step.change.kind == Kind::Create) {
        step.change.id = id;
        step.before = std::move(matches.front());
        step.is_idle = true;
        return {};
    }
    const std::string_view written = step.change.body["id"].text();
    if (step.change.kind == Kind::Update && !written.empty() && written != id)
        return refuse_step(step, 400, "invalid",
                           {"la condition désigne une autre ressource que l'id de celle-ci",
                            "the condition means another resource than the id of this one"},
                           {"ôtez l'id, ou corrigez-le", "leave the id out, or mend it"});
    step.change.id = id;
    return resolve_target(step);
}

/// A condition that means nothing, or a plain creation.
Answer<void> Planner::resolve_nothing(Step& step) {
    switch (step.change.kind) {
        case Kind::Update: {
            const std::string_view id = step.change.body["id"].text();
            if (!id.empty()) {
                step.change.id = id;
                return resolve_target(step);
            }
            if (!step.change.if_match.empty()) return changed_since(step);
            break;
        }
        case Kind::Delete:
            step.is_idle = true;
            return {};
        case Kind::JsonPatch:
        case Kind::PathPatch:
            return std::unexpected(not_found());
        case Kind::Create:
            break;
    }
    step.change.id = sight_.desk().rooms.vault.new_id();
    step.is_new = true;
    return {};
}

Answer<void> Planner::resolve_target(Step& step) {
    const Change& change = step.change;
    if (change.kind == Kind::Update) TRY_STATUS(check_id(step));
    auto found = sight_.open(action_of(change.kind), change.type, change.id);
    if (!found) {
        const bool is_absent = found.error().status == 404 && found.error().reasons.empty();
        const bool makes_it = change.kind == Kind::Update && is_absent && change.if_match.empty() &&
                              may_choose_id(sight_.call());
        if (!makes_it) return std::unexpected(std::move(found.error()));
        step.is_new = true;
        return {};
    }
    step.before = *std::move(found);
    step.is_new = step.before->entry.deleted;
    // Deleting what is deleted changes nothing.
    step.is_idle = step.is_new && change.kind == Kind::Delete;
    return step.is_idle ? Answer<void>() : check_version(step);
}

Answer<void> Planner::check_version(const Step& step) {
    const Change& change = step.change;
    const bool is_patch = change.kind == Kind::JsonPatch || change.kind == Kind::PathPatch;
    if (step.is_new && is_patch)
        return refuse_step(
            step, 410, "deleted", {"cette ressource a été supprimée", "this resource was deleted"},
            {"écrivez-la en entier pour la rétablir", "write it whole to bring it back"});
    const std::uint32_t version = step.before->entry.version;
    // What is deleted has no current representation, which "*" asks for (RFC 9110 §13.1.1).
    const bool is_met =
        change.if_match != "*" ? has_version(change.if_match, version) : !step.is_new;
    if (!change.if_match.empty() && !is_met) return changed_since(step);
    if (step.is_new) return {};
    if (has_version(change.if_none_match, version))
        return refuse_step(
            step, 412, "conflict", {"cette ressource existe déjà", "this resource already exists"},
            {"ôtez If-None-Match pour la modifier", "leave out If-None-Match to change it"});
    if (change.kind == Kind::Update && change.if_match.empty() && !change.criteria)
        return refuse_step(step, 428, "required",
                           {"une mise à jour dit quelle version elle remplace",
                            "an update says which version it replaces"},
                           {"ajoutez If-Match avec l'ETag de la dernière lecture",
                            "add If-Match with the ETag of the last read"});
    return {};
}

Answer<void> Planner::check_id(const Step& step) {
    const std::string_view id = step.change.body["id"].text();
    // Whom a condition names needs no id in the body.
    if (id == step.change.id || (id.empty() && step.change.criteria)) return {};
    return refuse_step(step, 400, "invalid",
                       {"l'id de la ressource n'est pas celui de l'adresse",
                        "the id of the resource is not that of the URL"},
                       {"écrivez le même aux deux endroits", "write the same in both"});
}

Answer<void> Planner::check_distinct() {
    std::unordered_set<std::string> touched;
    for (const Step& step : plan_.steps) {
        if (step.is_idle || touched.insert(step.reference()).second) continue;
        return refuse_step(
            step, 400, "duplicate",
            {"deux entrées modifient la même ressource", "two entries change the same resource"},
            {"réunissez-les en une", "make one of them"});
    }
    return {};
}

/// The resource as it will be stored, but for meta.
Answer<void> Planner::settle(Step& step) {
    if (step.change.kind == Kind::JsonPatch || step.change.kind == Kind::PathPatch) {
        const vault::Version current = TRY(sight_.desk().rooms.vault.read(*step.before));
        step.change.body = TRY(patched(work_.arena, current.body, step.change));
        // A patch that changes nothing makes no version.
        step.is_idle = step.change.body == TRY(work_.arena.parse(current.body));
        if (step.is_idle) return {};
    }
    step.change.body =
        TRY(relinked(work_.arena, step.change.body, [&](std::string_view link, bool is_reference) {
            return relink(step, link, is_reference);
        }));
    step.change.body = work_.arena.with(step.change.body, "id", work_.arena.string(step.change.id));
    if (step.change.type == "Subscription") {
        Prepared prepared =
            prepare_subscription(sight_.desk(), sight_.call(), work_.arena, step.change.body);
        step.change.body = prepared.body;
        step.headers = std::move(prepared.headers);
    }
    return {};
}

/// "Patient/1" in an entry that was http://a.example/fhir/Observation/2 means the entry that was
/// http://a.example/fhir/Patient/1, whatever Patient/1 is here and whichever version of it is meant
/// (https://hl7.org/fhir/R4/bundle.html#references).
std::optional<std::string> Planner::beside(const Step& step, std::string_view link) const {
    const std::string_view own(step.change.full_url);
    const auto root = own.substr(0, own.rfind(step.change.type + '/'));
    if (!own.starts_with("http") || !root.ends_with('/')) return std::nullopt;
    const auto named =
        names_.find(std::string(root) + std::string(link.substr(0, link.find("/_history/"))));
    return named == names_.end() ? std::nullopt : std::optional(named->second);
}

Answer<std::optional<std::string>> Planner::relink(const Step& step, std::string_view link,
                                                   bool is_reference) {
    if (const auto named = names_.find(link); named != names_.end()) return named->second;
    if (!is_reference || is_kept_whole(step.change.type)) return std::optional<std::string>();
    if (auto named = beside(step, link)) return named;
    const std::string_view relative = below_base(link, sight_.desk().options.base);
    if (relative.contains('?')) return TRY(conditional_reference(step, relative));
    if (relative.starts_with("urn:uuid:") || relative.starts_with("urn:oid:"))
        return refuse_step(step, 422, "not-found",
                           {"une référence urn ne désigne aucune entrée de cet envoi",
                            "a urn reference means no entry of what was sent"},
                           {"ajoutez l'entrée qui porte ce fullUrl, ou une référence Type/id",
                            "add the entry with that fullUrl, or refer to Type/id"});
    if (relative.size() == link.size()) return std::optional<std::string>();
    return std::string(relative);
}

/// What this writes of a type, to be searched; and what of it is no longer as it is stored.
const Planner::Written& Planner::written_of(std::string_view type) {
    const auto [made, is_new] = written_.try_emplace(std::string(type));
    Written& written = made->second;
    if (!is_new) return written;
    std::vector<fhir::Json> bodies;
    for (const Step& step : plan_.steps) {
        const Kind kind = step.change.kind;
        const bool is_whole = kind == Kind::Create || kind == Kind::Update;
        if (step.is_idle || step.change.type != type || !(is_whole || kind == Kind::Delete))
            continue;
        written.changed.insert(step.change.id);
        if (!is_whole) continue;
        // What is wrong is refused, with its reasons.
        if (fhir::validate(step.change.body).is_valid())
            bodies.push_back(
                work_.arena.with(step.change.body, "id", work_.arena.string(step.change.id)));
        else if (!written.wrong)
            written.wrong = &step;
    }
    written.now = fhir::compartment_of(bodies, sight_.desk().rooms.clock.now());
    return written;
}

/// What a search would find once all is written, two of it at least if there are: conditional
/// references are resolved last (https://hl7.org/fhir/R4/http.html#trules).
Answer<std::vector<std::string>> Planner::meant_by(std::string_view type,
                                                   const Parameters& criteria) {
    const Written& written = written_of(type);
    std::vector<std::string> meant;
    if (!written.changed.empty()) {
        fhir::Query query = TRY(query_of(type, criteria));
        query.count = 2;
        meant = fhir::ids_found(query, written.now);
    }
    // What changes may no longer be meant, and stands before what is.
    for (const vault::Found& found : TRY(matches_of(type, criteria, 2 + written.changed.size())))
        if (!written.changed.contains(std::string(found.entry.id)))
            meant.emplace_back(found.entry.id);
    return meant;
}

Answer<std::string> Planner::conditional_reference(const Step& step, std::string_view link) {
    if (const auto known = conditions_.find(link); known != conditions_.end()) return known->second;
    const auto question = link.find('?');
    const auto target = parse_target(link.substr(0, question));
    if (!target || target->shape != Shape::Type)
        return refuse_step(
            step, 400, "invalid",
            {"une référence conditionnelle n'a pas de type", "a conditional reference has no type"},
            {"écrivez Type?critère=valeur", "write Type?criterion=value"});
    const auto criteria = TRY(parse_query(link.substr(question + 1)));
    const auto meant = TRY(meant_by(target->type, criteria));
    if (meant.size() > 1) return many_matches(step);
    const Step* const wrong = written_of(target->type).wrong;
    if (meant.empty() && wrong) return std::unexpected(Refusal(400, issues_of(*wrong)));
    if (meant.empty())
        return refuse_step(
            step, 412, "not-found",
            {"une référence conditionnelle ne désigne rien",
             "a conditional reference means nothing"},
            {"enregistrez d'abord ce qu'elle désigne", "store first what it refers to"});
    std::string reference = reference_to(target->type, meant.front());
    conditions_.emplace(link, reference);
    return reference;
}

}  // namespace

Answer<Plan> make_plan(Sight& sight, Work& work) {
    return Planner(sight, work).make();
}

}  // namespace hygie::records
