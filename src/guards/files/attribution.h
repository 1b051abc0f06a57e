#pragma once

#include <optional>

#include "guards/files/actor.h"

namespace hygie::files {

/// Finds the person behind a process of Samba. Asked once per process, and the answer is kept while
/// it lives.
class SmbSessions {
  public:
    virtual ~SmbSessions() = default;
    /// None when the process serves no client, or Samba is not here. Thread-safe; must not open
    /// files on a guarded file system.
    virtual std::optional<SmbClient> client_of(const ProcessId& process) = 0;
};

}  // namespace hygie::files
