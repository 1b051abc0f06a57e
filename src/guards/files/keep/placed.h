#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "guards/files/acts/volume.h"
#include "guards/files/keep/evidence.h"
#include "guards/files/keep/stage.h"
#include "host/random.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// A file that a restore made out of kept bytes, as it is before it gets its place.
struct Placement {
    FileKey file;
    FileKey kept;  ///< whose version it holds
    VersionId version = 0;
    bool operator==(const Placement&) const = default;
};

/// Of their tags.
crypto::HmacKey placed_key(const crypto::Secret32& state_key);

/// A list of them, in the folder where a guard at work lets the restore make its files (FORMAT.md).
/// Each entry is tagged under the state key and for this list: nobody else can add one.
class PlacedList {
  public:
    static constexpr std::size_t kSaltBytes = 16;
    static constexpr std::size_t kTagBytes = 16;
    /// Two keys, each behind its length, the version, the tag.
    static constexpr std::size_t kEntryBytes = 2 * (1 + FileKey::kBytesMax) + 8 + kTagBytes;

    /// A new one.
    static Result<PlacedList> make(const std::string& dir, const crypto::HmacKey& key,
                                   Random& random);
    /// The one that is there, to add to. Code::NotFound when no guard expects this restore.
    static Result<PlacedList> open(const std::string& dir, const crypto::HmacKey& key);

    /// Several threads may.
    void add(const Placement& placed) const;
    /// What was added since the last time. Whatever has not its tag is left out.
    std::vector<Placement> read_on();

  private:
    using Salt = std::array<std::uint8_t, kSaltBytes>;
    PlacedList(UniqueFd fd, const crypto::HmacKey& key, const Salt& salt)
        : fd_(std::move(fd)), key_(key), salt_(salt) {}
    std::array<std::uint8_t, kTagBytes> tag_of(ByteView entry) const;
    std::optional<Placement> parse(ByteView entry) const;

    UniqueFd fd_;
    crypto::HmacKey key_;
    Salt salt_;
    std::uint64_t at_ = kSaltBytes;
};

/// What a guard at work was told of that it has not met yet. Thread-safe.
class Placed {
  public:
    static constexpr std::size_t kListsMax = 4;
    static constexpr std::size_t kFilesMax = 100'000;

    /// Of the next restore, which makes its files in this folder.
    void expect(const FileKey& folder, PlacedList list);
    /// Whether a restore makes its files there.
    bool is_folder(const FileKey& key);
    /// The file was met in its place: believed once.
    std::optional<Placement> take(const FileKey& file);
    /// Whether its maker, who told of it, has not closed it yet.
    bool is_open(const FileKey& file);
    void close(const FileKey& file);

  private:
    struct Told {
        Placement placed;
        bool is_taken = false;
        bool is_closed = false;
    };
    using Files = std::unordered_map<FileKey, Told, FileKeyHash>;
    Files::iterator find(const FileKey& file);
    void forget_when_done(Files::iterator told);

    struct List {
        FileKey folder;
        PlacedList list;
    };
    std::mutex mutex_;
    std::deque<List> lists_;
    Files told_;
};

}  // namespace hygie::files
