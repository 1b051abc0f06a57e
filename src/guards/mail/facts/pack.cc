#include "guards/mail/facts/pack.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "guards/mail/facts/evidence.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

#define HYGIE_MAIL_EMBED(name, file)                                \
    __asm__(                                                        \
        ".pushsection .rodata\n"                                    \
        ".hidden hygie_mail_" #name                                 \
        "\n"                                                        \
        ".hidden hygie_mail_" #name                                 \
        "_end\n"                                                    \
        ".global hygie_mail_" #name                                 \
        "\n"                                                        \
        ".global hygie_mail_" #name                                 \
        "_end\n"                                                    \
        "hygie_mail_" #name ": .incbin \"" HYGIE_MAIL_DATA "/" file \
        "\"\n"                                                      \
        "hygie_mail_" #name                                         \
        "_end: .byte 0\n"                                           \
        ".popsection\n");                                           \
    extern "C" const char hygie_mail_##name[];                      \
    extern "C" const char hygie_mail_##name##_end[];

HYGIE_MAIL_EMBED(brands, "brands.json")
HYGIE_MAIL_EMBED(lures, "lures.txt")

namespace hygie::mail {
namespace {

using Json = nlohmann::json;
using Phrases = std::vector<std::pair<std::string, std::uint32_t>>;

std::unexpected<Error> refused() {
    return fail(Code::BadInput,
                {"le paquet de données du courrier est illisible",
                 "the data pack of the mail guard cannot be read"},
                {"réinstallez-le, ou reprenez celui du programme",
                 "install it again, or go back to the one in the program"});
}

bool texts(const Json& object, const char* name, std::vector<std::string>& out) {
    const auto it = object.find(name);
    if (it == object.end()) return true;
    if (!it->is_array()) return false;
    for (const Json& one : *it) {
        if (!one.is_string()) return false;
        out.push_back(one.get<std::string>());
    }
    return true;
}

bool text(const Json& object, const char* name, std::string& out) {
    const auto it = object.find(name);
    if (it == object.end() || !it->is_string()) return false;
    out = it->get<std::string>();
    return true;
}

bool read_brand(const Json& item, Brand& out) {
    if (!item.is_object() || !text(item, "id", out.id) || !text(item, "name", out.name) ||
        !text(item, "category", out.category) || !texts(item, "names", out.names) ||
        !texts(item, "weak_names", out.weak_names) || !texts(item, "domains", out.domains))
        return false;
    text(item, "kin", out.kin);
    const auto flag = [&](const char* name) {
        const auto it = item.find(name);
        return it != item.end() && it->is_boolean() && it->get<bool>();
    };
    out.common_word = flag("common_word");
    out.carries = flag("carries");
    return true;
}

bool read_lures(std::string_view text, Phrases& out) {
    std::size_t group = kLures;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = trim(text.substr(at, end - at));
        at = end + 1;
        if (line.empty() || line.starts_with('#')) continue;
        if (line.starts_with('[')) {
            Lure lure{};
            if (!lure_named(line.substr(1, line.size() - 2), lure)) return false;
            group = static_cast<std::size_t>(lure);
            continue;
        }
        if (group == kLures) return false;
        out.emplace_back(line, static_cast<std::uint32_t>(group));
    }
    return true;
}

/// Looks a host up under every name above it.
template <typename Found>
bool any_parent(std::string_view host, Found&& found) {
    while (!host.empty()) {
        if (found(std::string(host))) return true;
        const std::size_t dot = host.find('.');
        if (dot == std::string_view::npos) return false;
        host.remove_prefix(dot + 1);
    }
    return false;
}

void index_brands(Pack& pack, const std::vector<std::string>& common, Phrases& phrases) {
    for (std::size_t i = 0; i < pack.brands.size(); ++i) {
        const Brand& brand = pack.brands[i];
        const auto number = static_cast<std::uint32_t>(i);
        pack.by_id.try_emplace(brand.id, number);
        for (const std::string& name : brand.names)
            phrases.emplace_back(name, Pack::kBrandIds + number);
        for (const std::string& name : brand.weak_names)
            phrases.emplace_back(name, Pack::kWeakIds + number);
        for (const std::string& domain : brand.domains) {
            pack.domain_brand.try_emplace(domain, number);
            const std::string registered = registrable_domain(domain);
            const bool is_word = brand.common_word ||
                                 std::ranges::find(common, main_label(registered)) != common.end();
            if (!is_word) pack.look_alikes.add(registered, brand.id);
        }
    }
}

}  // namespace

const Brand* Pack::brand_of_domain(std::string_view host) const {
    const Brand* found = nullptr;
    any_parent(host, [&](const std::string& name) {
        const auto it = domain_brand.find(name);
        if (it != domain_brand.end()) found = &brands[it->second];
        return found != nullptr;
    });
    return found;
}

const Brand* Pack::brand(std::string_view id) const {
    const auto it = by_id.find(std::string(id));
    return it == by_id.end() ? nullptr : &brands[it->second];
}

bool Pack::same_house(std::string_view id, std::string_view other) const {
    if (id == other) return true;
    const Brand* one = brand(id);
    const Brand* two = brand(other);
    return one && two && !one->kin.empty() && one->kin == two->kin;
}

bool Pack::writes_from(const Brand& brand, std::string_view host) const {
    const bool own = any_parent(host, [&](const std::string& name) {
        return std::ranges::find(brand.domains, name) != brand.domains.end();
    });
    const Brand* owner = brand_of_domain(host);
    return own || (owner && same_house(owner->id, brand.id));
}

std::string with_products_apart(std::string_view folded) {
    static constexpr auto kProducts = std::to_array<std::string_view>(
        {"account", "admin",   "alert",    "app",      "assistance", "bank",     "billing",
         "client",  "clients", "cloud",    "compte",   "connect",    "desk",     "france",
         "health",  "help",    "info",     "invoice",  "login",      "mail",     "mobile",
         "online",  "pass",    "pay",      "payment",  "portal",     "pro",      "safety",
         "sante",   "secure",  "security", "securite", "service",    "services", "shop",
         "sign",    "support", "team",     "verify",   "web",        "webmail"});
    constexpr std::size_t kNameLettersMin = 4;
    std::string out;
    for (std::size_t at = 0; at < folded.size();) {
        const std::size_t end = std::min(folded.find(' ', at), folded.size());
        const std::string_view word = folded.substr(at, end - at);
        std::size_t longest = 0;
        for (const std::string_view product : kProducts)
            if (word.ends_with(product) && word.size() >= product.size() + kNameLettersMin)
                longest = std::max(longest, product.size());
        out += word.substr(0, word.size() - longest);
        if (longest > 0) out += " " + std::string(word.substr(word.size() - longest));
        if (end < folded.size()) out += ' ';
        at = end + 1;
    }
    return out;
}

bool Pack::is_shortener(std::string_view host) const {
    return any_parent(host, [&](const std::string& name) { return shorteners.contains(name); });
}

bool Pack::is_free_host(std::string_view host) const {
    return any_parent(host, [&](const std::string& name) { return free_hosts.contains(name); });
}

bool Pack::is_cheap_zone(std::string_view registrable) const {
    const std::size_t dot = registrable.find('.');
    return dot != std::string_view::npos &&
           cheap_zones.contains(std::string(registrable.substr(dot + 1)));
}

bool Pack::is_tenant(std::string_view host) const {
    static constexpr auto kOwn = std::to_array<std::string_view>(
        {"accounts", "billing", "email", "mail", "news", "notification", "notifications", "support",
         "system", "updates", "www"});
    const std::size_t dot = host.find('.');
    return dot != std::string_view::npos &&
           std::ranges::find(kOwn, host.substr(0, dot)) == kOwn.end() &&
           any_parent(host.substr(dot + 1),
                      [&](const std::string& name) { return tenants.contains(name); });
}

bool Pack::is_trade_word(std::string_view word) const {
    return trade_words.contains(std::string(word));
}

bool Pack::names_authority(std::string_view folded_name) const {
    return std::ranges::any_of(authorities, [&](const std::string& one) {
        return contains(folded_name, " " + one + " ");
    });
}

Result<Pack> parse_pack(std::string_view brands_json, std::string_view lures) {
    const Json json = Json::parse(brands_json, nullptr, false);
    Pack pack;
    Phrases phrases;
    std::vector<std::string> shorteners;
    std::vector<std::string> free_hosts;
    std::vector<std::string> cheap_zones;
    std::vector<std::string> tenants;
    std::vector<std::string> trade_words;
    std::vector<std::string> common;
    if (!json.is_object() || !text(json, "version", pack.version) ||
        !texts(json, "shorteners", shorteners) || !texts(json, "free_hosts", free_hosts) ||
        !texts(json, "cheap_zones", cheap_zones) || !texts(json, "tenants", tenants) ||
        !texts(json, "trade_words", trade_words) || !texts(json, "authorities", pack.authorities) ||
        !texts(json, "common_labels", common) || !json.contains("brands") ||
        !json["brands"].is_array() || !read_lures(lures, phrases))
        return refused();
    for (const Json& item : json["brands"])
        if (!read_brand(item, pack.brands.emplace_back())) return refused();
    index_brands(pack, common, phrases);
    pack.shorteners.insert(shorteners.begin(), shorteners.end());
    pack.free_hosts.insert(free_hosts.begin(), free_hosts.end());
    pack.cheap_zones.insert(cheap_zones.begin(), cheap_zones.end());
    pack.tenants.insert(tenants.begin(), tenants.end());
    pack.trade_words.insert(trade_words.begin(), trade_words.end());
    pack.phrases = PhraseSet(phrases);
    return pack;
}

const Pack& built_in_pack() {
    static const Pack pack = [] {
        Result<Pack> read = parse_pack({hygie_mail_brands, hygie_mail_brands_end},
                                       {hygie_mail_lures, hygie_mail_lures_end});
        HYGIE_CHECK(read.has_value(), "the built-in data pack reads");
        return std::move(*read);
    }();
    return pack;
}

}  // namespace hygie::mail
