#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "guards/files/judge/judge.h"

/// What is held against an actor, said to a person.
namespace hygie::files {
namespace {

struct Saying {
    std::string_view id;
    std::string_view fr;
    std::string_view en;
};

/// {} is the number of files.
Saying saying_of(Sign sign) {
    switch (sign) {
        case Sign::Scrambled:
            return {"files.scrambled",
                    "{} fichier(s) rendu(s) illisible(s) : le contenu d'avant a disparu",
                    "{} file(s) made unreadable: nothing of the earlier content is left"};
        case Sign::Damaged:
            return {"files.damaged",
                    "{} fichier(s) chiffré(s) ou abîmé(s) par endroits, sans que leur nom change",
                    "{} file(s) encrypted or broken in places, their names unchanged"};
        case Sign::Emptied:
            return {"files.emptied", "{} fichier(s) vidé(s), coupé(s) ou remplis de zéros",
                    "{} file(s) emptied, cut or filled with zeros"};
        case Sign::Rewritten:
            return {"files.rewritten", "{} fichier(s) entièrement remplacé(s) par autre chose",
                    "{} file(s) replaced as a whole by something else"};
        case Sign::Replaced:
            return {"files.replaced",
                    "{} original(aux) supprimé(s) au profit d'un fichier neuf et illisible",
                    "{} original(s) deleted while a new unreadable file took their place"};
        case Sign::Canary:
            return {"files.canary",
                    "{} fichier(s) témoin touché(s), que personne n'a de raison de modifier",
                    "{} canary file(s) touched, which nobody has a reason to change"};
        case Sign::Moved:
            return {"files.canary-moved", "des fichiers témoins supprimés ou déplacés",
                    "canary files deleted or moved"};
        case Sign::Notes:
            return {"files.notes", "le même petit texte déposé dans plusieurs dossiers",
                    "the same small text dropped into several folders"};
        case Sign::Extensions:
            return {"files.extensions", "de nombreux fichiers renommés avec une extension inconnue",
                    "many files renamed to an unknown extension"};
        case Sign::Breadth:
            return {"files.breadth", "bien plus de fichiers modifiés en une heure que d'habitude",
                    "far more files changed in an hour than ever before"};
    }
    return {};
}

}  // namespace

Conclusion Judge::explain(const std::string& key, const Party& party, Rung rung,
                          const Change& change) const {
    Conclusion conclusion{.rung = rung, .verdict = {}, .key = key, .targets = {}};
    std::map<Sign, std::size_t> counts;
    for (const Mark& mark : party.suspect.marks()) ++counts[mark.sign];
    for (const auto& [sign, count] : counts) {
        const Saying saying = saying_of(sign);
        conclusion.verdict.reasons.push_back({std::string(saying.id),
                                              {fmt::format(fmt::runtime(saying.fr), count),
                                               fmt::format(fmt::runtime(saying.en), count)},
                                              change.path});
    }
    const Sums sums = party.suspect.sums(change.steady, change.time);
    const std::uint32_t most = std::max(
        sums.ten_minutes, sums.month * policy_.freeze_points / policy_.freeze_points_month);
    conclusion.verdict.score_permille = static_cast<std::uint16_t>(
        std::min<std::uint32_t>(event::kScorePermilleMax, most * 1000 / policy_.freeze_points));
    conclusion.verdict.level =
        rung >= Rung::Freeze ? event::Level::Malicious : event::Level::Suspicious;
    if (rung >= Rung::Freeze) {
        conclusion.verdict.score_permille = event::kScorePermilleMax;
        conclusion.targets = party.suspect.actors(change.steady);
    }
    return conclusion;
}

}  // namespace hygie::files
