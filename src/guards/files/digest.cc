#include "guards/files/digest.h"

#include <openssl/evp.h>

#include <cstring>

#include "base/check.h"

namespace hygie::files {
namespace {

bool is_empty(ByteView block) {
    return block.size() == Digest::kBlockBytes && block.front() == 0 &&
           std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

}  // namespace

void Digest::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Digest::Digest() : context_(EVP_MD_CTX_new()) {
    HYGIE_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                "SHA-256 is always there");
}

void Digest::add(ByteView block) {
    if (is_empty(block)) return skip(1);
    HYGIE_CHECK(EVP_DigestUpdate(context_.get(), block.data(), block.size()) == 1,
                "hashing cannot fail");
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

crypto::Hash Digest::end() {
    crypto::Hash hash;
    HYGIE_CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1,
                "hashing cannot fail");
    if (runs_.empty()) return hash;
    Bytes told = to_bytes(hash);
    const auto put = [&told](std::uint64_t number) {
        told.resize(told.size() + 8);
        store_be(told.data() + told.size() - 8, number);
    };
    for (const Run& run : runs_) {
        put(run.first);
        put(run.count);
    }
    put(size_);
    return crypto::sha256(told);
}

}  // namespace hygie::files
