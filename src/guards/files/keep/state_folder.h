#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/secret.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"

/// The folder in which a guard keeps what it knows: its files, its secret, its volumes (FORMAT.md).
namespace hygie::files {

/// The doors that a state folder is opened through.
struct StoreDoors {
    Disk& disk;
    Clock& clock;
    Random& random;
};

/// Names within a state folder.
struct StatePaths {
    explicit StatePaths(const std::string& state)
        : key(join(state, "key")),
          lock(join(state, "lock")),
          log(join(state, "log")),
          packs(join(state, "packs")),
          volumes(join(state, "volumes")),
          stage(join(state, "stage")),
          evidence(join(state, "evidence")),
          reports(join(state, "reports")),
          spool(join(state, "spool")),
          handover(join(state, "handover.sock")) {}
    std::string key, lock, log, packs, volumes, stage, evidence, reports, spool, handover;
};

enum class Absent { Make, Refuse };
/// The secret of a state folder. Where there is none it is made, or Code::NotFound; Code::Corrupt
/// when it is damaged.
Result<crypto::Secret32> state_key(StoreDoors doors, const std::string& state, Absent absent);

/// Numbers of guarded file systems, kept in the state folder: "number id type stage" a line.
struct VolumeLine {
    std::uint8_t number = 0;
    std::uint64_t id = 0;
    std::string type;
    std::string stage;
};
Result<std::vector<VolumeLine>> read_volumes(Disk& disk, const std::string& state);
Status write_volumes(Disk& disk, const std::string& state, const std::vector<VolumeLine>& lines);

}  // namespace hygie::files
