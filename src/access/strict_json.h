#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Inside of the room: JSON of strangers, read so that no two readers can differ about it. Included
/// by .cc files alone.
namespace hygie::access {

inline constexpr int kStrictJsonDepthMax = 8;

/// An object without a name given twice (RFC 8725 §2.4 warns of parsers that differ); none
/// otherwise.
inline std::optional<nlohmann::json> strict_object(std::string_view text) {
    using Json = nlohmann::json;
    std::vector<std::set<std::string>> names;
    bool sound = true;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > kStrictJsonDepthMax) sound = false;
        if (event == Json::parse_event_t::object_start) names.emplace_back();
        if (event == Json::parse_event_t::object_end) names.pop_back();
        if (event == Json::parse_event_t::key &&
            !names.back().insert(value.get<std::string>()).second)
            sound = false;
        return sound;
    };
    Json parsed = Json::parse(text, watch, false);
    if (!sound || !parsed.is_object()) return std::nullopt;
    return parsed;
}

/// A member of that name and kind, empty otherwise.
inline std::string text_member(const nlohmann::json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace hygie::access
