#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hygie::mail {

/// One address as a header shows it. `name` is decoded UTF-8; `address` is lower case, in ASCII or
/// UTF-8, and may be empty when the header holds no usable one.
struct Address {
    std::string name;
    std::string address;
    /// What follows the last @, empty when there is none.
    std::string_view domain() const;
    bool operator==(const Address&) const = default;
};

/// One header field: its name as written, its value unfolded and decoded to UTF-8.
struct Header {
    std::string name;
    std::string value;
};

/// Where a link stands in the message.
enum class LinkKind : std::uint8_t {
    Anchor,   ///< <a href>
    Image,    ///< <a href> whose shown content is only an image
    Area,     ///< image map, <area href>
    Form,     ///< <form action>
    Refresh,  ///< <meta http-equiv=refresh>
    Text,     ///< an address written in plain text
};

/// A link as the message has it, nothing interpreted yet.
struct RawLink {
    LinkKind kind = LinkKind::Anchor;
    std::string target;  ///< the attribute as written, entities decoded
    std::string shown;   ///< what the reader sees in its place, empty for none
};

/// A form that the HTML part shows.
struct Form {
    std::string action;
    bool asks_secret = false;        ///< a password field, or one named like a card or a code
    std::vector<std::string> names;  ///< names of its fields
};

/// A leaf part that is a file for the reader: attached, or inline with a name or not text.
struct Attachment {
    std::string name;   ///< decoded file name, may be empty
    std::string type;   ///< declared type, lower case, "application/pdf"
    std::string bytes;  ///< decoded content, cut at kAttachmentBytesMax
    bool is_inline = false;
    bool is_truncated = false;
    std::string content_id;
};

/// What is wrong with the form of a message; each is legal for a reader to ignore, and each is
/// used to hide something.
struct Defects {
    bool too_deep = false;        ///< nesting beyond kPartDepthMax was not followed
    bool too_many_parts = false;  ///< parts beyond kPartsMax were not followed
    bool truncated = false;       ///< a text or file was cut at its limit
    bool broken_charset = false;  ///< bytes that are not in the charset they declare
    bool duplicate_from = false;  ///< more than one From field
    bool no_headers = false;      ///< nothing that looks like a header
};

/// A message as its reader sees it. Everything is UTF-8, whatever it was sent as.
struct Message {
    std::vector<Header> headers;  ///< in order of appearance, at most kHeadersMax

    std::string subject;
    std::vector<Address> from;
    std::vector<Address> reply_to;
    std::vector<Address> sender;
    std::vector<Address> to;
    std::vector<Address> cc;
    std::string return_path;  ///< address only, empty for <>
    std::string message_id;   ///< without < >
    std::vector<std::string> in_reply_to;
    std::vector<std::string> references;

    std::string text;    ///< what is read: the HTML as text where there is one, else `plain`
    std::string plain;   ///< text/plain parts
    std::string html;    ///< text/html parts as sent
    std::string hidden;  ///< text that the HTML carries and does not show
    std::vector<RawLink> links;
    std::vector<Form> forms;
    std::size_t images = 0;           ///< <img> of the HTML
    std::size_t tracking_images = 0;  ///< <img> of at most 2x2
    bool html_has_script = false;
    std::string html_share;  ///< of another house, from which the page loads by itself; or empty

    std::vector<Attachment> attachments;         ///< those inside winmail.dat (TNEF), too
    std::vector<std::string> embedded_subjects;  ///< subjects of message/rfc822 parts

    bool is_signed = false;     ///< multipart/signed or S/MIME signed-data
    bool is_encrypted = false;  ///< multipart/encrypted or S/MIME enveloped-data
    bool has_calendar = false;  ///< text/calendar, its text is part of `plain`
    bool is_report = false;     ///< multipart/report: delivery or disposition notification
    Defects defects;

    /// Value of the first header of that name (any case), empty when absent.
    std::string_view header(std::string_view name) const;
    /// The first From, or an empty address.
    const Address& author() const;
};

/// Reads a whole message. Never fails on malformed input: what cannot be understood is left out and
/// said in `defects`. Code::Full when it is larger than kMessageBytesMax, Code::BadInput when
/// empty.
Result<Message> parse_message(std::string_view bytes);

}  // namespace hygie::mail
