#pragma once

#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/facts/links.h"

namespace hygie::mail {

/// Who writes, against what the organisation remembers.
Relations find_relations(const Message& message, const Envelope& envelope, const History& history,
                         const Authentication& auth, const LinkReader& reader);

}  // namespace hygie::mail
