#include "access/decide/cosign.h"

#include <algorithm>
#include <array>

namespace hygie::access {
namespace {

constexpr std::size_t kCodeChars = 8;
/// 32 letters and digits that nobody mistakes for each other: 40 bits in a code.
constexpr std::string_view kLetters = "23456789abcdefghjkmnpqrstuvwxyz_";
static_assert(kLetters.size() == 32);

std::string make_code(Random& random) {
    std::array<std::uint8_t, kCodeChars> bytes{};
    random.fill(bytes);
    std::string code;
    for (const std::uint8_t byte : bytes) code += kLetters[byte % kLetters.size()];
    return code;
}

/// Whether they are one human: the account, the person, or another resource of the same person.
bool is_same_human(const Actor& one, const Actor& other) {
    const auto is_self = [](const Actor& actor, const std::string& person) {
        return actor.person == person ||
               std::ranges::any_of(actor.belongs, [&](const Belonging& belonging) {
                   const auto post = static_cast<Post>(belonging.post);
                   return (post == Post::Self || post == Post::Position) &&
                          belonging.party == person;
               });
    };
    return one.id == other.id || (!one.person.empty() && is_self(other, one.person)) ||
           (!other.person.empty() && is_self(one, other.person));
}

}  // namespace

Status check_cosigner(const Policy& policy, const Actor& colleague, const CosignWish& wish) {
    if (is_same_human(colleague, wish.by))
        return fail(Code::Denied,
                    {"personne ne contresigne pour soi-même", "nobody co-signs for oneself"},
                    {"demandez à un collègue", "ask a colleague"});
    return check_break_glass(policy, colleague, wish.motive);
}

void CosignWishes::forget_old(WallTime now) {
    std::erase_if(wishes_, [&](const auto& one) { return one.second.until <= now; });
}

Result<std::string> CosignWishes::add(CosignWish wish, Random& random, WallTime now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    std::erase_if(wishes_, [&](const auto& one) {
        return one.second.by.id == wish.by.id && one.second.patient == wish.patient;
    });
    if (wishes_.size() >= kCosignWishesMax)
        return fail(
            Code::Full,
            {"trop de bris de glace attendent un collègue",
             "too many break-glasses wait for a colleague"},
            {"connectez-vous avec votre second facteur", "sign in with your second factor"});
    std::string code = make_code(random);
    while (wishes_.contains(code)) code = make_code(random);
    wishes_.emplace(code, std::move(wish));
    return code;
}

std::optional<CosignWish> CosignWishes::find(std::string_view code, WallTime now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    const auto found = wishes_.find(code);
    if (found == wishes_.end()) return std::nullopt;
    return found->second;
}

std::optional<CosignWish> CosignWishes::take(std::string_view code, WallTime now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    const auto found = wishes_.find(code);
    if (found == wishes_.end()) return std::nullopt;
    CosignWish wish = std::move(found->second);
    wishes_.erase(found);
    return wish;
}

}  // namespace hygie::access
