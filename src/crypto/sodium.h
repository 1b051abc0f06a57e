#pragma once

#include <sodium.h>

#include "base/check.h"

namespace hygie::crypto::detail {

/// Makes libsodium usable: chooses its kernels for this CPU, once and thread-safely. Called before
/// its use.
inline void sodium_ready() {
    static const bool ready = sodium_init() >= 0;
    HYGIE_CHECK(ready, "libsodium cannot start, so nothing could be sealed");
}

}  // namespace hygie::crypto::detail
