#include "host/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdint>

namespace hygie {
namespace {

/// Freed blocks keep whole pages in each of many heaps. Fewer heaps would hold less and cost a
/// third of the throughput of reads: threads would wait for one another.
constexpr std::chrono::seconds kGiveBackEvery(20);
/// Until then freed memory stays: an answer of 64 kB, made and freed for each request, would
/// otherwise be asked of the kernel and given back each time.
constexpr int kKeptBytes = 16 << 20;
/// What is larger comes from the kernel alone and goes back there at once.
constexpr int kMappedBytes = 1 << 20;

}  // namespace

IdleMemoryKeeper::IdleMemoryKeeper()
    : thread_([this](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!wake_.wait_for(lock, stop, kGiveBackEvery, [&] { return stop.stop_requested(); }))
              ::malloc_trim(0);
      }) {
    ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
    ::mallopt(M_MMAP_THRESHOLD, kMappedBytes);
}

void want_large_pages(void* data, std::size_t bytes) {
    constexpr std::uintptr_t kPage = 2U << 20;
    const auto begin = (reinterpret_cast<std::uintptr_t>(data) + kPage - 1) & ~(kPage - 1);
    const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kPage - 1);
    if (data == nullptr || begin >= end) return;
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace hygie
