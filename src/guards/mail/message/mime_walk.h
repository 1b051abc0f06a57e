#pragma once

#include "guards/mail/message/message.h"
#include "guards/mail/message/mime.h"

namespace hygie::mail {

/// Fills the text, links, forms and attachments of `out` from the parts of a message.
void walk_parts(GMimeMessage* mime, Message& out);

/// The addresses that plain text shows: "https://…", "www.…".
void links_of_text(std::string_view text, std::vector<RawLink>& out);

}  // namespace hygie::mail
