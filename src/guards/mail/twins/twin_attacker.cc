#include "guards/mail/twins/twin_attacker.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::array<std::string_view, 10> kFreemail = {
    "gmail.com",   "outlook.com", "hotmail.com", "yahoo.com", "orange.fr",
    "laposte.net", "gmx.de",      "web.de",      "proton.me", "icloud.com"};
constexpr std::array<std::string_view, 10> kFreeHosts = {
    "web.app",    "pages.dev",   "workers.dev", "netlify.app", "vercel.app",
    "weebly.com", "wixsite.com", "github.io",   "r2.dev",      "firebaseapp.com"};
constexpr std::array<std::string_view, 12> kLureWords = {
    "secure", "login", "support", "service",       "client",       "espace",
    "verif",  "info",  "account", "remboursement", "notification", "portail"};
constexpr std::array<std::string_view, 7> kTopLevels = {"com",    "fr",      "net", "info",
                                                        "online", "example", "test"};
constexpr std::array<std::string_view, 5> kMailers = {"sendgrid.net", "mailjet.com", "mcsv.net",
                                                      "amazonses.com", "sendinblue.com"};

std::string token(Dice& dice, std::size_t size) {
    static constexpr std::string_view kSigns = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text.push_back(kSigns[dice.below(kSigns.size())]);
    return text;
}

std::string some_ip(Dice& dice) {
    return fmt::format("{}.{}.{}.{}", 11 + dice.below(200), dice.below(255), dice.below(255),
                       1 + dice.below(254));
}

std::string free_mailbox(const TwinPerson& person, Dice& dice) {
    return fmt::format("{}{}@{}", twin_slug(person.name(), dice.chance(50) ? "." : ""),
                       dice.chance(60) ? twin_digits(dice, 2) : "", dice.pick(kFreemail));
}

bool is_free_mailbox(std::string_view address) {
    return std::ranges::find(kFreemail, domain_of(address)) != kFreemail.end();
}

TwinPerson anybody(const TwinCast& cast, Dice& dice) {
    TwinPerson person;
    const std::string lang = cast.form.key("lang", "fr");
    person.first = twin_word(cast.library, "first", lang, dice);
    person.last = twin_word(cast.library, "last", lang, dice);
    return person;
}

void write_from(TwinScene& scene, std::string name, std::string address) {
    name_sender(scene, std::move(name));
    scene.from_address = std::move(address);
    scene.mail_from = scene.from_address;
}

void write_from(TwinScene& scene, const TwinPerson& person, std::string address) {
    write_from(scene, person.name(), std::move(address));
    scene.facts["from_first"] = person.first;
}

/// What is registered for a week: often cheap, often letters or digits drawn at random.
std::string throwaway_domain(Dice& dice) {
    static constexpr std::array<std::string_view, 12> kCheap = {"xyz",   "top",  "shop",  "online",
                                                                "site",  "icu",  "click", "live",
                                                                "store", "info", "sbs",   "cfd"};
    const std::string usual = stranger_domain(dice);
    std::string label(main_label(usual));
    std::string top = usual.substr(label.size() + 1);
    if (dice.chance(40)) top = dice.pick(kCheap);
    const std::size_t way = dice.below(100);
    if (way < 20) label = token(dice, 7 + dice.below(8));
    if (way >= 20 && way < 35) label += twin_digits(dice, 2 + dice.below(3));
    if (way >= 35 && way < 50)
        label = fmt::format("{}-{}-{}", dice.pick(kLureWords), label, dice.pick(kLureWords));
    return label + "." + top;
}

/// A mailbox of some business whose site or account was taken over, or a throw-away domain.
std::string taken_mailbox(Dice& dice) {
    static constexpr std::array<std::string_view, 8> kBoxes = {
        "info", "contact", "noreply", "support", "admin", "office", "mail", "service"};
    return fmt::format("{}{}@{}", dice.pick(kBoxes), dice.chance(20) ? twin_digits(dice, 2) : "",
                       dice.chance(50) ? throwaway_domain(dice) : stranger_domain(dice));
}

std::string fake_brand_name(const TwinBrand& brand, Dice& dice) {
    static constexpr std::array<std::string_view, 8> kDressings = {
        "{}",          "{}",       "Service {}",        "{} Support",
        "{} Security", "Votre {}", "{} - Notification", "Info {}"};
    return fmt::format(fmt::runtime(dice.pick(kDressings)), brand.name);
}

void attack_as_brand(TwinScene& scene, const TwinCast& cast, Dice& dice) {
    const std::string name = fake_brand_name(cast.brand, dice);
    const std::size_t way = dice.below(100);
    const std::string box = dice.pick(cast.brand.mailboxes);
    if (way < 30) {
        write_from(scene, name, box + "@" + look_alike_of(cast.brand.site(), dice));
    } else if (way < 72) {
        write_from(scene, name, taken_mailbox(dice));
    } else if (way < 84) {
        write_from(scene, name, free_mailbox(anybody(cast, dice), dice));
    } else if (way < 90) {
        write_from(scene, name, fmt::format("{}@{}.onmicrosoft.com", box, token(dice, 8)));
    } else if (way < 96) {
        write_from(scene, name, box + "@" + cast.brand.domain);
        scene.mail_from = taken_mailbox(dice);
        scene.dmarc = "fail";
    } else {
        write_from(scene, name, "noreply@" + cast.world.domain);
        scene.mail_from = taken_mailbox(dice);
        scene.dmarc = "fail";
    }
}

void attack_as_person(TwinScene& scene, const TwinCast& cast, const TwinPerson& person,
                      Dice& dice) {
    const std::size_t way = dice.below(100);
    if (way < 50) {
        write_from(scene, person, free_mailbox(person, dice));
    } else if (way < 72) {
        write_from(scene, person, taken_mailbox(dice));
    } else if (way < 88) {
        write_from(scene, person,
                   twin_slug(person.name(), ".") + "@" + look_alike_of(cast.world.domain, dice));
    } else {
        write_from(scene, person, person.email);
        scene.reply_to = free_mailbox(person, dice);
        scene.mail_from = taken_mailbox(dice);
        scene.dmarc = "fail";
    }
}

void attack_as_supplier(TwinScene& scene, const TwinCast& cast, Dice& dice) {
    const TwinPerson& contact = cast.supplier.contact;
    const TwinPerson shown = dice.chance(40) ? TwinPerson{.first = cast.supplier.name} : contact;
    const std::size_t way = dice.below(100);
    if (way < 35) {
        write_from(scene, shown, contact.email);  // the supplier's own mailbox was taken over
        scene.spf = scene.dkim = scene.dmarc = "pass";
    } else if (way < 70) {
        write_from(
            scene, shown,
            twin_slug(contact.name(), ".") + "@" + look_alike_of(cast.supplier.domain, dice));
    } else if (way < 85) {
        write_from(scene, shown, free_mailbox(contact, dice));
    } else if (way < 93) {
        write_from(scene, shown, contact.email);
        scene.reply_to = "compta@" + look_alike_of(cast.supplier.domain, dice);
        scene.dmarc = "fail";
        scene.mail_from = taken_mailbox(dice);
    } else {
        write_from(scene, shown, taken_mailbox(dice));
    }
}

/// Whoever wants to be called seldom troubles to have a domain.
void attack_as_caller(TwinScene& scene, const TwinCast& cast, const TwinPerson& person,
                      Dice& dice) {
    if (dice.chance(30)) return attack_as_brand(scene, cast, dice);
    const TwinPerson shown =
        dice.chance(50) ? person : TwinPerson{.first = fake_brand_name(cast.brand, dice)};
    write_from(scene, shown, dice.chance(65) ? free_mailbox(person, dice) : taken_mailbox(dice));
}

void attack_sender(TwinScene& scene, const TwinCast& cast, const std::string& who, Dice& dice) {
    if (who == "brand") return attack_as_brand(scene, cast, dice);
    // Half pose as the house that their twin is of.
    if (who == "newsletter" && dice.chance(50)) return attack_as_brand(scene, cast, dice);
    if (who == "boss") return attack_as_person(scene, cast, cast.boss, dice);
    if (who == "colleague") return attack_as_person(scene, cast, cast.colleague, dice);
    if (who == "supplier") return attack_as_supplier(scene, cast, dice);
    if (who == "hacked") {
        write_from(scene, cast.colleague, cast.colleague.email);
        scene.spf = scene.dkim = scene.dmarc = "pass";
        return;
    }
    static constexpr std::array<std::string_view, 6> kHelpDesks = {
        "Support informatique", "IT Support", "Help Desk",
        "Mail Administrator",   "Service RH", "Webmail"};
    const TwinPerson person = anybody(cast, dice);
    if (who == "caller") {
        attack_as_caller(scene, cast, person, dice);
    } else if (who == "it") {
        const bool own = dice.chance(15);
        write_from(scene, std::string(dice.pick(kHelpDesks)),
                   own               ? "support@" + cast.world.domain
                   : dice.chance(30) ? "support@" + look_alike_of(cast.world.domain, dice)
                                     : taken_mailbox(dice));
        if (!own && dice.chance(35))
            scene.from_name = fmt::format("{} {}", cast.world.domain, scene.from_name);
        if (own) scene.dmarc = "fail";
    } else if (who == "scammer") {
        write_from(scene, person,
                   dice.chance(60) ? free_mailbox(person, dice) : taken_mailbox(dice));
        if (dice.chance(50)) scene.reply_to = free_mailbox(person, dice);
    } else if (who == "stranger") {
        const std::string domain = stranger_domain(dice);
        write_from(scene, person,
                   dice.chance(30) ? free_mailbox(person, dice)
                                   : twin_slug(person.name(), ".") + "@" + domain);
    } else {
        const TwinPerson shown =
            dice.chance(70) ? person : TwinPerson{.first = std::string(dice.pick(kHelpDesks))};
        write_from(scene, shown, taken_mailbox(dice));
    }
}

void honest_newsletter(TwinScene& scene, const TwinCast& cast, Dice& dice) {
    const std::string& domain = cast.brand.domain;
    const std::string host = dice.chance(40) ? "news." + domain : domain;
    write_from(scene, cast.brand.name, dice.pick(cast.brand.mailboxes) + "@" + host);
    if (dice.chance(45))
        scene.mail_from = fmt::format("bounce-{}@{}", token(dice, 10), dice.pick(kMailers));
    // One house has it sent, another answers: its owner, its shop, its agency.
    if (dice.chance(20))
        scene.reply_to = "contact@" + (dice.chance(50) ? stranger_domain(dice) : domain);
}

void honest_sender(TwinScene& scene, const TwinCast& cast, const std::string& who, Dice& dice) {
    const TwinPerson person = anybody(cast, dice);
    if (who == "brand" || who == "caller") {
        const std::string host = dice.chance(20) ? "mail." + cast.brand.domain : cast.brand.domain;
        write_from(scene, cast.brand.name, dice.pick(cast.brand.mailboxes) + "@" + host);
    } else if (who == "boss" || who == "colleague") {
        const TwinPerson& one = who == "boss" ? cast.boss : cast.colleague;
        write_from(scene, one, one.email);
    } else if (who == "supplier") {
        const TwinPerson& contact = cast.supplier.contact;
        write_from(scene, dice.chance(30) ? TwinPerson{.first = cast.supplier.name} : contact,
                   contact.email);
    } else if (who == "it") {
        write_from(scene,
                   cast.form.key("lang", "fr") == "fr" ? "Support informatique" : "IT Support",
                   "support@" + cast.world.domain);
    } else if (who == "newsletter") {
        honest_newsletter(scene, cast, dice);
    } else if (who == "bounce") {
        write_from(scene, "Mail Delivery System", "MAILER-DAEMON@" + cast.world.domain);
        scene.mail_from.clear();
    } else if (dice.chance(30)) {
        const TwinPerson& known = dice.pick(cast.world.correspondents);
        write_from(scene, known, known.email);
    } else {
        write_from(scene, person,
                   dice.chance(45) ? free_mailbox(person, dice)
                                   : twin_slug(person.name(), ".") + "@" + stranger_domain(dice));
    }
}

/// What checks of SPF, DKIM and DMARC usually say: mostly "pass" for either side, which is why
/// they decide little by themselves.
void cast_authentication(TwinScene& scene, Dice& dice) {
    const bool honest = scene.side == Side::Legitimate;
    const auto draw = [&dice](unsigned pass, unsigned fail) {
        const std::size_t way = dice.below(100);
        return std::string(way < pass ? "pass" : way < pass + fail ? "fail" : "none");
    };
    const bool forged = scene.dmarc == "fail";
    if (scene.spf.empty()) scene.spf = forged ? draw(50, 30) : draw(honest ? 75 : 65, 5);
    if (scene.dkim.empty()) scene.dkim = forged ? draw(10, 20) : draw(honest ? 70 : 50, 4);
    if (scene.dmarc.empty()) {
        const bool passed = scene.spf == "pass" || scene.dkim == "pass";
        scene.dmarc = passed && dice.chance(honest ? 75 : 50) ? "pass" : "none";
    }
}

std::string path_of(Dice& dice) {
    static constexpr std::array<std::string_view, 8> kPaths = {
        "", "login", "compte", "c", "suivi", "view", "index.php", "a/article"};
    std::string path = "/" + std::string(dice.pick(kPaths));
    if (dice.chance(45)) path += "/" + token(dice, 8 + dice.below(14));
    return path;
}

std::string attack_host(const TwinCast& cast, const std::string& from, Dice& dice) {
    const std::size_t way = dice.below(100);
    const std::string_view honest = cast.form.key("link") == "own"
                                        ? std::string_view(cast.world.domain)
                                        : std::string_view(cast.brand.site());
    // Who has a domain of his own, or took one over, often sends from it and leads to it.
    if (way < 26 && !is_free_mailbox(from)) return std::string(registrable_domain(domain_of(from)));
    if (way < 40) return look_alike_of(honest, dice);
    if (way < 60) return dice.chance(50) ? throwaway_domain(dice) : stranger_domain(dice);
    if (way < 70) return fmt::format("{}.{}", token(dice, 8), dice.pick(kFreeHosts));
    if (way < 78) return dice.pick(std::array{"bit.ly", "t.co", "tinyurl.com", "rb.gy", "cutt.ly"});
    if (way < 84)
        return dice.pick(std::array{"storage.googleapis.com", "s3.amazonaws.com", "docs.google.com",
                                    "forms.office.com"});
    if (way < 87) return some_ip(dice);
    return fmt::format("u{}.ct.sendgrid.net", twin_digits(dice, 7));
}

}  // namespace

void name_sender(TwinScene& scene, std::string name) {
    scene.facts["from_name"] = name;
    scene.facts["from_first"] = name;
    scene.from_name = std::move(name);
}

std::string look_alike_of(std::string_view honest, Dice& dice) {
    const std::string_view label = main_label(honest);
    const std::string_view word = dice.pick(kLureWords);
    const std::string_view top = dice.pick(kTopLevels);
    switch (dice.below(5)) {
        case 0:
            return fmt::format("{}-{}.{}", label, word, top);
        case 1:
            return fmt::format("{}-{}.{}", word, label, top);
        case 2:
            return fmt::format("{}.{}.{}", label, token(dice, 7), top);
        case 3: {
            std::string typo(label);
            const std::size_t at = 1 + dice.below(typo.size() > 2 ? typo.size() - 2 : 1);
            dice.chance(50) ? typo.insert(at, 1, typo[at])
                            : std::string(1, typo[at] = typo[at] == 'e' ? 'c' : 'e');
            return fmt::format("{}.{}", typo, honest.substr(honest.find('.') + 1));
        }
        default:
            return fmt::format("{}.{}", label, honest.ends_with(".com") ? "online" : "com");
    }
}

void cast_sender(TwinScene& scene, const TwinCast& cast, Dice& dice) {
    const std::string who = cast.form.key("sender", "random");
    if (scene.side == Side::Attack) {
        attack_sender(scene, cast, who, dice);
    } else {
        honest_sender(scene, cast, who, dice);
    }
    cast_authentication(scene, dice);
    scene.client_ip = some_ip(dice);
    scene.helo = "mail." + std::string(scene.mail_from.empty() ? std::string_view(cast.world.domain)
                                                               : domain_of(scene.mail_from));
}

/// Where the other links of a mail lead: mailings of either side link to more than one place.
void add_other_links(TwinScene& scene, const TwinCast& cast, const std::string& home, Dice& dice) {
    static constexpr std::array<std::string_view, 10> kElsewhere = {
        "www.youtube.com",   "www.facebook.com", "www.linkedin.com", "www.eventbrite.com",
        "www.helloasso.com", "zoom.us",          "apps.apple.com",   "twitter.com",
        "maps.app.goo.gl",   "fr.wikipedia.org"};
    const bool hostile = scene.side == Side::Attack;
    const bool mailing = cast.form.key("sender") == "newsletter";
    if (!hostile && !mailing) return;
    const bool decoys = hostile && dice.chance(30);
    for (int i = 0; i < 6; ++i) {
        const std::size_t way = dice.below(100);
        std::string host = home;
        if (hostile && decoys && way < 60) host = "www." + cast.brand.site();
        if (mailing && !hostile && way < 20) host = dice.pick(kElsewhere);
        if (mailing && !hostile && way >= 88) host = stranger_domain(dice);
        scene.other_links.push_back("https://" + host + path_of(dice));
    }
}

void cast_links(TwinScene& scene, const TwinCast& cast, Dice& dice) {
    const std::string kind = cast.form.key("link", "none");
    if (kind == "none") return;
    if (scene.side == Side::Attack) {
        const std::string host = attack_host(cast, scene.from_address, dice);
        scene.link = (dice.chance(80) ? "https://" : "http://") + host + path_of(dice);
        if (dice.chance(12)) scene.link += "?e=" + scene.recipient.email;
        add_other_links(scene, cast, host, dice);
        return;
    }
    std::string host = registrable_domain(domain_of(scene.from_address));
    if (kind == "brand") host = (dice.chance(40) ? "www." : "") + dice.pick(cast.brand.sites);
    if (kind == "own") host = "intranet." + cast.world.domain;
    if (kind == "sender" && dice.chance(45))
        host = dice.chance(40)   ? "click." + host
               : dice.chance(50) ? fmt::format("u{}.ct.sendgrid.net", twin_digits(dice, 7))
                                 : stranger_domain(dice);
    scene.link = "https://" + host + path_of(dice);
    if (kind == "sender" && dice.chance(10)) scene.link += "?e=" + scene.recipient.email;
    add_other_links(scene, cast, host, dice);
}

}  // namespace hygie::mail
