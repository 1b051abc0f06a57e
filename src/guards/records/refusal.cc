#include "guards/records/refusal.h"

#include "event/json_text.h"

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

std::string outcome_json(const Issues& issues, Lang lang) {
    std::string out = R"({"resourceType":"OperationOutcome","issue":[)";
    for (const Issue& issue : issues) {
        if (out.back() == '}') out += ',';
        out += R"({"severity":")";
        out += name_of(issue.severity);
        out += R"(","code":")";
        out += issue.code;
        out += R"(","details":{"text":)";
        event::append_json_string(out, issue.what.in(lang));
        out += '}';
        if (!issue.remedy.in(lang).empty()) {
            out += R"(,"diagnostics":)";
            event::append_json_string(out, issue.remedy.in(lang));
        }
        if (!issue.expression.empty()) {
            out += R"(,"expression":[)";
            event::append_json_string(out, issue.expression);
            out += ']';
        }
        out += '}';
    }
    out += "]}";
    return out;
}

}  // namespace hygie::records
