#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "guards/mail/message/lookalike.h"
#include "guards/mail/message/phrases.h"

namespace hygie::mail {

struct StaffMember {
    std::string name;
    std::string email;  ///< lower case
    std::string role;
};

struct Organisation {
    std::string id;
    std::string name;
    std::vector<std::string> own_domains;
    std::string own_dmarc;  ///< published policy: "none", "quarantine", "reject", or empty
    std::vector<StaffMember> staff;
};

struct Supplier {
    std::string name;
    std::vector<std::string> domains;
    std::vector<std::string> ibans;    ///< without blanks, upper case
    std::string since;                 ///< ISO date
    std::vector<std::string> clients;  ///< ids of organisations
};

struct KnownService {
    std::string name;
    std::vector<std::string> domains;
    std::string since;
};

struct Correspondent {
    std::string address;  ///< lower case
    std::string name;
    std::string organisation;
    std::string first_seen;
    std::string relation;
};

/// The organisation's own memory of its mail: who it is, whom it pays, who writes to it. Every
/// question is answered from indexes built once by `index()`; without any history all answers are
/// "unknown", never "strange".
struct History {
    std::string as_of;
    std::vector<Organisation> organisations;
    std::vector<Supplier> suppliers;
    std::vector<KnownService> known_services;
    std::vector<Correspondent> known_correspondents;
    std::vector<std::string> freemail_like_domains;
    std::unordered_set<std::string> message_ids;  ///< sent or received, without < >
    /// What the JSON says under names that mean nothing here ("suppliers.iban"): to be told.
    std::set<std::string> unknown_names;

    /// To be called after the lists changed.
    void index();

    /// Nothing is known at all: relations then say nothing.
    bool empty() const {
        return organisations.empty() && suppliers.empty() && known_services.empty() &&
               known_correspondents.empty();
    }
    bool is_own_domain(std::string_view domain) const;
    bool is_known_domain(std::string_view domain) const;  ///< own, supplier, service, correspondent
    const Supplier* supplier_of_domain(std::string_view domain) const;
    const Supplier* supplier_of_iban(std::string_view iban) const;
    const KnownService* service_of_domain(std::string_view domain) const;
    const Correspondent* correspondent(std::string_view address) const;
    const StaffMember* staff_by_email(std::string_view address) const;
    /// By folded name, words in any order: "Dr. Jean DUPONT" finds "Jean Dupont".
    const StaffMember* staff_by_name(std::string_view name) const;
    const Correspondent* correspondent_by_name(std::string_view name) const;
    bool is_freemail(std::string_view domain) const;
    /// The organisation that an address belongs to; null when none.
    const Organisation* organisation_of(std::string_view address) const;

    /// A supplier whose name folded text holds, and where.
    struct Named {
        const Supplier* supplier = nullptr;
        std::size_t at = 0;
        std::size_t size = 0;
    };
    Named supplier_named(std::string_view folded) const;
    /// Own, suppliers', services' and correspondents' domains, for look-alikes.
    const LookAlikeIndex& look_alikes() const { return look_alikes_; }

  private:
    void index_look_alikes();

    std::unordered_set<std::string> own_;
    std::unordered_set<std::string> freemail_;
    std::unordered_map<std::string, std::size_t> supplier_domain_;
    std::unordered_map<std::string, std::size_t> supplier_iban_;
    std::unordered_map<std::string, std::size_t> service_domain_;
    std::unordered_map<std::string, std::size_t> correspondent_;
    std::unordered_map<std::string, std::pair<std::size_t, std::size_t>> staff_email_;
    std::unordered_map<std::string, std::pair<std::size_t, std::size_t>> staff_name_;
    std::unordered_set<std::string> correspondent_domain_;
    std::unordered_map<std::string, std::size_t> correspondent_name_;
    LookAlikeIndex look_alikes_;
    PhraseSet supplier_names_;
};

/// Of unknown names, how many are remembered, and how much of each.
inline constexpr std::size_t kUnknownNamesMax = 8;
inline constexpr std::size_t kUnknownNameBytesMax = 64;

/// Reads the JSON of FORMAT.md (issue 5). Unknown names are remembered and mean nothing; a wrong
/// type is Code::BadInput.
Result<History> parse_history(std::string_view json);
/// Several documents as one memory: lists are joined in order. The result is indexed.
History merge(std::vector<History> parts);

}  // namespace hygie::mail
