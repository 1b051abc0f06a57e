#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hygie::detail {

void check_failed(const char* expression, const char* why, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: invariant broken: %s (%s)\n", file, line, expression, why);
    std::abort();
}

}  // namespace hygie::detail
