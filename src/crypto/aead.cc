#include "crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "crypto/aead_engines.h"
#include "crypto/sodium.h"

namespace hygie::crypto {
namespace {

std::unexpected<Error> not_sealed_so(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"ces octets scellés ne s'ouvrent pas : ils ont changé ou la clé est une autre",
                 "these sealed bytes do not open: they changed or the key is another one"},
                {"reprenez une copie saine, ou la clé sous laquelle ils ont été scellés",
                 "take a sound copy, or the key they were sealed under"},
                where);
}

void seal_sodium(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView plaintext,
                 std::uint8_t* out) {
    crypto_aead_aes256gcm_encrypt(out, nullptr, plaintext.data(), plaintext.size(),
                                  associated.data(), associated.size(), nullptr, nonce.data(),
                                  key.view().data());
}

bool open_sodium(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed,
                 std::uint8_t* out) {
    if (sealed.size() < kTagBytes) return false;
    return crypto_aead_aes256gcm_decrypt(out, nullptr, nullptr, sealed.data(), sealed.size(),
                                         associated.data(), associated.size(), nonce.data(),
                                         key.view().data()) == 0;
}

/// A context per thread: making one costs more than sealing 200 bytes. It is cleared of keys after
/// each use.
class OpensslContext {
  public:
    OpensslContext(const Secret32& key, const Nonce& nonce, int encrypt) {
        static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
        HYGIE_CHECK(cipher != nullptr, "OpenSSL has no AES-256-GCM, so nothing could be sealed");
        check(EVP_CipherInit_ex2(get(), cipher, key.view().data(), nonce.data(), encrypt, nullptr));
    }
    ~OpensslContext() { EVP_CIPHER_CTX_reset(get()); }
    OpensslContext(const OpensslContext&) = delete;
    OpensslContext& operator=(const OpensslContext&) = delete;

    /// `out` null: the bytes are only authenticated.
    void update(std::uint8_t* out, ByteView in) {
        int written = 0;
        // OpenSSL counts in int, and takes a null `in` for the end.
        constexpr std::size_t kStepBytes = 1 << 30;
        while (!in.empty()) {
            const ByteView step = in.first(std::min(in.size(), kStepBytes));
            check(
                EVP_CipherUpdate(get(), out, &written, step.data(), static_cast<int>(step.size())));
            in = in.subspan(step.size());
            if (out != nullptr) out += step.size();
        }
    }

    bool finish() {
        std::uint8_t nothing[kTagBytes];
        int written = 0;
        return EVP_CipherFinal_ex(get(), nothing, &written) == 1;
    }

    void control(int what, std::uint8_t* tag) {
        check(EVP_CIPHER_CTX_ctrl(get(), what, kTagBytes, tag));
    }

  private:
    static void check(int done) {
        HYGIE_CHECK(done == 1, "AES-256-GCM failed, so nothing could be sealed");
    }

    static EVP_CIPHER_CTX* get() {
        struct Free {
            void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
        };
        thread_local const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
        return context.get();
    }
};

void seal_openssl(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView plaintext,
                  std::uint8_t* out) {
    OpensslContext context(key, nonce, 1);
    context.update(nullptr, associated);
    context.update(out, plaintext);
    HYGIE_CHECK(context.finish(), "AES-256-GCM failed, so nothing could be sealed");
    context.control(EVP_CTRL_AEAD_GET_TAG, out + plaintext.size());
}

bool open_openssl(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed,
                  std::uint8_t* out) {
    if (sealed.size() < kTagBytes) return false;
    const ByteView body = sealed.first(sealed.size() - kTagBytes);
    std::array<std::uint8_t, kTagBytes> tag;
    std::memcpy(tag.data(), sealed.data() + body.size(), tag.size());
    OpensslContext context(key, nonce, 0);
    context.update(nullptr, associated);
    context.update(out, body);
    context.control(EVP_CTRL_AEAD_SET_TAG, tag.data());
    if (context.finish()) return true;
    sodium_memzero(out, body.size());
    return false;
}

constexpr detail::AeadEngine kSodiumEngine{seal_sodium, open_sodium};

/// libsodium starts faster, OpenSSL runs faster: they meet at about 2 KB.
const detail::AeadEngine& engine_for(std::size_t plaintext_bytes) {
    constexpr std::size_t kLongBytes = 2048;
    static const detail::AeadEngine* const sodium = detail::sodium_engine();
    return sodium != nullptr && plaintext_bytes < kLongBytes ? *sodium : detail::kOpensslEngine;
}

}  // namespace

const detail::AeadEngine detail::kOpensslEngine{seal_openssl, open_openssl};

const detail::AeadEngine* detail::sodium_engine() {
    sodium_ready();
    return crypto_aead_aes256gcm_is_available() != 0 ? &kSodiumEngine : nullptr;
}

void seal(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView plaintext,
          std::uint8_t* out) {
    engine_for(plaintext.size()).seal(key, nonce, associated, plaintext, out);
}

Status open(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed,
            std::uint8_t* out) {
    if (sealed.size() < kTagBytes) return not_sealed_so();
    const detail::AeadEngine& engine = engine_for(sealed.size() - kTagBytes);
    if (!engine.open(key, nonce, associated, sealed, out)) return not_sealed_so();
    return {};
}

Result<Bytes> open(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed) {
    if (sealed.size() < kTagBytes) return not_sealed_so();
    Bytes plaintext(sealed.size() - kTagBytes);
    TRY_STATUS(open(key, nonce, associated, sealed, plaintext.data()));
    return plaintext;
}

static_assert(kBoxBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
                               crypto_aead_xchacha20poly1305_ietf_ABYTES);

Bytes box(const Secret32& key, ByteView associated, ByteView plaintext, Random& random) {
    detail::sodium_ready();
    Bytes boxed(plaintext.size() + kBoxBytes);
    const std::span nonce = std::span(boxed).first(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    random.fill(nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        boxed.data() + nonce.size(), nullptr, plaintext.data(), plaintext.size(), associated.data(),
        associated.size(), nullptr, nonce.data(), key.view().data());
    return boxed;
}

Result<Bytes> unbox(const Secret32& key, ByteView associated, ByteView boxed) {
    detail::sodium_ready();
    if (boxed.size() < kBoxBytes) return not_sealed_so();
    const ByteView nonce = boxed.first(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    const ByteView sealed = boxed.subspan(nonce.size());
    Bytes plaintext(boxed.size() - kBoxBytes);
    const int refused = crypto_aead_xchacha20poly1305_ietf_decrypt(
        plaintext.data(), nullptr, nullptr, sealed.data(), sealed.size(), associated.data(),
        associated.size(), nonce.data(), key.view().data());
    if (refused != 0) return not_sealed_so();
    return plaintext;
}

}  // namespace hygie::crypto
