#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/data/json.h"
#include "guards/records/request/refusal.h"

/// The links inside resources: found by what FHIR says about each element, never by guessing from
/// the look of a text.
namespace hygie::records {

/// What a link becomes: none leaves it as it is; a refusal ends the work.
using Relink =
    std::function<Answer<std::optional<std::string>>(std::string_view link, bool is_reference)>;

/// The resource with every Reference.reference, uri, url, oid, uuid and (as href and src) every
/// link of a narrative passed through `relink` (https://hl7.org/fhir/R4/http.html#trules). What
/// changes is built in `arena`; the rest is shared. Elements that R4 does not know stay as they
/// are: validation is somebody else's work.
Answer<fhir::Json> relinked(fhir::Arena& arena, fhir::Json resource, const Relink& relink);

/// A Bundle that is kept (a document, a message, a collection) refers within itself: its entries
/// name one another by fullUrl, and none of them is a resource of this house.
inline bool is_kept_whole(std::string_view type) {
    return type == "Bundle";
}

}  // namespace hygie::records
