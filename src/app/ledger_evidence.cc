#include "app/ledger_evidence.h"

#include <algorithm>

namespace hygie::app {

Result<LedgerEvidence> LedgerEvidence::read(LedgerClerk& clerk) {
    LedgerEvidence evidence;
    const std::uint64_t size = clerk.log().applied_size();
    const auto reading = TRY(clerk.look({.kind = Question::Kind::Tail, .number = size}));
    for (bool is_last = false; !is_last;) {
        const Answers answers = TRY(reading->next());
        is_last = answers.is_last;
        for (const Shown& shown : answers.entries) {
            // An erased patient's entry no longer opens: the vault then keeps the digest's parts.
            if (!shown.event || shown.event->source.str() != "vault") continue;
            const auto digest = shown.event->detail.find("digest");
            if (digest == shown.event->detail.end()) continue;
            const Bytes bytes = TRY(from_hex(digest->second));
            crypto::Hash hash{};
            if (bytes.size() != hash.size()) continue;
            std::ranges::copy(bytes, hash.begin());
            evidence.digests_.emplace(shown.event->counter, hash);
        }
    }
    return evidence;
}

Result<std::optional<crypto::Hash>> LedgerEvidence::digest_of(std::uint64_t counter) const {
    const auto found = digests_.find(counter);
    return found == digests_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace hygie::app
