#pragma once

#include <optional>

#include "guards/files/actor.h"

namespace hygie::files {

/// Stands for a user that is not known yet.
inline constexpr char kUnknownUser[] = "?";

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
