#pragma once

#include "guards/records/write/plan.h"

namespace hygie::records {

/// A document that carries its bytes, and a size or a hash that they do not have (R4, Attachment:
/// the size in bytes before base64, the SHA-1 of them): cut short or changed on its way. One
/// warning for each such document, none of which says what is in it.
void warn_of_attachments(Step& step);

}  // namespace hygie::records
