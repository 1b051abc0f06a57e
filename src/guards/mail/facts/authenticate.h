#pragma once

#include "guards/mail/facts/evidence.h"

namespace hygie::mail {

/// What is proven about the From domain. The envelope's results come first; where it has none, the
/// topmost Authentication-Results counts, if the host that received the message wrote it (its
/// authserv-id and the topmost Received agree). Nothing is looked up.
Authentication authenticate(const Message& message, const Envelope& envelope);

/// The registrable domain of the list that passed this message on: it says so, it is written to,
/// and the proven path of the envelope is its own. Empty for none.
std::string relaying_list(const Message& message, const Envelope& envelope,
                          const Authentication& auth);

/// Who wrote an Authentication-Results value (RFC 8601 §2.2), lower case.
std::string authserv_id(std::string_view value);
/// What it says of SPF, DKIM and DMARC, for a caller that trusts who wrote it. What is known
/// already stays.
void take_results(std::string_view value, Envelope& envelope);

}  // namespace hygie::mail
