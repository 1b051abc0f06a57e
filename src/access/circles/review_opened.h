#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "event/event.h"

/// "Who opened my record?": the ledger's events about one patient, in words that this person
/// understands (EHDS art. 9). Pure: who asks and where events come from is for the caller.
namespace hygie::access {

/// One line of the answer: acts of the same person for the same reason on the same day are one.
struct Opening {
    WallTime first{};
    WallTime last{};
    std::string who;           ///< name, or the account when no name is known
    std::string profession;    ///< in words, may be empty
    std::string organisation;  ///< may be empty
    std::size_t times = 0;
    bool break_glass = false;
    bool refused = false;  ///< tried and was not let in
    Text sentence;
    std::vector<std::string> events;  ///< ids, the proof of each act
};

struct ActorWords {
    std::string name;
    Text profession;
    std::string organisation;
};
/// What is known of an actor beyond the trace; empty fields when nothing is.
using WhoIs = std::function<ActorWords(const event::Actor&)>;

/// "2026-11-24 09:30", by the clocks of the practice: for pages that people read.
std::string minute_here(WallTime time);

/// Newest first. Events that are not about a record (types outside 32–63) are left out.
std::vector<Opening> openings_of(std::span<const event::Event> events, const WhoIs& who_is);

/// {"openings":[{"first","last","who","profession","organisation","times","break_glass","refused",
/// "fr","en","events":[…]}],"total":n}
std::string openings_json(std::span<const Opening> openings);
/// A sheet to print: one HTML page without scripts or outside resources, in one language.
std::string openings_sheet(std::span<const Opening> openings, std::string_view patient_name,
                           WallTime now, Lang lang);

}  // namespace hygie::access
