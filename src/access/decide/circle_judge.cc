#include "access/decide/circle_judge.h"

#include <algorithm>

namespace hygie::access {
namespace {

using Kind = Relation::Kind;

constexpr std::uint16_t bit_of(Post post) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(post));
}

constexpr std::uint16_t kInPerson = bit_of(Post::Self) | bit_of(Post::Position);
constexpr std::uint16_t kTogether = bit_of(Post::Team) | bit_of(Post::Unit) | bit_of(Post::OnCall);
constexpr std::uint16_t kUsual =
    kInPerson | kTogether | bit_of(Post::Principal) | bit_of(Post::Counter);

constexpr std::array<std::uint16_t, kRelationKinds> make_posts() {
    std::array<std::uint16_t, kRelationKinds> posts{};
    posts.fill(kUsual);
    posts[0] = 0;
    const auto set = [&](Kind kind, unsigned mask) {
        posts[static_cast<std::size_t>(kind)] = static_cast<std::uint16_t>(mask);
    };
    set(Kind::Teleconsultation, kInPerson);
    set(Kind::Presence, bit_of(Post::Unit) | bit_of(Post::OnCall) | bit_of(Post::Counter));
    set(Kind::Consent, kInPerson | kTogether);
    set(Kind::Billing,
        kInPerson | bit_of(Post::Team) | bit_of(Post::Principal) | bit_of(Post::Counter));
    set(Kind::Proxy, bit_of(Post::Self));
    set(Kind::Opposition, 0);
    set(Kind::Restriction, 0);
    return posts;
}
constexpr auto kPostsOf = make_posts();

/// Opens administrative data and nothing else.
bool is_administrative(Kind kind, Post post) {
    return kind == Kind::Billing || post == Post::Counter;
}

void keep_first(Link& kept, Link link) {
    kept = std::min(kept, link);
}

}  // namespace

std::uint16_t posts_of(Kind kind) {
    return kPostsOf[static_cast<std::size_t>(kind)];
}

void Judge::weigh(const Bond& bond, const Membership& member, Link link) {
    const Kind kind = bond.kind;
    if (kind == Kind::Opposition)
        return keep_first(bond.party == kEverybody ? opposed_all_ : opposed_, link);
    if (kind == Kind::Restriction) return keep_first(restricted_, link);
    const std::uint16_t post = bit_of(member.post);
    if ((posts_of(kind) & post) == 0) return;
    if (is_administrative(kind, member.post) && (class_ & kAdministrative) == 0) return;
    if ((question_.role == Role::Patient) != (kind == Kind::Proxy)) return;

    const bool in_person = (post & kInPerson) != 0;
    named_ = named_ || in_person;
    consented_ = consented_ || kind == Kind::Consent;
    keeper_ = keeper_ || kind == Kind::Consent ||
              (in_person && (kind == Kind::GeneralPractitioner || kind == Kind::Author ||
                             kind == Kind::OpenedRecord));
    const std::uint8_t rank = rank_of(kind, member.post);
    if (rank > best_rank_ || (rank == best_rank_ && link > best_)) return;
    best_rank_ = rank;
    best_ = link;
    best_kind_ = kind;
    best_post_ = member.post;
}

/// Who is named is kept out by that alone; what is said of all, a consent goes before.
bool Judge::is_opposed() const {
    return opposed_.there() || (opposed_all_.there() && !consented_);
}

bool Judge::is_hidden() const {
    const std::uint8_t labels = question_.labels;
    if (question_.role == Role::Patient)
        return (labels & (question_.is_self ? kHiddenFromPatient
                                            : kHiddenFromPatient | kHiddenFromProxies)) != 0;
    if ((labels & kMasked) != 0 && !keeper_) return true;
    return ((labels & kRestricted) != 0 || restricted_.there()) && !named_ && !keeper_;
}

Outcome Judge::permit(Rule rule) const {
    if (!is_break_glass(rule) && (policy_.step_up & class_) != 0 && !question_.strong)
        return deny(Rule::StepUp, kStepUp);
    if (question_.pressure == Pressure::Justify && !question_.justified)
        return deny(Rule::Justify, kJustify | kTellOfficer);
    Outcome outcome{.rule = rule};
    if (question_.pressure >= Pressure::Slow) outcome.obligations |= kSlow;
    if (is_break_glass(rule)) outcome.obligations |= kTellPatient | kTellOfficer | kReview;
    if (rule == Rule::Circle || rule == Rule::Proxy) {
        outcome.proof = best_;
        outcome.kind = best_kind_;
        outcome.post = best_post_;
    }
    return outcome;
}

/// What is masked only when a life is at stake.
bool Judge::may_break_glass() const {
    return question_.role == Role::Care && question_.row->break_glass && question_.glass &&
           (question_.strong || question_.cosigned) && (!is_hidden() || question_.vital);
}

Outcome Judge::permit_by_glass() const {
    return permit(question_.contained  ? Rule::Emergency
                  : question_.cosigned ? Rule::Cosigned
                                       : Rule::BreakGlass);
}

/// Oppositions, labels and an empty circle: only a break-glass passes.
Outcome Judge::refuse_or_glass() const {
    const bool opposed = is_opposed();
    const bool hidden = is_hidden();
    if (may_break_glass()) return permit_by_glass();
    Outcome refusal = deny(opposed                   ? Rule::Opposed
                           : hidden && best_.there() ? Rule::Hidden
                                                     : Rule::None);
    if (opposed) refusal.against = opposed_.there() ? opposed_ : opposed_all_;
    if (refusal.rule == Rule::Hidden) refusal.against = restricted_;
    return refusal;
}

Outcome Judge::judge_links() const {
    if (is_opposed() || is_hidden()) return refuse_or_glass();
    if (best_.there()) return permit(question_.role == Role::Patient ? Rule::Proxy : Rule::Circle);
    if (question_.role == Role::Desk && !policy_.desk_needs_reason)
        return permit(Rule::Administrative);
    return refuse_or_glass();
}

/// No circle counts: leave for the purpose, a second factor, and nothing said against it. An
/// opposition to everybody has no exception here.
Outcome Judge::judge_purpose() const {
    if ((kPurposeClasses & class_) == 0 || question_.writing) return deny(Rule::Ceiling);
    if (question_.pressure == Pressure::Cut) return deny(Rule::Cut, kCut | kTellOfficer);
    if (!question_.strong) return deny(Rule::StepUp, kStepUp);
    Outcome refusal = deny(Rule::Opposed);
    refusal.against = opposed_.there() ? opposed_ : opposed_all_;
    if (refusal.against.there()) return refusal;
    refusal = deny(Rule::Hidden);
    refusal.against = restricted_;
    if (restricted_.there() || (question_.labels & (kMasked | kRestricted)) != 0) return refusal;
    Outcome outcome = permit(Rule::Purpose);
    if (!outcome.permitted()) return outcome;
    outcome.obligations |= kMinimise;
    outcome.purpose = question_.purpose;
    return outcome;
}

Outcome Judge::conclude() const {
    if (question_.frozen) return deny(Rule::Frozen);
    // No circle opens anything in a unit that an incident holds; an emergency does.
    const bool has_purpose = question_.purpose != Purpose::None;
    if (question_.contained && (has_purpose || !may_break_glass())) return deny(Rule::Contained);
    if (has_purpose) return question_.granted ? judge_purpose() : deny(Rule::NoGrant);
    const PolicyRow& row = *question_.row;
    if (((question_.writing ? row.write : row.read) & class_) == 0) return deny(Rule::Ceiling);
    if (question_.pressure == Pressure::Cut) return deny(Rule::Cut, kCut | kTellOfficer);
    if (question_.contained) return permit_by_glass();
    switch (question_.role) {
        case Role::Security:
        case Role::Operations:
            return permit(Rule::Trace);
        case Role::Patient:
            if (question_.is_self) return is_hidden() ? deny(Rule::Hidden) : permit(Rule::Self);
            break;
        case Role::Care:
        case Role::Desk:
        case Role::Program:
            break;
    }
    return judge_links();
}

}  // namespace hygie::access
