#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "event/codec.h"
#include "event/event.h"

namespace hygie::ledger {

/// An event on its way into the ledger: encoded once, with what the sealer and the index need
/// beside it.
struct Draft {
    event::Stamp stamp{};
    SourceId source;  ///< empty: the ledger itself
    NodeId node;
    Bytes body;         ///< event::encode_body
    ActorId actor;      ///< empty when nobody acted
    PatientId patient;  ///< empty when no single patient is concerned
    ObjectId object;
    bool open = false;  ///< readable by anyone: only for the ledger's entries about itself
    Bytes source_key;   ///< the guard's Ed25519 public key, if it signs its stream
    /// Not an event: the source's counters up to this one will never come. 0 otherwise.
    std::uint64_t gap_until = 0;
};

/// Code::BadInput when the event is too long, or its time lies before 1970.
Result<Draft> draft_of(const event::Event& event);

/// An entry of the ledger about itself, with its details open to every verifier.
Result<Draft> own_draft(event::Type type, WallTime now, std::map<std::string, std::string> detail);

}  // namespace hygie::ledger
