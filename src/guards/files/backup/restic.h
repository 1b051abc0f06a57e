#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "host/process.h"

namespace hygie::files {

/// The tool that copies: restic, from Debian. It reads, compresses, encrypts and sends; when, what
/// and whether it is good is ours.
class Restic {
  public:
    /// `repository` as restic spells it: rest:https://backup.example/cabinet/, s3:…, a path.
    /// `options` are those of its --option: "rclone.program=ssh …".
    Restic(Process& process, std::string repository, std::string password_file,
           std::vector<std::string> options = {})
        : process_(process),
          repository_(std::move(repository)),
          password_file_(std::move(password_file)),
          options_(std::move(options)) {}

    /// Makes the repository unless it is there.
    Status ensure();
    struct Snapshot {
        std::string id;
        std::uint64_t files = 0;
        std::uint64_t bytes = 0;
    };
    Result<Snapshot> backup(const std::vector<std::string>& dirs);
    struct Difference {
        std::vector<std::string> added;
        std::vector<std::string> removed;
        std::vector<std::string> modified;
    };
    /// Files only.
    Result<Difference> diff(const std::string& from, const std::string& to);
    /// All of a snapshot, or these paths of it, below `target`.
    Status restore(const std::string& id, const std::string& target,
                   const std::vector<std::string>& paths = {});
    /// The structure of the repository.
    Status check();

    static constexpr Micros kTimeout = std::chrono::hours(24);

  private:
    void drop_stale_locks();
    Result<std::string> run(std::vector<std::string> arguments);

    Process& process_;
    std::string repository_;
    std::string password_file_;
    std::vector<std::string> options_;
};

/// What `restic diff --json` prints, a line each. Code::BadInput for anything else.
Result<Restic::Difference> parse_diff(std::string_view lines);
/// The last line of `restic backup --json`.
Result<Restic::Snapshot> parse_backup(std::string_view lines);
/// A path as a pattern that means only itself.
std::string escape_pattern(std::string_view path);

}  // namespace hygie::files
