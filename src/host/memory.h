#pragma once

#include <cstddef>
#include <vector>

namespace hygie {

/// Asks for large pages for a range that will be read at random: one miss less per look-up. A wish,
/// never a failure; to be asked before the range is first touched.
void want_large_pages(void* data, std::size_t bytes);

/// From now on a thread of its own gives what lies idle in the heaps back to the kernel: for a
/// process of many threads that lives long, and may have hours without work.
void give_back_idle_memory();

/// Room for `count` elements, on large pages.
template <typename T>
void reserve_large(std::vector<T>& values, std::size_t count) {
    values.reserve(count);
    want_large_pages(values.data(), values.capacity() * sizeof(T));
}

}  // namespace hygie
