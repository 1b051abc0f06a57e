#pragma once

#include <utility>
#include <vector>

namespace hygie {

/// A vector of this value alone, which a braced list would copy.
template <typename T>
std::vector<T> only(T value) {
    std::vector<T> all;
    all.push_back(std::move(value));
    return all;
}

}  // namespace hygie
