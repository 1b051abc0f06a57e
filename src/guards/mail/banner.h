#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guards/mail/judge.h"

namespace hygie::mail {

/// What of a message changes when a banner is put on top of what its reader reads.
struct Bannered {
    std::vector<std::pair<std::string, std::string>> headers;  ///< name, new value
    std::string body;                                          ///< CRLF lines
};

/// The message with one sentence why and one sentence what to do, in French and in English, on top
/// of its text and of its HTML. Nothing when that would break it (signed or encrypted, by S/MIME or
/// PGP) or when it has no text.
std::optional<Bannered> with_banner(std::string_view bytes, const Message& message,
                                    const Judgement& judgement);

}  // namespace hygie::mail
