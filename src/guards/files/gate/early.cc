#include "guards/files/gate/early.h"

namespace hygie::files {

void EarlyWriters::add(const FileKey& file) {
    const std::lock_guard lock(mutex_);
    files_.insert(file);
}

bool EarlyWriters::is_hasty(const FileKey& file, pid_t pid, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    if (files_.erase(file) == 0) return false;
    Writer& writer = writers_[pid];
    if (now - writer.since > kTogether) writer = {0, writer.found, now};
    if (++writer.changes < kHastyMin || writer.found >= kFoundMax) return false;
    writer.changes = 0;
    ++writer.found;
    return true;
}

bool Mappers::is_due(pid_t pid, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    const auto known = looked_.find(pid);
    if (known != looked_.end() && now - known->second < kPause) return false;
    if (looked_.size() >= kProcessesMax) looked_.clear();
    looked_[pid] = now;
    return true;
}

}  // namespace hygie::files
