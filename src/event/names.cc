#include <algorithm>
#include <array>

#include "event/event.h"

namespace hygie::event {

namespace {

template <typename Value>
struct Named {
    Value value;
    std::string_view name;
};

// One table per vocabulary, read in both directions. The names are part of the NDJSON schema
// (FORMAT.md).
constexpr std::array kTypes = std::to_array<Named<Type>>({
    {Type::Heartbeat, "ledger.heartbeat"},
    {Type::SourceRegistered, "ledger.source"},
    {Type::SourceGap, "ledger.gap"},
    {Type::StreamSealed, "ledger.seal"},
    {Type::LedgerRead, "ledger.read"},
    {Type::KeyShredded, "ledger.shred"},
    {Type::LedgerPruned, "ledger.prune"},
    {Type::KeyEpoch, "ledger.epoch"},
    {Type::IndexCommitted, "ledger.index"},
    {Type::PolicyChanged, "ledger.policy"},
    {Type::RecordRead, "record.read"},
    {Type::RecordSearched, "record.search"},
    {Type::RecordCreated, "record.create"},
    {Type::RecordUpdated, "record.update"},
    {Type::RecordDeleted, "record.delete"},
    {Type::RecordExported, "record.export"},
    {Type::AccessRefused, "access.refuse"},
    {Type::ConsentDecided, "access.consent"},
    {Type::BreakGlass, "access.break_glass"},
    {Type::SignedIn, "session.sign_in"},
    {Type::SignInRefused, "session.refuse"},
    {Type::SignedOut, "session.sign_out"},
    {Type::AccountChanged, "account.change"},
    {Type::MailJudged, "mail.judge"},
    {Type::MailHeld, "mail.hold"},
    {Type::MailReleased, "mail.release"},
    {Type::FileRead, "file.read"},
    {Type::FileChanged, "file.change"},
    {Type::FileDeleted, "file.delete"},
    {Type::WriterStopped, "file.stop_writer"},
    {Type::FilesRestored, "file.restore"},
    {Type::IncidentOpened, "incident.open"},
    {Type::IncidentClosed, "incident.close"},
    {Type::OrderGiven, "order.give"},
    {Type::OrderDone, "order.done"},
    {Type::Reported, "reported"},
});

constexpr std::array kActions = std::to_array<Named<Action>>({
    {Action::Create, "create"},
    {Action::Read, "read"},
    {Action::Update, "update"},
    {Action::Delete, "delete"},
    {Action::Execute, "execute"},
});

constexpr std::array kOutcomes = std::to_array<Named<Outcome>>({
    {Outcome::Success, "success"},
    {Outcome::MinorFailure, "minor_failure"},
    {Outcome::SeriousFailure, "serious_failure"},
    {Outcome::MajorFailure, "major_failure"},
});

constexpr std::array kLevels = std::to_array<Named<Level>>({
    {Level::Clean, "clean"},
    {Level::Suspicious, "suspicious"},
    {Level::Malicious, "malicious"},
});

constexpr std::array kRetentions = std::to_array<Named<Retention>>({
    {Retention::Trace1Year, "trace_1y"},
    {Retention::Control3Years, "control_3y"},
    {Retention::Record10Years, "record_10y"},
    {Retention::Record20Years, "record_20y"},
    {Retention::System, "system"},
});

template <typename Value, std::size_t N>
std::string_view name_in(const std::array<Named<Value>, N>& table, Value value) {
    const auto found = std::ranges::find(table, value, &Named<Value>::value);
    return found == table.end() ? std::string_view{} : found->name;
}

template <typename Value, std::size_t N>
std::optional<Value> value_in(const std::array<Named<Value>, N>& table, std::string_view name) {
    const auto found = std::ranges::find(table, name, &Named<Value>::name);
    if (found == table.end()) return std::nullopt;
    return found->value;
}

constexpr std::chrono::days years(int count) {
    return std::chrono::days(365 * count);
}

}  // namespace

std::string_view name_of(Type type) {
    return name_in(kTypes, type);
}
std::optional<Type> type_named(std::string_view name) {
    return value_in(kTypes, name);
}

std::string_view name_of(Action action) {
    return name_in(kActions, action);
}
std::optional<Action> action_named(std::string_view name) {
    return value_in(kActions, name);
}

Action usual_action(Type type) {
    switch (type) {
        case Type::LedgerRead:
        case Type::RecordRead:
        case Type::RecordExported:
        case Type::FileRead:
            return Action::Read;
        case Type::RecordCreated:
        case Type::IncidentOpened:
            return Action::Create;
        case Type::RecordUpdated:
        case Type::AccountChanged:
        case Type::FileChanged:
        case Type::FilesRestored:
        case Type::PolicyChanged:
        case Type::IncidentClosed:
            return Action::Update;
        case Type::KeyShredded:
        case Type::LedgerPruned:
        case Type::RecordDeleted:
        case Type::FileDeleted:
            return Action::Delete;
        default:
            return Action::Execute;
    }
}

std::string_view name_of(Outcome outcome) {
    return name_in(kOutcomes, outcome);
}
std::optional<Outcome> outcome_named(std::string_view name) {
    return value_in(kOutcomes, name);
}

std::string_view name_of(Level level) {
    return name_in(kLevels, level);
}
std::optional<Level> level_named(std::string_view name) {
    return value_in(kLevels, name);
}

std::string_view name_of(Retention retention) {
    return name_in(kRetentions, retention);
}
std::optional<Retention> retention_named(std::string_view name) {
    return value_in(kRetentions, name);
}

std::optional<Micros> duration_of(Retention retention) {
    switch (retention) {
        case Retention::Trace1Year:
            return years(1);
        case Retention::Control3Years:
            return years(3);
        case Retention::Record10Years:
            return years(10);
        case Retention::Record20Years:
            return years(20);
        case Retention::System:
            break;
    }
    return std::nullopt;
}

}  // namespace hygie::event
