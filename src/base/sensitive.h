#pragma once

#include <utility>

namespace hygie {

/// A value that must not reach a log, an error or a terminal by accident. It has no formatter and
/// no conversion: `reveal()` is the one word to search for.
template <typename T>
class Sensitive {
  public:
    Sensitive() = default;
    explicit Sensitive(T value) : value_(std::move(value)) {}

    const T& reveal() const { return value_; }
    bool operator==(const Sensitive&) const = default;

  private:
    T value_{};
};

}  // namespace hygie
