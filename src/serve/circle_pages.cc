#include "serve/circle_pages.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "serve/forms.h"
#include "serve/pages.h"

namespace hygie::serve {
namespace {

std::string day_and_hour(WallTime time) {
    return fmt::format("<time datetime=\"{}\">{}</time>", to_rfc3339(time),
                       access::minute_here(time));
}

std::string paragraph(const Text& text, std::string_view css = "") {
    return fmt::format("<p{}>{}</p>\n", css.empty() ? "" : fmt::format(" class=\"{}\"", css),
                       html_of(text));
}

std::string name_of(const event::Actor& actor, const access::WhoIs& who_is) {
    const std::string name = who_is(actor).name;
    return name.empty() ? actor.id.str() : name;
}

Text outcome_of(const access::Duty& duty) {
    if (!duty.review) return {"la relecture est en cours", "the review is under way"};
    return duty.review->conclusion == access::Conclusion::Justified
               ? Text{"relu et trouvé justifié", "reviewed and found justified"}
               : Text{"relu et trouvé injustifié", "reviewed and found unjustified"};
}

std::string notice(const access::Duty& duty, const access::WhoIs& who_is) {
    const std::string who = name_of(duty.actor, who_is);
    const Text outcome = outcome_of(duty);
    const std::string colleague = name_of_cosigner(duty, who_is);
    const bool alone = colleague.empty();
    return paragraph({fmt::format("{} a ouvert ce dossier en urgence le {}{} ; {}.", who,
                                  access::minute_here(duty.time).substr(0, 10),
                                  alone ? "" : ", avec la signature de " + colleague, outcome.fr),
                      fmt::format("{} opened this record in an emergency on {}{}; {}.", who,
                                  access::minute_here(duty.time).substr(0, 10),
                                  alone ? "" : ", with the signature of " + colleague, outcome.en)},
                     "notice");
}

std::string choice(const std::vector<std::string>& patients, const std::string& shown) {
    if (patients.size() < 2) return "";
    std::string out = "<p>" + html_of({"Dossiers", "Records"}) + ":";
    for (std::size_t i = 0; i < patients.size(); ++i)
        out += fmt::format(" <a href=\"/my?patient={}\"{}>{}</a>", percent_encoded(patients[i]),
                           patients[i] == shown ? " aria-current=\"page\"" : "", i + 1);
    return out + "</p>\n";
}

std::string review_form(const access::Duty& duty) {
    return fmt::format(
        "<form method=\"post\" action=\"/my/review\"><input type=\"hidden\" name=\"event\" "
        "value=\"{0}\"><label for=\"w{0}\">{1}</label><input id=\"w{0}\" name=\"words\" "
        "required minlength=\"10\">\n<button name=\"finding\" value=\"justified\">{2}</button>\n"
        "<button name=\"finding\" value=\"unjustified\">{3}</button></form>\n",
        html_escaped(duty.event), html_of({"Ce qui a été vérifié", "What was verified"}),
        html_of({"Justifié", "Justified"}), html_of({"Injustifié", "Unjustified"}));
}

std::string item(const access::Duty& duty, const access::WhoIs& who_is, WallTime now) {
    std::string out = "<li>" + day_and_hour(duty.time) + " " + html_of(title_of(duty.kind)) +
                      "<br>" + html_escaped(name_of(duty.actor, who_is));
    if (!duty.words.empty()) out += ": <q>" + html_escaped(duty.words) + "</q>";
    if (!duty.patient.empty())
        out += "<br>" + html_of({"dossier", "record"}) + " " + html_escaped(duty.patient.str());
    for (const Text& sign : duty.signs) out += "<br>" + html_of(sign);
    if (duty.is_late(now)) out += "<br><strong>" + html_of({"en retard", "late"}) + "</strong>";
    out += duty.review ? "<br>" + html_of(outcome_of(duty)) : review_form(duty);
    return out + "</li>\n";
}

}  // namespace

std::string name_of_cosigner(const access::Duty& duty, const access::WhoIs& who_is) {
    if (duty.cosigner.empty()) return "";
    return name_of(event::Actor{duty.cosigner, {}, {}, {}, {}}, who_is);
}

std::string sign_out_form() {
    return "<form method=\"post\" action=\"/my/out\"><button>" +
           html_of({"Se déconnecter", "Sign out"}) + "</button></form>\n";
}

Response openings_page(std::span<const access::Opening> openings,
                       std::span<const access::Duty> duties,
                       const std::vector<std::string>& patients, const std::string& shown,
                       const access::WhoIs& who_is) {
    std::string body = choice(patients, shown);
    for (const access::Duty& duty : duties)
        if (duty.kind == access::Duty::Kind::BreakGlass) body += notice(duty, who_is);
    if (openings.empty())
        body += paragraph({"Personne n'a ouvert ce dossier.", "Nobody opened this record."});
    else
        body += "<ol>\n";
    for (const access::Opening& one : openings)
        body += "<li>" + day_and_hour(one.last) + " " + html_of(one.sentence) + "</li>\n";
    if (!openings.empty()) body += "</ol>\n";
    body += paragraph(
        {"Un accès vous étonne ? Demandez au responsable de la protection des données : chaque "
         "ligne peut être prouvée.",
         "Does an access surprise you? Ask the data-protection officer: every line can be "
         "proved."});
    body += fmt::format("<p><a href=\"/my/sheet?patient={}\">{}</a></p>\n", percent_encoded(shown),
                        html_of({"Feuille à imprimer", "Sheet to print"}));
    return html_page(200, {"Qui a ouvert mon dossier ?", "Who opened my record?"},
                     body + sign_out_form(), "'self'");
}

Response work_list_page(std::span<const access::Duty> duties, const access::WhoIs& who_is,
                        WallTime now) {
    std::string body;
    if (duties.empty())
        body += paragraph({"Rien à relire.", "Nothing to review."});
    else
        body += "<ol>\n";
    for (const access::Duty& duty : duties) body += item(duty, who_is, now);
    if (!duties.empty()) body += "</ol>\n";
    return html_page(200, {"Accès à relire sous 72 heures", "Accesses to review within 72 hours"},
                     body + sign_out_form(), "'self'");
}

}  // namespace hygie::serve
