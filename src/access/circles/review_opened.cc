#include "access/circles/review_opened.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "access/circles/worklist.h"
#include "base/escape.h"
#include "fhir/data/zone.h"

namespace hygie::access {
namespace {

using event::Event;
using event::Type;

bool is_about_record(Type type) {
    const auto number = static_cast<unsigned>(type);
    return number >= 32 && number < 64;
}

Text verb_of(const Event& event) {
    const auto finding = event.detail.find("finding");
    const auto about = event.detail.find("about");
    const bool is_review = event.type == Type::ConsentDecided && finding != event.detail.end();
    if (is_review && about != event.detail.end() && about->second == "unexplained")
        return finding->second == "justified"
                   ? Text{"a relu un accès à votre dossier que rien n'expliquait, et l'a trouvé "
                          "justifié",
                          "reviewed an access to your record that nothing explained, and found it "
                          "justified"}
                   : Text{"a relu un accès à votre dossier que rien n'expliquait, et l'a trouvé "
                          "injustifié",
                          "reviewed an access to your record that nothing explained, and found it "
                          "unjustified"};
    if (is_review)
        return finding->second == "justified"
                   ? Text{"a relu un accès d'urgence à votre dossier et l'a trouvé justifié",
                          "reviewed an emergency access to your record and found it justified"}
                   : Text{"a relu un accès d'urgence à votre dossier et l'a trouvé injustifié",
                          "reviewed an emergency access to your record and found it unjustified"};
    switch (event.type) {
        case Type::RecordRead:
            return {"a lu votre dossier", "read your record"};
        case Type::RecordSearched:
            return {"a trouvé votre dossier par une recherche", "found your record by a search"};
        case Type::RecordCreated:
            return {"a ajouté quelque chose à votre dossier", "added something to your record"};
        case Type::RecordUpdated:
            return {"a modifié votre dossier", "changed your record"};
        case Type::RecordDeleted:
            return {"a supprimé quelque chose de votre dossier",
                    "removed something from your record"};
        case Type::RecordExported:
            return {"a copié votre dossier", "copied your record"};
        case Type::AccessRefused:
            return {"a voulu ouvrir votre dossier, et n'a pas pu",
                    "tried to open your record, and could not"};
        case Type::BreakGlass:
            return {"a ouvert votre dossier en urgence", "opened your record in an emergency"};
        default:
            return {"a consulté une décision sur votre dossier",
                    "looked at a decision about your record"};
    }
}

/// The reason that the decision noted, in words for the person concerned.
Text reason_of(const Event& event) {
    struct Row {
        std::string_view id;
        std::string_view fr;
        std::string_view en;
    };
    static constexpr Row kRows[] = {
        {"circle.care_team", "membre de votre équipe de soins", "a member of your care team"},
        {"circle.encounter", "lors de votre venue", "during your visit"},
        {"circle.appointment", "pour votre rendez-vous", "for your appointment"},
        {"circle.general_practitioner", "votre médecin traitant", "your general practitioner"},
        {"circle.episode", "pour votre suivi", "for your follow-up"},
        {"circle.presence", "du service où vous étiez", "of the unit where you were"},
        {"circle.teleconsultation", "lors de votre téléconsultation",
         "during your teleconsultation"},
        {"circle.referral", "à la demande d'un soignant", "at the request of a professional"},
        {"circle.prescription", "pour votre ordonnance", "for your prescription"},
        {"circle.dispense", "pour vous remettre un traitement", "to give you a treatment"},
        {"circle.act", "pour un examen ou un acte", "for an examination or a procedure"},
        {"circle.consent", "avec votre accord", "with your consent"},
        {"circle.desk", "pour votre accueil ou vos papiers", "for your reception or your papers"},
        {"circle.billing", "pour vos papiers", "for your papers"},
        {"circle.self", "vous-même", "yourself"},
        {"circle.proxy", "votre représentant", "your representative"},
        {"circle.purpose", "pour une étude ou le codage, sans ce qui vous identifie",
         "for a study or the coding of stays, without what identifies you"},
        {"circle.opened_record", "qui a créé votre dossier ici", "who created your record here"},
    };
    const auto why = event.detail.find("why");
    if (why == event.detail.end()) return {};
    for (const Row& row : kRows)
        if (row.id == why->second) return {std::string(row.fr), std::string(row.en)};
    return {};
}

/// "Organization/…" of one whose name is not known: nothing that a person understands.
bool is_reference(std::string_view organisation) {
    return organisation.starts_with("Organization/");
}

/// As the people of the practice count days.
std::chrono::sys_days day_of(WallTime time) {
    return std::chrono::floor<std::chrono::days>(fhir::zone_in_force()->on_the_wall(time));
}

/// "28 novembre 2026"
std::string day_in_words(WallTime time, Lang lang) {
    static const std::array<Text, 12> kMonths = {{{"janvier", "January"},
                                                  {"février", "February"},
                                                  {"mars", "March"},
                                                  {"avril", "April"},
                                                  {"mai", "May"},
                                                  {"juin", "June"},
                                                  {"juillet", "July"},
                                                  {"août", "August"},
                                                  {"septembre", "September"},
                                                  {"octobre", "October"},
                                                  {"novembre", "November"},
                                                  {"décembre", "December"}}};
    const std::chrono::year_month_day day = day_of(time);
    const unsigned number = static_cast<unsigned>(day.day());
    const bool is_first = lang == Lang::Fr && number == 1;
    return fmt::format("{}{} {} {}", number, is_first ? "er" : "",
                       kMonths[static_cast<unsigned>(day.month()) - 1].in(lang),
                       static_cast<int>(day.year()));
}

Text sentence_of(const Opening& opening, const ActorWords& words, const Event& event,
                 const Text& reason) {
    const auto say = [&](Lang lang) {
        std::string text = opening.who;
        const std::string& profession = words.profession.in(lang);
        if (!profession.empty()) text += ", " + profession + ",";
        text += ' ' + verb_of(event).in(lang);
        if (!opening.organisation.empty() && !is_reference(opening.organisation))
            text += fmt::format(" ({})", opening.organisation);
        if (opening.times > 1)
            text += lang == Lang::Fr ? fmt::format(", {} fois ce jour-là", opening.times)
                                     : fmt::format(", {} times that day", opening.times);
        if (!reason.in(lang).empty()) text += (lang == Lang::Fr ? " : " : ": ") + reason.in(lang);
        if (opening.break_glass)
            text += lang == Lang::Fr
                        ? ". Cet accès d'urgence est relu par le responsable de la sécurité"
                        : ". The security officer reviews this emergency access";
        return text + '.';
    };
    return {say(Lang::Fr), say(Lang::En)};
}

}  // namespace

std::string minute_here(WallTime time) {
    std::string text = to_rfc3339(fhir::zone_in_force()->on_the_wall(time)).substr(0, 16);
    text[10] = ' ';
    return text;
}

std::vector<Opening> openings_of(std::span<const Event> events, const WhoIs& who_is) {
    using Key = std::tuple<std::chrono::sys_days, std::string, Type, std::string>;
    struct Group {
        Opening opening;
        const Event* event;
    };
    std::map<Key, Group> groups;
    for (const Event& event : events) {
        // A finding is about an access that has its own line.
        if (!is_about_record(event.type) || is_finding(event)) continue;
        auto why = event.detail.find("why");
        if (why == event.detail.end()) why = event.detail.find("finding");
        const Key key{day_of(event.time), event.actor.id.str(), event.type,
                      why == event.detail.end() ? "" : why->second};
        const auto [place, is_new] = groups.try_emplace(key, Group{{}, &event});
        Opening& opening = place->second.opening;
        opening.first = is_new ? event.time : std::min(opening.first, event.time);
        opening.last = is_new ? event.time : std::max(opening.last, event.time);
        ++opening.times;
        opening.break_glass =
            opening.break_glass || event.break_glass || event.type == Type::BreakGlass;
        opening.refused = event.type == Type::AccessRefused;
        opening.events.push_back(event.id);
    }
    std::vector<Opening> openings;
    for (auto& [key, group] : groups) {
        const ActorWords words = who_is(group.event->actor);
        Opening& opening = group.opening;
        opening.who = words.name.empty() ? group.event->actor.id.str() : words.name;
        opening.profession = words.profession.fr;
        opening.organisation =
            words.organisation.empty() ? group.event->actor.organisation : words.organisation;
        opening.sentence = sentence_of(opening, words, *group.event, reason_of(*group.event));
        openings.push_back(std::move(opening));
    }
    std::ranges::stable_sort(openings, std::ranges::greater(), &Opening::last);
    return openings;
}

std::string openings_json(std::span<const Opening> openings) {
    nlohmann::json lines = nlohmann::json::array();
    for (const Opening& one : openings)
        lines.push_back({{"first", to_rfc3339(one.first)},
                         {"last", to_rfc3339(one.last)},
                         {"who", one.who},
                         {"profession", one.profession},
                         {"organisation", one.organisation},
                         {"times", one.times},
                         {"break_glass", one.break_glass},
                         {"refused", one.refused},
                         {"fr", one.sentence.fr},
                         {"en", one.sentence.en},
                         {"events", one.events}});
    const nlohmann::json answer = {{"openings", lines}, {"total", openings.size()}};
    return answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string openings_sheet(std::span<const Opening> openings, std::string_view patient_name,
                           WallTime now, Lang lang) {
    const Text title{"Qui a ouvert mon dossier ?", "Who opened my record?"};
    const Text made{"Feuille établie le ", "Sheet made on "};
    const Text none{"Personne n'a ouvert ce dossier.", "Nobody opened this record."};
    const Text rights{
        "Un accès vous étonne ? Demandez au responsable de la protection des données : chaque "
        "ligne "
        "peut être prouvée.",
        "Does an access surprise you? Ask the data-protection officer: every line can be proved."};
    std::string html = fmt::format(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n"
        "<style>body{{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}}"
        "li{{margin:.5rem 0;break-inside:avoid}}time{{font-weight:bold}}</style>\n"
        "<h1>{}</h1>\n<p>{}</p>\n<p>{}{}</p>\n",
        lang == Lang::Fr ? "fr" : "en", title.in(lang), title.in(lang), html_escaped(patient_name),
        made.in(lang), day_in_words(now, lang));
    if (openings.empty())
        html += fmt::format("<p>{}</p>\n", none.in(lang));
    else
        html += "<ol>\n";
    for (const Opening& one : openings)
        html += fmt::format("<li><time datetime=\"{}\">{}</time> {}</li>\n", to_rfc3339(one.last),
                            day_in_words(one.last, lang), html_escaped(one.sentence.in(lang)));
    if (!openings.empty()) html += "</ol>\n";
    return html + fmt::format("<p>{}</p>\n</html>\n", rights.in(lang));
}

}  // namespace hygie::access
