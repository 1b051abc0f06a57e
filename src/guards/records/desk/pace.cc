#include "guards/records/desk/pace.h"

namespace hygie::records {

bool opens_record(const event::Event& event) {
    using event::Type;
    if (event.subject.patient.empty() || event.outcome != event::Outcome::Success) return false;
    switch (event.type) {
        case Type::RecordRead:
        case Type::RecordExported:
            return true;
        case Type::RecordSearched: {
            const auto shown = event.detail.find("shown");
            return shown != event.detail.end() && shown->second != "0";
        }
        default:
            return false;
    }
}

bool counts_for_pace(const event::Event& event) {
    const auto purpose = event.detail.find("purpose");
    return opens_record(event) && event.actor.role != access::name_of(access::Role::Program) &&
           (purpose == event.detail.end() || purpose->second.empty());
}

/// New limits begin with empty windows: habits are learned under the limits they are judged by.
access::RateGate& Pace::gate(const access::Policy& policy) {
    if (!gate_ || !(rates_ == policy.rates)) {
        rates_ = policy.rates;
        gate_.emplace(rates_);
    }
    return *gate_;
}

access::Pressure Pace::now(const access::Policy& policy, const ActorId& actor, WallTime time) {
    const std::lock_guard lock(mutex_);
    return gate(policy).pressure(actor, access::second_of(time));
}

access::Pressure Pace::note(const access::Policy& policy, const ActorId& actor,
                            std::span<const event::Event> events, WallTime time) {
    const std::lock_guard lock(mutex_);
    access::RateGate& rates = gate(policy);
    for (const event::Event& event : events)
        if (opens_record(event)) rates.note(actor, event.subject.patient, access::second_of(time));
    return rates.pressure(actor, access::second_of(time));
}

void Pace::justify(const ActorId& actor, WallTime time) {
    const std::lock_guard lock(mutex_);
    std::erase_if(motives_, [&](const auto& one) { return one.second <= time; });
    if (motives_.size() < kMotivesMax) motives_[actor] = time + kMotiveLasts;
}

bool Pace::is_justified(const ActorId& actor, WallTime time) {
    const std::lock_guard lock(mutex_);
    const auto until = motives_.find(actor);
    return until != motives_.end() && time < until->second;
}

}  // namespace hygie::records
