#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"

namespace hygie::files {

/// The bytes of one version of a file, wherever they lie: in the live file, in a staged clone, or
/// sealed in a pack. Thread-safe. Reading never raises an event of the gate.
class Content {
  public:
    virtual ~Content() = default;
    virtual std::uint64_t size() const = 0;
    /// A short count means the end of the file. The live file may change or shrink under the
    /// reader.
    virtual Result<std::size_t> read_at(std::uint64_t offset,
                                        std::span<std::uint8_t> out) const = 0;
    /// Where the next byte that may not be zero lies, from `offset` on; size() when there is none.
    virtual std::uint64_t next_data(std::uint64_t offset) const { return offset; }
};

using ContentPtr = std::shared_ptr<const Content>;

}  // namespace hygie::files
