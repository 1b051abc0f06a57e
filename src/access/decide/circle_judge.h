#pragma once

#include "access/decide/circle.h"
#include "access/decide/policy_pack.h"

/// The one decision procedure. Whoever joins bonds with memberships — over strings of one record or
/// over the index of a hospital — hands every pair with the same party to a Judge and asks it to
/// conclude. Order of the pairs does not matter.
namespace hygie::access {

/// What is asked, in numbers.
struct Question {
    Role role = Role::Care;
    const PolicyRow* row = nullptr;
    Second now = 0;
    DataClass data = DataClass::Identity;
    bool writing = false;
    bool strong = false;   ///< signed in with a second factor
    bool is_self = false;  ///< is the patient
    std::uint8_t labels = 0;
    Pressure pressure = Pressure::Calm;
    bool justified = false;
    bool frozen = false;
    bool glass = false;  ///< a break-glass of this actor for this patient holds now
    bool vital = false;
    bool cosigned = false;   ///< a colleague signed it, which stands for a second factor
    bool contained = false;  ///< an incident holds the actor's unit; a glass is of since then
    Purpose purpose = Purpose::None;  ///< declared
    bool granted = false;             ///< leave for that purpose holds now
};

/// A pair by its places in the lists it came from.
struct Link {
    std::uint32_t bond = UINT32_MAX;
    std::uint32_t member = UINT32_MAX;
    bool there() const { return bond != UINT32_MAX; }
    auto operator<=>(const Link&) const = default;
};

struct Outcome {
    Rule rule = Rule::None;
    std::uint8_t obligations = 0;
    Relation::Kind kind{};  ///< of the proof, when there is one
    Post post{};
    Link proof{};                     ///< of a permit by circle or proxy
    Link against{};                   ///< the opposition or restriction, when that refused
    Purpose purpose = Purpose::None;  ///< of a permit by purpose
    bool permitted() const { return permits(rule); }
    bool operator==(const Outcome&) const = default;
};

/// Posts through which a kind of bond opens anything: bits 1 << post.
std::uint16_t posts_of(Relation::Kind kind);

class Judge {
  public:
    Judge(const Policy& policy, const Question& question)
        : policy_(policy), question_(question), class_(bit(question.data)) {}

    /// The parties of both are the same.
    void consider(const Bond& bond, const Membership& member, Link link) {
        if (!holds(member.from, member.to, question_.now) || (bond.classes & class_) == 0 ||
            !holds(bond, policy_.window_of(bond.kind), question_.now))
            return;
        weigh(bond, member, link);
    }
    Second now() const { return question_.now; }
    /// A proof was found, and nothing of what is still to come could refuse.
    bool has_proof() const { return best_.there(); }
    Outcome conclude() const;

  private:
    void weigh(const Bond& bond, const Membership& member, Link link);
    Outcome judge_links() const;
    Outcome judge_purpose() const;
    Outcome refuse_or_glass() const;
    bool may_break_glass() const;
    Outcome permit_by_glass() const;
    bool is_hidden() const;
    bool is_opposed() const;
    Outcome permit(Rule rule) const;
    Outcome deny(Rule rule, std::uint8_t obligations = 0) const {
        return {.rule = rule, .obligations = obligations};
    }

    const Policy& policy_;
    const Question& question_;
    Classes class_;
    Link best_{};
    std::uint8_t best_rank_ = UINT8_MAX;
    Relation::Kind best_kind_{};
    Post best_post_{};
    Link opposed_{};      ///< an opposition that names the actor
    Link opposed_all_{};  ///< an opposition to everybody: explicit consent is its exception
    Link restricted_{};
    bool named_ = false;   ///< tied in person, not through a unit or a delegation
    bool keeper_ = false;  ///< author, general practitioner or explicitly let in
    bool consented_ = false;
};

}  // namespace hygie::access
