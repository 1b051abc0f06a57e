#pragma once

#include <string>
#include <string_view>

namespace hygie::event {

/// UTF-8 text as FHIR R4 strings and XML 1.0 can carry it: each character they have no way to write
/// (controls other than tab, line feed and carriage return; U+FFFE and U+FFFF) becomes U+FFFD.
std::string clean_text(std::string_view text);

}  // namespace hygie::event
