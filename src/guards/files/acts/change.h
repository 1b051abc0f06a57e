#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "guards/files/acts/actor.h"
#include "guards/files/content/content.h"

namespace hygie::files {

/// Names a file for its whole life, also after it was renamed or unlinked: the file system's
/// handle (name_to_handle_at: inode number and generation). Inode numbers alone are reused.
class FileKey {
  public:
    /// exportfs handles are at most 128 bytes (MAX_HANDLE_SZ); those of ext4, xfs and btrfs fit.
    static constexpr std::size_t kBytesMax = 40;

    FileKey() = default;
    /// `volume` numbers the guarded file system among several (Volume::number).
    FileKey(std::uint8_t volume, int type, ByteView handle);

    ByteView bytes() const { return {bytes_.data(), size_}; }
    bool empty() const { return size_ == 0; }
    std::uint8_t volume() const { return size_ ? bytes_[0] : 0; }
    int type() const { return size_ ? bytes_[1] : 0; }
    ByteView handle() const { return size_ ? bytes().subspan(2) : ByteView(); }
    bool operator==(const FileKey& other) const {
        return size_ == other.size_ && bytes_ == other.bytes_;
    }
    auto operator<=>(const FileKey&) const = default;

  private:
    std::array<std::uint8_t, kBytesMax> bytes_{};
    std::uint8_t size_ = 0;
};

struct FileKeyHash {
    std::size_t operator()(const FileKey& key) const {
        return std::hash<std::string_view>()(as_text(key.bytes()));
    }
};

/// What happens to a protected file.
enum class ChangeKind : std::uint8_t {
    // Asked before it happens: the gate waits for the answer of JudgeDoor::before.
    OpenForWrite = 1,  ///< opened with the right to write, truncating or not
    Write = 2,         ///< bytes are about to change in a file opened earlier
    Truncate = 3,      ///< cut by name or descriptor, without an open
    Execute = 4,       ///< a program on a guarded file system is about to run
    // Told after it happened, through JudgeDoor::after; never waits.
    CloseWrite = 16,  ///< a writer closed it: `before` is the version of before, `now` the new one
    Unlink = 17,      ///< the name is gone; `before` is kept
    Rename = 18,      ///< `from` → `path`
    RenameOver = 19,  ///< the same, and `path` named another file that is now kept: `before`
    Exchange = 20,    ///< two names changed places; told once per name
    Create = 21,      ///< a new name; no bytes yet
    Read = 22,        ///< opened for reading; the first time in an epoch (Gate::kEpoch)
    Attributes = 23,  ///< mode, owner, extended attributes or times
};
/// "open-for-write", "close-write"…
std::string_view name_of(ChangeKind kind);
constexpr bool is_asked_before(ChangeKind kind) {
    return static_cast<std::uint8_t>(kind) < 16;
}

/// One act on one protected file, as the gate reports it to the judge.
struct Change {
    ChangeKind kind = ChangeKind::Read;
    WallTime time{};
    SteadyTime steady{};  ///< for rates: the wall clock may step
    Actor actor;
    FileKey file;
    std::string path;     ///< absolute; the bytes of the file system, in any encoding
    std::string from;     ///< Rename…: the name before
    bool is_new = false;  ///< the file did not exist before this actor made it a short time ago, or
                          ///< held nothing; Read: it was made since the guard began
    bool was_read = false;          ///< what it took away, by this actor, a short time ago
    bool is_of_collection = false;  ///< … with many others
    bool is_outside = false;        ///< CloseWrite: of a file that is in no protected folder
    bool is_open = false;           ///< CloseWrite: it is not closed, but changed and lies still
    FileKey victim;                 ///< RenameOver: the file that was there
    std::uint64_t offset = 0;       ///< Write, Truncate: the range as the kernel gave it
    std::uint64_t length = 0;
    /// The last committed version, kept by the store; null when there is none (a new file).
    ContentPtr before;
    /// The bytes after the change; for changes asked before they happen the bytes still there.
    /// Null for Unlink and when the file cannot be read any more.
    ContentPtr now;
};

}  // namespace hygie::files
