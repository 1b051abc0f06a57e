#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace hygie::crypto {

/// 32 secret bytes. Wiped when destroyed; never formatted. Processes that hold them call
/// `harden_process()`.
class Secret32 {
  public:
    Secret32() = default;
    explicit Secret32(std::span<const std::uint8_t, 32> bytes);
    Secret32(const Secret32&) = default;
    Secret32& operator=(const Secret32&) = default;
    ~Secret32();

    ByteView view() const { return bytes_; }
    std::span<std::uint8_t, 32> mutable_view() { return bytes_; }
    bool operator==(const Secret32& other) const {
        return equal_constant_time(bytes_, other.bytes_);
    }

  private:
    std::array<std::uint8_t, 32> bytes_{};
};

/// No core dumps, not traceable, memory locked where the limits allow: keys must not reach swap or
/// a dump.
void harden_process();

}  // namespace hygie::crypto
