#pragma once

#include <string_view>

#include "fhir/data/json.h"
#include "guards/records/desk/desk.h"

/// What an operation is asked with (https://hl7.org/fhir/R4/operations.html): the parameters of the
/// URL, and those of a Parameters resource in the body.
namespace hygie::records {

struct OperationInput {
    fhir::Arena arena{};
    fhir::Json body{};   ///< the resource that was sent, Absent without a body
    Parameters texts{};  ///< of the URL and every primitive parameter of the body

    bool has_parameters() const { return body["resourceType"].text() == "Parameters"; }
    std::string_view text(std::string_view name) const { return value_of(texts, name); }
    /// The resource of that name, or the body itself when it is no Parameters.
    fhir::Json resource(std::string_view name) const;
    /// The value[x] of a parameter, by its JSON name: "valueMeta".
    fhir::Json value(std::string_view name, std::string_view member) const;
};

/// Refuses (400) a body that is no JSON, and parameters that `known` does not list.
Answer<OperationInput> read_input(const Call& call, std::span<const std::string_view> known);

}  // namespace hygie::records
