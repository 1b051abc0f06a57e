#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "guards/records/desk/handlers.h"

/// Operations that no standard names: what may be sent with them, and the OperationDefinition by
/// which other software learns it (https://hl7.org/fhir/R4/operationdefinition.html).
namespace hygie::records {

struct OwnParameter {
    std::string_view name;
    std::string_view type;  ///< of FHIR: "string"
    bool is_asked = false;  ///< it must be there
    Text help;
};

struct OwnOperation {
    std::string_view code;  ///< "break-glass"
    std::string_view type;  ///< at an instance of it; empty: at the system
    Text help;
    std::vector<OwnParameter> parameters{};
};

std::span<const OwnOperation> own_operations();
/// Null when there is none of that code.
const OwnOperation* own_operation(std::string_view code);
/// What may be sent with it.
std::vector<std::string_view> parameters_of(std::string_view code);

/// GET OperationDefinition/hygie-…
Answer<Disclosure> own_definition(Desk& desk, const Call& call);

}  // namespace hygie::records
