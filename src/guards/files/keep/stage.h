#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "guards/files/acts/change.h"
#include "guards/files/content/content.h"
#include "guards/files/keep/anchor.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Numbers one kept version of one file. Microseconds since 1970 when it was taken, made unique: a
/// later version has a larger number, whatever the wall clock does.
using VersionId = std::uint64_t;

/// How bytes are held in the staging area.
enum class Held : std::uint8_t {
    Clone = 1,  ///< own bytes: a reflink, or a copy where there are none
    Link = 2,   ///< a second name for the live file: survives unlink, not writing
};

/// The guard's own folder on the guarded file system, where a version can be kept in microseconds:
/// reflinks on xfs and btrfs, hard links and copies elsewhere. Each file's name says which version
/// of which file it is (FORMAT.md), so that a killed guard loses nothing. Thread-safe.
class Stage {
  public:
    /// Makes the folders. `probe` finds out whether the file system clones.
    static Result<Stage> open(const std::string& dir);
    /// For reading what is there.
    static Result<Stage> at(const std::string& dir);

    /// A name that leads to it, wherever it is moved.
    const std::string& dir() const { return dir_; }
    bool clones() const { return clones_; }

    /// Keeps the bytes of an open file as they are now. Code::Full when there is no room.
    /// Cloning waits until the disk has what was written to the file a moment ago; copying does
    /// not.
    enum class How { Best, Copy };
    Status keep(int fd, const FileKey& key, VersionId version, How how = How::Best) const;
    /// Gives a live file a second name. Code::Unavailable when it has none any more or lies
    /// outside our mount.
    Status link(int fd, const FileKey& key, VersionId version) const;
    /// The staged bytes; NotFound when they were moved to a pack or dropped.
    Result<UniqueFd> open_version(const FileKey& key, VersionId version) const;
    /// Its own bytes alone, which nobody changes.
    /// What another file has kept is kept for this one too. NotFound when there is no such version
    /// of this size.
    Status keep_again(const FileKey& kept, VersionId kept_version, std::uint64_t size,
                      const FileKey& key, VersionId version) const;
    Result<UniqueFd> open_own(const FileKey& key, VersionId version) const;
    /// Whether a version has bytes of its own, not a second name alone.
    bool has_bytes(const FileKey& key, VersionId version) const;
    Status drop(const FileKey& key, VersionId version) const;

    struct Item {
        FileKey key;
        VersionId version = 0;
        Held held = Held::Clone;
    };
    /// Everything staged, in no order; torn captures of a crash are removed on the way.
    Status list(const std::function<void(const Item&)>& item) const;
    /// The folders of own bytes: the gate ignores what is opened there.
    std::vector<std::string> folders() const;
    /// Those of second names too.
    std::vector<std::string> all_folders() const;

  private:
    Stage() = default;
    std::string path(const FileKey& key, VersionId version, Held held) const;
    Result<UniqueFd> open_held(const FileKey& key, VersionId version, Held held) const;
    std::unexpected<Error> cannot_keep(int error) const;

    std::string dir_;    ///< by which it is reached
    std::string named_;  ///< for people
    std::optional<Anchor> anchor_;
    bool clones_ = false;
};

/// Copies all bytes of an open file, holes kept as holes. Code::Full, Code::Io.
Status copy_bytes(int from, int to, std::uint64_t size);
/// Clones an open file; false when the file system cannot. Code::Full.
Result<bool> cloned(int from, int to);
/// Clones if the file system can, else copies. True when cloned.
Result<bool> clone_or_copy(int from, int to);

/// The state folder, or the part of it that keeps versions, was deleted under a running guard.
Error state_is_gone(const std::string& dir);

/// The bytes of an open file that no writer of ours changes.
ContentPtr content_of(UniqueFd fd);

}  // namespace hygie::files
