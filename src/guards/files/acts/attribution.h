#pragma once

#include <optional>
#include <string>

#include "guards/files/acts/actor.h"

namespace hygie::files {

/// Finds the person behind a process of Samba. Asked once per process, and the answer is kept while
/// it lives.
class SmbSessions {
  public:
    virtual ~SmbSessions() = default;
    /// None when the process serves no client, or Samba is not here. Thread-safe; must not open
    /// files on a guarded file system.
    virtual std::optional<SmbClient> client_of(const ProcessId& process) = 0;
    /// How a user of this machine is called. Thread-safe.
    virtual std::string name_of(uid_t uid) const { return "uid " + std::to_string(uid); }
};

}  // namespace hygie::files
