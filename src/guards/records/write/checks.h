#pragma once

#include <string_view>
#include <vector>

#include "guards/records/write/plan.h"

/// What a resource must be before it is stored: valid, coherent, complete (README.md). Errors
/// refuse the write; contradictions are kept beside it, as DetectedIssue.
namespace hygie::records {

/// Checks every body of the plan and says whose record each goes to. A refusal has all errors
/// found, not only the first.
Answer<void> check_steps(Sight& sight, Work& work, Plan& plan);

/// What is invalid in a body by itself.
Issues issues_of(const Step& step);

/// What would be said of a resource, were it stored: for $validate.
struct Checked {
    Issues issues{};
    std::string patient{};  ///< beside whose record it was looked at; empty: beside none
};
Answer<Checked> check_alone(Sight& sight, Work& work, fhir::Json resource,
                            std::string_view profile);

}  // namespace hygie::records
