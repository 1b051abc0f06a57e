#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guards/mail/facts/envelope.h"

/// A message as it stands at a door: fields and body apart, nothing interpreted.
namespace hygie::mail {

/// The field that says what the guard found; nobody else's survives.
inline constexpr std::string_view kMarkField = "X-Hygie";

/// A header field as it came: the value with its first blank, folds ended by LF or CRLF.
struct RawHeader {
    std::string name;
    std::string value;
};

struct Incoming {
    Envelope envelope;  ///< without authentication: the door adds what it trusts
    std::vector<RawHeader> headers;
    std::string body;
    /// Handed in by one of ours: a person who signed in to the mail server, or a machine of ours.
    bool from_inside = false;

    /// The message as a file: CRLF lines.
    std::string bytes() const;
    /// The value of the first field of that name, without blanks around; empty when absent.
    std::string_view header(std::string_view name) const;
};

/// A message's file taken apart. Its sender is what Return-Path says. Lines before the body that
/// are no fields are left out.
Incoming incoming_of(std::string_view bytes);

/// The message with these fields set, each in place of all of its name, and this body where given.
Incoming changed(Incoming message, const std::vector<std::pair<std::string, std::string>>& headers,
                 const std::optional<std::string>& body);

/// The message as the judge sees it: what others claim about it is left out, what our own servers
/// (`authserv_ids`, lower case) found goes into the envelope: of each the first field, of each
/// method what was found first.
std::string judged_bytes(Incoming& incoming, const std::vector<std::string>& authserv_ids);

}  // namespace hygie::mail
