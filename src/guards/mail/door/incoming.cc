#include "guards/mail/door/incoming.h"

#include <algorithm>

#include "guards/mail/facts/authenticate.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kResultsField = "Authentication-Results";

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    char before = '\0';
    for (const char c : text) {
        if (c == '\n' && before != '\r') out += '\r';
        out += c;
        before = c;
    }
    return out;
}

bool is_field_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string Incoming::bytes() const {
    std::string out;
    for (const RawHeader& header : headers)
        out += header.name + ":" + with_crlf(header.value) + "\r\n";
    return out + "\r\n" + body;
}

std::string_view Incoming::header(std::string_view name) const {
    for (const RawHeader& one : headers)
        if (equal_any_case(one.name, name)) return trim(one.value);
    return {};
}

Incoming incoming_of(std::string_view bytes) {
    Incoming out;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        if ((line.front() == ' ' || line.front() == '\t') && !out.headers.empty()) {
            out.headers.back().value.append("\r\n").append(line);
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_field_name(trim(line.substr(0, colon))))
            continue;
        out.headers.push_back(
            {std::string(trim(line.substr(0, colon))), std::string(line.substr(colon + 1))});
    }
    out.body = with_crlf(bytes);
    out.envelope.mail_from = lower(bare_address(out.header("return-path")));
    return out;
}

Incoming changed(Incoming message, const std::vector<std::pair<std::string, std::string>>& headers,
                 const std::optional<std::string>& body) {
    for (const auto& [name, value] : headers) {
        const auto same = [&wanted = name](const RawHeader& one) {
            return equal_any_case(one.name, wanted);
        };
        std::erase_if(message.headers, same);
        message.headers.push_back({name, " " + value});
    }
    if (body) message.body = *body;
    return message;
}

std::string judged_bytes(Incoming& incoming, const std::vector<std::string>& authserv_ids) {
    Incoming seen{.envelope = {}, .headers = {}, .body = incoming.body};
    std::vector<std::string> known;
    for (const RawHeader& header : incoming.headers) {
        if (!equal_any_case(header.name, kResultsField)) {
            seen.headers.push_back(header);
            continue;
        }
        const std::string by = authserv_id(header.value);
        const bool is_ours = std::ranges::find(authserv_ids, by) != authserv_ids.end();
        // One field of each name: a second one was written by somebody else.
        if (!is_ours || std::ranges::find(known, by) != known.end()) continue;
        take_results(header.value, incoming.envelope);
        known.push_back(by);
    }
    return seen.bytes();
}

}  // namespace hygie::mail
