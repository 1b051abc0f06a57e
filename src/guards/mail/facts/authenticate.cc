#include "guards/mail/facts/authenticate.h"

#include <algorithm>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

/// The result word of one method in an Authentication-Results value: "dkim=pass (…)" → "pass".
std::string_view result_of(std::string_view value, std::string_view method) {
    for (std::size_t at = value.find(method); at != std::string_view::npos;
         at = value.find(method, at + 1)) {
        const std::size_t equals = at + method.size();
        const bool begins = at == 0 || value[at - 1] == ' ' || value[at - 1] == ';';
        if (!begins || equals >= value.size() || value[equals] != '=') continue;
        const std::string_view rest = value.substr(equals + 1);
        return rest.substr(0, rest.find_first_of(" ;("));
    }
    return {};
}

/// The host named after "by" in the topmost Received field.
std::string receiving_host(const Message& message) {
    const std::string received = lower(message.header("received"));
    const std::size_t by = received.find(" by ");
    if (by == std::string::npos) return {};
    const std::string_view rest = std::string_view(received).substr(by + 4);
    return std::string(rest.substr(0, rest.find_first_of(" ;(")));
}

Authentication from_header(const Message& message) {
    const std::string value = lower(message.header("authentication-results"));
    const std::string server = authserv_id(value);
    const std::string ours = registrable_domain(receiving_host(message));
    // Anybody may write this field; only the server that received the message is believed.
    if (server.empty() || ours.empty() || registrable_domain(server) != ours) return {};
    return {.spf = auth_result_named(result_of(value, "spf")),
            .dkim = auth_result_named(result_of(value, "dkim")),
            .dmarc = auth_result_named(result_of(value, "dmarc"))};
}

}  // namespace

std::string authserv_id(std::string_view value) {
    const std::string_view start = trim(value);
    return lower(trim(start.substr(0, start.find_first_of("; \t\r\n"))));
}

void take_results(std::string_view value, Envelope& envelope) {
    std::string flat = lower(value);
    for (char& c : flat)
        if (c == '\t' || c == '\r' || c == '\n') c = ' ';
    const auto take = [&](AuthResult& result, std::string_view method) {
        if (result == AuthResult::Absent) result = auth_result_named(result_of(flat, method));
    };
    take(envelope.spf, "spf");
    take(envelope.dkim, "dkim");
    take(envelope.dmarc, "dmarc");
}

std::string relaying_list(const Message& message, const Envelope& envelope,
                          const Authentication& auth) {
    const std::string id = lower(message.header("list-id"));
    const std::size_t open = id.rfind('<');
    const std::size_t close = id.rfind('>');
    if (auth.spf != AuthResult::Pass || open == std::string::npos || close == std::string::npos ||
        close < open)
        return {};
    const std::string list = registrable_domain(id.substr(open + 1, close - open - 1));
    const std::string path = registrable_domain(
        domain_of(envelope.mail_from.empty() ? message.return_path : envelope.mail_from));
    const auto is_there = [&](const Address& to) {
        return registrable_domain(to.domain()) == list;
    };
    const bool written_to =
        std::ranges::any_of(message.to, is_there) || std::ranges::any_of(message.cc, is_there);
    return list == path && written_to ? list : std::string();
}

Authentication authenticate(const Message& message, const Envelope& envelope) {
    const bool told = envelope.spf != AuthResult::Absent || envelope.dkim != AuthResult::Absent ||
                      envelope.dmarc != AuthResult::Absent;
    Authentication auth =
        told ? Authentication{.spf = envelope.spf, .dkim = envelope.dkim, .dmarc = envelope.dmarc}
             : from_header(message);
    const std::string from = registrable_domain(message.author().domain());
    const std::string path = registrable_domain(
        domain_of(envelope.mail_from.empty() ? message.return_path : envelope.mail_from));
    const bool aligned = !from.empty() && from == path;
    const bool spf = auth.spf == AuthResult::Pass;
    const bool dkim = auth.dkim == AuthResult::Pass;
    // Of several From fields nobody knows which one was checked, nor which one is shown.
    auth.is_authentic = !message.defects.duplicate_from &&
                        (auth.dmarc == AuthResult::Pass ||
                         (auth.dmarc != AuthResult::Fail && aligned && (spf || dkim)));
    // A letter without an author borrows nobody's name.
    auth.is_forged = !from.empty() && (auth.dmarc == AuthResult::Fail ||
                                       (aligned && auth.spf == AuthResult::Fail && !dkim));
    return auth;
}

}  // namespace hygie::mail
