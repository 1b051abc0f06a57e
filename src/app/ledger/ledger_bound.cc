#include "app/ledger/ledger_bound.h"

// The bound is what OpenSSL's own fast path gives; its one-shot successor is three times slower on
// small inputs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "host/disk.h"
#include "host/unique_fd.h"

namespace hygie::app {
namespace {

using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;
using Clock = std::chrono::steady_clock;

constexpr off_t kFileBytes = off_t{1} << 30;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kEntryBytesMax = 4096;

Digest hash(std::uint8_t prefix, ByteView first, ByteView second) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, &prefix, 1);
    SHA256_Update(&context, first.data(), first.size());
    SHA256_Update(&context, second.data(), second.size());
    Digest out;
    SHA256_Final(out.data(), &context);
    return out;
}

/// The perfect subtrees of a growing RFC 6962 tree.
class Stack {
  public:
    void push(Digest digest) {
        std::size_t level = 0;
        for (; level < levels_.size() && levels_[level].full; ++level) {
            digest = hash(1, levels_[level].digest, digest);
            levels_[level].full = false;
        }
        levels_[level] = {true, digest};
    }
    Digest root() const {
        Digest root{};
        bool any = false;
        for (const Level& level : levels_) {
            if (!level.full) continue;
            root = any ? hash(1, level.digest, root) : level.digest;
            any = true;
        }
        return root;
    }

  private:
    struct Level {
        bool full = false;
        Digest digest{};
    };
    std::array<Level, 64> levels_{};
};

std::unexpected<Error> cannot(const char* what) {
    return fail(
        Code::Io,
        {std::string("mesure impossible : ") + what, std::string("cannot measure: ") + what},
        {"choisissez un dossier inscriptible avec 2 Go libres",
         "choose a writable folder with 2 GB free"});
}

/// A batch of entries as a log would write them: size, entry, leaf hash.
void put_entries(std::size_t batch, std::uint64_t& count, Bytes& entry, Bytes& buffer,
                 Stack& stack) {
    for (std::size_t i = 0; i < batch; ++i, ++count) {
        std::memcpy(entry.data(), &count, sizeof count);
        std::array<std::uint8_t, 2> size;
        store_be(size.data(), static_cast<std::uint16_t>(entry.size()));
        append(buffer, size);
        append(buffer, entry);
        const Digest leaf = hash(0, entry, {});
        append(buffer, leaf);
        stack.push(leaf);
    }
}

/// Puts the signature of the root behind the batch.
bool put_signature(EVP_MD_CTX* signing, EVP_PKEY* key, const Digest& root, Bytes& buffer) {
    std::array<std::uint8_t, kSignatureBytes> signature{};
    std::size_t size = signature.size();
    EVP_MD_CTX_reset(signing);
    if (EVP_DigestSignInit(signing, nullptr, nullptr, nullptr, key) != 1 ||
        EVP_DigestSign(signing, signature.data(), &size, root.data(), root.size()) != 1)
        return false;
    append(buffer, signature);
    return true;
}

}  // namespace

Result<double> measure_bound(const std::string& dir, std::size_t batch, std::size_t entry_bytes,
                             double seconds) {
    const std::string path = join(dir, "bound.tmp");
    const UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) return cannot("open");
    const std::unique_ptr<const std::string, void (*)(const std::string*)> removed(
        &path, [](const std::string* name) { ::unlink(name->c_str()); });
    if (::posix_fallocate(fd.get(), 0, kFileBytes) != 0 || ::fsync(fd.get()) != 0)
        return cannot("fallocate");
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> signing(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);

    Bytes entry(std::min(entry_bytes, kEntryBytesMax), 'x');
    Bytes buffer;
    Stack stack;
    std::uint64_t count = 0;
    off_t offset = 0;
    const auto start = Clock::now();
    const auto since = [](Clock::time_point from) {
        return std::chrono::duration<double>(Clock::now() - from).count();
    };
    while (since(start) < seconds) {
        buffer.clear();
        put_entries(batch, count, entry, buffer, stack);
        if (!put_signature(signing.get(), key.get(), stack.root(), buffer))
            return cannot("Ed25519");
        if (offset + static_cast<off_t>(buffer.size()) > kFileBytes) offset = 0;
        if (::pwrite(fd.get(), buffer.data(), buffer.size(), offset) !=
                static_cast<ssize_t>(buffer.size()) ||
            ::fdatasync(fd.get()) != 0)
            return cannot("write");
        offset += static_cast<off_t>(buffer.size());
    }
    return static_cast<double>(count) / since(start);
}

}  // namespace hygie::app
