#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace hygie {

/// Asks for large pages for a range that will be read at random: one miss less per look-up. A wish,
/// never a failure; to be asked before the range is first touched.
void want_large_pages(void* data, std::size_t bytes);

/// While it lives, gives what lies idle in the heaps back to the kernel now and then: for a process
/// of many threads that lives long.
class IdleMemoryKeeper {
  public:
    IdleMemoryKeeper();

  private:
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;  ///< last: it uses the others
};

/// Room for `count` elements, on large pages.
template <typename T>
void reserve_large(std::vector<T>& values, std::size_t count) {
    values.reserve(count);
    want_large_pages(values.data(), values.capacity() * sizeof(T));
}

}  // namespace hygie
