#include "crypto/secret.h"

#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/check.h"

namespace hygie::crypto {

Secret32::Secret32(std::span<const std::uint8_t, 32> bytes) {
    std::ranges::copy(bytes, bytes_.begin());
}

Secret32::~Secret32() {
    sodium_memzero(bytes_.data(), bytes_.size());
}

void harden_process() {
    HYGIE_CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "keys could be read by a tracer");
    const rlimit none{0, 0};
    HYGIE_CHECK(setrlimit(RLIMIT_CORE, &none) == 0, "keys could be written to a core dump");
    // Under a finite limit MCL_FUTURE would make later allocations fail: a service that stops is
    // worse than one whose host must encrypt its swap (README). MCL_ONFAULT spares the untouched
    // part of thread stacks.
    rlimit lockable{};
    if (getrlimit(RLIMIT_MEMLOCK, &lockable) == 0 && lockable.rlim_cur == RLIM_INFINITY)
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

}  // namespace hygie::crypto
