#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "event/event.h"
#include "guards/files/backup/restic.h"
#include "guards/files/judge/examiner.h"
#include "guards/files/keep/sealed_folder.h"
#include "host/clock.h"

/// Copies that may be trusted: made by restic, promoted only when nothing in them was destroyed,
/// proved by restoring them whole.
namespace hygie::files {

/// One file as it was when it was copied.
struct ManifestEntry {
    std::string path;
    std::uint64_t size = 0;
    std::string sha256;   ///< hexadecimal
    bool settled = true;  ///< it did not change while the copy was made
    bool operator==(const ManifestEntry&) const = default;
};

/// A full restore, compared file by file.
struct Drill {
    WallTime at{};
    std::uint64_t files = 0;  ///< compared
    std::uint64_t bytes = 0;
    std::uint64_t missing = 0;  ///< not in the copy
    std::uint64_t differing = 0;
    std::uint64_t moving = 0;  ///< changed while the copy was made: restored, not compared
    double seconds = 0;
    bool passed() const { return files != 0 && missing == 0 && differing == 0; }
};

struct BackupRecord {
    std::string id;  ///< of the snapshot
    WallTime at{};
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    bool promoted = false;
    std::vector<event::Reason> reasons;  ///< why it was not
    std::optional<Drill> drill;
};

/// All records, oldest first.
std::string print_records(const std::vector<BackupRecord>& records);
Result<std::vector<BackupRecord>> parse_records(std::string_view text);

struct BackupSettings {
    std::vector<std::string> dirs;  ///< absolute
    std::string scratch;            ///< an empty folder with room for what is restored
    std::vector<std::string> canaries;
    bool is_under_attack = false;  ///< the guard of files has somebody stopped
};

class Backup {
  public:
    Backup(Restic& restic, SealedFolder& folder, Examiner& examiner, Clock& clock)
        : restic_(restic), folder_(folder), examiner_(examiner), clock_(clock) {}

    /// Copies, then judges the copy against the last promoted one. A copy that is not promoted
    /// stays in the repository as evidence; the record says why.
    Result<BackupRecord> now(const BackupSettings& settings);
    /// Restores the last promoted copy whole and compares every file with its manifest.
    Result<BackupRecord> drill(const BackupSettings& settings);
    Result<std::vector<BackupRecord>> records();

    /// Files restored and examined for one judgement, at most, of each kind.
    static constexpr std::size_t kSample = 96;
    /// More than this share of the files gone is for a person to decide.
    static constexpr std::uint64_t kVanishedPercentMax = 30;
    static constexpr std::size_t kRecordsKept = 1000;

  private:
    Result<std::vector<event::Reason>> judge(const BackupSettings& settings,
                                             const BackupRecord& previous,
                                             const BackupRecord& fresh);
    Status save(const std::vector<BackupRecord>& records);

    Restic& restic_;
    SealedFolder& folder_;
    Examiner& examiner_;
    Clock& clock_;
};

/// Every regular file below, with its hash, in order.
Result<std::vector<ManifestEntry>> take_manifest(Disk& disk, const std::vector<std::string>& dirs);
std::string print_manifest(const std::vector<ManifestEntry>& entries);
Result<std::vector<ManifestEntry>> parse_manifest(std::string_view text);

}  // namespace hygie::files
