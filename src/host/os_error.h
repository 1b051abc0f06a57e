#pragma once

#include <source_location>
#include <string>

#include "base/result.h"

namespace hygie {

/// What the operating system refused (an errno value), said so that the reader knows what to do
/// about `path`. ENOENT → NotFound, EEXIST → AlreadyThere, ENOSPC and EDQUOT → Full, EACCES, EPERM,
/// EROFS and ELOOP → Denied, everything else → Io.
std::unexpected<Error> os_failure(int error, const std::string& path,
                                  std::source_location where = std::source_location::current());

}  // namespace hygie
