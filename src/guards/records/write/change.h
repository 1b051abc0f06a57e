#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fhir/data/json.h"
#include "guards/records/desk/desk.h"
#include "guards/records/request/bundle.h"

/// A change that somebody asks for, read from a request or from an entry of a bundle.
namespace hygie::records {

struct Change {
    enum class Kind : std::uint8_t { Create, Update, Delete, JsonPatch, PathPatch };
    Kind kind = Kind::Create;
    std::string type{};
    std::string id{};                      ///< empty until resolved
    std::optional<Parameters> criteria{};  ///< of a conditional change
    std::string full_url{};                ///< how other entries of the bundle refer to it
    std::string if_match{};       ///< versions that it may replace, a list of ETags; empty: unsaid
    std::string if_none_match{};  ///< those it must not find: "*" where only a new one is wanted
    fhir::Json body{};            ///< the resource or the patch
    std::string expression{};     ///< where it stands: "Bundle.entry[3]", empty when alone
};

/// Understands an entry that is no GET. What the patch of a Binary holds is parsed into `arena`.
Answer<Change> change_of(fhir::Arena& arena, const BundleEntry& entry, std::string expression);

/// The same for a request that stands alone; its body is parsed into `arena`.
Answer<Change> change_of(fhir::Arena& arena, const Call& call);

}  // namespace hygie::records
