#pragma once

#include <string>
#include <string_view>

/// Texts from elsewhere, made safe for what they are put into.
namespace hygie {

/// For text and quoted attributes of HTML.
std::string html_escaped(std::string_view text);

/// For any part of an address: all but RFC 3986's unreserved characters become %XX.
std::string percent_encoded(std::string_view text);

/// Appends `text` as a JSON string (RFC 8259 §7): quoted, escaped where the standard asks for it,
/// otherwise as it is. `text` is UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace hygie
