#include "guards/records/request/refusal.h"

#include <algorithm>

#include "access/decide/circle_words.h"
#include "base/escape.h"

namespace hygie::records {

namespace {

struct Spelling {
    int status{};
    std::string_view code{};
};

Spelling spelling_of(Code code) {
    switch (code) {
        case Code::BadInput:
            return {400, "invalid"};
        case Code::NotFound:
            return {404, "not-found"};
        case Code::AlreadyThere:
            return {409, "duplicate"};
        case Code::Corrupt:
            return {500, "exception"};
        case Code::Forged:
            return {403, "security"};
        case Code::Stale:
            return {412, "conflict"};
        case Code::Denied:
            return {403, "forbidden"};
        case Code::Busy:
            return {503, "lock-error"};
        case Code::Full:
            return {413, "too-costly"};
        case Code::Unavailable:
            return {503, "transient"};
        case Code::Io:
            return {500, "exception"};
        case Code::Erased:
            return {404, "not-found"};
    }
    return {500, "exception"};
}

std::string_view name_of(Severity severity) {
    switch (severity) {
        case Severity::Error:
            return "error";
        case Severity::Warning:
            return "warning";
        case Severity::Information:
            return "information";
    }
    return {};
}

}  // namespace

Refusal::Refusal(int http_status, std::string_view code, Text what, Text remedy,
                 std::string expression)
    : status(http_status),
      issues{Issue{Severity::Error, code, std::move(what), std::move(remedy),
                   std::move(expression)}} {}

Refusal::Refusal(const Error& error)
    : Refusal(spelling_of(error.code).status, spelling_of(error.code).code, error.what,
              error.remedy) {
    if (status == 404) *this = not_found();
}

Refusal not_found(std::vector<event::Reason> reasons) {
    Refusal refusal(404, "not-found",
                    {"cette ressource n'existe pas, ou n'est pas ouverte à votre compte",
                     "there is no such resource, or it is not open to your account"},
                    {"vérifiez l'identifiant ; si vous soignez ce patient, faites inscrire la "
                     "relation de soin dans son dossier",
                     "check the id; if you treat this patient, have the care relation entered in "
                     "the record"});
    refusal.reasons = std::move(reasons);
    return refusal;
}

Refusal obliged(access::Rule rule, std::vector<event::Reason> reasons) {
    const Text what = reasons.empty() ? Text() : reasons.front().text;
    Refusal refusal(403, "forbidden", what, {});
    Issue& issue = refusal.issues.front();
    switch (rule) {
        case access::Rule::StepUp:
            refusal.status = 401;
            issue.code = "login";
            issue.remedy = {"reconnectez-vous avec votre second facteur",
                            "sign in again with your second factor"};
            // RFC 9470 §3.
            refusal.headers.emplace_back(
                "WWW-Authenticate",
                R"(Bearer realm="hygie", error="insufficient_user_authentication")");
            break;
        case access::Rule::Justify:
            issue.code = "throttled";
            issue.remedy = {"dites pourquoi : POST $justify, avec Parameters motive et reason",
                            "say why: POST $justify, with Parameters motive and reason"};
            break;
        case access::Rule::Cut:
            issue.code = "throttled";
            issue.remedy = {
                "la session est coupée : appelez la personne responsable de la sécurité",
                "the session is cut: call the security officer"};
            break;
        case access::Rule::NoGrant:
            issue.remedy = {"demandez cette autorisation à qui en répond : hygie access grant",
                            "ask whoever answers for it for leave: hygie access grant"};
            break;
        case access::Rule::Contained:
            issue.remedy = {
                "en urgence, ouvrez ce dossier par bris de glace : POST Patient/{id}/$break-glass "
                "; "
                "sinon appelez la personne responsable de la sécurité",
                "in an emergency, open this record by break-glass: POST "
                "Patient/{id}/$break-glass; otherwise call the security officer"};
            break;
        default:
            issue.remedy = {"appelez la personne responsable de la sécurité",
                            "call the security officer"};
            break;
    }
    refusal.reasons = std::move(reasons);
    return refusal;
}

Refusal beyond_habit(access::Pressure pressure) {
    const bool cut = pressure == access::Pressure::Cut;
    const access::Outcome outcome{
        .rule = cut ? access::Rule::Cut : access::Rule::Justify,
        .obligations = static_cast<std::uint8_t>(access::kTellOfficer |
                                                 (cut ? access::kCut : access::kJustify))};
    std::vector<event::Reason> reasons = {
        {.id = access::reason_id(outcome), .text = access::sentence_of(outcome), .evidence = {}}};
    std::ranges::move(access::obligations_of(outcome.obligations), std::back_inserter(reasons));
    return obliged(outcome.rule, std::move(reasons));
}

Refusal held_by_incident(access::Rule rule) {
    const access::Outcome outcome{.rule = rule};
    return obliged(
        rule,
        {{.id = access::reason_id(outcome), .text = access::sentence_of(outcome), .evidence = {}}});
}

std::string outcome_json(const Issues& issues, Lang lang) {
    std::string out = R"({"resourceType":"OperationOutcome","issue":[)";
    for (const Issue& issue : issues) {
        if (out.back() == '}') out += ',';
        out += R"({"severity":")";
        out += name_of(issue.severity);
        out += R"(","code":")";
        out += issue.code;
        out += R"(","details":{"text":)";
        append_json_string(out, issue.what.in(lang));
        out += '}';
        if (!issue.remedy.in(lang).empty()) {
            out += R"(,"diagnostics":)";
            append_json_string(out, issue.remedy.in(lang));
        }
        if (!issue.expression.empty()) {
            out += R"(,"expression":[)";
            append_json_string(out, issue.expression);
            out += ']';
        }
        out += '}';
    }
    out += "]}";
    return out;
}

}  // namespace hygie::records
