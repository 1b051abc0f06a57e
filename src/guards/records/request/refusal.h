#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/decide/circle.h"
#include "base/http.h"
#include "base/result.h"
#include "base/text.h"
#include "event/event.h"

/// How a request is refused: an HTTP status and the issues of an OperationOutcome
/// (https://hl7.org/fhir/R4/operationoutcome.html). No text holds a value from the input.
namespace hygie::records {

enum class Severity : std::uint8_t { Error, Warning, Information };

struct Issue {
    Severity severity = Severity::Error;
    std::string_view code = "processing";  ///< of http://hl7.org/fhir/issue-type
    Text what{};
    Text remedy{};
    std::string expression{};  ///< FHIRPath of the element it is about, or empty
};
using Issues = std::vector<Issue>;

struct Refusal {
    int status = 400;
    Issues issues{};
    http::Headers headers{};
    // For the ledger, never shown:
    std::vector<event::Reason> reasons{};  ///< why access was refused
    std::string patient{};                 ///< whose record stayed closed

    Refusal(int http_status, std::string_view code, Text what, Text remedy,
            std::string expression = {});
    Refusal(int http_status, Issues why) : status(http_status), issues(std::move(why)) {}
    /// The status that says the same as the code of an error.
    Refusal(const Error& error);  // NOLINT(google-explicit-constructor): TRY hands errors up
};

template <typename T>
using Answer = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(int status, std::string_view code, Text what, Text remedy,
                                       std::string expression = {}) {
    return std::unexpected(
        Refusal(status, code, std::move(what), std::move(remedy), std::move(expression)));
}

/// What is not there and what is closed to the asker: the same words for both, so that the answer
/// tells nothing. Where access was refused, `reasons` go to the ledger.
Refusal not_found(std::vector<event::Reason> reasons = {});

/// What must be done before the answer is given, or that it will not be: with how to do it.
Refusal obliged(access::Rule rule, std::vector<event::Reason> reasons);

/// The same for an actor who opens many more records than usual.
Refusal beyond_habit(access::Pressure pressure);

/// The same for who is held by an incident: the account, or the unit.
Refusal held_by_incident(access::Rule rule);

/// An OperationOutcome on one line.
std::string outcome_json(const Issues& issues, Lang lang);

}  // namespace hygie::records
