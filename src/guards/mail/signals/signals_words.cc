#include <array>
#include <string>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kShortWords = 60;
constexpr std::size_t kImageOnlyWords = 25;
constexpr std::size_t kInvisibleMin = 3;
constexpr std::size_t kInvisibleMany = 10;
constexpr std::size_t kRandomMin = 6;
constexpr std::size_t kRandomMany = 20;
/// Random words are noise when they are a share of the text; lists and logs have some.
constexpr std::size_t kRandomOneOf = 6;
constexpr std::size_t kWallMin = 150;
constexpr std::size_t kHiddenBytesMin = 400;

constexpr std::array<std::string_view, kLures> kLureSignals = {
    "lure.credential",     "lure.threat",
    "lure.urgency",        "lure.click",
    "lure.payment_change", "lure.payment_request",
    "lure.secrecy",        "lure.bec_opener",
    "lure.gift_card",      "lure.call",
    "lure.support_alert",  "lure.charge",
    "lure.extortion",      "lure.data_request",
    "lure.delivery",       "lure.refund",
    "lure.health",         "lure.document",
    "lure.attachment",     "lure.generic_greeting",
    "lure.prize",          "lure.advance_fee",
    "lure.spam_invest",    "lure.spam_goods",
    "lure.mailing",        "lure.identify",
    "lure.secret",         "lure.opened",
    "lure.house"};

/// "Phone" is a word among others where no number stands.
constexpr auto kCall = static_cast<std::size_t>(Lure::Call);

/// One phrase may be chance; three are a purpose. A subject says it loudest.
double strength_of(const LureFacts& lure) {
    const double by_count = lure.phrases == 1 ? 0.5 : lure.phrases == 2 ? 0.8 : 1.0;
    return lure.in_subject ? std::min(1.0, by_count + 0.25) : by_count;
}

/// "Hello claire.morel,": the mailbox, which nobody has for a name, at the end of a short line.
std::string_view greeted_in(std::string_view text, std::string_view head, std::string_view box) {
    constexpr std::size_t kGreetingMax = 24;
    if (box.find_first_of(".-_") == std::string_view::npos) return {};
    for (std::size_t at = head.find(box); at != std::string_view::npos;
         at = head.find(box, at + 1)) {
        const std::size_t line = at == 0 ? 0 : head.rfind('\n', at - 1) + 1;
        const std::size_t end = at + box.size();
        const bool alone = end == head.size() || contains(" ,;:!.\r\n", head.substr(end, 1));
        if (at - line <= kGreetingMax && alone && at > 0 &&
            contains(" \n,:", head.substr(at - 1, 1)))
            return text.substr(at, box.size());
    }
    return {};
}

/// "Dear claire.morel@…": whoever knows only the address writes it where a name belongs.
void draw_greeting(const Scene& scene, SignalList& out) {
    constexpr std::size_t kGreetingBytes = 400;
    const std::string head = lower(cut(scene.message.text, kGreetingBytes));
    const std::string subject = lower(scene.message.subject);
    for (const Address& to : scene.message.to) {
        if (!contains(to.address, "@") || to.address == scene.message.author().address) continue;
        const bool in_subject = contains(subject, to.address);
        const std::string_view box = std::string_view(to.address).substr(0, to.address.rfind('@'));
        const std::string_view name = greeted_in(scene.message.text, head, box);
        if (!in_subject && !contains(head, to.address) && !name.empty())
            out.add("text.greets_address", 0.6, name, "text");
        if (in_subject || contains(head, to.address))
            out.add("text.greets_address", in_subject ? 1 : 0.7, to.address,
                    in_subject ? "header:Subject" : "text");
    }
}

/// Letters that mislead filters rather than readers.
void draw_disguises(const Scene& scene, SignalList& out) {
    const Evidence& seen = scene.evidence;
    const std::string& subject = scene.message.subject;
    if (seen.invisible_in_head > 0)
        out.add("text.invisible", 1, author_text(scene.message), "header:From");
    else if (seen.invisible >= kInvisibleMin)
        out.add("text.invisible", seen.invisible >= kInvisibleMany ? 1 : 0.5, subject,
                "header:Subject");
    if (seen.disguised >= 2)
        out.add("text.disguised", seen.disguised >= 5 ? 1 : 0.6, seen.disguised_evidence, "text");
    else if (fold(scene.message.author().name).disguised > 0)
        out.add("text.disguised", 1, author_text(scene.message), "header:From");
    if (seen.masked > 0)
        out.add("text.masked", seen.masked_where != "html" || seen.masked >= 2 ? 1 : 0.6,
                seen.masked_evidence, seen.masked_where);
    if (seen.random_words >= kRandomMin && seen.random_words * kRandomOneOf >= seen.words)
        out.add("text.random", seen.random_words >= kRandomMany ? 1 : 0.6, seen.random_evidence,
                "text");
    if (!seen.random_in_head.empty())
        out.add("sender.random", 1, seen.random_in_head, seen.random_in_head_where);
    if (seen.wall >= kWallMin) out.add("text.wall", 1, seen.wall_evidence, "text");
}

}  // namespace

void draw_words(const Scene& scene, SignalList& out) {
    const Evidence& seen = scene.evidence;
    for (std::size_t i = 0; i < kLures; ++i)
        if (seen.lures[i].phrases > 0 && (i != kCall || !seen.phones.empty()))
            out.add(kLureSignals[i], strength_of(seen.lures[i]), seen.lures[i].evidence,
                    seen.lures[i].where);
    const std::string& subject = scene.message.subject;
    if (seen.words < kShortWords) out.add("text.short", 1, subject, "header:Subject");
    const std::size_t real_images = scene.message.images - scene.message.tracking_images;
    if (seen.words < kImageOnlyWords && real_images > 0)
        for (const Link& link : seen.links)
            if (is_followed(link) && link.kind != LinkKind::Text) {
                out.add("text.image_only", 1, link.target, link.where);
                break;
            }
    draw_disguises(scene, out);
    draw_greeting(scene, out);
    if (scene.message.hidden.size() >= kHiddenBytesMin)
        out.add("html.hidden_text", 1, std::string_view(scene.message.hidden).substr(0, 120),
                "html");
}

}  // namespace hygie::mail
