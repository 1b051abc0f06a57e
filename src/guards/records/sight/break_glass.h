#pragma once

#include "access/circles/worklist.h"
#include "guards/records/desk/desk.h"
#include "guards/records/desk/handlers.h"

/// What $break-glass and $co-sign share.
namespace hygie::records {

/// A break-glass that stands from now on, with the entry that tells of it.
struct OpenedGlass {
    ActorId actor;
    std::string patient;
    access::BreakGlass glass;
    event::Event act;
};

/// `act` is about the asker and the patient, whoever made it.
OpenedGlass opened_glass(Desk& desk, const access::Policy& policy, const access::Motive& motive,
                         event::Event act);

/// Opens it once the answer goes out, which is when its trace is kept, and not before.
void open_when_kept(Desk& desk, Call& call, OpenedGlass opened);

/// Why this actor may not, with this motive, as an answer.
Refusal glass_refused(const Error& error);

/// Asks for a colleague instead of a second factor (cosign.cc).
void ask_for_cosigner(Desk& desk, CallPtr call, access::Motive motive, const std::string& patient);

}  // namespace hygie::records
