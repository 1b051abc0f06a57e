#pragma once

#include <string_view>
#include <vector>

/// The extensions that R4 itself defines (http://hl7.org/fhir/R4/extensibility-registry.html).
namespace hygie::fhir {

struct KnownExtension {
    /// Names of the types that the value may have; none: it has no value, and consists of others.
    std::vector<std::string_view> types;
    std::string_view value_set;  ///< whose codes the value must be of; empty: any
    /// Within what it may stand: types, paths of elements ("Patient.contact"), other extensions.
    /// None: anything.
    std::vector<std::string_view> places;
};

/// Null for an extension of somebody else.
const KnownExtension* find_extension(std::string_view url);

}  // namespace hygie::fhir
