#include "access/accounts/account.h"

#include <algorithm>
#include <array>

#include "access/accounts/jwt.h"
#include "access/decide/scope.h"
#include "base/text.h"

namespace hygie::access {
namespace {

constexpr std::size_t kLoginCharsMin = 3, kLoginCharsMax = 64;
constexpr std::size_t kTextBytesMax = 200;
constexpr std::size_t kListMax = 64;
constexpr auto kRoles = std::to_array<Role>(
    {Role::Care, Role::Desk, Role::Security, Role::Operations, Role::Patient, Role::Program});
/// Words that name a post, a place or a function: an account made of nothing else is everybody's.
constexpr auto kGeneric = std::to_array<std::string_view>({"accueil",
                                                           "admin",
                                                           "administrateur",
                                                           "administratif",
                                                           "administrator",
                                                           "agent",
                                                           "aide",
                                                           "anonyme",
                                                           "bloc",
                                                           "bureau",
                                                           "cabinet",
                                                           "centre",
                                                           "clinique",
                                                           "compte",
                                                           "consultation",
                                                           "default",
                                                           "demo",
                                                           "docteur",
                                                           "dr",
                                                           "equipe",
                                                           "essai",
                                                           "etudiant",
                                                           "externe",
                                                           "garde",
                                                           "generic",
                                                           "generique",
                                                           "guest",
                                                           "hopital",
                                                           "hospital",
                                                           "hygie",
                                                           "ide",
                                                           "infirmier",
                                                           "infirmiere",
                                                           "infirmieres",
                                                           "informatique",
                                                           "interimaire",
                                                           "interne",
                                                           "invite",
                                                           "kine",
                                                           "labo",
                                                           "laboratoire",
                                                           "lit",
                                                           "medecin",
                                                           "medecins",
                                                           "medical",
                                                           "medicale",
                                                           "nuit",
                                                           "nurse",
                                                           "office",
                                                           "operator",
                                                           "partage",
                                                           "patient",
                                                           "personnel",
                                                           "pharmacie",
                                                           "pharmacien",
                                                           "poste",
                                                           "pro",
                                                           "radio",
                                                           "reception",
                                                           "remplacant",
                                                           "remplacante",
                                                           "root",
                                                           "salle",
                                                           "secretaire",
                                                           "secretariat",
                                                           "secretary",
                                                           "service",
                                                           "session",
                                                           "shared",
                                                           "soignant",
                                                           "soignants",
                                                           "staff",
                                                           "stage",
                                                           "stagiaire",
                                                           "standard",
                                                           "support",
                                                           "temp",
                                                           "temporaire",
                                                           "test",
                                                           "tests",
                                                           "urgence",
                                                           "urgences",
                                                           "user",
                                                           "utilisateur",
                                                           "vacataire",
                                                           "visiteur"});

std::unexpected<Error> bad(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

bool is_login(std::string_view text) {
    return text.size() >= kLoginCharsMin && text.size() <= kLoginCharsMax &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                      c == '_' || c == '@';
           });
}

bool is_line(std::string_view text) {
    return text.size() <= kTextBytesMax && is_utf8(text) &&
           std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

/// Latin letters of two bytes without their accent (U+00C0–U+00FF), so that "Secrétariat" is the
/// word that "secretariat" is.
std::string without_accents(std::string_view text) {
    constexpr std::string_view kPlain = "aaaaaaaceeeeiiiidnooooo_ouuuuyts";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool accented = text[i] == '\xc3' && i + 1 < text.size();
        out += accented ? kPlain[static_cast<unsigned char>(text[++i]) & 31U] : text[i];
    }
    return out;
}

/// Words of letters alone; digits and signs separate them.
std::vector<std::string> letter_words(std::string_view given) {
    std::vector<std::string> words(1);
    for (char c : without_accents(given)) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const bool letter = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
        if (letter) {
            words.back() += c;
        } else if (!words.back().empty()) {
            words.emplace_back();
        }
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

bool is_generic(std::string_view text) {
    const std::vector<std::string> words = letter_words(text);
    return !words.empty() && std::ranges::all_of(words, [](const std::string& word) {
        return std::ranges::find(kGeneric, word) != kGeneric.end();
    });
}

bool is_reference(std::string_view text, std::string_view type) {
    return text.starts_with(type) && text.size() > type.size() + 1 && text[type.size()] == '/' &&
           is_line(text) && text.find('/', type.size() + 1) == std::string_view::npos;
}

/// An exact address to send people back to: encrypted, of this machine, or of an installed program
/// (RFC 8252 §7).
bool is_redirect(std::string_view text) {
    if (!is_line(text) || text.find_first_of("#\\ \"<>") != std::string_view::npos) return false;
    if (text.starts_with("https://")) return text.size() > 8 && text[8] != '/';
    if (text.starts_with("http://127.0.0.1:") || text.starts_with("http://[::1]:")) return true;
    const std::size_t colon = text.find(":/");
    return colon != std::string_view::npos && text.substr(0, colon).contains('.');
}

Status check_person(const Account& account) {
    if (is_generic(account.login.str()) || is_generic(account.name) ||
        letter_words(account.name).size() < 2)
        return bad({"compte générique refusé : une trace qui nomme tout le monde ne nomme personne",
                    "generic account refused: a trace that names everybody names nobody"},
                   {"un compte par personne, avec son prénom et son nom",
                    "one account for each person, with given and family name"});
    const bool known = account.role == Role::Patient
                           ? is_reference(account.person, "Patient") ||
                                 is_reference(account.person, "RelatedPerson")
                       : account.role == Role::Care
                           ? is_reference(account.person, "Practitioner")
                           : account.person.empty() || is_reference(account.person, "Practitioner");
    if (!known)
        return bad({"il manque la ressource FHIR de la personne",
                    "the FHIR resource of the person is missing"},
                   {"donnez Practitioner/… pour un professionnel, Patient/… pour un patient, "
                    "RelatedPerson/… pour son représentant",
                    "give Practitioner/… for a professional, Patient/… for a patient, "
                    "RelatedPerson/… for who represents one"});
    if (!account.redirects.empty() || !account.jwks.empty() || !account.scopes.empty())
        return bad({"une personne n'a ni clés, ni portées, ni adresses de retour",
                    "a person has no keys, scopes or return addresses"},
                   {"donnez-les au compte du programme", "give them to the program's account"});
    return {};
}

Status check_program(const Account& account) {
    if (is_generic(account.login.str()))
        return bad({"compte générique refusé : un programme porte son nom",
                    "generic account refused: a program bears its own name"},
                   {"nommez ce que c'est, par exemple « logiciel-cabinet »",
                    "name what it is, for example 'logiciel-cabinet'"});
    if (!account.person.empty() || !account.password.empty() || account.has_second_factor())
        return bad({"un programme ne se connecte ni comme une personne, ni par mot de passe",
                    "a program signs in neither as a person nor by password"},
                   {"donnez-lui des clés publiques (JWKS) ou des adresses de retour",
                    "give it public keys (JWKS) or return addresses"});
    if (!std::ranges::all_of(account.redirects, is_redirect))
        return bad({"adresse de retour incorrecte", "bad return address"},
                   {"donnez une adresse https:// exacte, sans fragment",
                    "give an exact https:// address without fragment"});
    for (const std::string& scope : account.scopes)
        if (!is_plain_scope(scope)) TRY_STATUS(check_grantable(TRY(parse_scope(scope))));
    if (!account.jwks.empty()) TRY_STATUS(parse_jwks(account.jwks));
    return {};
}

}  // namespace

Result<Role> role_named(std::string_view name) {
    const auto found =
        std::ranges::find_if(kRoles, [&](Role role) { return name_of(role) == name; });
    if (found == kRoles.end())
        return bad({"rôle inconnu", "unknown role"},
                   {"donnez care, desk, security, operations, patient ou program",
                    "give care, desk, security, operations, patient or program"});
    return *found;
}

Status check_form(const Account& account) {
    if (!is_login(account.login.str()))
        return bad({"identifiant incorrect", "bad login"},
                   {"de 3 à 64 lettres minuscules, chiffres et . - _ @",
                    "3 to 64 lower-case letters, digits and . - _ @"});
    const bool texts = is_line(account.name) && is_line(account.person) &&
                       is_line(account.profession) && is_line(account.organisation) &&
                       is_line(account.sponsor.str()) && !account.name.empty();
    const bool lists =
        account.scopes.size() <= kListMax && account.redirects.size() <= kListMax &&
        account.recovery.size() <= kListMax && account.identities.size() <= kListMax &&
        account.passkeys.size() <= kPasskeysMax && std::ranges::all_of(account.identities, is_line);
    if (!texts || !lists)
        return bad({"un champ du compte est vide, trop long ou illisible",
                    "a field of the account is empty, too long or unreadable"},
                   {"200 octets au plus, sans caractère de contrôle",
                    "at most 200 bytes, without control characters"});
    if (!account.organisation.empty() && !is_reference(account.organisation, "Organization"))
        return bad({"organisation incorrecte", "bad organisation"},
                   {"donnez Organization/…", "give Organization/…"});
    return account.role == Role::Program ? check_program(account) : check_person(account);
}

Status check_account(const Account& account, WallTime now) {
    TRY_STATUS(check_form(account));
    if (account.end <= now || account.end <= account.since || account.end > now + kAccountTimeMax)
        return bad(
            {"la date de fin du compte est passée ou trop lointaine",
             "the end of the account is past or too far"},
            {"donnez une date de fin dans l'année : quelqu'un répond alors à nouveau du compte",
             "give an end within a year: somebody then answers for the account again"});
    return {};
}

Actor actor_of(const Account& account, std::string auth, std::string session,
               std::vector<std::string> scopes) {
    return {account.login,      account.role,         account.profession,
            account.person,     account.organisation, std::move(auth),
            std::move(session), std::move(scopes),    {},
            account.grants};
}

}  // namespace hygie::access
