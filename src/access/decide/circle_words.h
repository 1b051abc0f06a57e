#pragma once

#include <string>

#include "access/decide/circle_judge.h"
#include "event/event.h"

/// Decisions in words a person understands, in both languages. No name, no number, no date of a
/// patient is in them: those are in the proof, for whoever may see it.
namespace hygie::access {

/// "circle.encounter", "circle.opposed": what the ledger keeps.
std::string reason_id(const Outcome& outcome);
/// One sentence.
Text sentence_of(const Outcome& outcome);
/// How to become entitled, for a refusal; empty for a permit.
Text remedy_of(const Outcome& outcome);
/// One sentence for each obligation bit that is set.
std::vector<event::Reason> obligations_of(std::uint8_t obligations);
/// All of it as a decision gives its reasons: what decided, on this evidence, how to become
/// entitled, and one sentence for each obligation.
std::vector<event::Reason> reasons_of(const Outcome& outcome, std::string evidence);

/// "équipe de soins de ce patient".
struct Phrase {
    std::string_view fr;
    std::string_view en;
};
Phrase phrase_of(Relation::Kind kind);
/// "la recherche"
Phrase phrase_of(Purpose purpose);
/// " par son service": how the actor comes to it; empty for oneself.
Phrase phrase_of(Post post);

}  // namespace hygie::access
