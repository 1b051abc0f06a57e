#include "guards/mail/twins/twin_scene.h"

#include <array>

#include <fmt/format.h>

#include "guards/mail/twins/twin_attacker.h"

namespace hygie::mail {
namespace {

std::string date_in(std::string_view lang, Dice& dice) {
    const std::size_t day = 1 + dice.below(28);
    const std::size_t month = 1 + dice.below(12);
    const std::size_t year = 2024 + dice.below(3);
    if (lang == "en" && dice.chance(50)) {
        static constexpr std::array<std::string_view, 12> kMonths = {
            "January", "February", "March",     "April",   "May",      "June",
            "July",    "August",   "September", "October", "November", "December"};
        return fmt::format("{} {}, {}", kMonths[month - 1], day, year);
    }
    if (lang == "de") return fmt::format("{:02}.{:02}.{}", day, month, year);
    if (lang == "nl") return fmt::format("{:02}-{:02}-{}", day, month, year);
    return fmt::format("{:02}/{:02}/{}", day, month, year);
}

std::string money_in(std::string_view lang, std::size_t cents, bool cents_shown, Dice& dice) {
    const std::size_t whole = cents / 100;
    const std::string digits = whole >= 1000 ? fmt::format("{}{}{:03}", whole / 1000,
                                                           lang == "fr"   ? " "
                                                           : lang == "en" ? ","
                                                                          : ".",
                                                           whole % 1000)
                                             : fmt::format("{}", whole);
    const std::string tail =
        cents_shown ? fmt::format("{}{:02}", lang == "en" ? "." : ",", cents % 100) : "";
    if (lang == "en")
        return fmt::format("{}{}{}",
                           dice.chance(60)   ? "$"
                           : dice.chance(50) ? "£"
                                             : "€",
                           digits, tail);
    if (lang == "pt") return fmt::format("{} {}{}", dice.chance(60) ? "R$" : "€", digits, tail);
    return fmt::format("{}{} {}", digits, tail, dice.chance(85) ? "€" : "EUR");
}

std::string spaced(std::string_view iban) {
    std::string out;
    for (std::size_t at = 0; at < iban.size(); ++at) {
        if (at > 0 && at % 4 == 0) out.push_back(' ');
        out.push_back(iban[at]);
    }
    return out;
}

std::string phone_in(std::string_view lang, Dice& dice) {
    if (lang == "fr")
        return fmt::format("0{} {} {} {} {}", dice.pick(std::array{1, 9, 8, 3, 7, 4}),
                           twin_digits(dice, 2), twin_digits(dice, 2), twin_digits(dice, 2),
                           twin_digits(dice, 2));
    if (lang == "en")
        return fmt::format(fmt::runtime(dice.chance(60) ? "+1 (8{}{}) {}-{}" : "8{}{}-{}-{}"),
                           twin_digits(dice, 1), twin_digits(dice, 1), twin_digits(dice, 3),
                           twin_digits(dice, 4));
    return fmt::format("+{} {} {}", dice.pick(std::array{49, 351, 34, 39, 31}),
                       twin_digits(dice, 3), twin_digits(dice, 6));
}

/// What is the same for both twins: chance is drawn in one order, whatever the side.
void common_facts(TwinScene& scene, const TwinLibrary& library, const TwinWorld& world,
                  const TwinTemplate& form, Dice& dice) {
    const std::string lang = form.key("lang", "fr");
    auto& facts = scene.facts;
    facts["me_first"] = scene.recipient.first;
    facts["me_last"] = scene.recipient.last;
    facts["me_name"] = scene.recipient.name();
    facts["me_mail"] = scene.recipient.email;
    facts["org"] = world.name;
    facts["org_domain"] = world.domain;
    facts["amount"] = money_in(lang, 90'000 + dice.below(2'500'000), dice.chance(60), dice);
    facts["small"] = money_in(lang, 2'500 + dice.below(60'000), dice.chance(60), dice);
    facts["tiny"] = money_in(lang, 95 + dice.below(900), true, dice);
    facts["ref"] = fmt::format("{}{}", dice.pick(std::array{"F", "FA-", "INV-", "BC", "N", ""}),
                               twin_digits(dice, 4 + dice.below(4)));
    facts["num"] = twin_digits(dice, 6 + dice.below(5));
    facts["num2"] = fmt::format("{}", 2 + dice.below(18));
    facts["pct"] = fmt::format("{}", 10 + dice.below(89));
    facts["ext"] = twin_digits(dice, 4);
    facts["date"] = date_in(lang, dice);
    facts["date2"] = date_in(lang, dice);
    facts["year"] = fmt::format("{}", 2024 + dice.below(3));
    facts["time"] = lang == "fr" ? fmt::format("{} h {:02}", 8 + dice.below(11), dice.below(4) * 15)
                                 : fmt::format("{}:{:02}", 8 + dice.below(11), dice.below(4) * 15);
    static constexpr std::array<std::string_view, 5> kDaysFr = {"lundi", "mardi", "mercredi",
                                                                "jeudi", "vendredi"};
    static constexpr std::array<std::string_view, 5> kDaysEn = {"Monday", "Tuesday", "Wednesday",
                                                                "Thursday", "Friday"};
    facts["day"] = lang == "fr" ? dice.pick(kDaysFr) : dice.pick(kDaysEn);
    facts["phone"] = phone_in(lang, dice);
    facts["code"] =
        fmt::format("{}{}", dice.pick(std::array{"SOLEIL", "MERCI", "SPRING", "WELCOME", "SAVE"}),
                    twin_digits(dice, 2));
    facts["bank"] = dice.pick(std::array{"BNP Paribas", "Crédit Coopératif", "Revolut",
                                         "Société Générale", "Wise", "N26", "Qonto"});
    facts["bic"] = dice.pick(std::array{"BNPAFRPP", "CCOPFRPP", "REVOLT21", "SOGEFRPP", "TRWIBEB1",
                                        "NTSBDEB1", "QNTOFRP1"});
    static constexpr std::string_view kBase58 =
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    std::string wallet = "1";
    for (int i = 0; i < 33; ++i) wallet.push_back(kBase58[dice.below(kBase58.size())]);
    facts["wallet"] = wallet;
    facts["city"] = twin_word(library, "city", lang, dice);
}

const TwinBrand& brand_of(const TwinLibrary& library, const TwinTemplate& form, Dice& dice) {
    std::string list = form.key("brand");
    std::vector<const TwinBrand*> found;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        if (const TwinBrand* brand = library.brand(std::string_view(list).substr(0, end)))
            found.push_back(brand);
        list.erase(0, end + 1);
    }
    return found.empty() ? dice.pick(library.brands) : *dice.pick(found);
}

/// The house that a newsletter or a small service is of: nobody's brand, with a place of its own.
TwinBrand house_of(const TwinLibrary& library, const TwinTemplate& form, Dice& dice) {
    static constexpr std::array<std::string_view, 12> kTops = {"fr",     "com",     "net",  "info",
                                                               "online", "example", "test", "shop",
                                                               "store",  "live",    "app",  "com"};
    const std::string lang = form.key("lang", "fr");
    TwinBrand house;
    house.name =
        twin_word(library, form.key("names", lang == "fr" ? "paper_fr" : "paper"), lang, dice);
    // Many a house writes from a domain that has nothing of its name.
    house.domain = dice.chance(20)
                       ? stranger_domain(dice)
                       : fmt::format("{}.{}", twin_slug(house.name, "-"), dice.pick(kTops));
    house.mailboxes = {"newsletter", "news", "hello", "contact", "noreply"};
    house.sites = {house.domain};
    return house;
}

/// The supplier's letter that the recipient answered: it says who wrote and, often, to which
/// account. Both sides quote it as it was.
std::string suppliers_letter(const TwinScene& scene, const TwinSupplier& supplier, bool french,
                             Dice& dice) {
    const auto& facts = scene.facts;
    const std::string who = fmt::format("{} <{}>", supplier.contact.name(), supplier.contact.email);
    const std::string head =
        dice.chance(50)
            ? fmt::format(fmt::runtime(french ? "Le {}, {} a écrit :" : "On {}, {} wrote:"),
                          facts.at("date"), who)
            : fmt::format(fmt::runtime(french ? "De : {}\n> > Envoyé : {}\n> > Objet : {}"
                                              : "From: {}\n> > Sent: {}\n> > Subject: {}"),
                          who, facts.at("date"), facts.at("ref"));
    const std::string account =
        dice.chance(50) ? fmt::format("\n> > IBAN {}", spaced(supplier.iban)) : "";
    return fmt::format("\n> > {}\n> > {} {}{}", head,
                       french ? "Votre commande est bien enregistrée, total" : "Your order, total",
                       facts.at("amount"), account);
}

std::string quoted_letter(const TwinScene& scene, const TwinSupplier& supplier,
                          std::string_view lang, Dice dice) {
    const auto& facts = scene.facts;
    const bool french = lang == "fr";
    const std::string head =
        french ? fmt::format("Le {}, {} a écrit :", facts.at("date"), scene.recipient.name())
               : fmt::format("On {}, {} wrote:", facts.at("date"), scene.recipient.name());
    const std::string below =
        dice.chance(60) ? suppliers_letter(scene, supplier, french, dice) : "";
    return fmt::format(
        "\n{}\n> {}\n> {} {}{}", head, french ? "Bonjour," : "Hello,",
        french ? "pouvez-vous me dire où en est la commande" : "could you tell me about order",
        facts.at("ref"), below);
}

}  // namespace

TwinScene make_scene(const TwinLibrary& library, const TwinWorld& world, const TwinTemplate& form,
                     Side side, std::uint64_t seed) {
    Dice dice(seed);
    TwinScene scene;
    scene.side = side;
    scene.recipient = world.staff[1 + dice.below(world.staff.size() - 1)];
    common_facts(scene, library, world, form, dice);
    const TwinSupplier& supplier = dice.pick(world.suppliers);
    const TwinPerson& colleague = dice.pick(world.staff);
    const TwinPerson& boss = world.staff.front();
    const bool of_a_house = form.key("sender") == "newsletter";
    const TwinBrand brand =
        of_a_house ? house_of(library, form, dice) : brand_of(library, form, dice);
    auto& facts = scene.facts;
    facts["supplier"] = supplier.name;
    facts["sup_first"] = supplier.contact.first;
    facts["sup_name"] = supplier.contact.name();
    facts["sup_phone"] = supplier.phone;
    facts["sup_domain"] = supplier.domain;
    facts["coll_first"] = colleague.first;
    facts["coll_name"] = colleague.name();
    facts["coll_role"] = colleague.role;
    facts["boss_first"] = boss.first;
    facts["boss_name"] = boss.name();
    facts["boss_role"] = boss.role;
    facts["brand"] = brand.name;
    if (of_a_house) facts["paper"] = facts["paper_fr"] = brand.name;
    const TwinCast cast{library, world, form, supplier, colleague, boss, brand};
    // From here on the twins differ; each has its own chances.
    Dice own(dice.next() + (side == Side::Attack ? 1 : 0));
    const bool new_iban = side == Side::Attack || form.key("sender") != "supplier";
    static constexpr std::array<std::string_view, 7> kCountries = {"FR", "FR", "LT", "DE",
                                                                   "BE", "ES", "PT"};
    const bool moved = form.key("account") == "confirmed";
    const std::string& known = moved ? supplier.confirmed_iban : supplier.iban;
    const std::string iban = new_iban ? make_iban(own.pick(kCountries), own) : known;
    facts["known_iban"] = spaced(supplier.iban);
    facts["known_iban_end"] = supplier.iban.substr(supplier.iban.size() - 4);
    facts["iban"] = own.chance(70) ? spaced(iban) : iban;
    if (form.key("sender") == "colleague" && form.key("kind") == "staff")
        facts["iban"] = spaced(supplier.iban);
    cast_sender(scene, cast, own);
    cast_links(scene, cast, own);
    scene.attachment = form.key("attach");
    if (form.key("thread") == "yes" && (side == Side::Legitimate || own.chance(65)))
        scene.in_reply_to = own.pick(supplier.message_ids);
    facts["quoted"] =
        quoted_letter(scene, supplier, form.key("lang", "fr"), Dice(seed ^ 0x71756f7465ULL));
    return scene;
}

}  // namespace hygie::mail
