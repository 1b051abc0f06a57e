#include "app/house/recall.h"

namespace hygie::app {
namespace {

bool has_none(const access::Actor& actor) {
    return actor.id.empty() || actor.role == access::Role::Program;
}

}  // namespace

bool Recall::is_done(const access::Actor& actor) const {
    if (has_none(actor)) return true;
    const std::shared_lock lock(mutex_);
    const auto known = all_.find(actor.id);
    return known != all_.end() && known->second == nullptr;
}

Status Recall::make_sure(const access::Actor& actor) {
    if (is_done(actor)) return {};
    std::shared_ptr<One> one;
    {
        const std::unique_lock lock(mutex_);
        const auto [known, is_new] = all_.try_emplace(actor.id);
        if (is_new) known->second = std::make_shared<One>();
        one = known->second;
    }
    if (!one) return {};
    const std::scoped_lock lock(one->mutex);
    if (one->done) return {};
    // Who goes back to a patient within the hour is as fast as before: the last minute's openings
    // of each need not be unsealed one by one.
    const Selection selection{.types = records::Door::remembered(),
                              .but_for = {.types = records::Door::openings(),
                                          .counts = records::Door::counts_as_opening,
                                          .within = kSameVisit}};
    TRY_STATUS(audit_.tell(
        selection, {.actor = actor.id, .since = started_ - kRemembered, .until = started_}, tell_));
    one->done = true;
    const std::unique_lock finished(mutex_);
    all_[actor.id] = nullptr;
    return {};
}

}  // namespace hygie::app
