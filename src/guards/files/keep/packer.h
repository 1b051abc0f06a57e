#pragma once

#include <zstd.h>

#include <memory>

#include "base/bytes.h"

namespace hygie::files {

/// Compresses many small things: making a context for each costs more than compressing it. One
/// thread at a time.
class Packer {
  public:
    Packer();
    Bytes pack(ByteView plain);

  private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const;
    };
    std::unique_ptr<ZSTD_CCtx, Free> context_;
};

}  // namespace hygie::files
