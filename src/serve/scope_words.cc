#include "serve/scope_words.h"

#include <algorithm>
#include <array>
#include <string>

#include "access/decide/circle.h"
#include "access/decide/scope.h"

namespace hygie::serve {
namespace {

using access::Reach;
using access::Scope;

const Text& words_of(access::DataClass data) {
    static const std::array<Text, access::kDataClasses> kWords = {
        Text{"identité et coordonnées", "identity and contact details"},
        {"rendez-vous et séjours", "appointments and stays"},
        {"couverture et factures", "coverage and bills"},
        {"maladies, allergies, antécédents", "problems, allergies, history"},
        {"documents, lettres, comptes rendus", "documents, letters, reports"},
        {"médicaments", "medication"},
        {"vaccins", "immunizations"},
        {"analyses", "laboratory"},
        {"imagerie", "imaging"},
        {"mesures et résultats", "measurements and results"},
        {"actes", "procedures"},
        {"plans de soins et équipes", "care plans and teams"},
        {"demandes et messages entre soignants", "requests and messages between carers"},
        {"consentements et oppositions", "consents and oppositions"},
        {"qui a ouvert le dossier", "who opened the record"},
        {"annuaire", "directory"}};
    return kWords[static_cast<std::size_t>(data)];
}

struct Plain {
    std::string_view word;
    Text text;
};
const Text* words_of_plain(std::string_view text) {
    static const std::array kPlain = {
        Plain{"openid", {"savoir qui vous êtes", "know who you are"}},
        Plain{"profile", {"connaître votre nom", "know your name"}},
        Plain{"fhirUser",
              {"savoir qui vous êtes dans l'annuaire", "know who you are in the directory"}},
        Plain{"launch/patient",
              {"savoir de quel dossier il s'agit", "know whose record it is about"}},
        Plain{"online_access",
              {"rester connecté sans redemander votre mot de passe, une journée de travail au plus",
               "stay signed in without asking for your password again, a working day at most"}},
        Plain{
            "offline_access",
            {"rester connecté même sans vous : 90 jours au plus pour un patient, une journée de "
             "travail pour un professionnel",
             "stay signed in even without you: 90 days at most for a patient, a working day for a "
             "professional"}}};
    const auto found = std::ranges::find(kPlain, text, &Plain::word);
    return found == kPlain.end() ? nullptr : &found->text;
}

void add_word(std::string& text, std::string_view word) {
    if (!text.empty()) text += ", ";
    text += word;
}

Text verbs_of(const Scope& scope) {
    struct Verb {
        unsigned letters;
        std::string_view fr, en;
    };
    static constexpr std::array kVerbs = {Verb{access::kRead | access::kSearch, "lire", "read"},
                                          Verb{access::kCreate, "ajouter", "add"},
                                          Verb{access::kUpdate, "modifier", "change"},
                                          Verb{access::kDelete, "supprimer", "delete"}};
    Text verbs;
    for (const Verb& verb : kVerbs) {
        if ((scope.letters & verb.letters) == 0) continue;
        add_word(verbs.fr, verb.fr);
        add_word(verbs.en, verb.en);
    }
    return verbs;
}

Text whose(Reach reach) {
    switch (reach) {
        case Reach::Patient:
            return {"de votre dossier", "of your record"};
        case Reach::User:
            return {"de ce que vous pouvez voir vous-même", "of what you may see yourself"};
        case Reach::System:
            break;
    }
    return {"de ce que le logiciel peut voir", "of what the program may see"};
}

Text data_of(const Scope& scope) {
    if (scope.type == "*") return {"tout", "everything"};
    const Text& data = words_of(access::class_of(scope.type));
    const std::string type = " (" + scope.type + ")";
    return {data.fr + type, data.en + type};
}

}  // namespace

Text words_of_scope(std::string_view text) {
    if (const Text* plain = words_of_plain(text)) return *plain;
    const auto scope = access::parse_scope(text);
    if (!scope) return {std::string(text), std::string(text)};
    const Text verbs = verbs_of(*scope), data = data_of(*scope), owner = whose(scope->reach);
    Text words{verbs.fr + " : " + data.fr + ", " + owner.fr,
               verbs.en + ": " + data.en + ", " + owner.en};
    if (scope->query.empty()) return words;
    words.fr += ", et seulement " + scope->query;
    words.en += ", and only " + scope->query;
    return words;
}

}  // namespace hygie::serve
