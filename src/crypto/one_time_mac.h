#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "crypto/secret.h"

struct evp_mac_ctx_st;

namespace hygie::crypto {

/// Poly1305 (RFC 8439 §2.5): tells, many times as fast as SHA-256, that bytes are those which
/// somebody saw who had the key. The key serves for one content and never again: make it from
/// something unique.
class OneTimeMac {
  public:
    using Tag = std::array<std::uint8_t, 16>;

    explicit OneTimeMac(const Secret32& key);
    void add(ByteView bytes);
    Tag end();

  private:
    struct Free {
        void operator()(evp_mac_ctx_st* context) const;
    };
    std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace hygie::crypto
