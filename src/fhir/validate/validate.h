#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "fhir/data/json.h"

/// Whether a resource is what FHIR R4 (https://hl7.org/fhir/R4/validation.html) and its profiles
/// ask for.
namespace hygie::fhir {

class Profiles;
class Terminology;

/// Something that is wrong, or worth a warning.
struct Issue {
    enum class Severity : std::uint8_t { Error, Warning, Information };
    /// The codes of https://hl7.org/fhir/R4/valueset-issue-type.html that validating gives.
    enum class Type : std::uint8_t {
        Structure,
        Required,
        Value,
        Invariant,
        CodeInvalid,
        NotFound,
        TooLong,
        TooCostly
    };

    Severity severity = Severity::Error;
    Type type = Type::Structure;
    /// FHIRPath of the element, made of names of the definitions only: "Patient.name[0].given[1]".
    std::string where;
    Text text;  ///< never a value from the input
};

/// "structure", "code-invalid" …, as in OperationOutcome.issue.code.
std::string_view code_of(Issue::Type type);
/// "error", "warning", "information".
std::string_view code_of(Issue::Severity severity);

struct ValidateOptions {
    /// For today() and now() in rules.
    WallTime now{};
    /// Value sets and code systems besides those of R4; may be null.
    const Terminology* terminology = nullptr;
    /// Profiles besides those that are checked here as code (french.h); may be null.
    const Profiles* known = nullptr;
    /// Canonicals of profiles to check besides those that meta.profile names. One that is not known
    /// is an error here, and a warning in meta.profile.
    std::vector<std::string_view> profiles{};
    /// What a FHIRPath resolve() finds outside the resource; may be empty.
    std::function<Json(std::string_view reference)> resolve{};
    /// Whether to give warnings too.
    bool warnings = false;
    /// Validating stops there.
    std::size_t issues_max = 50;
};

struct Outcome {
    std::vector<Issue> issues;  ///< in the order found
    bool is_valid() const;      ///< no error among them
};

/// Validates a resource: elements and their number, primitive values, required bindings, types of
/// references, rules, narrative, Bundle, and the profiles it claims as far as they are known here.
/// Safe from any thread.
Outcome validate(Json resource, const ValidateOptions& options = {});

}  // namespace hygie::fhir
