#include "access/accounts/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace hygie::access {
namespace {

constexpr int kDepthMax = 16;

}  // namespace

bool is_strict_object(std::string_view text) {
    using Json = nlohmann::json;
    std::vector<std::set<std::string>> names;
    bool sound = true;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > kDepthMax) sound = false;
        if (event == Json::parse_event_t::object_start) names.emplace_back();
        if (event == Json::parse_event_t::object_end) names.pop_back();
        if (event == Json::parse_event_t::key && sound)
            sound = names.back().insert(value.get<std::string>()).second;
        return true;
    };
    const Json parsed = Json::parse(text, watch, false);
    return sound && parsed.is_object();
}

}  // namespace hygie::access
