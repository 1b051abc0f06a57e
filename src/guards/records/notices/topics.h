#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "fhir/search/search_query.h"
#include "guards/records/desk/desk.h"

/// What can be subscribed to: topics of ours, and those that are stored as Basic
/// (https://hl7.org/fhir/R5/subscriptiontopic.html, in R4 as the backport guide writes them).
namespace hygie::records {

/// What happened to a resource.
enum class Happened : std::uint8_t { Created, Updated, Deleted };

struct Trigger {
    std::string type{};  ///< empty: any
    bool on_create = true, on_update = true, on_delete = false;
    std::optional<fhir::Query> before{}, after{};  ///< what each version must match
    bool both = false;                             ///< or one of them is enough
    bool passes_before_creation = true;            ///< what `before` is of what was not there
    bool passes_after_deletion = false;
};

struct Topic {
    std::string url;
    Text title;
    std::vector<Trigger> triggers;
};
using TopicPtr = std::shared_ptr<const Topic>;

/// Topics that are always here.
std::span<const TopicPtr> own_topics();
/// One of ours, or one that is stored here; null when there is none of that canonical.
TopicPtr find_topic(Desk& desk, std::string_view canonical);

/// Both versions of what changed; Absent for what is not there.
struct Versions {
    fhir::Json before{}, after{};
    WallTime updated{};
};
/// Whether a topic speaks of it.
bool is_triggered(const Topic& topic, Happened happened, std::string_view type,
                  const Versions& versions);
/// Whether a topic could, whatever the versions say.
bool may_trigger(const Topic& topic, Happened happened, std::string_view type);
/// Whether telling needs the version before.
bool needs_before(const Topic& topic, std::string_view type);

}  // namespace hygie::records
