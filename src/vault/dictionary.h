#pragma once

#include "base/bytes.h"

namespace hygie::vault {

/// What bodies are compressed with: trained by dictionary/make, never changed once used.
ByteView dictionary_1();

}  // namespace hygie::vault
