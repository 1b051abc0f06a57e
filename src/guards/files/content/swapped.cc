#include "guards/files/content/swapped.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace hygie::files {
namespace {

constexpr std::size_t kBlockBytes = 256 << 10;
constexpr std::uint32_t kExtentsAtOnce = 128;
/// A file in more pieces is compared by its bytes.
constexpr std::size_t kExtentsMax = 4096;

struct Extent {
    std::uint64_t logical = 0;
    std::uint64_t physical = 0;
    std::uint64_t length = 0;
    bool operator==(const Extent&) const = default;
};

/// None when they cannot be told, or are not on the disk yet.
std::optional<std::vector<Extent>> extents_of(int fd) {
    constexpr std::size_t kBytes = sizeof(fiemap) + kExtentsAtOnce * sizeof(fiemap_extent);
    alignas(fiemap) std::array<std::uint8_t, kBytes> buffer{};
    auto& map = *reinterpret_cast<fiemap*>(buffer.data());
    std::vector<Extent> extents;
    for (std::uint64_t at = 0; extents.size() < kExtentsMax;) {
        map = {};
        map.fm_start = at;
        map.fm_length = FIEMAP_MAX_OFFSET - at;
        map.fm_extent_count = kExtentsAtOnce;
        if (::ioctl(fd, FS_IOC_FIEMAP, &map) < 0) return std::nullopt;
        for (std::uint32_t i = 0; i < map.fm_mapped_extents; ++i) {
            const fiemap_extent& one = map.fm_extents[i];
            constexpr std::uint32_t kVague =
                FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE;
            if (one.fe_flags & kVague) return std::nullopt;
            const bool goes_on = !extents.empty() &&
                                 extents.back().logical + extents.back().length == one.fe_logical &&
                                 extents.back().physical + extents.back().length == one.fe_physical;
            if (goes_on)
                extents.back().length += one.fe_length;
            else
                extents.push_back({one.fe_logical, one.fe_physical, one.fe_length});
            at = one.fe_logical + one.fe_length;
            if (one.fe_flags & FIEMAP_EXTENT_LAST) return extents;
        }
        if (map.fm_mapped_extents == 0) return extents;
    }
    return std::nullopt;
}

}  // namespace

bool is_swapped(int fd, int kept_fd, const Content& kept) {
    if (kept_fd >= 0) {
        const auto mine = extents_of(fd);
        if (mine && mine == extents_of(kept_fd)) return false;
    }
    Bytes live(kBlockBytes);
    Bytes held(kBlockBytes);
    for (std::uint64_t at = 0; at < kept.size();) {
        const ssize_t got = ::pread(fd, live.data(), live.size(), static_cast<off_t>(at));
        if (got <= 0) return false;
        const auto size = static_cast<std::size_t>(got);
        const auto read = kept.read_at(at, std::span(held).first(size));
        if (!read) return false;
        if (*read != size || !std::equal(live.begin(), live.begin() + got, held.begin()))
            return true;
        at += size;
    }
    return false;
}

}  // namespace hygie::files
