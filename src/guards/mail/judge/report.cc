#include "guards/mail/judge/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace hygie::mail {
namespace {

Text level_text(event::Level level) {
    switch (level) {
        case event::Level::Clean:
            return {"sain", "clean"};
        case event::Level::Suspicious:
            return {"suspect", "suspicious"};
        case event::Level::Malicious:
            return {"malveillant", "malicious"};
    }
    return {};
}

Text class_text(Class kind) {
    switch (kind) {
        case Class::None:
            return {};
        case Class::Spam:
            return {"indésirable", "spam"};
        case Class::Phishing:
            return {"hameçonnage", "phishing"};
        case Class::SpearPhishing:
            return {"hameçonnage ciblé", "spear-phishing"};
        case Class::Malware:
            return {"logiciel malveillant", "malware"};
        case Class::TechSupport:
            return {"faux support", "fake support"};
        case Class::PaymentFraud:
            return {"fraude au paiement", "payment fraud"};
        case Class::Extortion:
            return {"extorsion", "extortion"};
        case Class::DataTheft:
            return {"vol de données", "data theft"};
    }
    return {};
}

}  // namespace

std::string to_json(std::string_view file, const Judgement& judgement) {
    nlohmann::ordered_json out = {{"file", file},
                                  {"verdict", event::name_of(judgement.level)},
                                  {"class", name_of(judgement.kind)},
                                  {"score", std::round(judgement.score * 1e4) / 1e4},
                                  {"reasons", nlohmann::ordered_json::array()}};
    bool sentence_said = false;
    for (const Reason& reason : judgement.reasons) {
        const bool again = is_sentence(reason) && std::exchange(sentence_said, true);
        const Text text = again ? Text{"Ce passage aussi.", "So is this passage."} : reason.text;
        out["reasons"].push_back(
            {{"id", reason.id}, {"fr", text.fr}, {"en", text.en}, {"evidence", reason.evidence}});
    }
    out["advice"] = {{"fr", judgement.advice.fr}, {"en", judgement.advice.en}};
    return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

namespace {

/// A letter's own lines must not look like ours.
std::string on_one_line(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
}

}  // namespace

std::string verdict_in_words(std::string_view verdict, std::string_view kind, Lang lang) {
    std::string out;
    for (const auto level :
         {event::Level::Clean, event::Level::Suspicious, event::Level::Malicious})
        if (event::name_of(level) == verdict) out = level_text(level).in(lang);
    for (const Class one :
         {Class::Spam, Class::Phishing, Class::SpearPhishing, Class::Malware, Class::TechSupport,
          Class::PaymentFraud, Class::Extortion, Class::DataTheft})
        if (name_of(one) == kind) out += ", " + class_text(one).in(lang);
    return out;
}

std::string to_words(std::string_view file, const Judgement& judgement, Lang lang) {
    std::string out = fmt::format("{}{}{}", file, lang == Lang::Fr ? " : " : ": ",
                                  level_text(judgement.level).in(lang));
    if (judgement.kind != Class::None) out += ", " + class_text(judgement.kind).in(lang);
    out += fmt::format(" ({:.0f} %)\n", judgement.score * 100);
    bool sentence_said = false;
    for (const Reason& reason : judgement.reasons) {
        if (is_sentence(reason) && std::exchange(sentence_said, true)) continue;
        // What speaks for a clean message is no accusation.
        const char mark = judgement.level == event::Level::Clean ? '+' : '-';
        out += fmt::format("  {} {}\n    {}\n", mark, reason.text.in(lang),
                           on_one_line(reason.evidence));
    }
    return out + "  → " + judgement.advice.in(lang) + "\n";
}

}  // namespace hygie::mail
