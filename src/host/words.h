#pragma once

#include "base/result.h"

/// What the system and libcurl say in English, in both languages.
namespace hygie {

/// Why a system call failed (errno), in a few words without an article: "introuvable".
Text os_words(int error);

/// Why libcurl failed (CURLcode), in a few words.
Text curl_words(int code);

}  // namespace hygie
