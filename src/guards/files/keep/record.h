#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "guards/files/acts/change.h"
#include "guards/files/keep/stage.h"

/// What the store remembers of files: one record per act, in the order they were seen (FORMAT.md).
namespace hygie::files {

/// Written to disk: never renumbered, never reused.
enum class RecordKind : std::uint8_t {
    Present = 1,     ///< at this time a name led to this version of this file
    Gone = 2,        ///< a name ceased to be
    Moved = 3,       ///< a name became another; of a folder, with all below it
    Attributes = 4,  ///< mode, owner, extended attributes or times changed
    Hashed = 5,      ///< the SHA-256 of a staged version, and its mark in place of chunks
    Sealed = 6,      ///< a version's bytes are in the packs
    Dropped = 7,     ///< a version's bytes were let go: retention
    Stopped = 8,     ///< an actor was stopped
    Restored = 9,    ///< files were brought back; `path` names the report
    Started = 10,    ///< the guard began to watch; `path` says how
    Committed = 11,  ///< a version kept before a change was whole: its writer had closed it
};

/// Why a version was kept or a name went.
enum class Cause : std::uint8_t {
    None = 0,
    Baseline = 1,  ///< it was there when the guard started
    Commit = 2,    ///< its writer closed it
    PreImage = 3,  ///< something was about to change it
    Adopted = 4,   ///< found after a restart, or moved in from outside
    Unlink = 5,
    Replaced = 6,  ///< another file took its name
};

enum class FileType : std::uint8_t { Regular = 0, Folder = 1, SymbolicLink = 2, Other = 3 };

/// Where a version's bytes are.
enum class Place : std::uint8_t {
    None = 0,    ///< it has none: empty, a folder, a link
    Staged = 1,  ///< own bytes in the stage
    Linked = 2,  ///< the live file itself, held by a second name in the stage
    Packed = 3,
};

struct Meta {
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t modified_ns = 0;
    /// Extended attributes, ACLs among them, sorted by name.
    std::vector<std::pair<std::string, Bytes>> attributes;
    bool operator==(const Meta&) const = default;
};

using ChunkId = std::array<std::uint8_t, 32>;

struct Record {
    RecordKind kind = RecordKind::Present;
    VersionId time = 0;  ///< names this record, and of Present the version
    /// When it was done, which may be told later: microseconds since 1970, after what was done by
    /// earlier records, and not before its bytes were there (FORMAT.md). Of what was done by
    /// nobody, `time`.
    VersionId happened = 0;
    FileKey key;
    std::string path;
    std::string from;  ///< Moved
    FileType type = FileType::Regular;
    Meta meta;
    std::uint64_t size = 0;
    Place place = Place::None;
    std::string target;  ///< of a symbolic link
    std::string actor;   ///< Actor::key; empty for the guard's own acts
    Cause cause = Cause::None;
    VersionId version = 0;        ///< Hashed, Sealed, Dropped: of which version
    Bytes hash;                   ///< SHA-256, 32 bytes, or none
    std::vector<ChunkId> chunks;  ///< Sealed: where its bytes are
    std::int64_t changed_ns = 0;  ///< Present: the change time seen, to know the file again
    bool operator==(const Record&) const = default;
};

/// What changed the present. Bytes kept before a change are not: their file was so already.
bool is_act(const Record& record);

Bytes encode(const Record& record);
/// Code::Corrupt for anything but what encode() writes.
Result<Record> decode_record(ByteView bytes);

std::string_view name_of(RecordKind kind);
std::string_view name_of(Cause cause);

/// Mode, owner, times and extended attributes of an open file; O_PATH will do. Attributes that may
/// not be read are left out.
Meta meta_of(int fd, const struct stat& info);

}  // namespace hygie::files
