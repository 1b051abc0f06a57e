#include "guards/records/sight/sight.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "access/decide/circle.h"
#include "access/decide/circle_words.h"
#include "fhir/clinical/minimise.h"
#include "guards/records/request/shaping.h"
#include "vault/labels.h"
#include "vault/shared.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

/// The question with what stands for this call, handed to `answer`.
template <typename Answer>
auto put(const Desk& desk, const Call& call, access::Ask ask, Answer answer) {
    const auto glass = desk.glasses.find(call.actor.id, ask.patient, ask.now);
    ask.break_glass = glass ? &*glass : nullptr;
    ask.pressure = call.pressure;
    ask.justified = call.justified;
    ask.frozen = call.frozen;
    if (call.holds) ask.holds = *call.holds;
    ask.purpose = call.purpose;
    return answer(*call.policy, call.actor, ask);
}

}  // namespace

access::Decision judge(const Desk& desk, const Call& call, access::Ask ask) {
    return put(desk, call, ask, [](const auto& policy, const auto& actor, const auto& asked) {
        return access::decide(policy, actor, asked);
    });
}

bool may(const Desk& desk, const Call& call, access::Ask ask) {
    return put(desk, call, ask, [](const auto& policy, const auto& actor, const auto& asked) {
        return access::may(policy, actor, asked);
    });
}

bool may_read_conditions(const Desk& desk, const Call& call, const vault::Record& record,
                         WallTime now) {
    // Scopes bound what a program shows its user, not what the user may know.
    access::Actor person = call.actor;
    person.scopes.clear();
    return put(desk, call,
               {.action = event::Action::Read,
                .type = "Condition",
                .patient = record.patient(),
                .relations = record.relations(),
                .by_person = true,
                .now = now},
               [&](const auto& policy, const auto&, const auto& asked) {
                   return access::may(policy, person, asked);
               });
}

bool may_owe(const Call& call) {
    return call.frozen || (call.holds && !call.holds->empty()) || call.policy->step_up != 0 ||
           call.purpose != access::Purpose::None || call.pressure != access::Pressure::Calm;
}

std::optional<Refusal> owed_by(const access::Decision& decision) {
    using access::Rule;
    const auto rule = static_cast<Rule>(decision.rule);
    constexpr auto kTold = std::to_array<Rule>(
        {Rule::StepUp, Rule::Justify, Rule::Cut, Rule::Frozen, Rule::Contained, Rule::NoGrant});
    if (decision.permitted || std::ranges::find(kTold, rule) == kTold.end()) return std::nullopt;
    return obliged(rule, decision.reasons);
}

const access::Decision& Sight::decision(event::Action action, std::string_view type,
                                        std::string_view patient,
                                        std::span<const access::Relation> relations,
                                        std::uint8_t labels) {
    auto key = std::tuple(action, std::string(type), std::string(patient), labels);
    auto known = decisions_.find(key);
    if (known == decisions_.end())
        known = decisions_
                    .emplace(std::move(key), judge(desk_, call_,
                                                   {.action = action,
                                                    .type = type,
                                                    .patient = patient,
                                                    .relations = relations,
                                                    .by_person = true,
                                                    .now = now_,
                                                    .labels = labels}))
                    .first;
    reasons_ = &known->second.reasons;
    if (!owed_) owed_ = owed_by(known->second);
    return known->second;
}

bool Sight::may(event::Action action, const vault::Found& found) {
    return may(action, found.entry.type, *found.record, found.entry.id);
}

Answer<void> Sight::settle() const {
    if (owed_) return std::unexpected(*owed_);
    return {};
}

namespace {

const access::Decision& kept_apart() {
    static const access::Decision decision{
        .permitted = false,
        .reasons = {{.id = "records.unassigned",
                     .text = {"cette ressource ne dit pas de quel patient elle parle : seuls son "
                              "auteur et les logiciels la voient",
                              "this resource does not say which patient it is about: only its "
                              "author and programs see it"},
                     .evidence = {}}}};
    return decision;
}

/// A subscription says whom its owner follows, and where they are told.
const access::Decision& anothers() {
    static const access::Decision decision{
        .permitted = false,
        .reasons = {{.id = "records.subscription",
                     .text = {"un abonnement ne s'ouvre qu'à qui l'a fait",
                              "a subscription is open to who made it alone"},
                     .evidence = {}}}};
    return decision;
}

/// What the search in a scope does not match.
const access::Decision& outside_scope() {
    static const access::Outcome outcome{.rule = access::Rule::Scope};
    static const access::Decision decision{.permitted = false,
                                           .reasons = {{.id = access::reason_id(outcome),
                                                        .text = access::sentence_of(outcome),
                                                        .evidence = {}}},
                                           .rule = static_cast<std::uint8_t>(access::Rule::Scope)};
    return decision;
}

}  // namespace

const access::Decision& Sight::unreadable() {
    static const access::Decision none{.permitted = false};
    owed_ = Refusal(vault::damaged_index());
    reasons_ = &none.reasons;
    return none;
}

bool may_write_unassigned(const access::Actor& actor) {
    return actor.role == access::Role::Program ||
           (actor.role == access::Role::Care && !actor.person.empty());
}

bool Sight::may_open_unassigned(event::Action action, std::string_view type,
                                const vault::Record& record, std::string_view id) const {
    const access::Actor& actor = call_.actor;
    if (actor.role == access::Role::Program) return true;
    if (!may_write_unassigned(actor)) return false;
    if (action == event::Action::Create) return true;
    const std::string resource = reference_to(type, id);
    const auto own = std::ranges::equal_range(record.relations(), std::string_view(actor.person),
                                              {}, &access::Relation::person);
    return std::ranges::any_of(own, [&](const access::Relation& relation) {
        return relation.kind == access::Relation::Kind::OpenedRecord &&
               relation.evidence == resource;
    });
}

access::Decision judge_also(const Desk& desk, const Call& call, access::Ask ask,
                            const vault::Record& record, std::string_view id) {
    const std::string resource = reference_to(ask.type, id);
    vault::Relations relations;
    if (const auto other = desk.rooms.vault.record(ask.patient))
        relations.assign((*other)->relations().begin(), (*other)->relations().end());
    std::ranges::copy_if(
        record.relations(), std::back_inserter(relations),
        [&](const access::Relation& relation) { return relation.evidence == resource; });
    std::ranges::stable_sort(relations, {}, &access::Relation::person);
    ask.relations = relations;
    ask.by_person = true;
    return judge(desk, call, ask);
}

const access::Decision* Sight::closed_by_another(event::Action action, std::string_view type,
                                                 const vault::Record& record, std::string_view id,
                                                 const std::vector<std::string>& others) {
    for (const std::string& patient : others) {
        auto key = std::tuple(action, reference_to(type, id), patient);
        auto known = also_.find(key);
        if (known == also_.end())
            known = also_
                        .emplace(std::move(key),
                                 judge_also(desk_, call_,
                                            {.action = action,
                                             .type = type,
                                             .patient = patient,
                                             .now = now_,
                                             .labels = vault::labels_of(record, type, id)},
                                            record, id))
                        .first;
        if (!known->second.permitted) return &known->second;
    }
    return nullptr;
}

bool Sight::may_also(event::Action action, std::string_view type, const vault::Record& record,
                     std::string_view id, const std::vector<std::string>& others) {
    const access::Decision* closed = closed_by_another(action, type, record, id, others);
    if (closed != nullptr) reasons_ = &closed->reasons;
    return closed == nullptr;
}

bool Sight::may_show(const vault::Found& found, const vault::Version& version) {
    if (version.deleted || version.version == found.entry.version) return true;
    if (!version.body.contains("Patient/")) return true;
    const auto document = fhir::parse(version.body);
    return document && may_also(event::Action::Read, version.type, *found.record, version.id,
                                vault::others_named(document->root, found.record->patient()));
}

bool Sight::is_narrowed(const vault::Found& found) {
    if (call_.purpose != access::Purpose::None) return true;
    const std::string_view patient = found.record->patient();
    if (found.entry.type != "Encounter" || !vault::is_of_patient(patient) ||
        call_.actor.role == access::Role::Program)
        return false;
    const auto known = sees_reasons_.find(patient);
    if (known != sees_reasons_.end()) return !known->second;
    const bool sees = may_read_conditions(desk_, call_, *found.record, now_);
    sees_reasons_.emplace(patient, sees);
    return !sees;
}

void Sight::narrow(const vault::Found& found, std::string& body) {
    if (body.empty() || !is_narrowed(found)) return;
    body = call_.purpose != access::Purpose::None ? fhir::minimised(body)
                                                  : without_reasons(std::move(body));
}

bool Sight::is_anothers(event::Action action, std::string_view type, std::string_view id) const {
    return type == "Subscription" && action != event::Action::Create && !id.empty() &&
           !desk_.subscription_owners.is_open(call_.actor, id);
}

const access::Decision& Sight::decision(event::Action action, std::string_view type,
                                        const vault::Record& record, std::string_view id) {
    if (is_anothers(action, type, id)) {
        reasons_ = &anothers().reasons;
        return anothers();
    }
    const access::Decision& decision = within_circle(action, type, record, id);
    if (!decision.permitted || id.empty()) return decision;
    // What a damaged index says of labels and of other patients is not to be believed.
    const auto others = vault::others_named(record, type, id);
    if (record.index().is_damaged()) return unreadable();
    if (!bounds_.leave(record, action, type, id)) {
        reasons_ = &outside_scope().reasons;
        return outside_scope();
    }
    const access::Decision* closed = closed_by_another(action, type, record, id, others);
    if (closed == nullptr) return decision;
    reasons_ = &closed->reasons;
    return *closed;
}

const access::Decision& Sight::within_circle(event::Action action, std::string_view type,
                                             const vault::Record& record, std::string_view id) {
    if (record.patient() != vault::kUnassigned)
        return decision(action, type, record.patient(), record.relations(),
                        id.empty() ? std::uint8_t{0} : vault::labels_of(record, type, id));
    if (may_open_unassigned(action, type, record, id)) return decision(action, type, {}, {});
    reasons_ = &kept_apart().reasons;
    return kept_apart();
}

Answer<vault::Found> Sight::open(event::Action action, std::string_view type, std::string_view id) {
    auto found = desk_.rooms.vault.find(type, id);
    if (!found) return std::unexpected(Refusal(found.error()));
    return judged(action, *std::move(found));
}

Answer<vault::Found> Sight::open_to_read(std::string_view type, std::string_view id) {
    // What a scope matches is searched for in the index.
    if (bounds_.bind(event::Action::Read, type)) return open(event::Action::Read, type, id);
    auto glimpsed = desk_.rooms.vault.glimpse(type, id);
    if (!glimpsed) return std::unexpected(Refusal(glimpsed.error()));
    if (!*glimpsed) return open(event::Action::Read, type, id);
    return judged(event::Action::Read, **std::move(glimpsed));
}

Answer<vault::Found> Sight::judged(event::Action action, vault::Found found) {
    owed_.reset();
    if (may(action, found)) return found;
    const auto& reasons = *reasons_;
    const bool reads = action != event::Action::Read && may(event::Action::Read, found);
    Refusal refusal = owed_ ? *std::move(owed_) : reads ? forbidden(reasons) : not_found(reasons);
    owed_.reset();
    refusal.patient = found.record->patient();
    return std::unexpected(std::move(refusal));
}

Refusal forbidden(std::vector<event::Reason> reasons) {
    Refusal refusal(403, Issues());
    for (const event::Reason& reason : reasons)
        refusal.issues.push_back({Severity::Error, "forbidden", reason.text});
    if (refusal.issues.empty())
        refusal.issues.push_back(
            {Severity::Error,
             "forbidden",
             {"votre rôle ne permet pas cet acte", "your role does not permit this act"}});
    refusal.reasons = std::move(reasons);
    return refusal;
}

namespace {

/// Of a permit.
bool is_by_glass(const std::vector<event::Reason>& reasons) {
    return reasons.front().id.starts_with("circle.break_glass");
}

}  // namespace

void add_basis(event::Event& event, const std::vector<event::Reason>& reasons) {
    if (reasons.empty()) return;
    event.basis = reasons.front().evidence;
    event.detail["why"] = reasons.front().id;
    event.break_glass = event.break_glass || is_by_glass(reasons);
}

void add_glasses(Sight& sight, event::Action action, std::span<const vault::Found> shown,
                 std::span<event::Event> events) {
    const access::BreakGlasses& glasses = sight.desk().glasses;
    const WallTime now = sight.desk().rooms.clock.now();
    for (const vault::Found& found : shown) {
        const std::string_view patient = found.record->patient();
        if (patient.empty() || !glasses.find(sight.call().actor.id, patient, now)) continue;
        const auto event = std::ranges::find(
            events, patient, [](const event::Event& e) { return e.subject.patient.str(); });
        if (event == events.end() || event->break_glass || !sight.may(action, found)) continue;
        // What the circle opens, too, was not opened against it.
        if (is_by_glass(sight.reasons())) add_basis(*event, sight.reasons());
    }
}

}  // namespace hygie::records
