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

/// RFC 9110 §5.6.7; spelled once a second.
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

}  // namespace

std::string message_of(const Response& response, bool keep_alive, bool with_body, WallTime now) {
    const bool bodiless = response.status == 204 || response.status == 304;  // RFC 9110 §8.6
    std::string message;
    message.reserve(kHeadBytes + (with_body ? response.body.size() : 0));
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
        HYGIE_CHECK(!value.contains('\n') && !value.contains('\r'),
                    "a header value would forge another header");
        add({name, ": ", value, "\r\n"});
    }
    message += "\r\n";
    if (with_body) message += as_text(response.body);
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

}  // namespace hygie::serve
