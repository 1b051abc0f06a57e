#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hygie::files {

/// Takes the flags `i` and `a` (chattr) from a path and from the nearest folder above it that
/// exists: with them not even root changes a file, and who attacks as root may set them. Returns
/// the paths that had one. Code::Denied, naming the flag, when it stays.
Result<std::vector<std::string>> lift_immutable(const std::string& path);

}  // namespace hygie::files
