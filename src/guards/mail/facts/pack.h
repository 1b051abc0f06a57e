#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "guards/mail/message/lookalike.h"
#include "guards/mail/message/phrases.h"

namespace hygie::mail {

/// A brand that attackers borrow, its words and the domains it really writes from.
struct Brand {
    std::string id;
    std::string name;
    std::string kin;       ///< brands of one house, which write for each other; empty for none
    std::string category;  ///< "health", "public", "bank", "payment", "delivery", "tech", …
    std::vector<std::string> names;
    std::vector<std::string> weak_names;  ///< also common words: count in a sender's name only
    std::vector<std::string> domains;
    /// Its mail carries what its customers write to strangers: invoices, notes, shared files.
    bool carries = false;
    bool common_word = false;  ///< its domains are common words: look-alikes prove nothing
};

/// The data pack: what the world looks like, versioned apart from the code.
struct Pack {
    std::string version;
    std::vector<Brand> brands;
    LookAlikeIndex look_alikes;  ///< of all brand domains; owner is the brand's id
    PhraseSet phrases;           ///< ids: lures, then strong brand names, then weak ones
    std::unordered_map<std::string, std::uint32_t> domain_brand;
    std::unordered_map<std::string, std::uint32_t> by_id;
    std::unordered_set<std::string> shorteners;
    std::unordered_set<std::string> free_hosts;
    std::unordered_set<std::string> cheap_zones;  ///< domains cost next to nothing there
    std::unordered_set<std::string> tenants;  ///< anybody may open a name below and write from it
    std::unordered_set<std::string> trade_words;  ///< in the names of many houses: they tell none
    std::vector<std::string> authorities;         ///< folded names by which authorities sign

    const Brand* brand_of_domain(std::string_view host) const;
    const Brand* brand(std::string_view id) const;
    /// The same brand, or two of one house.
    bool same_house(std::string_view id, std::string_view other) const;
    /// The host is of one of the brand's domains, or of those of its house.
    bool writes_from(const Brand& brand, std::string_view host) const;
    bool is_shortener(std::string_view host) const;
    bool is_free_host(std::string_view host) const;
    bool is_cheap_zone(std::string_view registrable) const;
    /// A name that a customer of a service opened below the service's own: "anyone.zendesk.com".
    bool is_tenant(std::string_view host) const;
    bool is_trade_word(std::string_view word) const;
    /// "Prefecture", "Finanzamt".
    bool names_authority(std::string_view folded_name) const;

    static constexpr std::uint32_t kBrandIds = 1'000;   ///< phrase id of the first brand
    static constexpr std::uint32_t kWeakIds = 100'000;  ///< … by a weak name
};

/// Folded words with what brands add to their names set apart: "amelipro" is read "ameli pro".
std::string with_products_apart(std::string_view folded);

/// Code::BadInput when the JSON or the list of lures is not as expected.
Result<Pack> parse_pack(std::string_view brands_json, std::string_view lures);
/// The pack that comes with the program, read once.
const Pack& built_in_pack();

}  // namespace hygie::mail
