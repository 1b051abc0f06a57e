#include "host/memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace hygie {

void want_large_pages(void* data, std::size_t bytes) {
    constexpr std::uintptr_t kPage = 2U << 20;
    const auto begin = (reinterpret_cast<std::uintptr_t>(data) + kPage - 1) & ~(kPage - 1);
    const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kPage - 1);
    if (data == nullptr || begin >= end) return;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace hygie
