#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guards/mail/judge/judge.h"

namespace hygie::mail {

/// What of a message changes when it is written anew.
struct Bannered {
    std::vector<std::pair<std::string, std::string>> headers;  ///< name, new value
    std::string body;                                          ///< CRLF lines
};

/// What is to change in a message before its reader sees it.
struct Rewrite {
    bool banner = false;   ///< one sentence why and one sentence what to do, on top
    bool neutral = false;  ///< no link, form or picture from elsewhere can be followed (neutral.h)
    std::vector<std::string> without_files{};  ///< names of attachments to leave out, with a word
};
/// Nothing when the message cannot be changed without breaking it (signed or encrypted, by S/MIME
/// or PGP), when a file to leave out is not a part by itself, or when what is to be made harmless
/// has no text.
std::optional<Bannered> rewritten(std::string_view bytes, const Message& message,
                                  const Judgement& judgement, const Rewrite& what);
/// The message with one sentence why and one sentence what to do, in French and in English, on top
/// of its text and of its HTML.
std::optional<Bannered> with_banner(std::string_view bytes, const Message& message,
                                    const Judgement& judgement);

/// The message with a notice on top; nothing where it cannot be changed or read.
std::optional<Bannered> with_notice(std::string_view bytes, const Text& notice);

}  // namespace hygie::mail
