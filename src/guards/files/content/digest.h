#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "crypto/one_time_mac.h"
#include "crypto/sha256.h"

struct evp_md_ctx_st;

namespace hygie::files {

/// What a version is recognised by: SHA-256 of its bytes. Of a content that holds whole, aligned
/// mebibytes of zeros, as virtual disks do, those are counted rather than hashed, be they written
/// or holes: SHA-256 of (SHA-256 of the rest ‖ first and count of each stretch of such mebibytes ‖
/// size), numbers as 8 bytes (FORMAT.md). In the same pass, or instead of it, the tag of its mark.
class Digest {
  public:
    static constexpr std::size_t kBlockBytes = 1 << 20;

    enum class Hashing { Yes, No };
    explicit Digest(Hashing hashing = Hashing::Yes,
                    std::optional<crypto::OneTimeMac> mac = std::nullopt);
    /// The next mebibyte, or what is left after the last whole one.
    void add(ByteView block);
    /// So many mebibytes of zeros that nobody needs to read.
    void skip(std::uint64_t blocks);
    std::uint64_t size() const { return size_; }
    bool is_sparse() const { return !runs_.empty(); }
    /// None where it was not asked for.
    std::optional<crypto::Hash> end_hash();
    std::optional<crypto::OneTimeMac::Tag> end_tag();

  private:
    struct Run {
        std::uint64_t first = 0;
        std::uint64_t count = 0;
    };
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    Bytes told() const;

    std::unique_ptr<evp_md_ctx_st, Free> context_;
    std::optional<crypto::OneTimeMac> mac_;
    std::vector<Run> runs_;
    std::uint64_t size_ = 0;
};

/// Whole mebibytes from `at`, a multiple of them, to where the next data lie.
constexpr std::uint64_t empty_blocks(std::uint64_t at, std::uint64_t next_data) {
    return next_data > at ? (next_data - at) / Digest::kBlockBytes : 0;
}

}  // namespace hygie::files
