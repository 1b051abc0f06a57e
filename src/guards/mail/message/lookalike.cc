#include "guards/mail/message/lookalike.h"

#include <bit>

#include "guards/mail/message/domain.h"

namespace hygie::mail {
namespace {

/// Which letters a label has: labels that differ in more than this many cannot be close.
std::uint64_t letters_of(std::string_view label) {
    std::uint64_t letters = 0;
    for (const char c : label) letters |= 1ULL << (static_cast<unsigned char>(c) & 63U);
    return letters;
}
constexpr int kLettersApartMax = 4;  // two edits change at most two letters each
constexpr std::size_t kLabelsBeforeMax = 12;

}  // namespace

void LookAlikeIndex::add(std::string_view domain, std::string_view owner) {
    if (domain.empty() || !honest_.emplace(domain, owner).second) return;
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

LookAlike LookAlikeIndex::within(std::string_view host, std::string_view registrable) const {
    if (registrable.empty() || host.size() <= registrable.size() + 1) return {};
    const std::string_view before = host.substr(0, host.size() - registrable.size() - 1);
    std::vector<std::size_t> begins{0};
    for (std::size_t at = before.find('.');
         at != std::string_view::npos && begins.size() < kLabelsBeforeMax;
         at = before.find('.', at + 1))
        begins.push_back(at + 1);
    begins.push_back(before.size() + 1);
    for (std::size_t first = 0; first < begins.size(); ++first)
        for (std::size_t end = first + 2; end < begins.size(); ++end) {
            const std::string run(before.substr(begins[first], begins[end] - begins[first] - 1));
            if (const auto it = honest_.find(run); it != honest_.end())
                return {.how = LookAlike::How::Within, .honest = run, .owner = it->second};
        }
    return {};
}

}  // namespace hygie::mail
