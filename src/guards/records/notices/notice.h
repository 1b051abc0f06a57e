#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guards/records/notices/subscription.h"

/// Notifications as they leave: Bundles whose first entry is the status of the subscription, a
/// Parameters (backport-subscription-notification-r4).
namespace hygie::records {

/// Something that a subscription tells of.
struct NoticeEvent {
    std::uint64_t number = 0;  ///< from 1, without gaps, within the subscription
    WallTime when{};
    Happened happened = Happened::Updated;
    std::string type{};
    std::string id{};
    std::uint32_t version = 0;
    bool operator==(const NoticeEvent&) const = default;
};

struct Notice {
    std::string_view type = "event-notification";  ///< "handshake", "heartbeat", "query-event"…
    std::string subscription{};                    ///< id
    std::string status = "active";
    std::string topic{};
    std::uint64_t since_start = 0;  ///< events of the subscription, told or not
    Terms::Content content = Terms::Content::IdOnly;
    std::string error{};
    std::vector<NoticeEvent> events{};
    std::vector<std::string> bodies{};  ///< of FullResource, one for each event; may be empty
};

/// The status alone, as $status gives it.
fhir::Json status_of(fhir::Arena& arena, const Notice& notice);
/// The whole Bundle, in JSON. `id` is a UUID of its own.
std::string notice_bundle(std::string_view base, std::string_view id, WallTime now,
                          const Notice& notice);

}  // namespace hygie::records
