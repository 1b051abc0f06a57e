#include "guards/files/restore/prover.h"

namespace hygie::files {

std::string_view name_of(Proof proof) {
    constexpr std::array<std::string_view, 4> kNames = {"none", "sha256", "mark", "seals"};
    return kNames[static_cast<std::size_t>(proof)];
}

Result<Digest> Prover::staged(const Record* told) const {
    if (hashing_ == Hashing::Always || !told || told->kind != RecordKind::Hashed) return Digest();
    const ContentMark mark = TRY(mark_of(*told));
    return Digest(Digest::Hashing::No, marks_.begin(told->version, told->size, mark.salt));
}

Digest Prover::sealed(const Record* told, const Record& sealed) const {
    // What was sealed must be what was marked before.
    const bool is_told = told && told->hash == sealed.hash;
    return Digest(hashing_ == Hashing::Always || !is_told ? Digest::Hashing::Yes
                                                          : Digest::Hashing::No);
}

Result<Proven> Prover::judge(const Record* told, const ReadBack& again) const {
    if (again.hash) {
        Bytes hash = to_bytes(*again.hash);
        if (told && told->hash != hash) return unequal();
        return Proven{Proof::Hash, std::move(hash)};
    }
    if (!again.tag) return Proven{Proof::Seals, told->hash};
    const ContentMark mark = TRY(mark_of(*told));
    if (!equal_constant_time(mark.tag, *again.tag)) return unequal();
    return Proven{Proof::Mark, told->hash};
}

}  // namespace hygie::files
