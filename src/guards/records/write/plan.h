#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/records/desk/gate.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/work.h"

/// From what is asked to what will be written: conditions searched, ids given, links rewritten
/// (https://hl7.org/fhir/R4/http.html#trules).
namespace hygie::records {

/// One change on its way.
struct Step {
    Change change{};
    std::optional<vault::Found> before{};  ///< what it acts on, deleted or not
    bool is_new = false;                   ///< no live version is there
    bool is_idle = false;                  ///< nothing is to be written
    bool comes_along = false;              ///< follows from the others: no result of its own
    std::string patient{};                 ///< whose record it goes to; empty: the house
    Issues warnings{};
    std::vector<std::string> detected{};  ///< "DetectedIssue/…" written beside it
    std::vector<event::Reason> basis{};   ///< why it is allowed, once it was judged
    std::vector<std::string> headers{};   ///< of the channel of a Subscription, not stored in it

    std::string reference() const { return reference_to(change.type, change.id); }
    /// What is there is told, and left as it is.
    bool shows() const { return is_idle && before && !before->entry.deleted; }
    bool has_body() const { return !is_idle && change.kind != Change::Kind::Delete; }
};

/// Changes that happen together, as far as they can be understood before they are judged.
struct Plan {
    std::vector<Step> steps{};
    Gate::Pass pass{};  ///< keeps others from the same conditions until the commit
};

Answer<Plan> make_plan(Sight& sight, Work& work);

}  // namespace hygie::records
