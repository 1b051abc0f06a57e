#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/volume.h"
#include "guards/files/keep/record.h"

namespace hygie::files {

/// What the gate knows of one file that has a name in a protected folder, or had one a moment ago.
struct Known {
    std::string path;
    FileType type = FileType::Regular;
    Stamp held;                  ///< the file as it was when its bytes were kept
    bool is_held = false;        ///< the bytes of `held` are kept apart from the live file
    bool is_linked = false;      ///< a second name keeps it from being unlinked
    VersionId link_version = 0;  ///< … staged under this number
    bool is_named = false;       ///< it has a name now
    VersionId version = 0;       ///< the last Present record
    std::uint64_t size = 0;      ///< of that version
    Place place = Place::None;   ///< of that version's bytes
    /// The last version that a writer left by closing, or that was there from the start.
    VersionId committed = 0;
    std::uint64_t committed_size = 0;
    Meta meta;
    /// Hash of the key of the actor that made it, in this life, and its first version.
    std::uint64_t maker = 0;
    VersionId made = 0;
};

/// Other names and rights change the change time alone.
inline bool is_same_content(const Known& known, const Stamp& now) {
    return known.held.size == now.size && known.held.modified_ns == now.modified_ns;
}

/// The present, by key and by path. Thread-safe; every call is short.
class Catalog {
  public:
    std::optional<Known> find(const FileKey& key) const;
    std::optional<FileKey> at(const std::string& path) const;
    /// Gives a file this name, and takes the name from whom had it; that one is returned.
    std::optional<FileKey> set(const FileKey& key, Known known);
    /// A file that lost its last name before it was known.
    void set_nameless(const FileKey& key, Known known);
    /// Changes what is known of a file, if it is known.
    void update(const FileKey& key, const std::function<void(Known&)>& change);
    /// A name is gone. False when it did not lead to this file.
    bool remove_name(const FileKey& key, const std::string& path);
    /// A name became another, with all names below it. Returns who had the new name.
    std::optional<FileKey> move(const FileKey& key, const std::string& from, const std::string& to);
    /// Forgets files that have no name.
    void forget(const FileKey& key);
    std::size_t size() const;
    /// Every name, in order, and whom it leads to.
    std::vector<std::pair<std::string, FileKey>> names() const;
    /// Those below a folder.
    std::vector<std::pair<std::string, FileKey>> names_below(const std::string& folder) const;
    /// One more record of the journal, when it is read at start.
    void apply(const Record& record);

  private:
    Known known_by(const Record& record) const;
    std::optional<FileKey> name(const FileKey& key, const std::string& path);
    struct Renamed {
        std::string was;
        std::string is;
        FileKey key;
    };
    bool is_folder(const FileKey& key) const;
    std::vector<Renamed> take_below(const std::string& from, const std::string& to);
    void move_below(const std::string& from, const std::string& to);

    mutable std::mutex mutex_;
    std::unordered_map<FileKey, Known, FileKeyHash> files_;
    std::map<std::string, FileKey> names_;
};

}  // namespace hygie::files
