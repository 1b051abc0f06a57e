#include "crypto/key_slots.h"

#include <algorithm>

#include "crypto/sha256.h"

namespace hygie::crypto::detail {
namespace {

constexpr std::string_view kMagic = "hygie key table\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSealedKeyBytes = 32 + kTagBytes;
constexpr std::size_t kChecksumBytes = 8;

/// Offsets in the header.
struct HeaderAt {
    static constexpr std::size_t kVersion = kMagic.size();
    static constexpr std::size_t kSlotBytes = kVersion + 4;
    static constexpr std::size_t kId = kSlotBytes + 4;
    static constexpr std::size_t kNonce = kId + 16;
    static constexpr std::size_t kNaming = kNonce + sizeof(Nonce);
    static constexpr std::size_t kZeros = kNaming + kSealedKeyBytes;
    static constexpr std::size_t kChecksum = detail::kSlotBytes - kChecksumBytes;
};
static_assert(HeaderAt::kZeros <= HeaderAt::kChecksum);

/// Offsets in a slot.
struct SlotAt {
    static constexpr std::size_t kState = 0;
    static constexpr std::size_t kRetention = 1;
    static constexpr std::size_t kYear = 2;
    static constexpr std::size_t kSubject = 4;
    static constexpr std::size_t kNonce = kSubject + sizeof(SubjectToken);
    static constexpr std::size_t kKey = kNonce + sizeof(Nonce);
    static constexpr std::size_t kZeros = kKey + kSealedKeyBytes;
};
static_assert(SlotAt::kZeros <= kSlotBytes);

bool all_zeros(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

Nonce nonce_at(ByteView bytes, std::size_t offset) {
    Nonce nonce;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), nonce.size(), nonce.begin());
    return nonce;
}

void put(SlotBytes& out, std::size_t offset, ByteView bytes) {
    std::ranges::copy(bytes, out.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// Binds a sealed key to its table, its place and its meaning: moved anywhere else it does not
/// open.
Bytes associated_of(const TableKeys& table, KeySlot number, ByteView slot) {
    Bytes associated = to_bytes(as_bytes("hygie key slot\n"));
    append(associated, table.id);
    std::array<std::uint8_t, sizeof number> place;
    store_be(place.data(), number);
    append(associated, place);
    append(associated, slot.first(SlotAt::kNonce));
    return associated;
}

Hash checksum_of(ByteView header) {
    return sha256(header.first(HeaderAt::kChecksum));
}

bool header_is_sound(ByteView header) {
    if (header.size() != kSlotBytes) return false;
    const Hash checksum = checksum_of(header);
    return as_text(header).starts_with(kMagic) &&
           load_be<std::uint32_t>(&header[HeaderAt::kVersion]) == kVersion &&
           load_be<std::uint32_t>(&header[HeaderAt::kSlotBytes]) == kSlotBytes &&
           std::equal(header.begin() + HeaderAt::kChecksum, header.end(), checksum.begin());
}

}  // namespace

SubjectToken name_subject(const TableKeys& table, std::string_view subject) {
    const Hash whole = hmac_sha256(table.naming.view(), as_bytes(subject));
    SubjectToken token;
    std::copy_n(whole.begin(), token.size(), token.begin());
    return token;
}

SlotBytes encode_header(const TableKeys& table, Random& random) {
    SlotBytes out{};
    put(out, 0, as_bytes(kMagic));
    store_be(&out[HeaderAt::kVersion], kVersion);
    store_be(&out[HeaderAt::kSlotBytes], static_cast<std::uint32_t>(kSlotBytes));
    put(out, HeaderAt::kId, table.id);
    const Nonce nonce = random.bytes<sizeof(Nonce)>();
    put(out, HeaderAt::kNonce, nonce);
    seal(table.wrapping, nonce, ByteView(out).first(HeaderAt::kNonce), table.naming.view(),
         &out[HeaderAt::kNaming]);
    put(out, HeaderAt::kChecksum, ByteView(checksum_of(out)).first(kChecksumBytes));
    return out;
}

Result<TableKeys> decode_header(ByteView header, const Secret32& wrapping) {
    if (!header_is_sound(header))
        return fail(
            Code::Corrupt,
            {"l'en-tête de la table des clés est abîmé", "the header of the key table is damaged"},
            {"restaurez le fichier slots depuis la dernière sauvegarde des clés",
             "restore the file slots from the last backup of the keys"});
    TableKeys table;
    std::copy_n(header.begin() + HeaderAt::kId, table.id.size(), table.id.begin());
    table.wrapping = wrapping;
    const Status opened = open(
        wrapping, nonce_at(header, HeaderAt::kNonce), header.first(HeaderAt::kNonce),
        header.subspan(HeaderAt::kNaming, kSealedKeyBytes), table.naming.mutable_view().data());
    if (!opened)
        return fail(Code::Denied,
                    {"la table des clés est scellée sous une autre clé",
                     "the key table is sealed under another key"},
                    {"donnez la clé racine avec laquelle ce répertoire a été créé",
                     "give the root key this directory was made with"});
    return table;
}

SlotBytes encode_slot(const TableKeys& table, KeySlot number, const Slot& slot, Random& random) {
    SlotBytes out{};
    out[SlotAt::kState] = static_cast<std::uint8_t>(slot.state);
    if (slot.state != SlotState::Live) return out;
    out[SlotAt::kRetention] = slot.scope.retention;
    store_be(&out[SlotAt::kYear], slot.scope.year);
    put(out, SlotAt::kSubject, slot.subject);
    const Nonce nonce = random.bytes<sizeof(Nonce)>();
    put(out, SlotAt::kNonce, nonce);
    seal(table.wrapping, nonce, associated_of(table, number, out), slot.key.view(),
         &out[SlotAt::kKey]);
    return out;
}

Slot decode_slot(const TableKeys& table, KeySlot number, ByteView bytes) {
    Slot slot;
    const auto state = static_cast<SlotState>(bytes[SlotAt::kState]);
    if (all_zeros(bytes.subspan(1)) && (state == SlotState::Empty || state == SlotState::Erased)) {
        slot.state = state;
        return slot;
    }
    slot.scope = {bytes[SlotAt::kRetention], load_be<std::uint16_t>(&bytes[SlotAt::kYear])};
    std::copy_n(bytes.begin() + SlotAt::kSubject, slot.subject.size(), slot.subject.begin());
    const bool sound =
        state == SlotState::Live && all_zeros(bytes.subspan(SlotAt::kZeros)) &&
        open(table.wrapping, nonce_at(bytes, SlotAt::kNonce), associated_of(table, number, bytes),
             bytes.subspan(SlotAt::kKey, kSealedKeyBytes), slot.key.mutable_view().data())
            .has_value();
    slot.state = sound ? SlotState::Live : SlotState::Lost;
    return slot;
}

}  // namespace hygie::crypto::detail
