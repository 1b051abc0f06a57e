#include "guards/mail/twins/twin_world.h"

#include <array>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "guards/mail/message/fold.h"
#include "guards/mail/twins/twin_texts.h"

namespace hygie::mail {
namespace {

constexpr std::array<std::string_view, 24> kDomainWords = {
    "atelier", "blue",   "north",  "garden", "hotel", "media", "alpha",  "delta",
    "studio",  "nova",   "river",  "casa",   "print", "auto",  "travel", "solar",
    "pixel",   "market", "school", "agri",   "metal", "deco",  "sport",  "vita"};
constexpr std::array<std::string_view, 9> kTopLevels = {"fr",  "com", "org",     "net", "eu",
                                                        "biz", "de",  "example", "test"};
constexpr std::array<std::string_view, 10> kSupplierHeads = {
    "Médi", "Labo", "Sani", "Techni", "Bio", "Hospi", "Opti", "Trans", "Propre", "Info"};
constexpr std::array<std::string_view, 10> kSupplierTails = {
    "Ouest", "Matériel", "Services", "Alliance", "Diffusion",
    "Santé", "Concept",  "France",   "Linge",    "Partner"};
constexpr std::array<std::string_view, 6> kOrganisations = {
    "Clinique des Érables",      "Cabinet médical du Port", "Centre hospitalier du Val",
    "Maison de santé des Lilas", "Laboratoire de la Gare",  "EHPAD Les Charmes"};
constexpr std::array<std::string_view, 8> kRoles = {
    "directeur",      "comptable", "responsable des achats",   "secrétaire médicale",
    "cadre de santé", "médecin",   "responsable informatique", "gestionnaire de paie"};

TwinPerson make_person(const TwinLibrary& library, Dice& dice, std::string_view domain) {
    const std::string_view lang = dice.chance(75) ? "fr" : "en";
    TwinPerson person;
    person.first = twin_word(library, "first", lang, dice);
    person.last = twin_word(library, "last", lang, dice);
    person.email = fmt::format("{}@{}", twin_slug(person.name(), "."), domain);
    return person;
}

TwinSupplier make_supplier(const TwinLibrary& library, Dice& dice) {
    TwinSupplier supplier;
    const std::string_view head = dice.pick(kSupplierHeads);
    const std::string_view tail = dice.pick(kSupplierTails);
    supplier.name = dice.chance(60) ? fmt::format("{}{}", head, lower(tail))
                                    : fmt::format("{}{} {}", head,
                                                  twin_word(library, "last", "fr", dice), tail);
    supplier.domain = fmt::format("{}.{}", twin_slug(supplier.name, dice.chance(50) ? "-" : ""),
                                  dice.pick(kTopLevels));
    supplier.iban = make_iban(dice.chance(88) ? "FR" : "DE", dice);
    supplier.confirmed_iban = make_iban("FR", dice);
    supplier.phone = fmt::format("0{} {} {} {} {}", 1 + dice.below(5), twin_digits(dice, 2),
                                 twin_digits(dice, 2), twin_digits(dice, 2), twin_digits(dice, 2));
    supplier.contact = make_person(library, dice, supplier.domain);
    for (std::size_t i = 0; i < 4; ++i)
        supplier.message_ids.push_back(fmt::format("{:016x}@{}", dice.next(), supplier.domain));
    return supplier;
}

std::vector<std::string> cells_of(std::string_view line, char between) {
    std::vector<std::string> cells;
    while (true) {
        const std::size_t stop = line.find(between);
        cells.emplace_back(line.substr(0, stop));
        if (stop == std::string_view::npos) return cells;
        line.remove_prefix(stop + 1);
    }
}

Result<std::vector<TwinBrand>> read_brands(std::string_view text) {
    std::vector<TwinBrand> brands;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) continue;
        const std::vector<std::string> cells = cells_of(line, ';');
        if (cells.size() < 4)
            return fail(Code::BadInput,
                        {"brands.csv : ligne incomplète", "brands.csv: incomplete line"},
                        {"quatre colonnes : nom court, nom, domaine, boîtes",
                         "four columns: id, name, domain, mailboxes"});
        brands.push_back({cells[0], cells[1], cells[2], cells_of(cells[3], ','),
                          cells_of(cells.size() > 4 ? cells[4] : cells[2], ',')});
    }
    return brands;
}

}  // namespace

const TwinBrand* TwinLibrary::brand(std::string_view id) const {
    for (const TwinBrand& known : brands)
        if (known.id == id) return &known;
    return nullptr;
}

Result<TwinLibrary> twin_library() {
    TwinLibrary library;
    for (const TwinText& text : twin_texts()) {
        if (text.name.ends_with(".csv")) {
            library.brands = TRY(read_brands(text.text));
        } else {
            TRY_STATUS(library.grammar.add(text.text, text.name));
        }
    }
    return library;
}

std::string twin_slug(std::string_view name, std::string_view between) {
    const std::string words = folded(name);
    std::string slug;
    for (const char sign : std::string_view(words)) {
        if (sign != ' ') {
            slug.push_back(sign);
        } else if (!slug.empty() && !slug.ends_with(between)) {
            slug += between;
        } else if (between.empty()) {
            continue;
        }
    }
    if (!between.empty() && slug.ends_with(between)) slug.resize(slug.size() - between.size());
    return slug;
}

std::string twin_digits(Dice& dice, std::size_t count) {
    std::string digits;
    for (std::size_t i = 0; i < count; ++i)
        digits.push_back(static_cast<char>('0' + dice.below(10)));
    return digits;
}

std::string make_iban(std::string_view country, Dice& dice) {
    struct Shape {
        std::string_view country;
        std::size_t digits;
        std::string_view head;
    };
    static constexpr std::array<Shape, 8> kShapes = {{{"FR", 23, ""},
                                                      {"DE", 18, ""},
                                                      {"ES", 20, ""},
                                                      {"PT", 21, ""},
                                                      {"GB", 14, "BARC"},
                                                      {"LT", 16, ""},
                                                      {"BE", 12, ""},
                                                      {"PL", 24, ""}}};
    const Shape* shape = &kShapes[0];
    for (const Shape& known : kShapes)
        if (known.country == country) shape = &known;
    const std::string account = std::string(shape->head) + twin_digits(dice, shape->digits);
    int rest = 0;
    for (const char sign : account + std::string(shape->country) + "00") {
        const int value = sign >= 'A' ? sign - 'A' + 10 : sign - '0';
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return fmt::format("{}{:02}{}", shape->country, 98 - rest, account);
}

std::string stranger_domain(Dice& dice) {
    return fmt::format("{}{}{}.{}", dice.pick(kDomainWords), dice.chance(30) ? "-" : "",
                       dice.pick(kDomainWords), dice.pick(kTopLevels));
}

std::string twin_word(const TwinLibrary& library, std::string_view symbol, std::string_view lang,
                      Dice& dice) {
    const std::vector<std::string>* words = library.grammar.find(symbol, lang, "");
    return words ? dice.pick(*words) : std::string(symbol);
}

TwinWorld make_world(const TwinLibrary& library, std::uint64_t seed) {
    Dice dice(seed ^ 0x7477696e73ULL);
    TwinWorld world;
    world.name = dice.pick(kOrganisations);
    if (dice.chance(50)) world.name += " " + twin_word(library, "city", "fr", dice);
    world.domain = fmt::format("{}.{}", twin_slug(world.name, "-"), dice.pick(kTopLevels));
    world.own_dmarc = dice.chance(60) ? "none" : "reject";
    for (const std::string_view role : kRoles) {
        world.staff.push_back(make_person(library, dice, world.domain));
        world.staff.back().role = role;
    }
    for (std::size_t i = 0; i < 8; ++i) world.suppliers.push_back(make_supplier(library, dice));
    for (std::size_t i = 0; i < 8; ++i)
        world.correspondents.push_back(make_person(library, dice, stranger_domain(dice)));
    for (std::size_t i = 0; i < 12; ++i) world.services.push_back(dice.pick(library.brands));
    return world;
}

std::string TwinWorld::history_json() const {
    using nlohmann::json;
    json people = json::array();
    for (const TwinPerson& person : staff)
        people.push_back({{"name", person.name()}, {"email", person.email}, {"role", person.role}});
    json payees = json::array();
    json ids = json::array();
    for (const TwinSupplier& supplier : suppliers) {
        payees.push_back({{"name", supplier.name},
                          {"domains", {supplier.domain}},
                          {"ibans", {supplier.iban, supplier.confirmed_iban}},
                          {"since", "2021-03-01"},
                          {"clients", {"org"}}});
        for (const std::string& id : supplier.message_ids) ids.push_back("<" + id + ">");
    }
    json used = json::array();
    for (const TwinBrand& brand : services) {
        std::vector<std::string> domains = brand.sites;
        domains.push_back(brand.domain);
        used.push_back({{"name", brand.name}, {"domains", domains}, {"since", "2020-01-06"}});
    }
    json known = json::array();
    for (const TwinPerson& person : correspondents)
        known.push_back({{"address", person.email},
                         {"name", person.name()},
                         {"organisation", "org"},
                         {"first_seen", "2022-09-12"},
                         {"relation", "correspondent"}});
    const json whole = {{"as_of", "2026-06-30"},
                        {"organisations",
                         {{{"id", "org"},
                           {"name", name},
                           {"own_domains", {domain}},
                           {"own_dmarc", own_dmarc},
                           {"staff", people}}}},
                        {"suppliers", payees},
                        {"known_services", used},
                        {"known_correspondents", known},
                        {"freemail_like_domains", {"gmail.com", "outlook.com", "orange.fr"}},
                        {"sent_or_received_message_ids", ids}};
    return whole.dump(1);
}

}  // namespace hygie::mail
