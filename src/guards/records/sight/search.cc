#include "guards/records/sight/search.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "vault/indexing.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

/// What the hits depend on: all types but those that are only included.
std::vector<std::string_view> types_of_hits(const fhir::Query& query) {
    if (query.includes.empty()) return fhir::types_touched(query);
    fhir::Query without = query;
    without.includes.clear();
    return fhir::types_touched(without);
}

/// Whether a search asks for the reasons of stays: to find by them is to read them.
bool asks_reasons(std::string_view type, std::span<const fhir::Criterion> all) {
    constexpr std::array<std::string_view, 3> kReasons = {"diagnosis", "reason-code",
                                                          "reason-reference"};
    return std::ranges::any_of(all, [&](const fhir::Criterion& one) {
        const bool asks = type == "Encounter" && one.param &&
                          std::ranges::find(kReasons, one.param->code) != kReasons.end();
        return asks || std::ranges::any_of(one.inner, [](const fhir::Criterion::Inner& inner) {
                   return asks_reasons(inner.type, inner.all);
               });
    });
}

/// What is assigned to no patient is found by programs alone.
access::Ask search_ask(std::string_view type, const vault::Record& record, WallTime now,
                       std::uint8_t labels) {
    return {.action = event::Action::Execute,
            .type = type,
            .patient = record.patient(),
            .relations = record.relations(),
            .by_person = true,
            .now = now,
            .labels = labels};
}

bool may_search(const Desk& desk, const Call& call, std::string_view type,
                const vault::Record& record, WallTime now, std::uint8_t labels = 0) {
    if (record.patient() == vault::kUnassigned && call.actor.role != access::Role::Program)
        return false;
    return may(desk, call, search_ask(type, record, now, labels));
}

/// Judges records as the vault comes across them, from any thread.
class Allowing {
  public:
    Allowing(const Desk& desk, const Call& call, const fhir::Query& query, WallTime now)
        : desk_(desk),
          call_(call),
          types_(types_of_hits(query)),
          asks_reasons_(call.actor.role != access::Role::Program &&
                        asks_reasons(query.type, query.all)),
          now_(now) {}

    bool operator()(const vault::Record& record) {
        const bool open = is_open(record, [&](std::string_view type) {
            if (may_owe(call_))
                if (auto owed = owed_by(judge(desk_, call_, search_ask(type, record, now_, 0))))
                    keep(*std::move(owed));
        });
        if (!open && vault::is_of_patient(record.patient())) note(record.patient());
        return open;
    }
    /// The same, and nobody hears of it.
    bool is_open(const vault::Record& record) const {
        return is_open(record, [](std::string_view) {});
    }

    /// What the asker must do first to see all that there is.
    const std::optional<Refusal>& owed() const { return owed_; }

    void report(Searched& searched) {
        searched.closed = std::move(closed_);
        searched.closed_count = count_;
    }

  private:
    /// `closing` hears of the type that closes it.
    template <typename Closing>
    bool is_open(const vault::Record& record, const Closing& closing) const {
        // A chain through the house (Encounter?practitioner.family=) asks nothing of a record
        // about types that no record holds.
        const bool is_house = record.patient().empty();
        const bool is_of_patient = vault::is_of_patient(record.patient());
        if (asks_reasons_ && is_of_patient && !may_read_conditions(desk_, call_, record, now_))
            return false;
        return std::ranges::all_of(types_, [&](std::string_view type) {
            if (is_of_patient && !vault::is_in_records(type)) return true;
            // The house hides what is its staff's (narrowed), and shows the rest.
            if (is_house && vault::is_in_records(type)) return true;
            if (may_search(desk_, call_, type, record, now_)) return true;
            closing(type);
            return false;
        });
    }
    void keep(Refusal owed) {
        const std::lock_guard lock(mutex_);
        if (!owed_) owed_ = std::move(owed);
    }
    void note(std::string_view patient) {
        const std::lock_guard lock(mutex_);
        ++count_;
        if (closed_.size() < kClosedKept) closed_.emplace_back(patient);
    }

    const Desk& desk_;
    const Call& call_;
    std::vector<std::string_view> types_;
    bool asks_reasons_;
    WallTime now_;
    std::mutex mutex_;
    std::vector<std::string> closed_;
    std::size_t count_ = 0;
    std::optional<Refusal> owed_;
};

}  // namespace

namespace {

/// What the scopes leave; of the house, without the subscriptions of others and what is its
/// staff's.
std::optional<fhir::Compartment> narrowed(Sight& sight, const vault::Record& record,
                                          const fhir::Compartment& seen, WallTime now) {
    auto left = sight.bounds().narrowed(seen);
    if (!record.patient().empty()) return left;
    std::set<std::string_view> types = seen.types();
    const bool are_told = types.erase("Subscription") > 0;
    std::erase_if(types, [&](std::string_view type) {
        return may_search(sight.desk(), sight.call(), type, record, now);
    });
    if (types.empty() && !are_told) return left;
    return (left ? *left : seen).without([&](const fhir::Segment& segment, std::size_t index) {
        const fhir::ResourceEntry entry = segment.entry(index);
        if (entry.type != "Subscription") return types.contains(entry.type);
        return !sight.desk().subscription_owners.is_open(sight.call().actor, entry.id);
    });
}

/// Who is not here is named in what was asked alone: a first trace of somebody takes a key of its
/// own, and so longer than one of a patient who is closed.
bool is_here(Sight& sight, std::string_view patient) {
    return !patient.empty() && sight.desk().rooms.vault.record(patient).has_value();
}

}  // namespace

vault::Scope circle_of(const Call& call) {
    const access::Actor& actor = call.actor;
    // A purpose beside care has no circle: every record is judged.
    if (call.purpose != access::Purpose::None) return {};
    vault::Scope scope{.allows = {}, .person = actor.person};
    for (const access::Belonging& one : actor.belongs) scope.parties.push_back(one.party);
    if (!actor.organisation.empty()) scope.parties.push_back(actor.organisation);
    return scope;
}

Answer<Searched> run_search(Sight& sight, const fhir::Query& query, std::string_view patient) {
    const WallTime now = sight.desk().rooms.clock.now();
    Allowing allowing(sight.desk(), sight.call(), query, now);
    vault::Scope scope = circle_of(sight.call());
    scope.allows = std::ref(allowing);
    scope.leads = [&](const vault::Record& record) { return allowing.is_open(record); };
    scope.patient = patient;
    scope.hides = [&](const vault::Record& record, std::string_view type, std::uint8_t labels) {
        return !may_search(sight.desk(), sight.call(), type, record, now, labels);
    };
    scope.opens_also = [&](const vault::Record& record, const vault::Entry& entry,
                           std::string_view named) {
        return judge_also(sight.desk(), sight.call(),
                          {.action = event::Action::Execute,
                           .type = entry.type,
                           .patient = named,
                           .now = now},
                          record, entry.id)
            .permitted;
    };
    scope.includes = [&](const vault::Record& record, std::string_view type) {
        return may_search(sight.desk(), sight.call(), type, record, now);
    };
    scope.narrows = [&](const vault::Record& record, const fhir::Compartment& seen) {
        return narrowed(sight, record, seen, now);
    };
    Searched searched;
    searched.page = TRY(sight.desk().rooms.vault.search(query, scope));
    if (allowing.owed()) return std::unexpected(*allowing.owed());
    allowing.report(searched);
    return searched;
}

Answer<std::vector<vault::Found>> find_matches(Sight& sight, std::string_view type,
                                               const Parameters& criteria, std::size_t most) {
    auto query = TRY(fhir::parse_query(
        type, criteria,
        {.base = sight.desk().options.base, .now = sight.desk().rooms.clock.now()}));
    query.count = most;
    query.total = fhir::Query::Total::None;
    query.includes.clear();
    vault::Page found = TRY(run_search(sight, query, {})).page;
    // "None" would be a guess, and something made twice.
    if (found.is_partial) return std::unexpected(Refusal(vault::too_many().error()));
    return std::move(found.page);
}

std::vector<event::Event> search_events(Sight& sight, const std::vector<vault::Found>& shown,
                                        const Searched& searched, std::string_view patient) {
    const Call& call = sight.call();
    std::map<std::string_view, std::size_t> counts;
    for (const vault::Found& found : shown) ++counts[found.record->patient()];
    std::vector<std::string_view> patients;
    for (const auto& [about, count] : counts) patients.push_back(about);
    if (patients.empty()) patients.push_back(is_here(sight, patient) ? patient : "");
    std::vector<event::Event> events =
        events_of(sight.desk(), call, event::Type::RecordSearched, patients);
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].query = call.asked;
        if (const auto shows = counts.find(patients[i]); shows != counts.end())
            events[i].detail["shown"] = std::to_string(shows->second);
    }
    add_glasses(sight, event::Action::Execute, shown, events);
    events.front().detail["total"] = std::to_string(searched.page.total);
    if (searched.closed_count > 0)
        events.front().detail["closed"] = std::to_string(searched.closed_count);
    if (searched.closed_count > kClosedKept) return events;
    for (const std::string& closed : searched.closed) {
        event::Event e = event_of(sight.desk(), call, event::Type::AccessRefused, closed, {});
        e.query = call.asked;
        e.outcome = event::Outcome::MinorFailure;
        events.push_back(std::move(e));
    }
    return events;
}

}  // namespace hygie::records
