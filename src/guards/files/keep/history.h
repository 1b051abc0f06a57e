#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/files/keep/store.h"

namespace hygie::files {

/// What a name led to at some time.
struct FileState {
    FileKey key;
    VersionId version = 0;
    FileType type = FileType::Regular;
    Meta meta;
    std::uint64_t size = 0;
    Place place = Place::None;
    std::string target;
    bool operator==(const FileState&) const = default;
};

/// A version of one file, for people.
struct VersionLine {
    VersionId version = 0;
    VersionId happened = 0;
    std::string path;
    std::uint64_t size = 0;
    Cause cause = Cause::None;
    RecordKind kind = RecordKind::Present;
    std::string actor;
    std::string from;
};

/// Which changes a restore takes back.
struct Question {
    VersionId since = 0;               ///< microseconds since 1970
    std::optional<std::string> actor;  ///< those of one actor alone
    std::string path;                  ///< this file or what lies below this folder; all when empty
};

/// What a restore would do with one name.
enum class Step : std::uint8_t {
    Recreate,    ///< it is gone and comes back
    Replace,     ///< it has other bytes now
    Attributes,  ///< it has other rights, owner or times now
    SetAside,    ///< it did not exist then: kept as evidence
};
std::string_view name_of(Step step);

struct PlanItem {
    Step step = Step::Recreate;
    std::string path;
    std::optional<FileState> wanted;
    std::optional<FileState> now;
    std::set<std::string> actors;       ///< who changed it since
    std::set<std::string> beside = {};  ///< other names that the file had with this one
};

struct Plan {
    std::vector<PlanItem> items;  ///< folders before what they hold
    std::uint64_t bytes = 0;      ///< to bring back
    std::set<std::string> actors;
    std::uint64_t spared = 0;  ///< new files of others, left where they are
};
/// How many of its items each actor changed.
std::map<std::string, std::size_t> changes_of(const Plan& plan);
/// Names of one file that went one after the other know of each other; items are sorted by path.
void tie_names(Plan& plan);

/// The present that follows from records, one after the other.
class Timeline {
  public:
    Timeline() = default;
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;
    Timeline(Timeline&&) = default;
    Timeline& operator=(Timeline&&) = default;

    void apply(const Record& record);
    std::optional<FileState> at(const std::string& path) const;
    /// The names that lead to a file.
    std::vector<std::string> names_of(const FileKey& key) const;
    std::vector<std::string> below(const std::string& path) const;
    const std::map<std::string, FileState>& all() const { return names_; }

  private:
    using Names = std::map<std::string, FileState>;
    Names::iterator name(const std::string& path, const FileKey& key);
    void take(const std::string& path);
    void show(const FileState& state);
    void move(const Record& record);

    Names names_;
    std::unordered_map<FileKey, FileState, FileKeyHash> files_;
    std::unordered_map<FileKey, std::vector<Names::iterator>, FileKeyHash> paths_;  ///< of names_
    std::unordered_map<VersionId, FileState> unconfirmed_;
};

/// All that a state folder remembers, read beside a running guard.
class History {
  public:
    static Result<History> read(StoreDoors doors, const std::string& state);

    /// What the records alone say; plan_of() looks at the disk too.
    Plan plan(const Question& question) const;
    struct PlanAndPresent {
        Plan plan;
        Timeline present;
    };
    /// … and the present, to which the same way leads.
    PlanAndPresent plan_and_present(const Question& question) const;
    /// The present as it was right after this time.
    Timeline timeline(VersionId until) const;
    std::vector<VersionLine> log(const std::string& path) const;
    /// Where a sealed version's bytes are; none when it is staged or nowhere.
    const Record* sealed(VersionId version) const;
    /// What first told the SHA-256 of a version: its Hashed, which has its mark, or its Sealed.
    const Record* hashed(VersionId version) const;
    const std::vector<Record>& records() const { return records_; }

  private:
    std::vector<Record> records_;
    std::unordered_map<VersionId, std::size_t> sealed_;
    std::unordered_map<VersionId, std::size_t> hashed_;
};

}  // namespace hygie::files
