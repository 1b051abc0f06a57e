#include "guards/files/acts/change.h"

#include <algorithm>

#include "base/check.h"

namespace hygie::files {

FileKey::FileKey(std::uint8_t volume, int type, ByteView handle) {
    HYGIE_CHECK(handle.size() + 2 <= kBytesMax, "a cut handle would name another file");
    bytes_[0] = volume;
    bytes_[1] = static_cast<std::uint8_t>(type);
    std::ranges::copy(handle, bytes_.begin() + 2);
    size_ = static_cast<std::uint8_t>(handle.size() + 2);
}

std::string_view name_of(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::OpenForWrite:
            return "open-for-write";
        case ChangeKind::Write:
            return "write";
        case ChangeKind::Truncate:
            return "truncate";
        case ChangeKind::Execute:
            return "execute";
        case ChangeKind::CloseWrite:
            return "close-write";
        case ChangeKind::Unlink:
            return "unlink";
        case ChangeKind::Rename:
            return "rename";
        case ChangeKind::RenameOver:
            return "rename-over";
        case ChangeKind::Exchange:
            return "exchange";
        case ChangeKind::Create:
            return "create";
        case ChangeKind::Read:
            return "read";
        case ChangeKind::Attributes:
            return "attributes";
    }
    return "";
}

}  // namespace hygie::files
