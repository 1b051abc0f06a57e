#include "vault/name_cache.h"

namespace hygie::vault {

NameCache::Kept NameCache::find(std::int64_t name) {
    const std::lock_guard lock(mutex_);
    const auto kept = kept_.find(name);
    return {kept == kept_.end() ? std::nullopt : std::optional(kept->second), commits_};
}

void NameCache::keep(std::int64_t name, std::uint64_t as_of, const Numbers& numbers) {
    const std::lock_guard lock(mutex_);
    const std::size_t cost = kNameCost + numbers.size();
    if (as_of != commits_ || cost > kNamedKept) return;
    if (count_ + cost > kNamedKept) {
        kept_.clear();
        count_ = 0;
    }
    if (kept_.try_emplace(name, numbers).second) count_ += cost;
}

void NameCache::forget(const std::vector<std::int64_t>& names) {
    const std::lock_guard lock(mutex_);
    ++commits_;
    for (const std::int64_t name : names) {
        const auto kept = kept_.find(name);
        if (kept == kept_.end()) continue;
        count_ -= kNameCost + kept->second.size();
        kept_.erase(kept);
    }
}

}  // namespace hygie::vault
