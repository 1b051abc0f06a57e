#include "guards/files/content/digest.h"

#include <openssl/evp.h>

#include <cstring>

#include "base/check.h"

namespace hygie::files {
namespace {

bool is_empty(ByteView block) {
    return block.size() == Digest::kBlockBytes && block.front() == 0 &&
           std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

/// Looked up once: each lookup takes as long as hashing a small file.
const EVP_MD* sha256() {
    static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return method;
}

}  // namespace

void Digest::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Digest::Digest(Hashing hashing, std::optional<crypto::OneTimeMac> mac) : mac_(std::move(mac)) {
    if (hashing == Hashing::No) return;
    context_.reset(EVP_MD_CTX_new());
    HYGIE_CHECK(EVP_DigestInit_ex(context_.get(), sha256(), nullptr) == 1,
                "SHA-256 is always there");
}

void Digest::add(ByteView block) {
    if (is_empty(block)) return skip(1);
    HYGIE_CHECK(!context_ || EVP_DigestUpdate(context_.get(), block.data(), block.size()) == 1,
                "hashing cannot fail");
    if (mac_) mac_->add(block);
    size_ += block.size();
}

void Digest::skip(std::uint64_t blocks) {
    if (blocks == 0) return;
    const std::uint64_t first = size_ / kBlockBytes;
    if (!runs_.empty() && runs_.back().first + runs_.back().count == first)
        runs_.back().count += blocks;
    else
        runs_.push_back({first, blocks});
    size_ += blocks * kBlockBytes;
}

/// What nobody read, and how large all is.
Bytes Digest::told() const {
    Bytes told;
    const auto put = [&told](std::uint64_t number) {
        told.resize(told.size() + 8);
        store_be(told.data() + told.size() - 8, number);
    };
    for (const Run& run : runs_) {
        put(run.first);
        put(run.count);
    }
    put(size_);
    return told;
}

std::optional<crypto::Hash> Digest::end_hash() {
    if (!context_) return std::nullopt;
    crypto::Hash hash;
    HYGIE_CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1,
                "hashing cannot fail");
    if (runs_.empty()) return hash;
    return crypto::sha256(hash, told());
}

/// The number of stretches comes last: no bytes can be taken for them.
std::optional<crypto::OneTimeMac::Tag> Digest::end_tag() {
    if (!mac_) return std::nullopt;
    std::array<std::uint8_t, 8> count;
    store_be(count.data(), std::uint64_t{runs_.size()});
    mac_->add(told());
    mac_->add(count);
    return mac_->end();
}

}  // namespace hygie::files
