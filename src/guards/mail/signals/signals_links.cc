#include <algorithm>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kManyLinks = 15;
/// Brands that everybody links to or is found on: an icon of theirs is no subject.
bool is_everywhere(const BrandMention& brand) {
    return brand.category == "social" || brand.id == "google";
}

/// The name of a brand, as a word of the host of a domain that is not its own. What stands behind
/// the name that somebody chose is where everybody may publish: "anyone.github.io" is no GitHub.
const Brand* brand_in_host(const Pack& pack, const Link& link) {
    if (!link.brand.empty()) return nullptr;
    const std::string registered = registrable_domain(link.host);
    const std::string_view chosen = std::string_view(link.host).substr(
        0, link.host.size() - registered.size() + main_label(registered).size());
    const std::string words = with_products_apart(folded(chosen));
    for (const PhraseSet::Hit& hit : pack.phrases.find(words)) {
        if (hit.id < Pack::kBrandIds || hit.id >= Pack::kWeakIds) continue;
        return &pack.brands[hit.id - Pack::kBrandIds];
    }
    return nullptr;
}

void draw_target(const Scene& scene, const Link& link, bool among_many, SignalList& out) {
    const bool related = is_related(scene, link);
    const std::string_view site = site_of(link);
    if (link.is_ip) out.add("link.ip", 1, site, link.where);
    if (link.has_user_info) out.add("link.user_info", 1, site, link.where);
    if (link.is_punycode && link.look_alike.how != LookAlike::How::None)
        out.add("link.punycode", 1, site, link.where);
    if (link.from_qr && !related) out.add("link.qr", 1, link.target, link.where);
    if (related) return;
    if (link.is_free_host) out.add("link.free_host", 1, site, link.where);
    if (link.is_shortener) out.add("link.shortener", 1, link.target, link.where);
    if (link.is_redirector)
        out.add("link.redirector", link.brand.empty() ? 0.6 : 0.3, link.target, link.where,
                link.domain);
    if (link.has_recipient) out.add("link.recipient_inside", 1, link.target, link.where);
    const LookAlike& like = link.look_alike;
    const Brand* owner = built_in_pack().brand(like.owner);
    const std::string_view name = owner ? std::string_view(owner->name) : like.honest;
    if (like.how == LookAlike::How::Embeds)
        out.add("link.embeds", 1, site, link.where, name);
    else if (like.how != LookAlike::How::None)
        out.add("link.look_alike",
                (like.how == LookAlike::How::Confusable ? 1 : 0.7) * (among_many ? 0.5 : 1), site,
                link.where, name);
}

/// Each host once: a mailing leads forty times to the same few.
void draw_hosts(const Scene& scene, const std::vector<const Link*>& links, SignalList& out) {
    std::vector<std::string_view> seen;
    for (const Link* link : links) {
        if (std::ranges::find(seen, link->host) != seen.end()) continue;
        seen.push_back(link->host);
        if (is_related(scene, *link)) continue;
        if (const Brand* brand = brand_in_host(built_in_pack(), *link))
            out.add("link.brand_in_host", 1, site_of(*link), link->where, brand->name);
    }
}

/// One place behind many addresses that are shown counts the clicks of a mailing; a thief shows
/// one.
bool counts_clicks(const std::vector<const Link*>& links, std::string_view domain) {
    constexpr std::size_t kShownMin = 3;
    std::vector<std::string_view> shown;
    for (const Link* link : links)
        if (link->domain == domain && !link->shown_domain.empty() &&
            std::ranges::find(shown, link->shown_domain) == shown.end())
            shown.push_back(link->shown_domain);
    return shown.size() >= kShownMin;
}

void draw_shown(const Scene& scene, const std::vector<const Link*>& links, const Link& link,
                SignalList& out) {
    if (link.shown_domain.empty() || link.shown_domain == link.domain ||
        link.shown_domain == link.final_domain)
        return;
    // Click counters of the sender, or of the place shown, are how honest mailings count.
    if (is_related(scene, link)) return;
    if (!link.shown_brand.empty() && built_in_pack().same_house(link.shown_brand, link.brand))
        return;
    const bool own_place = link.shown_domain == scene.evidence.relations.from_domain;
    const bool known_counter = own_place && scene.evidence.auth.is_authentic;
    out.add("link.shown_other_domain", known_counter || counts_clicks(links, link.domain) ? 0.3 : 1,
            link.shown, link.where, link.final_domain);
}

/// The links that carry the message: not those to networks and legal pages in a footer.
std::vector<const Link*> followed(const Scene& scene) {
    std::vector<const Link*> out;
    for (const Link& link : scene.evidence.links)
        if (is_followed(link)) out.push_back(&link);
    return out;
}

void draw_brand_elsewhere(const Scene& scene, const std::vector<const Link*>& links,
                          SignalList& out) {
    if (links.empty()) return;
    for (const BrandMention& brand : scene.evidence.brands) {
        if (brand.sender_is_brand || is_everywhere(brand)) continue;
        const Brand& named = *built_in_pack().brand(brand.id);
        const bool to_brand = std::ranges::any_of(links, [&](const Link* link) {
            return link->brand == brand.id ||
                   built_in_pack().writes_from(named, link->final_domain);
        });
        const auto stranger = std::ranges::find_if(links, [&](const Link* link) {
            const bool own = link->final_domain == scene.evidence.relations.from_domain &&
                             !scene.history.is_known_domain(link->final_domain);
            const bool excused = own ? !brand.in_sender : is_related(scene, *link);
            return !excused && (link->brand.empty() || link->is_free_host);
        });
        const bool central = brand.in_sender || brand.in_subject;
        if (stranger == links.end() || (to_brand && !central)) continue;
        const double strength = (central ? 1.0 : 0.4) * (to_brand ? 0.5 : 1.0);
        out.add("link.brand_elsewhere", strength, site_of(**stranger), (*stranger)->where,
                brand.name);
    }
}

}  // namespace

void draw_links(const Scene& scene, SignalList& out) {
    const std::vector<const Link*> links = followed(scene);
    for (const Link& link : scene.evidence.links)
        if (link.scheme == "data" && link.kind != LinkKind::Image)
            out.add("link.data", 1, link.target, link.where);
    for (const Link* link : links) {
        draw_target(scene, *link, links.size() >= kManyLinks, out);
        draw_shown(scene, links, *link, out);
    }
    draw_hosts(scene, links, out);
    draw_brand_elsewhere(scene, links, out);
    const std::string& subject = scene.message.subject;
    if (links.empty()) {
        out.add("link.none", 1, subject, "header:Subject");
    } else if (std::ranges::none_of(links, [&](const Link* l) { return is_related(scene, *l); })) {
        out.add("link.unrelated", 1, site_of(*links.front()), links.front()->where);
    }
    if (links.size() >= kManyLinks)
        out.add("link.many", 1, links.front()->target, links.front()->where);
    for (const Form& form : scene.message.forms) {
        out.add("form.present", 1, form.action.empty() ? subject : form.action, "html");
        if (form.asks_secret)
            out.add("form.asks_secret", 1, form.action.empty() ? subject : form.action, "html");
    }
    if (scene.message.html_has_script) out.add("html.script", 1, subject, "html");
    if (!scene.message.html_share.empty())
        out.add("html.share", 1, scene.message.html_share, "html");
}

}  // namespace hygie::mail
