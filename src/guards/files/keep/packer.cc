#include "guards/files/keep/packer.h"

#include "base/check.h"

namespace hygie::files {
namespace {

constexpr int kLevel = 1;

}  // namespace

void Packer::Free::operator()(ZSTD_CCtx* context) const {
    ZSTD_freeCCtx(context);
}

Packer::Packer() : context_(ZSTD_createCCtx()) {
    HYGIE_CHECK(context_ != nullptr, "no memory for a compression context");
}

Bytes Packer::pack(ByteView plain) {
    Bytes out(ZSTD_compressBound(plain.size()));
    const std::size_t size = ZSTD_compressCCtx(context_.get(), out.data(), out.size(), plain.data(),
                                               plain.size(), kLevel);
    HYGIE_CHECK(!ZSTD_isError(size), "zstd has room for the worst case");
    out.resize(size);
    return out;
}

}  // namespace hygie::files
