#pragma once

#include <string>
#include <string_view>

namespace hygie::event {

/// Appends `text` as a JSON string (RFC 8259 §7): quoted, escaped where the standard asks for it,
/// otherwise as it is. `text` is UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace hygie::event
