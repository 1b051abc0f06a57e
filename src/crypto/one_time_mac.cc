#include "crypto/one_time_mac.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace hygie::crypto {
namespace {

EVP_MAC* poly1305() {
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
    return mac;
}

}  // namespace

void OneTimeMac::Free::operator()(evp_mac_ctx_st* context) const {
    EVP_MAC_CTX_free(context);
}

OneTimeMac::OneTimeMac(const Secret32& key) : context_(EVP_MAC_CTX_new(poly1305())) {
    HYGIE_CHECK(context_ && EVP_MAC_init(context_.get(), key.view().data(), key.view().size(),
                                         nullptr) == 1,
                "Poly1305 is always there");
}

void OneTimeMac::add(ByteView bytes) {
    HYGIE_CHECK(EVP_MAC_update(context_.get(), bytes.data(), bytes.size()) == 1,
                "authenticating cannot fail");
}

OneTimeMac::Tag OneTimeMac::end() {
    Tag tag;
    std::size_t size = 0;
    HYGIE_CHECK(
        EVP_MAC_final(context_.get(), tag.data(), &size, tag.size()) == 1 && size == tag.size(),
        "authenticating cannot fail");
    return tag;
}

}  // namespace hygie::crypto
