#include "app/ledger/ledger_audit.h"

#include "event/uuid.h"

namespace hygie::app {
namespace {

/// Around the time in an event's id.
constexpr Micros kAround = std::chrono::seconds(1);

bool is_asked(const records::AuditTrail::Question& question, const event::Event& event,
              std::uint64_t index) {
    return (!question.before || index < *question.before) &&
           (question.patient.empty() || event.subject.patient == question.patient) &&
           (question.agent.empty() || event.actor.id == question.agent) &&
           (question.object.empty() || event.subject.object == question.object) &&
           event.time >= question.from && event.time < question.until;
}

/// The time that a UUIDv7 begins with (RFC 9562 §5.7).
std::optional<WallTime> time_in(const std::string& id) {
    const auto uuid = event::parse_uuid(id);
    if (!uuid) return std::nullopt;
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | (*uuid)[i];
    return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

/// From the newest on, and no further back than what is wanted: a long stay has tens of thousands
/// of entries, and each is unsealed to be looked at.
Result<std::vector<records::AuditTrail::Entry>> LedgerAudit::collect(
    const app::Question& asked, const AuditTrail::Question& question) {
    const auto reading = TRY(clerk_.look_back(asked, question.before.value_or(UINT64_MAX)));
    std::vector<Entry> found;
    for (bool is_last = false; !is_last;) {
        Answers answers = TRY(reading->next());
        is_last = answers.is_last;
        for (Shown& shown : answers.entries) {
            if (!shown.event || !is_asked(question, *shown.event, shown.index)) continue;
            found.push_back({std::move(*shown.event), {reading->origin, shown.index}});
            if (question.count > 0 && found.size() == question.count) return found;
        }
    }
    return found;
}

Result<std::vector<records::AuditTrail::Entry>> LedgerAudit::search(
    const AuditTrail::Question& question) {
    const bool has_name =
        !question.patient.empty() || !question.agent.empty() || !question.object.empty();
    const bool has_time = question.from != WallTime::min() || question.until != WallTime::max();
    if (!has_name && !has_time)
        return collect({.kind = app::Question::Kind::Tail, .number = UINT64_MAX}, question);
    app::Question asked{.actor = question.agent, .patient = question.patient};
    // An object is found through its patient's key alone.
    if (!question.patient.empty()) asked.object = question.object;
    if (question.from != WallTime::min()) asked.since = question.from;
    if (question.until != WallTime::max()) asked.until = question.until;
    return collect(asked, question);
}

Result<records::AuditTrail::Entry> LedgerAudit::read(const std::string& id) {
    const auto time = time_in(id);
    if (time) {
        const app::Question asked{.since = *time - kAround, .until = *time + kAround};
        for (Entry& entry : TRY(collect(asked, {}))) {
            if (entry.event.id == id) return std::move(entry);
        }
    }
    return fail(Code::NotFound, {"le journal n'a pas cet acte", "the ledger has no such act"},
                {"cherchez-le par patient ou par date", "search it by patient or by date"});
}

Status LedgerAudit::tell(Selection selection, const app::Question& asked,
                         const std::function<void(const event::Event&)>& use) {
    const auto reading = TRY(clerk_.look(asked, std::move(selection)));
    for (bool is_last = false; !is_last;) {
        const Answers answers = TRY(reading->next());
        is_last = answers.is_last;
        for (const Shown& shown : answers.entries)
            if (shown.event) use(*shown.event);
    }
    return {};
}

}  // namespace hygie::app
