#include "access/decide/break_glass.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace hygie::access {
namespace {

constexpr Micros kRemembered = std::chrono::days(1);
constexpr std::size_t kLettersMin = 5;

/// Words as they count: letters and digits alone, small.
std::string bare(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80 || std::isalnum(byte) != 0) out += static_cast<char>(std::tolower(byte));
    }
    return out;
}

std::string codes() {
    std::string all;
    for (const std::string_view code : kMotiveCodes) {
        if (!all.empty()) all += ", ";
        all += code;
    }
    return all;
}

}  // namespace

Status check_break_glass(const Policy& policy, const Actor& actor, const Motive& motive) {
    if (actor.role != Role::Care || !policy.row_of(actor.role, actor.profession).break_glass)
        return fail(Code::Denied,
                    {"votre profession n'ouvre pas de dossier par bris de glace",
                     "your profession opens no record by break-glass"},
                    {"appelez un médecin de garde", "call a physician on duty"});
    if (!is_strong(actor.auth))
        return fail(Code::Stale,
                    {"le bris de glace demande une connexion à deux facteurs",
                     "break-glass needs a sign-in with two factors"},
                    {"reconnectez-vous avec votre second facteur",
                     "sign in again with your second factor"});
    return check_motive(policy, motive);
}

Status check_motive(const Policy& policy, const Motive& motive) {
    const std::string words = bare(motive.words);
    const bool coded = std::ranges::find(kMotiveCodes, motive.code) != std::end(kMotiveCodes);
    const std::set<char> letters(words.begin(), words.end());
    if (!coded || words.size() < policy.motive_chars || letters.size() < kLettersMin ||
        motive.words.size() > kMotiveBytesMax)
        return fail(Code::BadInput,
                    {"le motif est vide, trop court ou sans code",
                     "the motive is empty, too short or without a code"},
                    {"donnez « motive » (" + codes() +
                         ") et dites dans « reason », en une phrase, pourquoi cela doit être "
                         "ouvert maintenant",
                     "give \"motive\" (" + codes() +
                         ") and say in \"reason\", in one sentence, why this must be opened now"});
    return {};
}

void BreakGlasses::forget_old(WallTime now) {
    std::erase_if(glasses_, [&](const auto& one) { return one.second.end <= now; });
    std::erase_if(said_, [&](const auto& one) { return one.second.time + kRemembered <= now; });
}

void BreakGlasses::open(const ActorId& actor, const std::string& patient, BreakGlass glass,
                        WallTime now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    if (glasses_.size() < kGlassesMax) glasses_[{actor, patient}] = std::move(glass);
}

std::optional<BreakGlass> BreakGlasses::find(const ActorId& actor, std::string_view patient,
                                             WallTime now) const {
    const std::lock_guard lock(mutex_);
    if (glasses_.empty()) return std::nullopt;
    const auto found = glasses_.find({actor, std::string(patient)});
    if (found == glasses_.end() || found->second.end <= now) return std::nullopt;
    return found->second;
}

BreakGlasses::Signs BreakGlasses::look(const ActorId& actor, const std::string& patient,
                                       const Motive& motive, WallTime now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    const std::size_t words = std::hash<std::string>{}(bare(motive.words));
    Signs signs;
    const auto [first, last] = said_.equal_range(actor);
    for (auto one = first; one != last; ++one) {
        ++signs.before;
        signs.copied =
            signs.copied || (one->second.words == words && one->second.patient != patient);
    }
    if (said_.size() < kGlassesMax) said_.emplace(actor, Said{now, words, patient});
    return signs;
}

}  // namespace hygie::access
