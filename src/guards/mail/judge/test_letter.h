#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "guards/mail/judge/judge.h"

/// Letters to a clinic that remembers one supplier and one correspondent, for tests.
namespace hygie::mail {

inline constexpr std::string_view kClinicMemory = R"({"as_of": "2026-06-30",
  "organisations": [{"id": "o1", "name": "Clinique des Tilleuls",
    "own_domains": ["clinique-tilleuls.example"],
    "staff": [{"name": "Anne Roy", "email": "anne.roy@clinique-tilleuls.example",
               "role": "Comptable"}]}],
  "suppliers": [{"name": "MediFournitures", "domains": ["medifournitures.example"],
    "ibans": ["FR7630006000011234567890189"], "since": "2021-01-01", "clients": ["o1"]}],
  "known_correspondents": [{"address": "marie@labo-curie.example", "name": "Marie Curie"}],
  "sent_or_received_message_ids": ["m1@clinique-tilleuls.example"]})";

struct Letter {
    std::string from;
    std::string body;  ///< HTML where it begins with '<'
    std::string subject = "Information";
    std::string heads = "";    ///< more header lines, each with its end
    bool is_to_clinic = true;  ///< else the house has no memory yet
};

inline Message message_of(const Letter& letter) {
    const bool html = letter.body.starts_with('<');
    return *parse_message("From: " + letter.from +
                          "\nTo: anne.roy@clinique-tilleuls.example\nSubject: " + letter.subject +
                          "\n" + letter.heads + "Content-Type: text/" + (html ? "html" : "plain") +
                          "; charset=utf-8\n\n" + letter.body + "\n");
}

/// Its sender's domain is proven.
inline Reading read(const Letter& letter) {
    static const History memory = *parse_history(kClinicMemory);
    static const History none;
    return read_evidence(message_of(letter),
                         *parse_envelope(R"({"rcpt_to":"anne.roy@clinique-tilleuls.example",)"
                                         R"("spf":"pass","dkim":"pass","dmarc":"pass"})"),
                         letter.is_to_clinic ? memory : none);
}

/// A model that finds everything honest: what is left is what it may not talk away.
inline Opinion trusting(const Message&, const Evidence&, std::span<const Signal>) {
    Opinion opinion;
    opinion.log_odds.fill(-9);
    return opinion;
}

inline event::Level level(const Letter& letter) {
    return judge(message_of(letter), read(letter), trusting).level;
}

inline bool is_flagged(const Letter& letter) {
    return level(letter) != event::Level::Clean;
}

inline bool has(const Letter& letter, std::string_view signal) {
    const Reading reading = read(letter);
    return std::ranges::find(reading.signals, signal, &Signal::id) != reading.signals.end();
}

}  // namespace hygie::mail
