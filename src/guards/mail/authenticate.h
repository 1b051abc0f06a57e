#pragma once

#include "guards/mail/evidence.h"

namespace hygie::mail {

/// What is proven about the From domain. The envelope's results come first; where it has none, the
/// topmost Authentication-Results counts, if the host that received the message wrote it (its
/// authserv-id and the topmost Received agree). Nothing is looked up.
Authentication authenticate(const Message& message, const Envelope& envelope);

}  // namespace hygie::mail
