#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "event/event.h"

/// What the security officer has to look at — emergencies declared, motives given, sessions cut,
/// accesses that nothing explains — and what came of it. Read from the ledger alone: a restart
/// forgets nothing. Pure.
namespace hygie::access {

/// How soon an access outside the circle is looked at.
inline constexpr Micros kReviewWithin = std::chrono::hours(72);
/// How far back the list looks.
inline constexpr Micros kWorkListReach = std::chrono::days(90);

/// What the officer concluded.
enum class Conclusion : std::uint8_t { Justified = 1, Unjustified = 2 };
std::string_view name_of(Conclusion conclusion);
std::optional<Conclusion> conclusion_named(std::string_view name);

struct Duty {
    enum class Kind : std::uint8_t { BreakGlass, Motive, Cut, Unexplained };
    struct Review {
        ActorId by;
        WallTime time{};
        Conclusion conclusion{};
        std::string words;
    };
    Kind kind{};
    std::string event;  ///< id: the proof
    WallTime time{};
    WallTime due{};
    event::Actor actor;
    ActorId cosigner{};       ///< of a break-glass that a colleague signed, too
    PatientId patient;        ///< empty when it is about an actor's pace
    std::string motive;       ///< code
    std::string words;        ///< of the actor
    std::vector<Text> signs;  ///< what a reviewer should know
    std::optional<Review> review;

    bool is_late(WallTime now) const { return !review && now > due; }
};
std::string_view name_of(Duty::Kind kind);
Text title_of(Duty::Kind kind);

/// Open ones first, those due soonest first; then those closed, newest first.
std::vector<Duty> duties_of(std::span<const event::Event> events);

/// A past access that nothing explains, as the work list takes it: one for what an actor did with a
/// patient on a day.
struct Unexplained {
    std::string event;  ///< id of the first such access: the proof
    WallTime time{};    ///< of that one
    ActorId actor;
    std::string role;
    PatientId patient;
    std::string finding;  ///< name_of(Finding)
    std::size_t times = 1;
};
/// What the ledger keeps of it; source, node, id, time and who found it are the caller's.
event::Event finding_of(const Unexplained& access);
bool is_finding(const event::Event& event);
/// What tells two findings apart: actor, patient, day.
std::string key_of(const Unexplained& access);
std::string key_of(const event::Event& finding);

/// What the ledger keeps of a review; source, node, id and time are the caller's. Code::BadInput
/// when the words say nothing, Code::AlreadyThere when it was reviewed, Code::Denied for who
/// reviews an act of their own, or one that they signed.
Result<event::Event> review_of(const Duty& duty, const ActorId& by, Conclusion conclusion,
                               const std::string& words);
bool is_review(const event::Event& event);

/// {"duties":[{"kind","event","time","due","late","actor","role","cosigner","patient","motive",
/// "words","signs":[{"fr","en"}],"review":{…}|null}],"open":n,"late":n}
std::string duties_json(std::span<const Duty> duties, WallTime now);

}  // namespace hygie::access
