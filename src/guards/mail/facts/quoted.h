#pragma once

#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/message/message.h"

namespace hygie::mail {

/// Reads the history that a reply carries along: where it begins, whose words it quotes, and how
/// the sender relates to them. `relations` is who writes now.
QuotedFacts find_quoted(const Message& message, const History& history, const Relations& relations);

}  // namespace hygie::mail
