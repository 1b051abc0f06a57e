#include "ledger/keys.h"

#include <algorithm>

#include "event/codec.h"

namespace hygie::ledger {
namespace {

constexpr crypto::KeyScope kTokenScope{0, 0};
constexpr std::string_view kActors = "actors";
/// The first year a ledger of ours can hold; queries look at the actor keys of each year since.
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2200;
constexpr std::size_t kMaskBytes = 8;
constexpr std::size_t kMasksPerBlock = crypto::kKeystreamBlockBytes / kMaskBytes;

std::uint16_t year_of(WallTime time) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return static_cast<std::uint16_t>(static_cast<int>(date.year()));
}

/// "p/…" for a patient, "-" for what is about nobody in particular; the two cannot meet.
std::string subject_of(const PatientId& patient) { return patient.empty() ? "-" : "p/" + patient.str(); }

crypto::Nonce mask_nonce(std::uint32_t run, std::uint64_t sequence) {
    crypto::Nonce nonce{};
    store_be(nonce.data(), run);
    // The keystream's block counter has 32 bits; what is above them goes into the nonce.
    store_be(nonce.data() + sizeof run, (sequence / kMasksPerBlock) >> 32);
    return nonce;
}

}  // namespace

Keys::Keys(std::unique_ptr<crypto::KeyTable> table, const crypto::Secret32& root)
    : table_(std::move(table)),
      mask_key_(crypto::derive(root, "ledger/mask")),
      state_key_(crypto::derive(root, "ledger/state")),
      index_key_(crypto::derive(root, "ledger/index")) {}

Result<std::unique_ptr<Keys>> Keys::open(Disk& disk, Random& random, const std::string& dir,
                                         const crypto::Secret32& root) {
    auto table = TRY(crypto::KeyTable::open(disk, random, dir, crypto::derive(root, "ledger/wrap")));
    return std::unique_ptr<Keys>(new Keys(std::move(table), root));
}

Result<crypto::KeyTable::Found> Keys::body_key(const PatientId& patient, event::Retention retention, WallTime time) {
    return table_->find_or_make(subject_of(patient), {static_cast<std::uint8_t>(retention), year_of(time)});
}

Result<crypto::Secret32> Keys::token_key(const PatientId& patient) {
    return TRY(table_->find_or_make(subject_of(patient), kTokenScope)).key;
}

Result<crypto::Token> Keys::actor_token(const ActorId& actor, WallTime time) {
    const crypto::KeyScope scope{static_cast<std::uint8_t>(event::Retention::System), year_of(time)};
    return crypto::blind(TRY(table_->find_or_make(kActors, scope)).key, "actor", actor.str());
}

std::vector<crypto::Token> Keys::known_actor_tokens(const ActorId& actor) const {
    std::vector<crypto::Token> tokens;
    for (int year = kFirstYear; year <= kLastYear; ++year) {
        const crypto::KeyScope scope{static_cast<std::uint8_t>(event::Retention::System),
                                     static_cast<std::uint16_t>(year)};
        if (const auto found = table_->find(kActors, scope))
            tokens.push_back(crypto::blind(found->key, "actor", actor.str()));
    }
    return tokens;
}

std::optional<crypto::Token> Keys::known_patient_token(const PatientId& patient) const {
    const auto found = table_->find(subject_of(patient), kTokenScope);
    if (!found) return std::nullopt;
    return patient_token(found->key);
}

std::optional<crypto::Token> Keys::known_object_token(const PatientId& patient, const ObjectId& object) const {
    const auto found = table_->find(subject_of(patient), kTokenScope);
    if (!found) return std::nullopt;
    return object_token(found->key, object);
}

Result<event::Event> Keys::unseal(const EntryView& entry, const Sources& sources) const {
    const Header& header = entry.header;
    const event::Stamp stamp{header.type, header.time, header.counter, header.retention};
    Bytes opened;
    ByteView body = entry.payload;
    if (entry.is_sealed) {
        std::array<std::uint8_t, kMaskBytes> mask;
        slot_masks(mask_key_, header.run, header.sequence, {&mask, 1});
        std::uint64_t slot = load_be<std::uint64_t>(header.key_ref.data()) ^ load_be<std::uint64_t>(mask.data());
        const crypto::Secret32 key = TRY(table_->get(slot));
        opened = TRY(crypto::open(key, nonce_of(header), entry.associated, entry.payload));
        body = opened;
    }
    event::Event event = TRY(event::decode_body(stamp, body));
    if (!sources.has(header.source))
        return fail(Code::Corrupt, {"source inconnue", "unknown source"},
                    {"relancez la vérification : hygie ledger verify", "run the verification: hygie ledger verify"});
    const Source& source = sources.all()[header.source];
    event.source = source.name;
    event.node = source.node;
    return event;
}

Result<std::vector<crypto::KeySlot>> Keys::shred(const PatientId& patient, std::optional<event::Retention> retention) {
    const auto code = retention ? std::optional(static_cast<std::uint8_t>(*retention)) : std::nullopt;
    return table_->shred(subject_of(patient), code);
}

Result<std::size_t> Keys::shred_expired(WallTime now) {
    std::size_t destroyed = 0;
    for (const auto retention : {event::Retention::Trace1Year, event::Retention::Control3Years,
                                 event::Retention::Record10Years, event::Retention::Record20Years}) {
        // A key serves one calendar year: it may go once traces of that year's last day have outlived the class.
        const std::uint16_t year = year_of(now - *event::duration_of(retention));
        destroyed += TRY(table_->shred_expired(static_cast<std::uint8_t>(retention),
                                               static_cast<std::uint16_t>(year - 1)))
                         .size();
    }
    return destroyed;
}

crypto::Token patient_token(const crypto::Secret32& token_key) { return crypto::blind(token_key, "patient", ""); }

crypto::Token object_token(const crypto::Secret32& token_key, const ObjectId& object) {
    return crypto::blind(token_key, "object", object.str());
}

void slot_masks(const crypto::Secret32& mask_key, std::uint32_t run, std::uint64_t first,
                std::span<std::array<std::uint8_t, 8>> masks) {
    std::array<std::uint8_t, crypto::kKeystreamBlockBytes * 16> stream;
    constexpr std::size_t kMasksPerStream = sizeof stream / kMaskBytes;
    while (!masks.empty()) {
        const std::uint64_t block = first / kMasksPerBlock;
        const std::size_t skip = first % kMasksPerBlock;
        // Never cross the point where the block counter wraps: from there the nonce differs.
        const std::uint64_t blocks_left = (1ull << 32) - (block & 0xFFFF'FFFF);
        const std::size_t count = std::min<std::uint64_t>(
            {masks.size(), kMasksPerStream - skip, blocks_left * kMasksPerBlock - skip});
        const std::size_t bytes = (skip + count) * kMaskBytes;
        crypto::keystream(mask_key, mask_nonce(run, first), static_cast<std::uint32_t>(block),
                          std::span(stream).first(bytes));
        for (std::size_t i = 0; i < count; ++i)
            std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>((skip + i) * kMaskBytes), kMaskBytes,
                        masks[i].begin());
        masks = masks.subspan(count);
        first += count;
    }
}

}  // namespace hygie::ledger
