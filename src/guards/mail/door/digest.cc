#include "guards/mail/door/digest.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownMax = 120;

/// One line of a text, nothing that could begin another.
std::string one_line(std::string_view text) {
    std::string out(cut(text, kShownMax));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return out;
}

Text fate_of(const Held& held) {
    if (held.kept_as == "neutralised")
        return {"remis sans ses liens ni ses fichiers actifs",
                "delivered without its links and active files"};
    if (held.kept_as == "rejected") return {"refusé à son expéditeur", "refused to its sender"};
    return {"retenu", "held"};
}

/// The strongest reason and the advice, as the verdict has them.
Text why(const Held& held) {
    const Json verdict = Json::parse(held.verdict, nullptr, false);
    if (!verdict.is_object()) return {};
    Text out;
    try {
        const Json& reasons = verdict.at("reasons");
        if (!reasons.empty())
            out = {reasons.at(0).at("fr").get<std::string>(),
                   reasons.at(0).at("en").get<std::string>()};
        out.fr += " → " + verdict.at("advice").at("fr").get<std::string>();
        out.en += " → " + verdict.at("advice").at("en").get<std::string>();
    } catch (const Json::exception&) {
    }
    return out;
}

bool is_malicious(const Held& held) {
    const Json verdict = Json::parse(held.verdict, nullptr, false);
    return verdict.is_object() && verdict.value("verdict", "") == "malicious";
}

void add_entry(const Held& held, const DigestPolicy& policy, Text& text) {
    const Text fate = fate_of(held);
    const Text reason = why(held);
    const std::string head =
        fmt::format("* {}  {}\r\n  {}\r\n", to_rfc3339(policy.on_the_wall(held.at)).substr(11, 5),
                    one_line(held.from), one_line(held.subject));
    text.fr += head + fmt::format("  {} — {}\r\n", fate.fr, reason.fr);
    text.en += head + fmt::format("  {} — {}\r\n", fate.en, reason.en);
    // A link to a desk that refuses would only cost a letter.
    const bool is_refused = is_malicious(held) && !policy.may_release_malicious;
    if (policy.report_address.empty() || is_refused) {
        text.fr += fmt::format(
            "  Pour le reprendre, donnez ce nom à qui veille sur la garde : {}\r\n\r\n", held.id);
        text.en += fmt::format(
            "  To have it, give this name to who looks after the guard: {}\r\n\r\n", held.id);
        return;
    }
    const std::string link = fmt::format("mailto:{}?subject={}", policy.report_address, held.id);
    text.fr += fmt::format("  Pour le reprendre : <{}>\r\n\r\n", link);
    text.en += fmt::format("  To have it: <{}>\r\n\r\n", link);
}

std::string letter_to(const std::string& person, const std::vector<const Held*>& held,
                      const DigestPolicy& policy) {
    Text text{
        fmt::format("Courrier retenu le {} : {} message(s).\r\n\r\n", policy.day, held.size()),
        fmt::format("Mail held on {}: {} message(s).\r\n\r\n", policy.day, held.size())};
    std::size_t shown = 0;
    for (const Held* one : held)
        if (++shown <= kDigestEntriesMax) add_entry(*one, policy, text);
    return fmt::format(
        "From: Hygie <{}>\r\nTo: <{}>\r\n"
        "Subject: =?utf-8?Q?Hygie_:_courrier_retenu_/_held_mail,_{}?=\r\n"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "{}{}\r\n{}",
        policy.from, person, policy.day, text.fr, std::string(60, '-'), text.en);
}

}  // namespace

std::vector<Digest> digests_of(const std::vector<Held>& held, const DigestPolicy& policy) {
    std::map<std::string, std::vector<const Held*>> by_person;
    for (const Held& one : held) {
        if (one.is_released || one.kept_as == "reported" ||
            !to_rfc3339(policy.on_the_wall(one.at)).starts_with(policy.day))
            continue;
        for (const std::string& recipient : one.envelope.rcpt_to)
            if (policy.is_ours(recipient)) by_person[lower(recipient)].push_back(&one);
    }
    std::vector<Digest> out;
    for (const auto& [person, list] : by_person)
        out.push_back(
            {.person = person, .count = list.size(), .letter = letter_to(person, list, policy)});
    return out;
}

}  // namespace hygie::mail
