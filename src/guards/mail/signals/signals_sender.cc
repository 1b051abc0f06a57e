#include <algorithm>
#include <array>

#include "guards/mail/facts/asks.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kFrom = "header:From";
constexpr std::string_view kReplyTo = "header:Reply-To";

bool holds_word(std::string_view folded_text, std::string_view word) {
    return contains(folded_text, " " + std::string(word) + " ");
}

template <std::size_t N>
bool holds_any(std::string_view folded_text, const std::array<std::string_view, N>& words) {
    return std::ranges::any_of(words,
                               [&](std::string_view w) { return holds_word(folded_text, w); });
}

/// Words of those who can order a payment, in a sender's name.
constexpr auto kLeaders = std::to_array<std::string_view>(
    {"ceo", "cfo", "chairman", "chief executive", "chief financial", "dg", "directeur",
     "directeur general", "directrice", "directrice generale", "direction", "director", "gerant",
     "geschaftsfuhrer", "managing director", "pdg", "president", "presidente", "vorstand"});

/// Words by which mail systems call themselves.
constexpr auto kMailWords = std::to_array<std::string_view>({"admin",
                                                             "administrateur",
                                                             "administrator",
                                                             "e mail",
                                                             "email admin",
                                                             "helpdesk",
                                                             "help desk",
                                                             "hr",
                                                             "human resources",
                                                             "it",
                                                             "it support",
                                                             "mail",
                                                             "mail admin",
                                                             "mail server",
                                                             "mailbox",
                                                             "messagerie",
                                                             "notification",
                                                             "payroll",
                                                             "postmaster",
                                                             "quarantine",
                                                             "rh",
                                                             "server",
                                                             "service informatique",
                                                             "support",
                                                             "system",
                                                             "webmail",
                                                             "webmaster",
                                                             "zimbra"});

double strength_of(LookAlike::How how) {
    switch (how) {
        case LookAlike::How::None:
            return 0;
        case LookAlike::How::Confusable:
            return 1;
        case LookAlike::How::Edit:
            return 0.65;
        case LookAlike::How::OtherTld:
            return 0.6;
        case LookAlike::How::Within:
            return 0.8;
        case LookAlike::How::Embeds:
            return 0.5;
    }
    return 0;
}

std::string owner_name(const LookAlike& look_alike) {
    const Brand* brand = built_in_pack().brand(look_alike.owner);
    if (brand) return brand->name;
    return look_alike.owner == "own" ? look_alike.honest : look_alike.owner;
}

/// Something that a thief gains by without another way than the letter.
bool wants_something(const Evidence& seen) {
    return std::ranges::any_of(
        std::to_array({Lure::AdvanceFee, Lure::BecOpener, Lure::Credential, Lure::DataRequest,
                       Lure::Extortion, Lure::GiftCard, Lure::PaymentChange, Lure::PaymentRequest,
                       Lure::Prize, Lure::Refund, Lure::Secrecy, Lure::Secret, Lure::SupportAlert,
                       Lure::Threat}),
        [&](Lure one) { return seen.has(one); });
}

/// Nothing to follow, to call, to open or to answer elsewhere, and nothing that is asked for:
/// whoever takes a name to gain by it leaves a way to themselves. Local banks and branches bear
/// such names.
bool leads_nowhere(const Scene& scene) {
    const Evidence& seen = scene.evidence;
    const Message& message = scene.message;
    const bool asks = wants_something(seen) || find_asks(message, std::string::npos).requests;
    const auto is_picture = [](const Attachment& file) { return file.type.starts_with("image/"); };
    return !asks && !seen.relations.from_freemail && !seen.relations.is_tenant &&
           !seen.relations.reply_to_differs && seen.ibans.empty() && seen.wallets.empty() &&
           message.forms.empty() && seen.attachments.text.empty() &&
           std::ranges::all_of(message.attachments, is_picture) &&
           std::ranges::none_of(seen.links, is_followed) && seen.phones.empty();
}

/// All that is to be followed leads to the brand itself, or there is nothing: a sender that it
/// hired, or one of its branches, more than a thief.
bool is_hired(const Scene& scene, const Brand& brand) {
    const Evidence& seen = scene.evidence;
    if (!seen.auth.is_authentic) return false;
    if (leads_nowhere(scene)) return true;
    bool any = false;
    for (const Link& link : seen.links) {
        if (!is_followed(link)) continue;
        if (link.is_free_host || link.is_redirector ||
            !built_in_pack().writes_from(brand, link.final_domain))
            return false;
        any = true;
    }
    return any && std::ranges::none_of(seen.phones, &Phone::call_asked);
}

void draw_brands(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    const Authentication& auth = scene.evidence.auth;
    for (const BrandMention& brand : scene.evidence.brands) {
        if (brand.sender_is_brand) {
            if (auth.is_authentic)
                out.add("brand.authentic", who.is_carrier ? 0.2 : 1, author_text(scene.message),
                        kFrom, brand.name);
            continue;
        }
        if (brand.in_subject && !brand.in_sender)
            out.add("brand.in_subject", 1, brand.evidence, "header:Subject", brand.name);
        if (brand.in_text && !brand.in_sender)
            out.add("brand.in_text", 1, brand.evidence, "text", brand.name);
        // A partner that the organisation knows may carry a brand's word in its name, and whoever
        // has a mailbox there says "(Gmail)".
        if (!brand.in_sender || who.known_domain || who.known_correspondent) continue;
        if (who.from_freemail && !brand.is_whole_sender &&
            built_in_pack().writes_from(*built_in_pack().brand(brand.id), who.from_domain))
            continue;
        const bool in_name = !scene.message.author().name.empty();
        const bool hired = is_hired(scene, *built_in_pack().brand(brand.id));
        out.add("sender.brand_foreign",
                who.from_freemail ? 1
                : hired           ? 0.2
                : in_name         ? 0.8
                                  : 0.6,
                author_text(scene.message), kFrom, brand.name);
    }
}

/// "[`.Storage--]", "Payment/..Required !!": signs that no person or house has in its name.
bool is_decorated(std::string_view name) {
    static constexpr std::string_view kSigns = "!#$%*/=?[\\]^_`{|}~<>";
    const auto signs = std::ranges::count_if(
        name, [](char c) { return kSigns.find(c) != std::string_view::npos; });
    return signs >= 2 || contains(name, "--") || contains(name, "..");
}

void draw_relations(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    const std::string from = author_text(scene.message);
    if (who.staff_name_foreign_address)
        out.add("sender.staff_foreign", 1, from, kFrom, who.staff_named);
    if (who.correspondent_foreign_address)
        out.add("sender.correspondent_foreign", 1, from, kFrom, who.correspondent_named);
    if (who.display_name_is_address)
        out.add("sender.name_is_address", 1, from, kFrom, who.display_address);
    if (who.first_contact) out.add("sender.first_contact", 1, who.from_address, kFrom);
    if (who.known_correspondent || who.known_domain)
        out.add("sender.known", scene.evidence.auth.is_forged ? 0.2 : 1, who.from_address, kFrom);
    if (who.from_freemail) out.add("sender.freemail", 1, who.from_address, kFrom);
    if (who.is_carrier) out.add("sender.carrier", 1, who.reply_to, kReplyTo);
    if (who.is_recipient && !scene.evidence.auth.is_authentic)
        out.add("sender.yourself", 1, from, kFrom);
    if (is_decorated(scene.message.author().name)) out.add("sender.decorated", 1, from, kFrom);
    if (who.from_own_authenticated) out.add("sender.own", 1, who.from_address, kFrom);
    const bool outsider = !who.known_domain && !who.known_correspondent && !who.from_own_domain;
    if (!who.supplier_named.empty() && who.supplier.empty() && outsider)
        out.add("sender.supplier_foreign", 1, who.supplier_named_evidence, "text",
                who.supplier_named);
    if (outsider && holds_any(folded(scene.message.author().name), kLeaders))
        out.add("sender.executive_name", who.from_freemail ? 1 : 0.6, from, kFrom);
    if (who.to_undisclosed) out.add("sender.undisclosed", 1, from, kFrom);
    if (who.mail_from_differs) out.add("sender.path_differs", 1, who.from_address, kFrom);
}

void draw_look_alikes(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    if (who.known_correspondent || who.from_freemail) return;
    const LookAlike& like = who.sender_look_alike;
    if (like.how == LookAlike::How::None) return;
    // A partner's name inside a longer one is aimed at us; a brand's may be a reseller.
    const bool partner = built_in_pack().brand(like.owner) == nullptr;
    if (like.how == LookAlike::How::Embeds && !partner)
        out.add("sender.embeds", is_hired(scene, *built_in_pack().brand(like.owner)) ? 0.2 : 1,
                who.from_address, kFrom, owner_name(like));
    else
        out.add("sender.look_alike", strength_of(like.how), who.from_address, kFrom,
                owner_name(like));
}

/// Names of mailboxes that programs of a site write from.
constexpr auto kSiteMailboxes = std::to_array<std::string_view>(
    {"apache", "contact-form", "contactform", "form", "formulaire", "formulario", "formular",
     "ne-pas-repondre", "no-reply", "noreply", "site", "web", "webform", "webmaster", "website",
     "wordpress", "www-data"});

/// A form of the house's own site sends what a visitor wrote: in the name of the house, from the
/// machine of whoever keeps the site, with answers to the address that the letter itself shows. It
/// is believed where it comes by a way that the house knows, leads nowhere else and wants nothing.
bool is_own_form(const Scene& scene) {
    const Evidence& seen = scene.evidence;
    const Relations& who = seen.relations;
    const std::string_view mailbox =
        std::string_view(who.from_address).substr(0, who.from_address.rfind('@'));
    if (!who.from_own_domain || seen.auth.spf != AuthResult::Pass || who.reply_to.empty() ||
        std::ranges::find(kSiteMailboxes, mailbox) == kSiteMailboxes.end() ||
        !contains(lower(scene.message.text), who.reply_to))
        return false;
    const auto leads_away = [&](const Link& link) {
        return is_followed(link) && !scene.history.is_own_domain(link.host);
    };
    const bool presses =
        seen.has(Lure::Urgency) || seen.has(Lure::Charge) || seen.has(Lure::Identify);
    return !presses && !wants_something(seen) && scene.message.attachments.empty() &&
           seen.ibans.empty() && std::ranges::none_of(seen.phones, &Phone::call_asked) &&
           seen.wallets.empty() && std::ranges::none_of(seen.links, leads_away);
}

bool is_readers(const Scene& scene, std::string_view domain) {
    return scene.history.is_own_domain(domain) ||
           std::ranges::any_of(scene.message.to,
                               [&](const Address& to) { return to.domain() == domain; });
}

void draw_replies(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    // Whoever has the answers come to the reader's own house gains nothing by it.
    if (!who.reply_to_differs || is_own_form(scene) || is_readers(scene, domain_of(who.reply_to)))
        return;
    // A mailing is sent by one house and answered in another.
    constexpr std::ptrdiff_t kManyLinks = 15;
    const bool mailing = scene.evidence.has(Lure::Mailing) ||
                         std::ranges::count_if(scene.evidence.links, is_followed) >= kManyLinks;
    out.add("sender.reply_elsewhere", mailing && !who.from_freemail ? 0.3 : 1, who.reply_to,
            kReplyTo, registrable_domain(domain_of(who.reply_to)));
    if (who.reply_to_freemail && !who.from_freemail)
        out.add("sender.reply_freemail", 1, who.reply_to, kReplyTo);
    const LookAlike& like = who.reply_to_look_alike;
    if (like.how != LookAlike::How::None && like.how != LookAlike::How::Embeds)
        out.add("sender.reply_look_alike", strength_of(like.how), who.reply_to, kReplyTo,
                owner_name(like));
}

/// The recipient's domain as the text says it by itself, not in an address or a link: a letter made
/// from a mould speaks to "the users of clinique.example".
std::string_view our_domain_in(const Scene& scene, std::string_view ours) {
    constexpr std::size_t kReadBytes = 16U << 10;
    const std::string low = lower(cut(scene.message.text, kReadBytes));
    const auto joined = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '@' || c == '.' || c == '-' ||
               c == '/' || c == '_';
    };
    for (std::size_t at = low.find(ours); at != std::string::npos; at = low.find(ours, at + 1)) {
        const std::size_t end = at + ours.size();
        const bool before = at > 0 && joined(low[at - 1]);
        const bool after =
            end < low.size() && (std::isalnum(static_cast<unsigned char>(low[end])) ||
                                 low[end] == '/' || low[end] == '-');
        if (!before && !after) return std::string_view(scene.message.text).substr(at, ours.size());
    }
    return {};
}

/// The sender's name takes ours: the recipient's domain, or the words of a mail system beside it.
void draw_our_name(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    if (who.from_own_domain || who.known_domain || scene.message.to.empty()) return;
    const std::string ours = registrable_domain(scene.message.to.front().domain());
    if (ours.empty() || scene.history.is_freemail(ours) || ours == who.from_domain) return;
    const std::string name = folded(scene.message.author().name);
    const std::string label = std::string(trim(folded(main_label(ours))));
    const std::string whole = std::string(trim(folded(ours)));
    const bool in_name = holds_word(name, whole) || (label.size() >= 5 && holds_word(name, label));
    const bool mail_words = holds_any(name, kMailWords);
    if (const std::string_view said = our_domain_in(scene, ours); !said.empty())
        out.add("text.names_us", 1, said, "text", ours);
    if (in_name) out.add("sender.names_us", 1, author_text(scene.message), kFrom, ours);
    const std::string subject = folded(scene.message.subject);
    if (!in_name && mail_words &&
        (holds_word(subject, whole) || scene.evidence.has(Lure::Credential)))
        out.add("sender.names_us", 0.6, author_text(scene.message), kFrom, ours);
}

}  // namespace

bool is_house_desk(std::string_view folded_name) {
    return holds_any(folded_name, kMailWords);
}

bool is_desk_alone(std::string_view folded_name) {
    static constexpr std::string_view kWords =
        " account accounts admin administrador administrateur administration administrator "
        "afdeling "
        "alert alerts assistance assistenza beheer beheerder center centre client clients customer "
        "de department dept des desk direction du e edv email equipe help helpdesk hr human "
        "humaines ict "
        "informatica informatico informatique it mail mailbox messagerie notification "
        "notifications "
        "of office online payroll portail portal postmaster quarantine resources ressources rh "
        "risorse recursos humanos secure security securite server service services servicedesk "
        "servizio sicherheit soins soporte suporte support system systeme team technical technique "
        "the "
        "umane update updates web webmail webmaster ";
    const std::string_view name = trim(folded_name);
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find(' ', at), name.size());
        if (!holds_word(kWords, name.substr(at, end - at))) return false;
        at = end + 1;
    }
    return !name.empty();
}

void draw_sender(const Scene& scene, SignalList& out) {
    const Relations& who = scene.evidence.relations;
    const Authentication& auth = scene.evidence.auth;
    const bool checked = auth.spf != AuthResult::Absent || auth.dmarc != AuthResult::Absent;
    // Anybody proves a domain of their own, or a free mailbox: it says something of the known
    // alone.
    if (auth.is_authentic && !who.first_contact && !who.from_freemail)
        out.add("auth.authentic", 1, who.from_address, kFrom);
    const bool own_form = is_own_form(scene);
    if (auth.is_forged && !own_form)
        out.add("auth.forged", 1, who.from_address, kFrom, who.from_domain);
    if (who.from_own_domain && checked && !auth.is_authentic && !own_form)
        out.add("auth.own_forged", auth.is_forged ? 1 : 0.7, who.from_address, kFrom,
                who.from_domain);
    draw_brands(scene, out);
    draw_relations(scene, out);
    draw_look_alikes(scene, out);
    draw_replies(scene, out);
    draw_our_name(scene, out);
    const std::string& subject = scene.message.subject;
    if (who.thread_false) out.add("thread.false", 1, subject, "header:Subject");
    if (who.thread_known)
        out.add("thread.known", 1,
                scene.message.in_reply_to.empty() ? subject : scene.message.in_reply_to.front(),
                "header:In-Reply-To");
    if (scene.message.defects.duplicate_from)
        out.add("mime.duplicate_from", 1, author_text(scene.message), kFrom);
    if (scene.message.defects.too_deep || scene.message.defects.too_many_parts)
        out.add("mime.malformed", 1, subject, "header:Subject");
}

}  // namespace hygie::mail
