#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "access/decide/decision.h"
#include "base/time.h"

/// The words of circles of care: bonds tie a patient to a party, memberships tie an actor to a
/// party, and where both hold at the same moment there is a link: somebody's reason to be there.
namespace hygie::access {

/// Whole seconds since 1990-01-01 UTC. 0 is a start that is open, kForever an end that is open.
using Second = std::uint32_t;
inline constexpr Second kForever = UINT32_MAX;

/// The second that `time` lies in.
Second second_of(WallTime time);
/// As bounds of [start, end): rounded so that the interval never grows.
Second start_second(WallTime time);
Second end_second(WallTime time);
WallTime time_of(Second second);

/// What a piece of data is about. Bits of a Classes mask; positions are part of the policy pack.
enum class DataClass : std::uint8_t {
    Identity = 0,
    Agenda = 1,  ///< appointments, and the stays and visits themselves
    Coverage = 2,
    Summary = 3,  ///< problems, allergies, history
    Notes = 4,    ///< documents, letters, assessments
    Medication = 5,
    Immunization = 6,
    Laboratory = 7,
    Imaging = 8,
    Measures = 9,  ///< observations at the bedside
    Procedures = 10,
    Plan = 11,      ///< care plans, goals, teams, episodes
    Exchange = 12,  ///< requests, tasks, messages between professionals
    Consent = 13,
    Trace = 14,
    Directory = 15,  ///< about no patient: people, places, organisations
};
inline constexpr std::size_t kDataClasses = 16;
using Classes = std::uint16_t;

constexpr Classes bit(DataClass data) {
    return static_cast<Classes>(1U << static_cast<unsigned>(data));
}
inline constexpr Classes kAllClasses = 0xFFFF;
/// What a reception desk works with.
inline constexpr Classes kAdministrative =
    bit(DataClass::Identity) | bit(DataClass::Agenda) | bit(DataClass::Coverage);
/// What a patient's opposition closes when it names nothing: care, not administration.
inline constexpr Classes kClinical =
    kAllClasses & ~(kAdministrative | bit(DataClass::Consent) | bit(DataClass::Trace) |
                    bit(DataClass::Directory));

/// What a purpose beside care looks at: care and stays, and the masked person.
inline constexpr Classes kPurposeClasses =
    kClinical | bit(DataClass::Identity) | bit(DataClass::Agenda);

std::string_view name_of(DataClass data);
/// The class of a FHIR resource type; types that are not known are Notes, clinical.
DataClass class_of(std::string_view type);
/// People, places, catalogues and definitions: what the house keeps of these types tells of no
/// patient, and whoever is signed in reads it. What it keeps of others is read by its staff alone.
bool is_public(std::string_view type);

/// A person, position, unit, team: a number within one index. 0 is everybody.
using Party = std::uint32_t;
inline constexpr Party kEverybody = 0;

/// Something that ties a patient to a party.
struct Bond {
    Party party = kEverybody;
    Second from = 0;
    Second to = kForever;
    std::uint32_t evidence = 0;  ///< what it was read from, a number within the index
    Relation::Kind kind = Relation::Kind::CareTeam;
    Classes classes = kAllClasses;
    bool operator==(const Bond&) const = default;
};

/// How an actor belongs to a party.
enum class Post : std::uint8_t {
    Self = 1,      ///< is that person
    Position = 2,  ///< holds that PractitionerRole
    Team = 3,
    Unit = 4,       ///< is assigned to that ward, service or practice
    OnCall = 5,     ///< is on call there
    Principal = 6,  ///< acts for that person: a secretary, a replacement
    Counter = 7,    ///< works at the desks of that establishment: administrative data alone
    Assigned = 8,   ///< works there, and it is too large to be a circle: opens nothing
};
inline constexpr std::size_t kPosts = 9;
/// Whether who holds the post is of the unit, and held with it by an incident.
constexpr bool is_of_unit(Post post) {
    return post == Post::Unit || post == Post::OnCall || post == Post::Counter ||
           post == Post::Assigned;
}

struct Membership {
    Party party = kEverybody;
    Second from = 0;
    Second to = kForever;
    std::uint32_t evidence = 0;
    Post post = Post::Self;
    std::uint8_t depth = 0;  ///< how many delegations lie between, 0 for one's own
    bool operator==(const Membership&) const = default;
};

/// How long before and after itself a kind of bond still holds, in seconds.
struct Window {
    Second before = 0;
    Second after = 0;
    bool operator==(const Window&) const = default;
};

constexpr bool holds(Second from, Second to, Second now) {
    return from <= now && now < to;
}
constexpr bool holds(const Bond& bond, const Window& window, Second now) {
    return bond.from <= std::uint64_t{now} + window.before &&
           (bond.to == kForever || now < std::uint64_t{bond.to} + window.after);
}

/// Confidentiality of one resource or record, from meta.security. Bits.
enum Label : std::uint8_t {
    kRestricted = 1,         ///< R: only those who are named themselves, no unit, no delegate
    kMasked = 2,             ///< V, MASQUE_PS: only its author, the general practitioner, consent
    kHiddenFromPatient = 4,  ///< INVISIBLE_PATIENT: until somebody told the patient
    kHiddenFromProxies = 8,  ///< INVISIBLE_REPRESENTANTS_LEGAUX: a minor's secret (CSP L.1111-5)
};
/// The label a code of meta.security stands for; 0 for the others.
std::uint8_t label_of(std::string_view code);

/// What comes with a permit, or stands before it. Bits.
enum Obligation : std::uint8_t {
    kStepUp = 1,   ///< sign in again with a second factor
    kJustify = 2,  ///< say why, in words
    kSlow = 4,     ///< answers are slowed down
    kCut = 8,      ///< the session ends
    kTellPatient = 16,
    kTellOfficer = 32,
    kReview = 64,     ///< somebody looks at it within 72 hours
    kMinimise = 128,  ///< what identifies a person is masked
};

/// Which rule decided (regulation §4.2). Part of the ledger's words: never renumbered.
enum class Rule : std::uint8_t {
    None = 0,  ///< nothing ties the actor to the patient: closed
    Frozen = 1,
    Ceiling = 2,  ///< profession and class of data
    Cut = 3,      ///< too many patients
    Opposed = 4,
    Hidden = 5,
    StepUp = 6,
    Justify = 7,
    Scope = 8,
    Contained = 9,  ///< an incident holds the actor's unit
    NoGrant = 10,   ///< declared a purpose without leave for it
    Self = 16,
    Proxy = 17,
    Circle = 18,
    Administrative = 19,
    Trace = 20,
    Program = 21,
    Directory = 22,
    BreakGlass = 23,
    Cosigned = 24,   ///< a break-glass that a colleague signed, too
    Emergency = 25,  ///< a break-glass in a unit that an incident holds
    Purpose = 26,    ///< a purpose beside care, minimised
};
constexpr bool permits(Rule rule) {
    return rule >= Rule::Self;
}
constexpr bool is_break_glass(Rule rule) {
    return rule == Rule::BreakGlass || rule == Rule::Cosigned || rule == Rule::Emergency;
}

/// Lower is the better reason; what a person is told first.
std::uint8_t rank_of(Relation::Kind kind, Post post);

}  // namespace hygie::access
