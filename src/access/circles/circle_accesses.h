#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/circles/circle_world.h"

/// The engine run backwards: each past access gets its proof path, or none. What has none is what a
/// security officer looks at; there is nothing to configure.
namespace hygie::access {

/// One access that some system noted, whoever's format it came in.
struct PastAccess {
    std::string id;  ///< as the source names it, or its line
    std::string actor;
    std::string patient;   ///< may be empty when only a resource is named
    std::string resource;  ///< "Observation/42" or a type, may be empty
    WallTime time{};
    bool break_glass = false;
    bool writing = false;
    std::string cause{};  ///< what the source says about it; never used to decide
};

/// A FHIR AuditEvent, an event line of Hygie, or a plain object with actor, patient and time under
/// one of their usual names (docs/concepts/circles.md). Code::BadInput says which part is missing.
Result<PastAccess> parse_access(fhir::Json line);

/// The same by number.
struct Access {
    ActorNumber actor = kNobody;
    PatientNumber patient = kNobody;
    Second time = 0;
    DataClass data = DataClass::Identity;
    bool break_glass = false;
    bool writing = false;
};
Access resolve(const CircleWorld& world, const PastAccess& access);

enum class Finding : std::uint8_t {
    Explained = 0,
    ToReview = 1,     ///< declared as an emergency: explained by its motive alone
    Unexplained = 2,  ///< no circle then
    Against = 3,      ///< there was a circle, and an opposition, a label or a ceiling against it
    UnknownActor = 4,
    UnknownPatient = 5,
};
inline constexpr std::size_t kFindings = 6;
std::string_view name_of(Finding finding);
/// Explained for a name that is none.
Finding finding_named(std::string_view name);
Text sentence_of(Finding finding);

/// What it was at its time.
Finding judge(const CircleIndex& index, const Access& access);
/// Counts of a whole journal, with the index's memory fetched ahead.
std::array<std::uint64_t, kFindings> replay(const CircleIndex& index,
                                            std::span<const Access> accesses);
Query query_of(const Access& access);

}  // namespace hygie::access
