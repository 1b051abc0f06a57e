#include <array>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/judge/judge.h"

namespace hygie::mail {

namespace {

constexpr std::array<std::string_view, kClasses> kClassNames = {
    "none",         "spam",          "phishing",  "spear_phishing", "malware",
    "tech_support", "payment_fraud", "extortion", "data_theft"};

constexpr std::array<std::string_view, kLures> kLureNames = {
    "credential",      "threat",      "urgency",     "click",        "payment_change",
    "payment_request", "secrecy",     "bec_opener",  "gift_card",    "call",
    "support_alert",   "charge",      "extortion",   "data_request", "delivery",
    "refund",          "health",      "document",    "attachment",   "generic_greeting",
    "prize",           "advance_fee", "spam_invest", "spam_goods",   "mailing",
    "identify",        "secret",      "opened",      "house"};

}  // namespace

std::string_view name_of(Lure lure) {
    return kLureNames.at(static_cast<std::size_t>(lure));
}

bool lure_named(std::string_view name, Lure& out) {
    for (std::size_t i = 0; i < kLures; ++i) {
        if (kLureNames[i] != name) continue;
        out = static_cast<Lure>(i);
        return true;
    }
    return false;
}

std::string_view name_of(Class kind) {
    return kClassNames.at(static_cast<std::size_t>(kind));
}

bool class_named(std::string_view name, Class& out) {
    for (std::size_t i = 0; i < kClasses; ++i) {
        if (kClassNames[i] != name) continue;
        out = static_cast<Class>(i);
        return true;
    }
    return false;
}

}  // namespace hygie::mail
