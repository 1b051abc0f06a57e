#include "guards/files/keep/recent.h"

#include <sys/uio.h>

#include <utility>

#include "guards/files/content/excerpt.h"

namespace hygie::files {

void Recent::put(VersionId version, Bytes bytes) {
    if (bytes.empty() || bytes.size() > kOneBytesMax) return;
    const std::size_t size = bytes.size();
    auto content = std::make_shared<MemoryContent>(std::move(bytes));
    const std::lock_guard lock(mutex_);
    if (!contents_.emplace(version, std::move(content)).second) return;
    order_.push_back(version);
    bytes_ += size;
    while (bytes_ > kBytesMax) {
        const auto oldest = contents_.find(order_.front());
        bytes_ -= oldest->second->size();
        contents_.erase(oldest);
        order_.pop_front();
    }
}

bool Recent::has(VersionId version) const {
    const std::lock_guard lock(mutex_);
    return contents_.contains(version);
}

ContentPtr Recent::find(VersionId version) const {
    const std::lock_guard lock(mutex_);
    const auto found = contents_.find(version);
    return found == contents_.end() ? nullptr : found->second;
}

Bytes bytes_at_hand(int fd, std::size_t size) {
    Bytes bytes(size);
    const iovec all{bytes.data(), bytes.size()};
    const ssize_t got = ::preadv2(fd, &all, 1, 0, RWF_NOWAIT);
    if (got < 0 || static_cast<std::size_t>(got) != size) bytes.clear();
    return bytes;
}

}  // namespace hygie::files
