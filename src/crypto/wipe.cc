#include "crypto/wipe.h"

#include <algorithm>

namespace hygie::crypto {

Status wipe(File& file) {
    static constexpr std::array<std::uint8_t, 64 << 10> kZeros{};
    const std::uint64_t size = TRY(file.size());
    for (std::uint64_t at = 0; at < size; at += kZeros.size()) {
        const std::uint64_t count = std::min<std::uint64_t>(kZeros.size(), size - at);
        TRY_STATUS(file.write_at(at, ByteView(kZeros).first(count)));
    }
    return file.sync();
}

Status wipe_and_remove(Disk& disk, const std::string& path) {
    if (!disk.exists(path)) return {};
    TRY_STATUS(wipe(*TRY(disk.open(path, Open::ReadWrite))));
    TRY_STATUS(disk.remove(path));
    return disk.sync_dir(parent(path));
}

}  // namespace hygie::crypto
