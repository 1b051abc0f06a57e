#include "guards/mail/lookalike.h"

#include <bit>

#include "guards/mail/domain.h"

namespace hygie::mail {
namespace {

/// Which letters a label has: labels that differ in more than this many cannot be close.
std::uint64_t letters_of(std::string_view label) {
    std::uint64_t letters = 0;
    for (const char c : label) letters |= 1ULL << (static_cast<unsigned char>(c) & 63U);
    return letters;
}
constexpr int kLettersApartMax = 4;  // two edits change at most two letters each

}  // namespace

void LookAlikeIndex::add(std::string_view domain, std::string_view owner) {
    if (domain.empty() || !honest_.emplace(domain).second) return;
    std::string twin = skeleton(main_label(domain));
    const std::uint64_t letters = letters_of(twin);
    entries_.push_back({std::string(domain), std::move(twin), std::string(owner), letters});
}

LookAlike LookAlikeIndex::find(std::string_view registrable) const {
    LookAlike best;
    if (registrable.empty() || honest_.contains(std::string(registrable))) return best;
    const std::string display = display_host(registrable);
    const std::string twin = skeleton(main_label(display));
    const std::uint64_t letters = letters_of(twin);
    for (const Entry& entry : entries_) {
        const bool close = std::popcount(letters ^ entry.letters) <= kLettersApartMax;
        const bool inside = (entry.letters & ~letters) == 0;  // embeds, or the dot undone
        if (!close && !inside) continue;
        const LookAlike::How how = resemblance(display, entry.domain);
        if (how == LookAlike::How::None) continue;
        if (best.how == LookAlike::How::None || how < best.how)
            best = {.how = how, .honest = entry.domain, .owner = entry.owner};
        if (best.how == LookAlike::How::Confusable) break;
    }
    return best;
}

}  // namespace hygie::mail
