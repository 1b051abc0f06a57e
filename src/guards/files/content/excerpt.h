#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "guards/files/content/content.h"

namespace hygie::files {

/// Larger contents are judged by samples.
inline constexpr std::uint64_t kWholeBytesMax = 8 << 20;

/// What is judged of a content: all of it, or samples at the same places of any two contents of one
/// size.
struct Excerpt {
    Bytes bytes;             ///< the content, or the samples one behind the other
    std::uint64_t size = 0;  ///< of the whole content
    bool whole = true;       ///< bytes is the content itself
};

/// What cannot be read is left out.
Excerpt excerpt_of(const Content& content);

/// Bytes that are already in memory, and owned.
class MemoryContent final : public Content {
  public:
    explicit MemoryContent(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

  private:
    Bytes bytes_;
};

}  // namespace hygie::files
