#include "host/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>

namespace hygie {
namespace {

/// Eight heaps for each core, the default, kept a third of the memory of a core that serves 316,000
/// resources idle: 337 MB there, 294 with four heaps, 238 with two.
constexpr int kHeapsMax = 2;
/// What lies free at the end of a heap goes back to the kernel from here on, and blocks from there
/// on never lie in a heap. Said once, neither grows with the largest block ever freed.
constexpr int kTrimBytes = 4 << 20;
constexpr int kOwnBlockBytes = 1 << 20;

}  // namespace

void share_few_heaps() {
    ::mallopt(M_ARENA_MAX, kHeapsMax);
    ::mallopt(M_TRIM_THRESHOLD, kTrimBytes);
    ::mallopt(M_MMAP_THRESHOLD, kOwnBlockBytes);
}

void want_large_pages(void* data, std::size_t bytes) {
    constexpr std::uintptr_t kPage = 2U << 20;
    const auto begin = (reinterpret_cast<std::uintptr_t>(data) + kPage - 1) & ~(kPage - 1);
    const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kPage - 1);
    if (data == nullptr || begin >= end) return;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace hygie
