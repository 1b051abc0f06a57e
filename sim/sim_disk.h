#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/disk.h"
#include "sim/sim_content.h"

namespace hygie::sim {

/// What can go wrong with one operation. Each injected fault strikes once.
enum class Fault {
    WriteFails,  ///< part of the bytes are written, then Code::Io
    SyncFails,   ///< Code::Io; what was not synced is partly gone, and a later sync does not bring
                 ///< it back
    ReadFails,   ///< Code::Io
    ReadFlipsABit,  ///< the bytes read differ in one bit from those stored
};

/// A disk in memory that forgets as a real one may. It has two layers, what programs see and what
/// is durable, and the strictest reading of POSIX between them:
/// - each 512-byte sector written since the last sync survives a loss of power or not, on its own,
/// in any version;
/// - a grown file may keep its old size, its new one or one in between, and its new bytes may be
/// zeros;
/// - a name created, renamed or removed since the last sync_dir of its directory survives or not,
/// on its own, whatever
///   became of the file's bytes (only a rename within the tree is all or nothing).
/// Everything replays from the seeds given. Thread-safe.
class SimDisk final : public Disk {
  public:
    /// `seed` decides what injected faults do; crash() has a seed of its own.
    explicit SimDisk(std::uint64_t seed = 1);
    ~SimDisk() override;

    Result<std::unique_ptr<File>> open(const std::string& path, Open mode,
                                       Access access = Access::Private) override;
    bool exists(const std::string& path) override;
    Result<std::uint64_t> file_size(const std::string& path) override;
    Result<std::vector<DirEntry>> list(const std::string& dir) override;
    Status make_dirs(const std::string& dir, Access access = Access::Private) override;
    Status remove(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status sync_dir(const std::string& dir) override;
    Status sync_all(const std::string& root) override;
    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
    Result<std::uint64_t> free_bytes(const std::string& path) override;

    // Faults

    /// Strikes the first operation of its kind on a path that contains `path_part`, after letting
    /// `spared` of them pass.
    void inject(Fault fault, const std::string& path_part = "", std::uint64_t spared = 0);
    /// Files may grow by this many bytes more in all; shrinking and removing give room back.
    void set_free_bytes(std::uint64_t bytes);
    /// While true every change is refused as by a disk mounted read-only.
    void set_read_only(bool read_only);

    // The ends of a run. Objects that use the disk must be gone or idle; their files and locks are
    // dead afterwards.

    /// Changes asked for since the disk was made: creations, writes, syncs, renames…
    std::uint64_t steps() const;
    /// The power is cut during change number `step` (the first is 1): it is done in part or in
    /// whole but reported as failed, and everything after it fails until crash().
    void crash_at_step(std::uint64_t step);
    /// Power is lost and comes back: the disk becomes what a machine would find.
    void crash(std::uint64_t seed);
    /// The process dies, the machine goes on: everything written is still seen, nothing more is
    /// durable.
    void kill();
    /// A disk with the same bytes and names, seen and durable, no open files, no locks and no
    /// pending faults. Cheap: contents are shared until written.
    std::unique_ptr<SimDisk> clone() const;

  private:
    struct Core;
    class SimFile;
    class SimLock;
    explicit SimDisk(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

}  // namespace hygie::sim
