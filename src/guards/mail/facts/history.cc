#include "guards/mail/facts/history.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kHistoryBytesMax = 256U << 20;
/// A shorter name is inside too many sentences.
constexpr std::size_t kSupplierNameMin = 4;

/// Mailboxes that anybody opens in a minute. Not a list of suspects: half the world writes from
/// there; it says that the domain proves nothing about an organisation.
constexpr std::array kFreemail = std::to_array<std::string_view>({
    "126.com",        "163.com",     "aim.com",        "aol.com",       "bbox.fr",
    "bluewin.ch",     "email.com",   "fastmail.com",   "free.fr",       "freenet.de",
    "gmail.com",      "gmx.at",      "gmx.ch",         "gmx.com",       "gmx.de",
    "gmx.fr",         "gmx.net",     "googlemail.com", "hotmail.co.uk", "hotmail.com",
    "hotmail.de",     "hotmail.es",  "hotmail.fr",     "hotmail.it",    "icloud.com",
    "inbox.ru",       "laposte.net", "libero.it",      "live.com",      "live.fr",
    "live.nl",        "mac.com",     "mail.com",       "mail.ru",       "me.com",
    "msn.com",        "neuf.fr",     "numericable.fr", "orange.fr",     "outlook.com",
    "outlook.de",     "outlook.es",  "outlook.fr",     "outlook.it",    "proton.me",
    "protonmail.com", "qq.com",      "sapo.pt",        "sfr.fr",        "t-online.de",
    "tutanota.com",   "uol.com.br",  "virgilio.it",    "wanadoo.fr",    "web.de",
    "yahoo.co.jp",    "yahoo.co.uk", "yahoo.com",      "yahoo.com.br",  "yahoo.de",
    "yahoo.es",       "yahoo.fr",    "yahoo.it",       "yandex.com",    "yandex.ru",
    "ymail.com",      "zoho.com",
});
static_assert(std::ranges::is_sorted(kFreemail));

/// The words of a name, folded and sorted, titles dropped: "Dr. Jean DUPONT" → "dupont jean".
std::string name_key(std::string_view name) {
    static constexpr auto kTitles =
        std::to_array<std::string_view>({"docteur", "dr", "m", "madame", "mme", "monsieur", "mr",
                                         "mrs", "ms", "pr", "prof", "professeur"});
    const std::string text = folded(name);
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string_view word = std::string_view(text).substr(at, end - at);
        if (!word.empty() && !std::ranges::binary_search(kTitles, word)) words.push_back(word);
        at = end + 1;
    }
    if (words.size() < 2) return {};
    std::ranges::sort(words);
    std::string key;
    for (const std::string_view word : words) key.append(word).push_back(' ');
    return key;
}

std::unexpected<Error> refused() {
    return fail(Code::BadInput,
                {"la mémoire du courrier n'est pas le JSON attendu",
                 "the memory of the mail is not the JSON expected"},
                {"voyez FORMAT.md, « history » : listes de textes et d'objets, sous leurs noms",
                 "see FORMAT.md, 'history': lists of texts and objects, under their names"});
}

/// The words by which a supplier is named: folded, without its legal form.
std::string supplier_key(std::string_view name) {
    static constexpr auto kForms =
        std::to_array<std::string_view>({"ag", "bv", "cie", "eurl", "gmbh", "inc", "ltd", "sa",
                                         "sarl", "sas", "sasu", "sci", "scop", "srl"});
    std::string text = folded(name);
    while (true) {
        const std::string_view body = trim(text);
        const std::size_t last = body.rfind(' ');
        if (last == std::string_view::npos ||
            !std::ranges::binary_search(kForms, body.substr(last + 1)))
            return std::string(body);
        text = std::string(body.substr(0, last));
    }
}

/// Reads members of one object; remembers whether any had a wrong type, and names nobody reads.
class Reader {
  public:
    Reader(bool& ok, std::set<std::string>& unknown) : ok_(ok), unknown_(unknown) {}

    /// `place` stands before what is unknown.
    void knows(const Json& object, std::string_view place,
               std::initializer_list<std::string_view> names) {
        for (const auto& [name, value] : object.items()) {
            if (std::ranges::find(names, name) != names.end()) continue;
            if (unknown_.size() >= kUnknownNamesMax) return;
            unknown_.insert(std::string(place) + name.substr(0, kUnknownNameBytesMax));
        }
    }

    std::string text(const Json& object, const char* name) {
        const auto it = object.find(name);
        if (it == object.end() || it->is_null()) return {};
        if (!it->is_string()) {
            ok_ = false;
            return {};
        }
        return it->get<std::string>();
    }
    std::vector<std::string> texts(const Json& object, const char* name) {
        std::vector<std::string> out;
        each(object, name, [&](const Json& item) {
            if (item.is_string())
                out.push_back(item.get<std::string>());
            else
                ok_ = false;
        });
        return out;
    }
    std::vector<std::string> domains(const Json& object, const char* name) {
        std::vector<std::string> out = texts(object, name);
        for (std::string& one : out) one = lower(trim(one));
        return out;
    }
    template <typename Each>
    void objects(const Json& object, const char* name, Each&& take) {
        each(object, name, [&](const Json& item) {
            if (item.is_object())
                take(item);
            else
                ok_ = false;
        });
    }

  private:
    template <typename Each>
    void each(const Json& object, const char* name, Each&& take) {
        const auto it = object.find(name);
        if (it == object.end() || it->is_null()) return;
        if (!it->is_array()) {
            ok_ = false;
            return;
        }
        for (const Json& item : *it) take(item);
    }
    bool& ok_;
    std::set<std::string>& unknown_;
};

std::string spell_iban(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c >= 'a' && c <= 'z') out.push_back(static_cast<char>(c - 32));
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) out.push_back(c);
    }
    return out;
}

void read_people(Reader& read, const Json& json, History& out) {
    read.objects(json, "organisations", [&](const Json& item) {
        read.knows(item, "organisations.", {"id", "name", "own_domains", "own_dmarc", "staff"});
        Organisation one{.id = read.text(item, "id"),
                         .name = read.text(item, "name"),
                         .own_domains = read.domains(item, "own_domains"),
                         .own_dmarc = lower(read.text(item, "own_dmarc")),
                         .staff = {}};
        read.objects(item, "staff", [&](const Json& person) {
            read.knows(person, "organisations.staff.", {"name", "email", "role"});
            one.staff.push_back({.name = read.text(person, "name"),
                                 .email = lower(trim(read.text(person, "email"))),
                                 .role = read.text(person, "role")});
        });
        out.organisations.push_back(std::move(one));
    });
    read.objects(json, "known_correspondents", [&](const Json& item) {
        read.knows(item, "known_correspondents.",
                   {"address", "name", "organisation", "first_seen", "relation"});
        out.known_correspondents.push_back({.address = lower(trim(read.text(item, "address"))),
                                            .name = read.text(item, "name"),
                                            .organisation = read.text(item, "organisation"),
                                            .first_seen = read.text(item, "first_seen"),
                                            .relation = read.text(item, "relation")});
    });
}

void read_partners(Reader& read, const Json& json, History& out) {
    read.objects(json, "suppliers", [&](const Json& item) {
        read.knows(item, "suppliers.", {"name", "domains", "ibans", "since", "clients"});
        Supplier one{.name = read.text(item, "name"),
                     .domains = read.domains(item, "domains"),
                     .ibans = read.texts(item, "ibans"),
                     .since = read.text(item, "since"),
                     .clients = read.texts(item, "clients")};
        for (std::string& iban : one.ibans) iban = spell_iban(iban);
        out.suppliers.push_back(std::move(one));
    });
    read.objects(json, "known_services", [&](const Json& item) {
        read.knows(item, "known_services.", {"name", "domains", "since"});
        out.known_services.push_back({.name = read.text(item, "name"),
                                      .domains = read.domains(item, "domains"),
                                      .since = read.text(item, "since")});
    });
}

template <typename Map, typename Key>
auto find_in(const Map& map, const Key& key) -> const typename Map::mapped_type* {
    const auto it = map.find(key);
    return it == map.end() ? nullptr : &it->second;
}

}  // namespace

void History::index() {
    *this = [&] {
        History fresh;
        fresh.as_of = std::move(as_of);
        fresh.organisations = std::move(organisations);
        fresh.suppliers = std::move(suppliers);
        fresh.known_services = std::move(known_services);
        fresh.known_correspondents = std::move(known_correspondents);
        fresh.freemail_like_domains = std::move(freemail_like_domains);
        fresh.message_ids = std::move(message_ids);
        fresh.unknown_names = std::move(unknown_names);
        return fresh;
    }();
    for (std::size_t i = 0; i < organisations.size(); ++i) {
        for (const std::string& domain : organisations[i].own_domains) own_.insert(domain);
        for (std::size_t j = 0; j < organisations[i].staff.size(); ++j) {
            const StaffMember& person = organisations[i].staff[j];
            if (!person.email.empty()) staff_email_.try_emplace(person.email, i, j);
            if (std::string key = name_key(person.name); !key.empty())
                staff_name_.try_emplace(std::move(key), i, j);
        }
    }
    for (std::size_t i = 0; i < suppliers.size(); ++i) {
        for (const std::string& domain : suppliers[i].domains)
            supplier_domain_.try_emplace(domain, i);
        for (const std::string& iban : suppliers[i].ibans) supplier_iban_.try_emplace(iban, i);
    }
    for (std::size_t i = 0; i < known_services.size(); ++i)
        for (const std::string& domain : known_services[i].domains)
            service_domain_.try_emplace(domain, i);
    for (const std::string& domain : freemail_like_domains) freemail_.insert(lower(domain));
    std::vector<std::pair<std::string, std::uint32_t>> names;
    for (std::size_t i = 0; i < suppliers.size(); ++i)
        if (std::string key = supplier_key(suppliers[i].name); key.size() >= kSupplierNameMin)
            names.emplace_back(std::move(key), static_cast<std::uint32_t>(i));
    supplier_names_ = PhraseSet(names);
    for (std::size_t i = 0; i < known_correspondents.size(); ++i) {
        const std::string& address = known_correspondents[i].address;
        correspondent_.try_emplace(address, i);
        const std::string domain = registrable_domain(domain_of(address));
        if (!domain.empty() && !is_freemail(domain)) correspondent_domain_.insert(domain);
        if (std::string key = name_key(known_correspondents[i].name); !key.empty())
            correspondent_name_.try_emplace(std::move(key), i);
    }
    index_look_alikes();
}

void History::index_look_alikes() {
    for (const std::string& domain : own_) look_alikes_.add(registrable_domain(domain), "own");
    for (const Supplier& supplier : suppliers)
        for (const std::string& domain : supplier.domains)
            look_alikes_.add(registrable_domain(domain), supplier.name);
    for (const KnownService& service : known_services)
        for (const std::string& domain : service.domains)
            look_alikes_.add(registrable_domain(domain), service.name);
    for (const std::string& domain : correspondent_domain_) look_alikes_.add(domain, domain);
}

/// Looks a host up under every name above it: "mail.clinique.example", then "clinique.example".
template <typename Found>
static bool any_parent(std::string_view domain, Found&& found) {
    while (!domain.empty()) {
        if (found(std::string(domain))) return true;
        const std::size_t dot = domain.find('.');
        if (dot == std::string_view::npos) return false;
        domain.remove_prefix(dot + 1);
    }
    return false;
}

bool History::is_own_domain(std::string_view domain) const {
    return any_parent(domain, [&](const std::string& name) { return own_.contains(name); });
}

const Supplier* History::supplier_of_domain(std::string_view domain) const {
    const Supplier* found = nullptr;
    any_parent(domain, [&](const std::string& name) {
        if (const std::size_t* i = find_in(supplier_domain_, name)) found = &suppliers[*i];
        return found != nullptr;
    });
    return found;
}

const KnownService* History::service_of_domain(std::string_view domain) const {
    const KnownService* found = nullptr;
    any_parent(domain, [&](const std::string& name) {
        if (const std::size_t* i = find_in(service_domain_, name)) found = &known_services[*i];
        return found != nullptr;
    });
    return found;
}

bool History::is_known_domain(std::string_view domain) const {
    return is_own_domain(domain) || supplier_of_domain(domain) != nullptr ||
           service_of_domain(domain) != nullptr || any_parent(domain, [&](const std::string& name) {
               return correspondent_domain_.contains(name);
           });
}

const Supplier* History::supplier_of_iban(std::string_view iban) const {
    const std::size_t* i = find_in(supplier_iban_, std::string(iban));
    return i ? &suppliers[*i] : nullptr;
}

const Correspondent* History::correspondent(std::string_view address) const {
    const std::size_t* i = find_in(correspondent_, std::string(address));
    return i ? &known_correspondents[*i] : nullptr;
}

const Correspondent* History::correspondent_by_name(std::string_view name) const {
    if (correspondent_name_.empty()) return nullptr;
    const std::size_t* i = find_in(correspondent_name_, name_key(name));
    return i ? &known_correspondents[*i] : nullptr;
}

const Organisation* History::organisation_of(std::string_view address) const {
    const std::string_view domain = domain_of(address);
    for (const Organisation& one : organisations)
        if (any_parent(domain, [&](const std::string& name) {
                return std::ranges::find(one.own_domains, name) != one.own_domains.end();
            }))
            return &one;
    return nullptr;
}

History::Named History::supplier_named(std::string_view text) const {
    const std::vector<PhraseSet::Hit> hits = supplier_names_.find(text);
    if (hits.empty()) return {};
    return {&suppliers[hits.front().id], hits.front().at, hits.front().size};
}

const StaffMember* History::staff_by_email(std::string_view address) const {
    const auto* at = find_in(staff_email_, std::string(address));
    return at ? &organisations[at->first].staff[at->second] : nullptr;
}

const StaffMember* History::staff_by_name(std::string_view name) const {
    if (staff_name_.empty()) return nullptr;
    const auto* at = find_in(staff_name_, name_key(name));
    return at ? &organisations[at->first].staff[at->second] : nullptr;
}

bool History::is_freemail(std::string_view domain) const {
    return std::ranges::binary_search(kFreemail, domain) || freemail_.contains(std::string(domain));
}

Result<History> parse_history(std::string_view text) {
    if (text.size() > kHistoryBytesMax) return refused();
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return refused();
    bool ok = true;
    History out;
    Reader read(ok, out.unknown_names);
    read.knows(json, "",
               {"as_of", "organisations", "suppliers", "known_services", "known_correspondents",
                "freemail_like_domains", "sent_or_received_message_ids"});
    out.as_of = read.text(json, "as_of");
    read_people(read, json, out);
    read_partners(read, json, out);
    out.freemail_like_domains = read.domains(json, "freemail_like_domains");
    for (const std::string& id : read.texts(json, "sent_or_received_message_ids"))
        out.message_ids.emplace(bare_address(id));
    if (!ok) return refused();
    out.index();
    return out;
}

History merge(std::vector<History> parts) {
    History all;
    const auto join = [](auto& to, auto& from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()),
                  std::make_move_iterator(from.end()));
    };
    for (History& part : parts) {
        all.as_of = std::max(all.as_of, part.as_of);
        join(all.organisations, part.organisations);
        join(all.suppliers, part.suppliers);
        join(all.known_services, part.known_services);
        join(all.known_correspondents, part.known_correspondents);
        join(all.freemail_like_domains, part.freemail_like_domains);
        all.message_ids.merge(part.message_ids);
        all.unknown_names.merge(part.unknown_names);
    }
    all.index();
    return all;
}

}  // namespace hygie::mail
