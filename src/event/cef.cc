#include "event/cef.h"

#include <fmt/format.h>

#include "event/clean_text.h"

namespace hygie::event {

namespace {

/// In the header a pipe ends a field; in the extension an equals sign ends a key. A line feed would
/// end the line.
std::string escaped(std::string_view text, char separator) {
    std::string out;
    for (const char c : clean_text(text)) {
        if (c == '\n' || c == '\r') {
            // Only values of the extension may be of several lines.
            out += separator == '|' ? " " : c == '\n' ? "\\n" : "\\r";
            continue;
        }
        if (c == '\\' || c == separator) out += '\\';
        out += c;
    }
    return out;
}

void add(std::string& out, std::string_view key, std::string_view value) {
    if (!value.empty()) out += fmt::format(" {}={}", key, escaped(value, '='));
}

/// A custom string: CEF has six, each with a label.
void add_custom(std::string& out, int number, std::string_view label, std::string_view value) {
    if (value.empty()) return;
    add(out, fmt::format("cs{}Label", number), label);
    add(out, fmt::format("cs{}", number), value);
}

int severity_of(const Event& e) {
    if (e.verdict && e.verdict->level == Level::Malicious) return 9;
    if (e.verdict && e.verdict->level == Level::Suspicious) return 7;
    return e.outcome == Outcome::Success ? 3 : 6;
}

/// Reasons and details, which CEF has no keys for, as one sentence.
std::string message_of(const Event& e) {
    std::string message;
    const auto add_part = [&](std::string_view name, std::string_view value) {
        message += fmt::format("{}{}: {}", message.empty() ? "" : "; ", name, value);
    };
    if (e.verdict)
        for (const auto& reason : e.verdict->reasons) add_part(reason.id, reason.text.fr);
    for (const auto& [name, value] : e.detail) add_part(name, value);
    return message;
}

bool is_ip_address(std::string_view text) {
    return text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

}  // namespace

std::string to_cef(const Event& e, const Place& place) {
    std::string out = fmt::format(
        "CEF:0|Hygie|Hygie|{}|{}|{}|{}|rt={}", HYGIE_VERSION, static_cast<unsigned>(e.type),
        name_of(e.type), severity_of(e),
        std::chrono::floor<std::chrono::milliseconds>(e.time).time_since_epoch().count());
    add(out, "externalId", e.id);
    add(out, "act", name_of(e.action));
    add(out, "outcome", name_of(e.outcome));
    add(out, "dvchost", e.node.str());
    add(out, "deviceFacility", e.source.str());
    add(out, "suser", e.actor.id.str());
    add(out, "spriv", e.actor.role);
    add(out, is_ip_address(e.network.address) ? "src" : "shost", e.network.address);
    add(out, "sourceServiceName", e.network.device);
    add(out, "duser", e.actor.on_behalf_of.str());
    add(out, "fname", e.subject.object.str());
    add(out, "request", e.query);
    add(out, "requestContext", e.request_id);
    add(out, "reason", e.purpose);
    add_custom(out, 1, "ledger", fmt::format("{}#{}", place.origin, place.index));
    add_custom(out, 2, "patient", e.subject.patient.str());
    add_custom(out, 3, "organisation", e.actor.organisation);
    add_custom(out, 4, "basis", e.basis);
    add_custom(out, 5, "auth", e.actor.auth);
    add_custom(out, 6, "breakGlass", e.break_glass ? "true" : "");
    add(out, "msg", message_of(e));
    return out;
}

}  // namespace hygie::event
