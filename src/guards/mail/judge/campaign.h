#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "guards/mail/facts/history.h"
#include "guards/mail/judge/judge.h"

/// Which messages belong together: the same attack in many mailboxes.
namespace hygie::mail {

/// What ties a message to the known one.
enum class Kin : std::uint8_t {
    Same,    ///< the same Message-ID
    Sender,  ///< the same sender, with the same subject or link
    Link,    ///< a link to the same place, one that nobody honest shares
};
std::string_view name_of(Kin kin);

/// The marks of one attack.
struct Campaign {
    std::string message_id;  ///< without < >, may be empty
    std::string sender;      ///< lower case
    std::string subject;     ///< folded
    std::set<std::string>
        links;  ///< places: a domain, or a whole address where many share the host
    std::vector<std::string> hosts;  ///< words to search bodies for, at most kCampaignHostsMax
};
inline constexpr std::size_t kCampaignHostsMax = 5;

/// Reads the marks. Domains that the house or the world knows as honest tie nothing.
Campaign campaign_of(const Message& message, const Evidence& evidence, const History& history);
/// Nothing when the two have nothing to do with each other.
std::optional<Kin> kinship(const Campaign& known, const Campaign& other);

}  // namespace hygie::mail
