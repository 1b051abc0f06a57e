#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "access/decide/decision.h"
#include "base/ids.h"

namespace hygie::records {

/// Who owns each subscription, deleted ones too: nobody else may see or change it. Thread-safe.
class SubscriptionOwners {
  public:
    /// `are_kept`: where nobody can be told, nobody owns: a base that is brought in.
    explicit SubscriptionOwners(bool are_kept) : are_kept_(are_kept) {}

    /// An empty owner: it is open to all whose circle it lies in.
    void set(const std::string& id, const ActorId& owner) {
        const std::lock_guard lock(mutex_);
        owners_[id] = owner;
    }
    bool is_open(const access::Actor& actor, std::string_view id) const {
        if (!are_kept_) return true;
        const std::lock_guard lock(mutex_);
        const auto owner = owners_.find(id);
        return owner != owners_.end() && (owner->second.empty() || owner->second == actor.id);
    }

  private:
    const bool are_kept_;
    mutable std::mutex mutex_;
    std::map<std::string, ActorId, std::less<>> owners_;
};

}  // namespace hygie::records
