#pragma once

#include <string_view>
#include <vector>

#include "guards/records/plan.h"

/// What a resource must be before it is stored: valid, coherent, complete (README.md). Errors
/// refuse the write; contradictions are kept beside it, as DetectedIssue.
namespace hygie::records {

/// Checks every body of the plan and says whose record each goes to. A refusal has all errors
/// found, not only the first.
Answer<void> check_steps(Sight& sight, Work& work, Plan& plan);

/// The issues of a resource that is not to be stored: for $validate.
Answer<Issues> check_alone(Sight& sight, Work& work, fhir::Json resource, std::string_view profile);

}  // namespace hygie::records
