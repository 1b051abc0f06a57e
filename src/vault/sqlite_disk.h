#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vault/store.h"

namespace hygie::vault {

/// SQLite's way to the disk (https://www.sqlite.org/vfs.html) through the Disk door, so that a
/// simulated disk can lose power under it. One process at a time uses a database, so what several
/// share, locks and the index of the write-ahead log, stays in memory.
class SqliteDisk {
  public:
    explicit SqliteDisk(const StoreDoors& doors);
    SqliteDisk(const SqliteDisk&) = delete;
    SqliteDisk& operator=(const SqliteDisk&) = delete;
    /// Every database opened through it is closed by then.
    ~SqliteDisk();

    /// For sqlite3_open_v2.
    const std::string& name() const;
    /// The first failure of the disk other than a full one. Everything is refused after it: what a
    /// failed sync lost cannot be known.
    std::optional<Error> failure() const;

    struct State;  ///< what SQLite's calls are given

  private:
    std::unique_ptr<State> state_;
};

}  // namespace hygie::vault
