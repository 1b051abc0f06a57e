#include "app/ledger/ledger_evidence.h"

#include <algorithm>
#include <thread>

namespace hygie::app {

namespace {

/// What is durable shows a moment later.
constexpr Micros kShownMax = std::chrono::seconds(10);
constexpr Micros kLook = std::chrono::milliseconds(5);
/// Entries that may come while it looks.
constexpr std::uint64_t kSlack = 1'024;

/// A reading of all entries from `first` on, once what is durable now is among them.
Result<std::unique_ptr<Reading>> look_from(LedgerClerk& clerk, std::uint64_t first) {
    const std::uint64_t durable = clerk.log().durable_size();
    std::uint64_t target = durable;
    for (Micros waited{0};; waited += kLook) {
        const std::uint64_t number = std::max<std::uint64_t>(target, first + 1) - first;
        auto reading = TRY(clerk.look({.kind = Question::Kind::Tail, .number = number}));
        const bool is_whole = reading->size <= first + number;
        if (is_whole && (reading->size >= durable || waited >= kShownMax)) return reading;
        target = std::max(target, reading->size + (is_whole ? 0 : kSlack));
        if (is_whole) std::this_thread::sleep_for(kLook);
    }
}

}  // namespace

Result<LedgerEvidence> LedgerEvidence::read(LedgerClerk& clerk) {
    LedgerEvidence evidence(clerk);
    TRY_STATUS(evidence.read_on());
    return evidence;
}

Status LedgerEvidence::read_on() const {
    if (clerk_->log().durable_size() <= read_) return {};
    const auto reading = TRY(look_from(*clerk_, read_));
    for (bool is_last = false; !is_last;) {
        const Answers answers = TRY(reading->next());
        is_last = answers.is_last;
        if (read_ == 0 && !answers.entries.empty() && firsts_.empty())
            is_pruned_ = answers.entries.front().index > 0;
        for (const Shown& shown : answers.entries) note(shown);
    }
    read_ = reading->size;
    return {};
}

void LedgerEvidence::note(const Shown& shown) const {
    firsts_.emplace(shown.source, shown.counter);
    if (!shown.event && shown.event.error().code == Code::Erased)
        erased_.emplace(shown.source, shown.counter);
    if (!shown.event || shown.event->source.str() != "vault") return;
    vaults_.insert(shown.source);
    const auto digest = shown.event->detail.find("digest");
    if (digest == shown.event->detail.end()) return;
    const Result<Bytes> bytes = from_hex(digest->second);
    crypto::Hash hash{};
    if (!bytes || bytes->size() != hash.size()) return;
    std::ranges::copy(*bytes, hash.begin());
    digests_.emplace(shown.event->counter, hash);
}

bool LedgerEvidence::is_erased(std::uint64_t counter) const {
    return std::ranges::any_of(vaults_, [&](std::uint64_t source) {
        return erased_.contains({source, counter}) || (is_pruned_ && counter < firsts_.at(source));
    });
}

Result<std::optional<crypto::Hash>> LedgerEvidence::digest_of(std::uint64_t counter) const {
    const bool is_later = digests_.empty() || counter > digests_.rbegin()->first;
    if (is_later) TRY_STATUS(read_on());
    const auto found = digests_.find(counter);
    if (found != digests_.end()) return std::optional(found->second);
    if (is_erased(counter))
        return fail(Code::Erased, {"sa trace fut effacée", "its trace was erased"});
    return std::optional<crypto::Hash>();
}

}  // namespace hygie::app
