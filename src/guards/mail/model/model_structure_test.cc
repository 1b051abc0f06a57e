#include "guards/mail/model/model_structure.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "guards/mail/judge/judge.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/model/model_features.h"

namespace hygie::mail {
namespace {

Reading read_letter(const std::string& from, const std::string& body) {
    const std::string bytes = "From: " + from +
                              "\nTo: claire.morel@clinique.example\nSubject: Note\n"
                              "Content-Type: text/html; charset=utf-8\n\n" +
                              body + "\n";
    return read_evidence(*parse_message(bytes),
                         *parse_envelope(R"({"rcpt_to":"claire.morel@clinique.example"})"),
                         History{});
}

bool drew(const Reading& reading, std::string_view id) {
    return std::ranges::any_of(reading.signals, [&](const Signal& one) { return one.id == id; });
}

std::vector<NamedFeature> shapes(const std::string& from, const std::string& body) {
    const Reading reading = read_letter(from, body);
    const std::string bytes =
        "From: " + from + "\nSubject: Note\nContent-Type: text/html\n\n" + body + "\n";
    Features features;
    add_structure(features, *parse_message(bytes), reading.evidence);
    return features.named;
}

bool holds(const std::vector<NamedFeature>& shapes, std::string_view name) {
    return std::ranges::any_of(shapes, [&](const NamedFeature& one) { return one.name == name; });
}

TEST(MailStructure, ALinkIsSeenFromOutside) {
    const auto thrown = shapes("Info <info@atelier.example>",
                               "<a href='http://xkqzvwpfjh.top/wp-content/x/login.php'>Voir</a>");
    for (const char* name : {"to.cheap", "to.random", "path.taken", "path.sign_in"})
        EXPECT_TRUE(holds(thrown, name)) << name;
    for (const NamedFeature& one : thrown) EXPECT_FALSE(one.evidence.empty()) << one.name;
    const auto home = shapes("Info <info@atelier.example>",
                             "<a href='https://www.atelier.example/login.php'>Voir</a>");
    EXPECT_FALSE(holds(home, "path.sign_in"));
}

TEST(MailStructure, ALanguageIsAtHomeInSomeCountries) {
    const std::string text =
        "<p>Sie haben eine neue Rechnung, die wir für Sie mit der Post und auf der Seite zeigen.";
    EXPECT_EQ(language_of(folded(text)), "de");
    EXPECT_EQ(language_of(folded("Lorem ipsum dolor")), "");
    EXPECT_TRUE(holds(shapes("Bank <info@padaria.com.br>", text), "by.foreigner"));
    EXPECT_FALSE(holds(shapes("Bank <info@laden.de>", text), "by.foreigner"));
}

TEST(MailStructure, AStrangerSpeaksForOurDomain) {
    const std::string link = "<a href='https://away.example/x'>Ouvrir</a>";
    const std::string ours = "<p>Les messages de clinique.example sont bloqués. " + link;
    EXPECT_TRUE(drew(read_letter("Aide <aide@studio.example>", ours), "text.names_us"));
    EXPECT_FALSE(drew(read_letter("Aide <aide@clinique.example>", ours), "text.names_us"));
    const std::string address = "<p>Écrivez à accueil@clinique.example. " + link;
    EXPECT_FALSE(drew(read_letter("Aide <aide@studio.example>", address), "text.names_us"));
}

TEST(MailStructure, AMailboxIsNobodysName) {
    EXPECT_TRUE(drew(read_letter("A <a@studio.example>", "<p>Bonjour claire.morel,<p>Merci."),
                     "text.greets_address"));
    EXPECT_FALSE(drew(read_letter("A <a@studio.example>", "<p>Bonjour Claire Morel,<p>Merci."),
                      "text.greets_address"));
}

TEST(MailStructure, TheAddressHidesInALinkInHexadecimals) {
    // claire.morel@clinique.example
    const std::string hidden = "636c616972652e6d6f72656c40636c696e697175652e6578616d706c65";
    EXPECT_TRUE(drew(read_letter("A <a@studio.example>",
                                 "<a href='https://away.example/?u=" + hidden + "'>Voir</a>"),
                     "link.recipient_inside"));
}

/// Named as they are weighed, of a letter whose envelope failed every proof.
std::vector<NamedFeature> facts_from(const std::string& author) {
    const Message message = *parse_message(author + "Subject: Note\n\nVoyez le dossier joint.\n");
    const Reading reading =
        read_evidence(message,
                      *parse_envelope(R"({"mail_from":"rebond@ailleurs.example",)"
                                      R"("spf":"fail","dkim":"none",)"
                                      R"("dmarc":"fail"})"),
                      History{});
    return features_of(message, reading.evidence, reading.signals).named;
}

TEST(MailStructure, WhatIsNotThereAccusesNobody) {
    const auto odd = {"sender.path_differs", "auth.forged", "shape.forged", "shape.name_none"};
    const auto from_nobody = facts_from("");
    const auto from_somebody = facts_from("From: anne@clinique.example\n");
    for (const std::string_view fact : odd) {
        EXPECT_FALSE(holds(from_nobody, fact)) << fact;
        EXPECT_TRUE(holds(from_somebody, fact)) << fact;
    }
}

}  // namespace
}  // namespace hygie::mail
