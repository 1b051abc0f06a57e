#include "guards/mail/judge/campaign.h"

#include <algorithm>
#include <array>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// The place that a link leads to, when leading there ties two messages together.
std::string place_of(const Link& link, const History& history) {
    if (link.domain.empty() || !link.brand.empty()) return {};
    if (history.is_known_domain(link.host) || built_in_pack().brand_of_domain(link.host)) return {};
    if (link.is_free_host || link.is_shortener || link.is_redirector)
        return link.path.size() > 1 || link.is_free_host ? link.host + link.path : std::string();
    return link.domain;
}

}  // namespace

std::string_view name_of(Kin kin) {
    static constexpr std::array kNames =
        std::to_array<std::string_view>({"message_id", "sender", "link"});
    return kNames[static_cast<std::size_t>(kin)];
}

Campaign campaign_of(const Message& message, const Evidence& evidence, const History& history) {
    Campaign out{.message_id = message.message_id,
                 .sender = message.author().address,
                 .subject = folded(message.subject),
                 .links = {},
                 .hosts = {}};
    for (const Link& link : evidence.links) {
        std::string place = place_of(link, history);
        if (place.empty() || !out.links.insert(std::move(place)).second) continue;
        if (out.hosts.size() < kCampaignHostsMax) out.hosts.push_back(link.host);
    }
    return out;
}

std::optional<Kin> kinship(const Campaign& known, const Campaign& other) {
    if (!known.message_id.empty() && known.message_id == other.message_id) return Kin::Same;
    const bool shares_link = std::ranges::any_of(
        known.links, [&](const std::string& place) { return other.links.contains(place); });
    const bool same_subject = !trim(known.subject).empty() && known.subject == other.subject;
    if (!known.sender.empty() && known.sender == other.sender && (shares_link || same_subject))
        return Kin::Sender;
    if (shares_link) return Kin::Link;
    return {};
}

}  // namespace hygie::mail
