#include "vault/stamp.h"

#include <vector>

namespace hygie::vault {

using fhir::Json;
using fhir::Member;

WallTime to_millis(WallTime time) {
    return std::chrono::floor<std::chrono::milliseconds>(time);
}

std::string instant_text(WallTime time) {
    constexpr std::size_t kToMillis = sizeof("2026-11-24T08:30:00.000") - 1;
    return to_rfc3339(time).substr(0, kToMillis) + 'Z';
}

Json stamped(fhir::Arena& arena, Json resource, std::string_view id, std::uint32_t version,
             WallTime updated) {
    std::vector<Member> meta = {{"versionId", arena.string(std::to_string(version))},
                                {"lastUpdated", arena.string(instant_text(updated))}};
    const Json old_meta = resource["meta"];
    for (const Member& member : old_meta.members())
        if (member.name != "versionId" && member.name != "lastUpdated") meta.push_back(member);
    std::vector<Member> members = {{"resourceType", resource["resourceType"]},
                                   {"id", arena.string(id)},
                                   {"meta", arena.object(meta)}};
    for (const Member& member : resource.members())
        if (member.name != "resourceType" && member.name != "id" && member.name != "meta")
            members.push_back(member);
    return arena.object(members);
}

std::string deletion_text(std::string_view type, std::string_view id) {
    fhir::Arena arena;
    return fhir::to_text(
        arena.object({{"resourceType", arena.string(type)}, {"id", arena.string(id)}}));
}

bool is_text_of(std::string_view text, std::string_view type, std::string_view id) {
    const auto goes_on = [&](std::string_view part) {
        const bool is_next = text.starts_with(part);
        if (is_next) text.remove_prefix(part.size());
        return is_next;
    };
    return goes_on(R"({"resourceType":")") && goes_on(type) && goes_on(R"(","id":")") &&
           goes_on(id) && goes_on("\"");
}

}  // namespace hygie::vault
