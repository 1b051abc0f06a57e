#include "guards/records/sight.h"

#include <algorithm>

#include "vault/unassigned.h"

namespace hygie::records {

const access::Decision& Sight::decision(event::Action action, std::string_view type,
                                        std::string_view patient,
                                        std::span<const access::Relation> relations) {
    auto key = std::tuple(action, std::string(type), std::string(patient));
    const auto known = decisions_.find(key);
    const auto glass = desk_.glasses.find(call_.actor.id, patient, now_);
    const access::Decision& decision =
        known != decisions_.end()
            ? known->second
            : decisions_
                  .emplace(std::move(key),
                           access::decide(call_.actor, {.action = action,
                                                        .type = type,
                                                        .patient = patient,
                                                        .relations = relations,
                                                        .by_person = true,
                                                        .now = now_,
                                                        .break_glass = glass ? &*glass : nullptr}))
                  .first->second;
    reasons_ = decision.reasons;
    return decision;
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

}  // namespace

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

const access::Decision& Sight::decision(event::Action action, std::string_view type,
                                        const vault::Record& record, std::string_view id) {
    if (record.patient() != vault::kUnassigned)
        return decision(action, type, record.patient(), record.relations());
    if (may_open_unassigned(action, type, record, id)) return decision(action, type, {}, {});
    reasons_ = kept_apart().reasons;
    return kept_apart();
}

Answer<vault::Found> Sight::open(event::Action action, std::string_view type, std::string_view id) {
    auto found = desk_.rooms.vault.find(type, id);
    if (!found) return std::unexpected(Refusal(found.error()));
    if (may(action, type, *found->record, id)) return *std::move(found);
    auto reasons = reasons_;
    const bool reads =
        action != event::Action::Read && may(event::Action::Read, type, *found->record, id);
    Refusal refusal = reads ? forbidden(std::move(reasons)) : not_found(std::move(reasons));
    refusal.patient = found->record->patient();
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

void add_basis(event::Event& event, const std::vector<event::Reason>& reasons) {
    if (reasons.empty()) return;
    event.basis = reasons.front().evidence;
    event.detail["why"] = reasons.front().id;
    event.break_glass = event.break_glass || reasons.front().id == "circle.break_glass";
}

}  // namespace hygie::records
