#include "vault/body.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.h"
#include "crypto/aead.h"
#include "vault/dictionary.h"
#include "vault/varint.h"

namespace hygie::vault {
namespace {

/// Beyond this level bodies shrink by another 3 % at six times the price.
constexpr int kLevel = 3;
constexpr std::uint8_t kDeletedBit = 1;
constexpr std::uint8_t kDictionary = 1 << 4;  ///< number of the dictionary, in the upper bits
/// What every frame starts with (RFC 8878 §3.1.1); not stored.
constexpr std::array<std::uint8_t, 4> kMagic = {0x28, 0xB5, 0x2F, 0xFD};
/// Marks a row whose patient was erased: no slot of the key table has this number.
constexpr std::uint64_t kErased = 0;

enum class Use : std::uint32_t { Body = 1, Piece = 2 };

/// Rows and pieces are numbered by one counter that never repeats, so a nonce is used once.
crypto::Nonce nonce_of(std::uint64_t number, Use use) {
    crypto::Nonce nonce;
    store_be(nonce.data(), number);
    store_be(nonce.data() + 8, static_cast<std::uint32_t>(use));
    return nonce;
}

std::array<std::uint8_t, 16> place_of(std::uint64_t number, CompartmentNumber compartment) {
    std::array<std::uint8_t, 16> place;
    store_be(place.data(), number);
    store_be(place.data() + 8, compartment);
    return place;
}

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt,
                {"une donnée du coffre est abîmée", "something stored in the vault is damaged"},
                {"lancez « hygie vault verify », puis restaurez la dernière sauvegarde",
                 "run `hygie vault verify`, then restore the last backup"});
}

struct FreeContexts {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
    void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

ZSTD_CCtx* compressor() {
    const ByteView bytes = dictionary_1();
    static const std::unique_ptr<ZSTD_CDict, FreeContexts> dictionary(
        ZSTD_createCDict(bytes.data(), bytes.size(), kLevel));
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContexts> context = [] {
        std::unique_ptr<ZSTD_CCtx, FreeContexts> made(ZSTD_createCCtx());
        HYGIE_CHECK(made && dictionary, "compression needs memory");
        ZSTD_CCtx_refCDict(made.get(), dictionary.get());
        // Which dictionary is in our own header; integrity is in the seal.
        ZSTD_CCtx_setParameter(made.get(), ZSTD_c_dictIDFlag, 0);
        return made;
    }();
    return context.get();
}

ZSTD_DCtx* decompressor() {
    const ByteView bytes = dictionary_1();
    static const std::unique_ptr<ZSTD_DDict, FreeContexts> dictionary(
        ZSTD_createDDict(bytes.data(), bytes.size()));
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContexts> context = [] {
        std::unique_ptr<ZSTD_DCtx, FreeContexts> made(ZSTD_createDCtx());
        HYGIE_CHECK(made && dictionary, "decompression needs memory");
        ZSTD_DCtx_refDDict(made.get(), dictionary.get());
        return made;
    }();
    return context.get();
}

Bytes pack(const Body& body) {
    Bytes out;
    out.push_back(static_cast<std::uint8_t>(kDictionary | (body.deleted ? kDeletedBit : 0)));
    put_varint(out, body.version);
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(body.updated.time_since_epoch());
    put_varint(out, static_cast<std::uint64_t>(ms.count()));
    put_varint(out, body.previous);
    put_text(out, body.opened_by);
    // The frame is written so that the magic number lands on the last bytes of the header, which
    // are put back afterwards.
    const std::size_t start = out.size() - kMagic.size();
    std::array<std::uint8_t, kMagic.size()> covered;
    std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(start), covered.size(), covered.begin());
    out.resize(start + ZSTD_compressBound(body.text.size()));
    const std::size_t size = ZSTD_compress2(compressor(), out.data() + start, out.size() - start,
                                            body.text.data(), body.text.size());
    HYGIE_CHECK(!ZSTD_isError(size), "a buffer of ZSTD_compressBound bytes is always enough");
    std::ranges::copy(covered, out.begin() + static_cast<std::ptrdiff_t>(start));
    out.resize(start + size);
    return out;
}

/// `plain` is overwritten in part.
Result<Body> unpack(Bytes& plain) {
    Body body;
    VarintReader in(plain);
    const ByteView flags = in.bytes(1);
    if (flags.empty() || (flags[0] & ~kDeletedBit) != kDictionary) return damaged();
    body.deleted = (flags[0] & kDeletedBit) != 0;
    body.version = static_cast<std::uint32_t>(in.number());
    body.updated = WallTime(std::chrono::milliseconds(in.number()));
    body.previous = in.number();
    body.opened_by = in.text();
    const std::size_t head = plain.size() - in.rest().size();
    if (!in.ok() || head < kMagic.size()) return damaged();
    std::uint8_t* const frame = plain.data() + head - kMagic.size();
    std::ranges::copy(kMagic, frame);
    const std::size_t frame_bytes = in.rest().size() + kMagic.size();
    const unsigned long long size = ZSTD_getFrameContentSize(frame, frame_bytes);
    if (size > kBodyBytesMax) return damaged();  // unknown sizes and errors are larger than any
    body.text.resize(static_cast<std::size_t>(size));
    const std::size_t got =
        ZSTD_decompressDCtx(decompressor(), body.text.data(), body.text.size(), frame, frame_bytes);
    if (got != body.text.size()) return damaged();
    return body;
}

Bytes seal_at(const crypto::Secret32& key, CompartmentNumber compartment, std::uint64_t number,
              Use use, ByteView plain, Bytes in_front) {
    const std::size_t front = in_front.size();
    in_front.resize(front + plain.size() + crypto::kTagBytes);
    crypto::seal(key, nonce_of(number, use), place_of(number, compartment), plain,
                 in_front.data() + front);
    return in_front;
}

}  // namespace

Result<Bytes> seal_body(const crypto::Secret32& key, CompartmentNumber compartment,
                        std::uint64_t row, const Body& body) {
    if (body.text.size() > kBodyBytesMax)
        return fail(Code::Full,
                    {"cette ressource est trop grande pour le coffre (32 Mio au plus)",
                     "this resource is too large for the vault (32 MiB at most)"},
                    {"découpez-la", "split it"});
    Bytes front;
    put_varint(front, compartment);
    return seal_at(key, compartment, row, Use::Body, pack(body), std::move(front));
}

std::optional<CompartmentNumber> compartment_of_body(ByteView stored) {
    const std::uint64_t compartment = VarintReader(stored).number();
    if (compartment == kErased) return std::nullopt;
    return compartment;
}

Result<Body> open_body(const crypto::Secret32& key, std::uint64_t row, ByteView stored) {
    VarintReader in(stored);
    const CompartmentNumber compartment = in.number();
    if (!in.ok() || in.rest().size() < crypto::kTagBytes) return damaged();
    Bytes plain(in.rest().size() - crypto::kTagBytes);
    if (!crypto::open(key, nonce_of(row, Use::Body), place_of(row, compartment), in.rest(),
                      plain.data()))
        return damaged();
    return unpack(plain);
}

crypto::Hash hash_of_body(ByteView stored) {
    if (compartment_of_body(stored)) return crypto::sha256(stored);
    crypto::Hash hash{};
    if (stored.size() == 1 + hash.size()) std::ranges::copy(stored.subspan(1), hash.begin());
    return hash;
}

Bytes erased_body(ByteView stored) {
    Bytes left = {static_cast<std::uint8_t>(kErased)};
    append(left, hash_of_body(stored));
    return left;
}

Bytes seal_piece(const crypto::Secret32& key, CompartmentNumber compartment, std::uint64_t number,
                 ByteView piece) {
    return seal_at(key, compartment, number, Use::Piece, piece, {});
}

Result<Bytes> open_piece(const crypto::Secret32& key, CompartmentNumber compartment,
                         std::uint64_t number, ByteView sealed) {
    auto opened =
        crypto::open(key, nonce_of(number, Use::Piece), place_of(number, compartment), sealed);
    if (!opened) return damaged();
    return opened;
}

}  // namespace hygie::vault
