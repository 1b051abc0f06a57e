#include "host/memory.h"

#include <sys/mman.h>

#include <cstdint>

#ifndef HYGIE_SANITIZED
#include <jemalloc/jemalloc.h>

/// Read by jemalloc before main. Few heaps, since each keeps its own spare pages; what is freed
/// goes back by munmap within seconds, which works for locked memory, too.
const char* malloc_conf = "narenas:4,retain:false,dirty_decay_ms:2000,muzzy_decay_ms:0";
#endif

namespace hygie {

void give_back_idle_memory() {
#ifndef HYGIE_SANITIZED
    bool on = true;
    (void)::mallctl("background_thread", nullptr, nullptr, &on, sizeof on);
#endif
}

void want_large_pages(void* data, std::size_t bytes) {
    constexpr std::uintptr_t kPage = 2U << 20;
    const auto begin = (reinterpret_cast<std::uintptr_t>(data) + kPage - 1) & ~(kPage - 1);
    const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kPage - 1);
    if (data == nullptr || begin >= end) return;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace hygie
