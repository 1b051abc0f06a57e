#pragma once

#include <string>
#include <string_view>

/// Inside of the room and of serve/: JSON of strangers, read so that no two readers can differ.
namespace hygie::access {

/// Whether it is a JSON object of moderate depth without a name given twice (RFC 8725 §2.4 warns of
/// parsers that differ about those).
bool is_strict_object(std::string_view text);

/// A text member of that name, empty otherwise.
template <typename Json>
std::string text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->template get<std::string>()
                                                       : std::string();
}

}  // namespace hygie::access
