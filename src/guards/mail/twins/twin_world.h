#pragma once

#include <string>
#include <vector>

#include "guards/mail/twins/twin_grammar.h"

/// The organisation that the twins write to: invented people, suppliers and habits, and the
/// memory (history) that it would have of them.
namespace hygie::mail {

struct TwinPerson {
    std::string first;
    std::string last{};
    std::string email{};
    std::string role{};
    /// A house that writes has no last name.
    std::string name() const { return last.empty() ? first : first + " " + last; }
};

struct TwinSupplier {
    std::string name;
    std::string domain;
    std::string iban;
    std::string confirmed_iban;  ///< another of its accounts, that the house made sure of
    std::string phone;
    TwinPerson contact;
    std::vector<std::string> message_ids;  ///< of real threads with it
};

/// A brand as it really writes.
struct TwinBrand {
    std::string id;
    std::string name;
    std::string domain;  ///< where its mail comes from
    std::vector<std::string> mailboxes;
    std::vector<std::string> sites;  ///< where its links lead; the domain when nothing else is said
    const std::string& site() const { return sites.front(); }
};

struct TwinWorld {
    std::string name;
    std::string domain;
    std::string own_dmarc;
    std::vector<TwinPerson> staff;  ///< the first is the director
    std::vector<TwinSupplier> suppliers;
    std::vector<TwinPerson> correspondents;
    std::vector<TwinBrand> services;  ///< brands the organisation uses

    /// The JSON that `--history` reads.
    std::string history_json() const;
};

/// The words and brands that came with the program, parsed once.
struct TwinLibrary {
    TwinGrammar grammar;
    std::vector<TwinBrand> brands;
    const TwinBrand* brand(std::string_view id) const;
};
Result<TwinLibrary> twin_library();

/// The same seed makes the same world.
TwinWorld make_world(const TwinLibrary& library, std::uint64_t seed);

/// "Élodie Le Goff" → "elodie.legoff"
std::string twin_slug(std::string_view name, std::string_view between);
/// A valid IBAN of that country ("FR", "DE", "ES", "PT", "GB", "LT", …), ISO 13616 check digits.
std::string make_iban(std::string_view country, Dice& dice);
/// A domain that nobody in the world owns.
std::string stranger_domain(Dice& dice);
std::string twin_digits(Dice& dice, std::size_t count);
/// A draw among names of the grammar's `symbol`.
std::string twin_word(const TwinLibrary& library, std::string_view symbol, std::string_view lang,
                      Dice& dice);

}  // namespace hygie::mail
