#include "guards/files/keep/admission.h"

#include <algorithm>

namespace hygie::files {

bool Admission::admit(const std::string& actor, std::uint64_t bytes, Room room, Time now) {
    const std::uint64_t reserve = std::max(kReserveMin, room.total / 1000 * kReservePermille);
    if (room.free < reserve + bytes) return false;
    const std::lock_guard lock(mutex_);
    if (uses_.size() >= kActorsMax)
        std::erase_if(uses_, [&](const auto& use) { return now - use.second.since > kWindow; });
    Use& mine = uses_[actor];
    if (now - mine.since > kWindow) mine = {0, now};
    if (room.free < kShort * reserve) {
        std::uint64_t all = 0;
        for (const auto& [name, use] : uses_) all += use.bytes;
        if (mine.bytes > reserve / 2 && 2 * mine.bytes > all) return false;
    }
    mine.bytes += bytes;
    return true;
}

}  // namespace hygie::files
