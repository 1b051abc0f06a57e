#include "guards/files/acts/authors.h"

namespace hygie::files {

void Authors::note(const FileKey& file, const Actor& actor, Time now) {
    if (!actor.nfs) return;
    const std::scoped_lock lock(mutex_);
    if (files_.size() >= kFilesMax)
        std::erase_if(files_, [&](const auto& item) {
            return item.second.is_closed || now - item.second.at > kMemory;
        });
    if (files_.size() >= kFilesMax) files_.clear();
    files_[file] = {actor, now};
}

Actor Authors::closed(const FileKey& file, const Actor& server) {
    if (!server.nfs) return server;
    const std::scoped_lock lock(mutex_);
    const auto known = files_.find(file);
    if (known == files_.end() || known->second.is_closed) return server;
    known->second.is_closed = true;
    return known->second.actor;
}

Actor Authors::last(const FileKey& file, const Actor& server, Time now) const {
    if (!server.nfs) return server;
    const std::scoped_lock lock(mutex_);
    const auto known = files_.find(file);
    const bool is_fresh =
        known != files_.end() && (!known->second.is_closed || now - known->second.at <= kMemory);
    return is_fresh ? known->second.actor : server;
}

bool Authors::is_in_hand(const FileKey& file) const {
    const std::scoped_lock lock(mutex_);
    const auto known = files_.find(file);
    return known != files_.end() && !known->second.is_closed;
}

}  // namespace hygie::files
