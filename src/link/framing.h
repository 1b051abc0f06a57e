#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"

/// Cutting a stream of bytes into frames: a length of four bytes, big-endian, and so many bytes.
namespace hygie::link {

/// The payload behind its length.
Bytes framed(ByteView payload);

/// Keeps no more than one frame and what was fed with it.
class FrameCutter {
  public:
    void feed(ByteView bytes);
    /// The next whole payload, if there is one; it lies in place until the next call of either.
    /// Code::BadInput when its frame is above the limit.
    Result<std::optional<ByteView>> next(std::size_t payload_bytes_max);
    /// Bytes fed and not cut yet.
    std::size_t waiting() const { return bytes_.size() - read_; }

  private:
    Bytes bytes_;
    std::size_t read_ = 0;
};

}  // namespace hygie::link
