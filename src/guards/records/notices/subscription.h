#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "guards/records/notices/topics.h"

/// Subscriptions by topic, in R4 as http://hl7.org/fhir/uv/subscriptions-backport writes them.
namespace hygie::records {

inline constexpr std::string_view kBackport =
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/";

/// What a Subscription asks for, understood.
struct Terms {
    enum class Channel : std::uint8_t { RestHook, WebSocket };
    enum class Content : std::uint8_t { Empty, IdOnly, FullResource };
    struct Filter {
        std::string type;
        fhir::Query query;
    };
    static constexpr std::chrono::seconds kTimeout{10};
    static constexpr std::chrono::seconds kTimeoutMax{60};
    static constexpr std::chrono::seconds kHeartbeatMin{5};
    static constexpr std::size_t kEventsMax = 100;  ///< in one notification
    static constexpr std::size_t kFiltersMax = 16;
    static constexpr std::size_t kHeadersMax = 16;

    TopicPtr topic;
    std::vector<Filter> filters{};  ///< with some, only their types are told of
    Channel channel = Channel::RestHook;
    Content content = Content::IdOnly;
    std::string endpoint{};
    std::chrono::seconds heartbeat{0};  ///< 0: none
    std::chrono::seconds timeout = kTimeout;
    std::size_t events_max = 1;
    WallTime end = WallTime::max();
};

/// Understands a Subscription. What cannot be served here says why: Code::BadInput, Denied.
Result<Terms> read_terms(Desk& desk, fhir::Json subscription);

/// Whether the filters let a resource through (the version before, when it was deleted).
bool passes_filters(const Terms& terms, std::string_view type, const Versions& versions);

/// Who answers for a subscription: its last writer, and what they could do then at most.
struct Owner {
    ActorId login{};
    std::vector<std::string> scopes{};
};
Owner owner_of(fhir::Json subscription);

/// The Subscription as it is stored: with its owner, its status as the server has it, and without
/// the values of its headers, which may be secrets: those are given apart, as "Name: value".
struct Prepared {
    fhir::Json body{};
    std::vector<std::string> headers{};
};
Prepared prepare_subscription(Desk& desk, const Call& call, fhir::Arena& arena, fhir::Json body);

/// What stands for the value of a header that is not shown.
inline constexpr std::string_view kHidden = "***";

/// With another status; `error` is empty, or says why in both languages.
fhir::Json with_status(fhir::Arena& arena, fhir::Json body, std::string_view status,
                       std::string_view error);

}  // namespace hygie::records
