#include "access/accounts/codes.h"

#include <algorithm>
#include <utility>

#include "access/accounts/base64url.h"

namespace hygie::access {
namespace {

constexpr std::size_t kCodeBytes = 32;
constexpr std::size_t kChallengeChars = 43;  // of 32 bytes
constexpr std::size_t kVerifierCharsMin = 43, kVerifierCharsMax = 128;
/// How long a spent code is remembered, so that its replay is seen.
constexpr Micros kReplayMemory = std::chrono::minutes(10);

crypto::Hash name_of_code(std::string_view code) {
    return crypto::sha256(as_bytes(code));
}

std::unexpected<Error> refused() {
    return fail(Code::Denied, {"ce code n'est pas valable", "this code is not valid"},
                {"recommencez la connexion depuis la page de connexion",
                 "start again at the sign-in page"});
}

}  // namespace

bool is_challenge(std::string_view text) {
    return text.size() == kChallengeChars && from_base64url(text).has_value();
}

bool is_verifier(std::string_view text) {
    return text.size() >= kVerifierCharsMin && text.size() <= kVerifierCharsMax &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
           });
}

std::string challenge_of(std::string_view verifier) {
    return to_base64url(crypto::sha256(as_bytes(verifier)));
}

void Codes::forget_old(WallTime now) {
    std::erase_if(entries_, [&](const auto& entry) {
        return now >= entry.second.end + (entry.second.spent ? kReplayMemory : Micros::zero());
    });
}

Result<std::string> Codes::make(Grant grant) {
    const std::scoped_lock lock(mutex_);
    const WallTime now = clock_.now();
    if (entries_.size() >= kCodesMax) forget_old(now);
    if (entries_.size() >= kCodesMax)
        return fail(Code::Full, {"trop de connexions en cours", "too many sign-ins under way"},
                    {"réessayez dans une minute", "try again in a minute"});
    std::string code = to_base64url(random_.bytes<kCodeBytes>());
    entries_[name_of_code(code)] = {std::move(grant), now + kCodeLife, false, false, {}, {}};
    return code;
}

Result<Codes::Spent> Codes::spend(std::string_view code, const ActorId& client,
                                  std::string_view redirect, std::string_view verifier) {
    const std::scoped_lock lock(mutex_);
    const WallTime now = clock_.now();
    forget_old(now);
    const auto found = entries_.find(name_of_code(code));
    if (found == entries_.end()) return refused();
    Entry& entry = found->second;
    if (entry.spent) {
        entry.replayed = true;
        return Spent{{}, entry.session, entry.chain};
    }
    entry.spent = true;
    const bool fits = now < entry.end && entry.grant.client == client &&
                      entry.grant.redirect == redirect && is_verifier(verifier) &&
                      challenge_of(verifier) == entry.grant.challenge;
    if (!fits) return refused();
    return Spent{std::exchange(entry.grant, {}), {}, {}};
}

bool Codes::gave(std::string_view code, std::string session) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(name_of_code(code));
    if (found == entries_.end()) return false;  // so long ago that its replay would go unseen
    found->second.session = std::move(session);
    return !found->second.replayed;
}

bool Codes::gave_chain(std::string_view code, std::string chain) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(name_of_code(code));
    if (found == entries_.end()) return false;
    found->second.chain = std::move(chain);
    return !found->second.replayed;
}

}  // namespace hygie::access
