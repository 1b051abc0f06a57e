#include "guards/records/sight.h"

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
                                                        .now = now_,
                                                        .break_glass = glass ? &*glass : nullptr}))
                  .first->second;
    reasons_ = decision.reasons;
    return decision;
}

Answer<vault::Found> Sight::open(event::Action action, std::string_view type, std::string_view id) {
    auto found = desk_.rooms.vault.find(type, id);
    if (!found) return std::unexpected(Refusal(found.error()));
    if (may(action, type, *found->record)) return *std::move(found);
    auto reasons = reasons_;
    const bool reads =
        action != event::Action::Read && may(event::Action::Read, type, *found->record);
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
