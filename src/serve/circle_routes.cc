#include "serve/circle_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/worklist.h"
#include "access/decide/circle_scope.h"
#include "crypto/sha256.h"
#include "event/uuid.h"
#include "serve/circle_pages.h"
#include "serve/forms.h"
#include "serve/pages.h"

namespace hygie::serve {
namespace {

using access::Role;
using nlohmann::json;

Response json_answer(int status, std::string text) {
    Response response = text_response(status, text);
    response.content_type = "application/json";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

Response refusal(int status, const Text& what, const Text& remedy) {
    return json_answer(
        status,
        json{{"fr", what.fr + " : " + remedy.fr}, {"en", what.en + ": " + remedy.en}}.dump());
}

Response refusal(const Error& error) {
    switch (error.code) {
        case Code::BadInput:
            return refusal(400, error.what, error.remedy);
        case Code::NotFound:
            return refusal(404, error.what, error.remedy);
        case Code::Denied:
            return refusal(403, error.what, error.remedy);
        case Code::AlreadyThere:
            return refusal(409, error.what, error.remedy);
        default:
            return refusal(503, error.what, error.remedy);
    }
}

Response closed() {
    return refusal(403,
                   {"ces traces ne vous sont pas ouvertes", "these traces are not open to you"},
                   {"elles le sont au patient, à son représentant légal et à la sécurité",
                    "they are to the patient, the legal representative and security"});
}

/// Only who watches over everybody, proven by two factors, through a program that was let see
/// traces (or write on them, to review).
bool is_officer(const access::Actor& actor, event::Action action) {
    return actor.role == Role::Security && access::is_strong(actor.auth) &&
           (actor.scopes.empty() || access::within_scopes(actor, action, "AuditEvent"));
}

Text officers_only() {
    return {"ceci est à la personne responsable de la sécurité, connectée à deux facteurs",
            "this is for the security officer, signed in with two factors"};
}

Response page_for_officers_only() {
    return html_page(
        403, {"Connexion à deux facteurs", "Sign-in with two factors"},
        "<p>" +
            html_of({"Les accès à relire ne s'ouvrent qu'avec une clé d'accès ou un code : "
                     "ajoutez-en une à /oauth/passkeys, puis reconnectez-vous.",
                     "Accesses to review open only with a passkey or a code: add one at "
                     "/oauth/passkeys, then sign in again."}) +
            "</p>\n<p><a href=\"/oauth/passkeys\">" + html_of({"Mes clés d'accès", "My passkeys"}) +
            "</a></p>\n" + sign_out_form(),
        "'self'");
}

Lang lang_of(const Request& request) {
    return request.header("accept-language").starts_with("en") ? Lang::En : Lang::Fr;
}

/// A sheet brings its own style, which the content policy names by its hash.
Response sheet_answer(const std::string& sheet) {
    constexpr std::string_view kOpen = "<style>";
    const auto from = sheet.find(kOpen) + kOpen.size();
    const auto hash = crypto::sha256(
        as_bytes(std::string_view(sheet).substr(from, sheet.find("</style>") - from)));
    Response response = text_response(200, sheet);
    response.content_type = "text/html; charset=utf-8";
    response.headers = {
        {"Content-Security-Policy", fmt::format("default-src 'none'; style-src 'sha256-{}'; "
                                                "frame-ancestors 'none'; base-uri 'none'",
                                                to_base64(hash))},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cache-Control", "no-store"}};
    return response;
}

/// What the patient is told of emergencies: who, when, on what ground, and what the review found.
json notices_of(const std::vector<event::Event>& events, const access::WhoIs& who_is) {
    json notices = json::array();
    for (const access::Duty& duty : access::duties_of(events)) {
        if (duty.kind != access::Duty::Kind::BreakGlass) continue;
        const std::string name = who_is(duty.actor).name;
        notices.push_back(
            {{"event", duty.event},
             {"time", to_rfc3339(duty.time)},
             {"who", name.empty() ? duty.actor.id.str() : name},
             {"cosigner", name_of_cosigner(duty, who_is)},
             {"motive", duty.motive},
             {"review", duty.review ? json(name_of(duty.review->conclusion)) : json(nullptr)},
             {"review_by", to_rfc3339(duty.due)}});
    }
    return notices;
}

}  // namespace

struct CircleRoutes::Ask {
    const access::Actor& actor;
    const Request& request;
    Form form;  ///< of the query, and of a body that is one
};

event::Event CircleRoutes::event_of(const Ask& ask, event::Type type,
                                    const std::string& patient) const {
    event::Event event = parts_.origin;
    event.type = type;
    event.action = event::usual_action(type);
    event.time = parts_.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, parts_.random));
    event.actor = {ask.actor.id,
                   std::string(access::name_of(ask.actor.role)),
                   ask.actor.auth,
                   {},
                   ask.actor.organisation};
    event.subject.patient = PatientId(patient);
    event.network.address = ask.request.peer;
    event.query = ask.request.path;
    return event;
}

/// Nothing of a refusal is shown before the ledger has it, either.
event::Event CircleRoutes::refused_event(const Ask& ask, const std::string& patient,
                                         std::vector<event::Reason> reasons) const {
    event::Event event = event_of(ask, event::Type::AccessRefused, patient);
    event.outcome = event::Outcome::MinorFailure;
    event.verdict = event::Verdict{.reasons = std::move(reasons)};
    return event;
}

event::Event CircleRoutes::not_officer_event(const Ask& ask) const {
    return refused_event(ask, "",
                         {{.id = "circle.officer", .text = officers_only(), .evidence = {}}});
}

Result<std::vector<event::Event>> CircleRoutes::recent() const {
    return parts_.events({.patient = {}, .from = parts_.clock.now() - access::kWorkListReach});
}

Response CircleRoutes::opened(const Ask& ask, std::vector<event::Event>& owed) {
    std::string patient(field(ask.form, "patient"));
    if (patient.starts_with("Patient/")) patient.erase(0, patient.find('/') + 1);
    if (patient.empty())
        if (const auto own = parts_.patients_of(ask.actor); !own.empty()) patient = own.front();
    const access::Decision decision = parts_.decide(ask.actor, patient);
    if (patient.empty() || !decision.permitted) {
        const bool is_here = patient.empty() || parts_.is_here(patient);
        owed.push_back(refused_event(ask, is_here ? patient : "", decision.reasons));
        if (!is_here) owed.back().query += "?patient=" + patient;
        return closed();
    }
    CircleParts::Wanted wanted{.patient = patient, .count = kOpeningsMax};
    if (const auto until = field(ask.form, "until"); !until.empty()) {
        const auto time = from_rfc3339(until);
        if (!time) return refusal(time.error());
        wanted.until = *time;
    }
    const auto events = parts_.events(wanted);
    if (!events) return refusal(events.error());
    owed.push_back(event_of(ask, event::Type::LedgerRead, patient));
    owed.back().detail["why"] = decision.reasons.front().id;
    const auto openings = access::openings_of(*events, parts_.who_is);
    if (field(ask.form, "format") == "sheet")
        return sheet_answer(
            access::openings_sheet(openings, "", parts_.clock.now(), lang_of(ask.request)));
    json answer = json::parse(access::openings_json(openings));
    answer["notices"] = notices_of(*events, parts_.who_is);
    answer["patient"] = patient;
    if (events->size() == kOpeningsMax) answer["more_until"] = to_rfc3339(events->back().time);
    return json_answer(200, answer.dump(-1, ' ', false, json::error_handler_t::replace));
}

Response CircleRoutes::work_list(const Ask& ask, std::vector<event::Event>& owed) {
    const auto events = recent();
    if (!events) return refusal(events.error());
    owed.push_back(event_of(ask, event::Type::LedgerRead, ""));
    return json_answer(200, access::duties_json(access::duties_of(*events), parts_.clock.now()));
}

Response CircleRoutes::unexplained(const Ask& ask, std::vector<event::Event>& owed) {
    const auto lines = parts_.unexplained();
    if (!lines) return refusal(lines.error());
    owed.push_back(event_of(ask, event::Type::LedgerRead, ""));
    Response response = json_answer(200, *lines);
    response.content_type = "application/x-ndjson";
    return response;
}

Response CircleRoutes::review(const Ask& ask, std::vector<event::Event>& owed) {
    const auto conclusion = access::conclusion_named(field(ask.form, "finding"));
    if (!conclusion)
        return refusal(400, {"il manque la conclusion", "the finding is missing"},
                       {"finding=justified ou finding=unjustified",
                        "finding=justified or finding=unjustified"});
    const auto events = recent();
    if (!events) return refusal(events.error());
    const auto duties = access::duties_of(*events);
    const auto duty = std::ranges::find(duties, field(ask.form, "event"),
                                        [](const access::Duty& one) { return one.event; });
    if (duty == duties.end())
        return refusal(404, {"cet accès n'est pas à relire", "this access is not to be reviewed"},
                       {"voyez /circles/worklist", "see /circles/worklist"});
    const auto review =
        access::review_of(*duty, ask.actor.id, *conclusion, std::string(field(ask.form, "words")));
    if (!review) return refusal(review.error());
    event::Event event = event_of(ask, review->type, review->subject.patient.str());
    event.detail = review->detail;
    owed.push_back(std::move(event));
    if (!field(ask.form, "page").empty()) {
        Response response = text_response(303, "");
        response.headers = {{"Location", "/my"}, {"Cache-Control", "no-store"}};
        return response;
    }
    return json_answer(200, json{{"event", duty->event}, {"finding", name_of(*conclusion)}}.dump());
}

Response CircleRoutes::home(const Ask& ask, std::vector<event::Event>& owed) {
    if (ask.actor.role == Role::Security) {
        if (!is_officer(ask.actor, event::Action::Read)) {
            owed.push_back(not_officer_event(ask));
            return page_for_officers_only();
        }
        const auto events = recent();
        if (!events) return message_page(503, {"Hygie", "Hygie"}, events.error().what);
        owed.push_back(event_of(ask, event::Type::LedgerRead, ""));
        return work_list_page(access::duties_of(*events), parts_.who_is, parts_.clock.now());
    }
    const auto patients = parts_.patients_of(ask.actor);
    if (ask.actor.role != Role::Patient || patients.empty())
        return html_page(200, {"Hygie", "Hygie"},
                         "<p>" +
                             html_of({"Cette page répond aux patients : qui a ouvert mon dossier ?",
                                      "This page answers patients: who opened my record?"}) +
                             "</p>\n" + sign_out_form(),
                         "'self'");
    std::string shown(field(ask.form, "patient"));
    if (std::ranges::find(patients, shown) == patients.end()) shown = patients.front();
    if (const auto decision = parts_.decide(ask.actor, shown); !decision.permitted) {
        owed.push_back(refused_event(ask, shown, decision.reasons));
        return closed();
    }
    const auto events = parts_.events({.patient = shown, .count = kOpeningsMax});
    if (!events) return message_page(503, {"Hygie", "Hygie"}, events.error().what);
    owed.push_back(event_of(ask, event::Type::LedgerRead, shown));
    return openings_page(access::openings_of(*events, parts_.who_is), access::duties_of(*events),
                         patients, shown, parts_.who_is);
}

void CircleRoutes::operator()(const access::Actor& actor, const Request& request, Reply reply) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const auto form = parse_form(reads ? std::string_view(request.query) : as_text(request.body));
    if (!form) return reply(refusal(form.error()));
    const Ask ask{actor, request, *form};
    std::vector<event::Event> owed;
    Response response;
    if (reads && request.path == "/circles/opened")
        response = opened(ask, owed);
    else if (reads && request.path == "/circles/home")
        response = home(ask, owed);
    else if (!request.path.starts_with("/circles/"))
        response = refusal(404, {"rien à cette adresse", "nothing at this address"}, {"", ""});
    else if (!is_officer(actor, reads ? event::Action::Read : event::Action::Create)) {
        owed.push_back(not_officer_event(ask));
        response = refusal(403, officers_only(), {"reconnectez-vous", "sign in again"});
    } else if (reads && request.path == "/circles/worklist")
        response = work_list(ask, owed);
    else if (request.method == "POST" && request.path == "/circles/worklist")
        response = review(ask, owed);
    else if (reads && request.path == "/circles/unexplained" && parts_.unexplained)
        response = unexplained(ask, owed);
    else
        response = refusal(404, {"rien à cette adresse", "nothing at this address"},
                           {"voyez /openapi.json", "see /openapi.json"});
    if (owed.empty()) return reply(std::move(response));
    parts_.sink(std::move(owed),
                [shared = std::make_shared<Reply>(std::move(reply)),
                 held = std::make_shared<Response>(std::move(response))](Status kept) {
                    if (kept) return (*shared)(std::move(*held));
                    (*shared)(refusal(503,
                                      {"la trace n'a pas pu être écrite : rien n'est montré",
                                       "the trace could not be written: nothing is shown"},
                                      {"recommencez", "try again"}));
                });
}

}  // namespace hygie::serve
