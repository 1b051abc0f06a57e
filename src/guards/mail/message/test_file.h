#pragma once

#include <string>
#include <utility>

#include "guards/mail/message/message.h"

namespace hygie::mail {

/// A letter of these words with one file attached, for tests and fuzzers.
inline Message with_file(std::string name, std::string bytes, std::string text = {}) {
    Message message;
    message.text = std::move(text);
    message.attachments.push_back({.name = std::move(name),
                                   .type = "application/octet-stream",
                                   .bytes = std::move(bytes),
                                   .is_inline = false,
                                   .is_truncated = false,
                                   .content_id = {}});
    return message;
}

}  // namespace hygie::mail
