#include "serve/http_message.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <initializer_list>
#include <string_view>

#include "base/check.h"

namespace hygie::serve {
namespace {

namespace http = boost::beast::http;

/// Of a head that we write: enough for most.
constexpr std::size_t kHeadBytes = 512;

}  // namespace

/// Spelled once a second.
const std::string& http_date(WallTime now) {
    thread_local std::time_t spelled = 0;
    thread_local std::string date;
    const std::time_t second = std::chrono::system_clock::to_time_t(now);
    if (date.empty() || second != spelled) {
        date = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(second));
        spelled = second;
    }
    return date;
}

bool is_bodiless(int status) {
    return status == 204 || status == 304;
}

void check_header_value(std::string_view value) {
    HYGIE_CHECK(!value.contains('\n') && !value.contains('\r'),
                "a header value would forge another header");
}

std::string message_of(const Response& response, bool keep_alive, ByteView front, WallTime now) {
    const bool bodiless = is_bodiless(response.status);
    std::string message;
    message.reserve(kHeadBytes + front.size());
    const auto add = [&message](std::initializer_list<std::string_view> parts) {
        for (const std::string_view part : parts) message += part;
    };
    const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
    add({"HTTP/1.1 ", std::to_string(response.status), " ", std::string_view(reason)});
    add({"\r\nDate: ", http_date(now), "\r\nConnection: ", keep_alive ? "keep-alive" : "close"});
    if (!bodiless)
        add({"\r\nContent-Type: ", response.content_type,
             "\r\nContent-Length: ", std::to_string(response.body.size())});
    add({"\r\n"});
    for (const auto& [name, value] : response.headers) {
        check_header_value(value);
        add({name, ": ", value, "\r\n"});
    }
    message += "\r\n";
    message += as_text(front);
    return message;
}

Response text_response(int status, std::string_view text) {
    Response response;
    response.status = status;
    response.body = to_bytes(as_bytes(text));
    return response;
}

Response outcome_response(int status, std::string_view code, const Text& what) {
    Response response = text_response(
        status, fmt::format(R"({{"resourceType":"OperationOutcome","issue":[{{"severity":"error",)"
                            R"("code":"{}","diagnostics":"{} / {}"}}]}})",
                            code, what.fr, what.en));
    response.content_type = "application/fhir+json; charset=utf-8";
    return response;
}

Response head_too_large() {
    return outcome_response(431, "too-long",
                            {"L'adresse ou les en-têtes sont trop longs : pour une longue "
                             "recherche, envoyez POST [type]/_search.",
                             "The URL or the headers are too long: for a long search, send "
                             "POST [type]/_search."});
}

Response body_too_large() {
    return outcome_response(413, "too-long",
                            {"Le corps de la demande est trop grand : découpez-la.",
                             "The body of the request is too large: split it."});
}

Response one_host_needed() {
    return outcome_response(
        400, "invalid",
        {"Il faut un en-tête Host, et un seul.", "One header Host is needed, and no more."});
}

Response one_authorization_needed() {
    return outcome_response(400, "invalid",
                            {"Il ne faut qu'un en-tête Authorization.",
                             "There must be no more than one header Authorization."});
}

Response only_chunked(int status) {
    return outcome_response(
        status, "not-supported",
        {"Un corps sans Content-Length s'envoie en Transfer-Encoding: chunked, et rien d'autre.",
         "A body without Content-Length is sent with Transfer-Encoding: chunked, and nothing "
         "else."});
}

Response too_many_bodies() {
    Response busy = text_response(503, "too many large requests at once\n");
    busy.headers.emplace_back("Retry-After", "1");
    return busy;
}

}  // namespace hygie::serve
