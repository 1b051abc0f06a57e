#pragma once

namespace hygie::detail {

/// Prints the broken invariant to stderr and aborts: going on would put evidence at risk.
[[noreturn]] void check_failed(const char* expression, const char* why, const char* file, int line);

}  // namespace hygie::detail

/// An invariant of our own code. Stays on in release. `why` says what would go wrong; it never
/// holds data.
#define HYGIE_CHECK(condition, why)                                             \
    do {                                                                        \
        if (!(condition)) [[unlikely]]                                          \
            ::hygie::detail::check_failed(#condition, why, __FILE__, __LINE__); \
    } while (false)
