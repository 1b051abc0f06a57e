#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace hygie::ledger {

/// Does `work` for 0 … count − 1, up to `threads` of them at once, begun in that order. What fails
/// first by number is returned, as if they had been done one after the other; nothing more is begun
/// after a failure. `work` is called by several threads.
Status side_by_side(std::size_t count, std::size_t threads,
                    const std::function<Status(std::size_t)>& work);

}  // namespace hygie::ledger
