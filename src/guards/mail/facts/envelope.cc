#include "guards/mail/facts/envelope.h"

#include <nlohmann/json.hpp>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kEnvelopeBytesMax = 1U << 20;
constexpr std::size_t kRecipientsMax = 10'000;

std::unexpected<Error> refused() {
    return fail(Code::BadInput,
                {"l'enveloppe n'est pas l'objet JSON attendu",
                 "the envelope is not the JSON object expected"},
                {"donnez {helo, client_ip, mail_from, rcpt_to, spf, dkim, dmarc}, tous en texte",
                 "give {helo, client_ip, mail_from, rcpt_to, spf, dkim, dmarc}, all of them text"});
}

/// False when the member is there and is not text; null counts as absent.
bool take(const nlohmann::json& object, const char* name, std::string& out) {
    const auto it = object.find(name);
    if (it == object.end() || it->is_null()) return true;
    if (!it->is_string()) return false;
    out = it->get<std::string>();
    return true;
}

bool take_recipients(const nlohmann::json& object, std::vector<std::string>& out) {
    const auto it = object.find("rcpt_to");
    if (it == object.end() || it->is_null()) return true;
    if (it->is_string()) {
        out.push_back(lower(bare_address(it->get<std::string>())));
        return true;
    }
    if (!it->is_array() || it->size() > kRecipientsMax) return false;
    for (const nlohmann::json& one : *it) {
        if (!one.is_string()) return false;
        out.push_back(lower(bare_address(one.get<std::string>())));
    }
    return true;
}

}  // namespace

AuthResult auth_result_named(std::string_view word) {
    const std::string name = lower(word);
    if (name.empty()) return AuthResult::Absent;
    if (name == "pass" || name == "bestguesspass") return AuthResult::Pass;
    if (name == "fail" || name == "hardfail" || name == "reject") return AuthResult::Fail;
    if (name == "softfail") return AuthResult::SoftFail;
    if (name == "neutral" || name == "policy") return AuthResult::Neutral;
    if (name == "none") return AuthResult::None;
    return AuthResult::Error;
}

std::string_view name_of(AuthResult result) {
    switch (result) {
        case AuthResult::Absent:
            return "";
        case AuthResult::Pass:
            return "pass";
        case AuthResult::Fail:
            return "fail";
        case AuthResult::SoftFail:
            return "softfail";
        case AuthResult::Neutral:
            return "neutral";
        case AuthResult::None:
            return "none";
        case AuthResult::Error:
            return "error";
    }
    return "";
}

Result<Envelope> parse_envelope(std::string_view text) {
    if (text.size() > kEnvelopeBytesMax) return refused();
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return refused();
    Envelope envelope;
    std::string mail_from;
    std::string spf;
    std::string dkim;
    std::string dmarc;
    if (!take(json, "helo", envelope.helo) || !take(json, "client_ip", envelope.client_ip) ||
        !take(json, "mail_from", mail_from) || !take(json, "spf", spf) ||
        !take(json, "dkim", dkim) || !take(json, "dmarc", dmarc) ||
        !take_recipients(json, envelope.rcpt_to))
        return refused();
    envelope.mail_from = lower(bare_address(mail_from));
    envelope.null_sender = json.contains("mail_from") && envelope.mail_from.empty();
    envelope.spf = auth_result_named(spf);
    envelope.dkim = auth_result_named(dkim);
    envelope.dmarc = auth_result_named(dmarc);
    return envelope;
}

}  // namespace hygie::mail
