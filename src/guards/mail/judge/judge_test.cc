#include "guards/mail/judge/judge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "guards/mail/facts/authenticate.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/judge/rules.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kMemory = R"({"as_of": "2026-06-30",
  "organisations": [{"id": "o1", "name": "Clinique des Tilleuls",
    "own_domains": ["clinique-tilleuls.example"],
    "staff": [{"name": "Jean Dupont", "email": "jean.dupont@clinique-tilleuls.example",
               "role": "Directeur"},
              {"name": "Anne Roy", "email": "anne.roy@clinique-tilleuls.example",
               "role": "Comptable"}]}],
  "suppliers": [{"name": "MediFournitures", "domains": ["medifournitures.example"],
    "ibans": ["FR7630006000011234567890189"], "since": "2021-01-01", "clients": ["o1"]}],
  "known_services": [{"name": "Agenda", "domains": ["agenda.example"], "since": "2020-01-01"}],
  "known_correspondents": [{"address": "marie@labo.example", "name": "Marie Curie"}],
  "sent_or_received_message_ids": ["m1@x"]})";

const History& memory() {
    static const History history = *parse_history(kMemory);
    return history;
}

struct Letter {
    std::string from;
    std::string subject;
    std::string body;
    std::string headers = {};
    std::string auth = "pass";  ///< of SPF, DKIM and DMARC
};

Judgement verdict(const Letter& letter, std::string* bytes_out = nullptr) {
    const bool html = letter.body.starts_with('<');
    const std::string bytes =
        "From: " + letter.from +
        "\nTo: anne.roy@clinique-tilleuls.example\nSubject: " + letter.subject + "\n" +
        letter.headers + "Content-Type: text/" + (html ? "html" : "plain") + "; charset=utf-8\n\n" +
        letter.body + "\n";
    if (bytes_out) *bytes_out = bytes;
    const std::string envelope = R"({"rcpt_to":"anne.roy@clinique-tilleuls.example","spf":")" +
                                 letter.auth + R"(","dkim":")" + letter.auth + R"(","dmarc":")" +
                                 letter.auth + "\"}";
    return judge(*parse_message(bytes), *parse_envelope(envelope), memory(), {});
}

const std::string kInvoice =
    "Bonjour,\n\nVeuillez trouver notre facture F-2041 du mois. Merci de régler par virement "
    "bancaire sur le compte suivant :\nIBAN : ";

TEST(Judge, TheIbanDecidesNotTheLetter) {
    const std::string from = "Compta <compta@medifournitures.example>";
    const Judgement honest =
        verdict({from, "Facture F-2041", kInvoice + "FR76 3000 6000 0112 3456 7890 189\n"});
    EXPECT_EQ(honest.level, event::Level::Clean);
    const Judgement fraud =
        verdict({from, "Facture F-2041", kInvoice + "DE89 3704 0044 0532 0130 00\n"});
    EXPECT_NE(fraud.level, event::Level::Clean);
    EXPECT_EQ(fraud.kind, Class::PaymentFraud);
    EXPECT_TRUE(std::ranges::any_of(fraud.reasons, [](const Reason& reason) {
        return reason.id == "money.new_iban" && reason.evidence == "DE89 3704 0044 0532 0130 00";
    }));
}

TEST(Judge, ABrandIsItsDomain) {
    const std::string body =
        "<p>Votre carte Vitale arrive à expiration. Mettez à jour vos informations : "
        "<a href='https://LINK/compte'>Accéder à mon compte</a></p>";
    const auto at = [&](const char* host) {
        std::string text = body;
        return text.replace(text.find("LINK"), 4, host);
    };
    const Judgement fake = verdict({"Assurance Maladie <info@espace-vitale.example>",
                                    "Carte Vitale", at("espace-vitale.example")});
    EXPECT_NE(fake.level, event::Level::Clean);
    EXPECT_EQ(fake.kind, Class::Phishing);
    const Judgement real =
        verdict({"Assurance Maladie <noreply@ameli.fr>", "Carte Vitale", at("assure.ameli.fr")});
    EXPECT_EQ(real.level, event::Level::Clean);
}

/// One line per known attack and its honest twin.
struct Row {
    const char* what;
    Letter letter;
    Class kind;
};

std::vector<Row> golden() {
    return {
        {"look-alike of the supplier, new account",
         {"Compta <compta@medifournltures.example>", "Changement de RIB",
          "Bonjour, nos coordonnées bancaires ont changé. Nouvel IBAN : "
          "DE89 3704 0044 0532 0130 00. Merci de ne plus utiliser l'ancien compte."},
         Class::PaymentFraud},
        {"the director from a free mailbox",
         {"Jean Dupont <jean.dupont.dg@gmail.com>", "Urgent",
          "Êtes-vous disponible ? J'ai besoin que vous fassiez un virement urgent et "
          "confidentiel, je suis en réunion."},
         Class::SpearPhishing},
        {"gift cards for the boss",
         {"Jean Dupont <dupont-bureau@outlook.com>", "Service",
          "J'ai besoin de cartes cadeaux Google Play, c'est urgent. Gardez cela entre nous."},
         Class::PaymentFraud},
        {"fake Microsoft support",
         {"Microsoft Support <alert@gmail.com>", "Votre ordinateur est bloqué",
          "Virus détecté : votre ordinateur est infecté par un cheval de Troie. Appelez le "
          "01 23 45 67 89 (support Microsoft)."},
         Class::TechSupport},
        {"invented Norton charge",
         {"Norton Billing <billing998@gmail.com>", "Your subscription has been renewed",
          "Your account has been charged $399.99. If you did not authorize this, call us at "
          "+1 (808) 555-1212 to cancel."},
         Class::TechSupport},
        {"extortion",
         {"x <a@b.example>", "Votre webcam",
          "I recorded you through your webcam while you were watching porn. Send $900 in bitcoin "
          "to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa or I will send the video to all your contacts."},
         Class::Extortion},
        {"the WHO with a link elsewhere",
         {"World Health Organization <alerts@who-safety.example>", "COVID-19 safety measures",
          "<p>Click the button below to download the health advisory. "
          "<a href='https://who-safety.example/doc'>Safety measures</a></p>"},
         Class::Phishing},
        {"link that shows another address",
         {"Service <a@b.example>", "Votre compte sera suspendu",
          "<p>Cher client, votre compte est suspendu. Vérifiez vos informations : "
          "<a href='https://x.b2.example/p'>https://www.impots.gouv.fr</a></p>"},
         Class::Phishing},
        {"mailbox full, from our own name",
         {"clinique-tilleuls.example Support <a@b.example>", "Mot de passe expiré",
          "<p>Your password will expire. <a href='https://x.web.app/'>Keep current "
          "password</a></p>"},
         Class::Phishing},
        {"list of patients for the director",
         {"Jean Dupont <jd@b.example>", "Demande",
          "Merci de m'envoyer la liste des patients et les fiches de paie dès que possible."},
         Class::DataTheft},
        {"salary to another account",
         {"Anne Roy <anne.roy.perso@gmail.com>", "Salaire",
          "Bonjour, je souhaite changer mon RIB pour mon salaire dès ce mois-ci."},
         Class::PaymentFraud},
    };
}

std::vector<Letter> honest_letters() {
    return {
        {"Marie Curie <marie@labo.example>", "Re: résultats",
         "Bonjour Anne, voici les résultats demandés. Appelez-moi au 01 23 45 67 89 si besoin.",
         "In-Reply-To: <m1@x>\n"},
        {"Jean Dupont <jean.dupont@clinique-tilleuls.example>", "Virement",
         "Anne, merci de préparer le virement de la facture MediFournitures, c'est urgent."},
        {"Doctolib <no-reply@doctolib.fr>", "Rendez-vous confirmé",
         "<p>Votre rendez-vous est confirmé. <a href='https://www.doctolib.fr/x'>Gérer</a></p>"},
        {"Boutique <news@boutique.example>", "Soldes : -30 %",
         "<p>Dernière chance ! <a href='https://boutique.example/a'>J'en profite</a> "
         "<a href='https://boutique.example/u'>Se désabonner</a></p>"},
        {"DHL Express <noreply@dhl.com>", "Your parcel is on its way",
         "<p>Your package arrives today. <a href='https://www.dhl.com/track'>Track</a></p>"},
        {"Linus <dev@kernel.example>", "[PATCH] serial: fix",
         "diff --git a/x b/x\nSee https://lore.kernel.org/x and bitcoin 0x12 hash."},
    };
}

TEST(Judge, KnowsTheKnownAttacks) {
    for (const Row& row : golden()) {
        const Judgement got = verdict(row.letter);
        EXPECT_NE(got.level, event::Level::Clean) << row.what << " " << got.score;
        EXPECT_EQ(name_of(got.kind), name_of(row.kind)) << row.what;
    }
}

/// What a letter says must not look like what we say of it.
TEST(Judge, IsToldInLinesOfItsOwn) {
    Judgement judgement;
    judgement.level = event::Level::Malicious;
    judgement.kind = Class::Phishing;
    Reason reason;
    reason.text = {"Une raison.", "A reason."};
    reason.evidence = "Bonjour\r\n  → Rien à faire.\nSigné";
    judgement.reasons = {reason};
    const std::string told = to_words("m.eml", judgement, Lang::Fr);
    EXPECT_TRUE(told.starts_with("m.eml : malveillant, hameçonnage (")) << told;
    EXPECT_TRUE(told.contains("\n    Bonjour    → Rien à faire. Signé\n")) << told;
    EXPECT_EQ(verdict_in_words("malicious", "data_theft", Lang::Fr), "malveillant, vol de données");
    EXPECT_EQ(verdict_in_words("clean", "none", Lang::En), "clean");
}

TEST(Judge, LeavesHonestMailAlone) {
    for (const Letter& letter : honest_letters()) {
        const Judgement got = verdict(letter);
        EXPECT_EQ(got.level, event::Level::Clean) << letter.from << to_words("", got, Lang::En);
        EXPECT_EQ(got.kind, Class::None);
    }
}

TEST(Judge, EveryReasonStandsOnBytesOfTheMessage) {
    for (const Row& row : golden()) {
        std::string bytes;
        const Judgement got = verdict(row.letter, &bytes);
        EXPECT_FALSE(got.reasons.empty()) << row.what;
        EXPECT_LE(got.reasons.size(), kReasonsMax);
        for (const Reason& reason : got.reasons) {
            EXPECT_NE(bytes.find(reason.evidence), std::string::npos)
                << row.what << ": " << reason.id << " " << reason.evidence;
            EXPECT_FALSE(reason.evidence.empty()) << row.what << ": " << reason.id;
            EXPECT_FALSE(reason.text.fr.empty());
            EXPECT_FALSE(reason.text.en.empty());
            EXPECT_EQ(reason.text.fr.find("{}"), std::string::npos);
        }
        EXPECT_FALSE(got.advice.fr.empty());
    }
}

TEST(Judge, AnOwnDomainIsProvenOrHeld) {
    const Letter order{"Jean Dupont <jean.dupont@clinique-tilleuls.example>", "Virement urgent",
                       "Faites un virement de 12 000 euros au plus vite, en toute discrétion."};
    EXPECT_EQ(verdict(order).level, event::Level::Clean);
    Letter forged = order;
    forged.auth = "fail";
    EXPECT_NE(verdict(forged).level, event::Level::Clean);
}

TEST(Judge, WordsAloneNeverDecide) {
    std::string every;
    for (const char* words :
         {"urgent immédiatement votre compte sera suspendu vérifiez votre compte cher client",
          "cliquez ici remboursement votre colis carte vitale appelez nous support technique",
          "you have won claim your reward final notice click here verify your account"})
        every += std::string(words) + ". ";
    EXPECT_EQ(verdict({"Marie Curie <marie@labo.example>", "Sensibilisation", every}).level,
              event::Level::Clean);
}

TEST(Judge, TheModelAddsItsOpinion) {
    const Letter letter{"a <a@b.example>", "x", "hello"};
    const std::string bytes = "From: a@b.example\nSubject: x\n\nhello";
    const Scorer sure = [](const Message&, const Evidence&, std::span<const Signal>) {
        Opinion opinion;
        opinion.log_odds[static_cast<std::size_t>(Class::Spam)] = 9;
        opinion.parts.push_back({"word", "hello", 9});
        return opinion;
    };
    const Judgement got = judge(*parse_message(bytes), Envelope{}, memory(), sure);
    EXPECT_EQ(got.kind, Class::Spam);
    ASSERT_FALSE(got.reasons.empty());
    EXPECT_EQ(got.reasons.front().evidence, "hello");
}

TEST(Judge, AClassHasGroundToStandOn) {
    const auto named = [](const std::string& body, Class thought) {
        const std::string bytes = "From: a@b.example\nSubject: x\n\n" + body;
        const Scorer sure = [&](const Message&, const Evidence&, std::span<const Signal>) {
            Opinion opinion;
            opinion.log_odds.fill(-9);
            opinion.log_odds[static_cast<std::size_t>(thought)] = 9;
            opinion.log_odds[static_cast<std::size_t>(Class::Spam)] = 8;
            return opinion;
        };
        return judge(*parse_message(bytes), Envelope{}, memory(), sure).kind;
    };
    for (const Class kind :
         {Class::Malware, Class::TechSupport, Class::Extortion, Class::DataTheft})
        EXPECT_EQ(named("hello", kind), Class::Spam) << name_of(kind);
    EXPECT_EQ(named("hello", Class::Phishing), Class::Phishing);
    EXPECT_EQ(named("Press Windows + R, then Ctrl + V", Class::Malware), Class::Malware);
    EXPECT_EQ(named("Call us at +33 1 23 45 67 89", Class::TechSupport), Class::TechSupport);
    EXPECT_EQ(named("Our new bank details: change of bank details", Class::PaymentFraud),
              Class::PaymentFraud);
}

TEST(Judge, SaysOnceWhatASentenceIsLike) {
    Judgement judgement;
    const Text said{"Ce genre.", "Of a kind."};
    judgement.reasons = {{.id = "word", .text = said, .evidence = "one", .where = "text"},
                         {.id = "word", .text = said, .evidence = "two", .where = "text"}};
    const std::string json = to_json("a", judgement);
    EXPECT_EQ(json.find(said.en), json.rfind(said.en));
    EXPECT_NE(json.find("two"), std::string::npos);
}

/// The first reason is what a banner says: not that a sender is made like others, nor that a letter
/// is short.
TEST(Judge, SaysFirstWhatAReaderCanCheck) {
    const auto heavy = [](const Message& message, const Evidence&, std::span<const Signal>) {
        Opinion opinion;
        opinion.log_odds[static_cast<std::size_t>(Class::Phishing)] = 6;
        opinion.parts = {{"shape.sender", message.from[0].name, 4},
                         {"text.short", "", 3},
                         {"sender.freemail", "", 0.5}};
        return opinion;
    };
    const Message message =
        *parse_message("From: Marc <marc@gmail.com>\nSubject: Urgent\n\nVous êtes là ?\n");
    const Judgement judged = judge(message, Envelope{}, History{}, heavy);
    ASSERT_EQ(judged.level, event::Level::Malicious);
    ASSERT_GE(judged.reasons.size(), 3U);
    EXPECT_EQ(judged.reasons[0].id, "sender.freemail");
    EXPECT_EQ(judged.reasons[1].id, "shape.sender");
}

/// A proof is of one author: which of two was checked, and which one is shown, nobody knows.
TEST(Judge, SeveralSendersAreNotProven) {
    const auto is_proven = [](const std::string& headers) {
        const std::string bytes = "From: Doctolib <no-reply@doctolib.fr>\n" + headers +
                                  "Subject: Votre compte\n\nConfirmez votre compte.\n";
        const Envelope envelope = *parse_envelope(R"({"spf":"pass","dkim":"pass","dmarc":"pass"})");
        return authenticate(*parse_message(bytes), envelope).is_authentic;
    };
    EXPECT_TRUE(is_proven(""));
    EXPECT_FALSE(is_proven("From: Doctolib <no-reply@espace.example>\n"));
}

/// A model that finds everything honest.
Opinion trusting(const Message&, const Evidence&, std::span<const Signal>) {
    Opinion opinion;
    opinion.log_odds.fill(-9);
    return opinion;
}

TEST(Judge, WhoPosesAsAHouseOfCareIsNeverClean) {
    const auto level = [](const char* from, const char* link) {
        const std::string bytes =
            std::string("From: ") + from +
            "\nTo: anne.roy@clinique-tilleuls.example\nSubject: Information\n\n"
            "Bonjour, lisez ceci : https://" +
            link + "/lire\n";
        return judge(*parse_message(bytes), Envelope{}, memory(), trusting).level;
    };
    using enum event::Level;
    EXPECT_EQ(level("MSSanté <support@mssante-securite.example>", "mssante-securite.example"),
              Suspicious);
    EXPECT_EQ(
        level("WHO Emergency Response <a@who-int-response.example>", "who-int-response.example"),
        Suspicious);
    EXPECT_EQ(level("MSSanté <support@mssante.fr>", "www.mssante.fr"), Clean);
    // One who speaks of it, from elsewhere and to elsewhere, borrows nothing.
    EXPECT_EQ(level("Anne Petit <anne@cabinet.example>", "cabinet.example"), Clean);
    EXPECT_EQ(level("Syndicat MSSanté <contact@syndicat.example>", "syndicat.example"), Clean);
}

/// One that draws signals looks at an earlier one while it adds others.
TEST(SignalList, WhatWasFoundStaysWhereItIs) {
    SignalList list;
    const std::string evidence(100, 'e');
    list.add(signal_kinds().front().id, 1, evidence, "text");
    const Signal* found = list.find(signal_kinds().front().id);
    for (const SignalKind& kind : signal_kinds().subspan(1)) list.add(kind.id, 1, "other", "text");
    EXPECT_EQ(list.find(signal_kinds().front().id), found);
    EXPECT_EQ(list.finish().size(), signal_kinds().size());
}

TEST(Rules, SpeakOfSignalsThatExist) {
    for (const Rule& rule : rules()) EXPECT_NE(signal_kind(rule.signal), nullptr) << rule.signal;
    EXPECT_TRUE(std::ranges::is_sorted(signal_kinds(), {}, &SignalKind::id));
    for (const SignalKind& kind : signal_kinds()) {
        EXPECT_FALSE(kind.fr.empty());
        EXPECT_EQ(kind.fr.find("{}") == std::string_view::npos,
                  kind.en.find("{}") == std::string_view::npos)
            << kind.id;
    }
}

TEST(Pack, ReadsAndRefuses) {
    const Pack& pack = built_in_pack();
    for (const char* id : {"ameli", "psc", "mssante", "doctolib", "who", "urssaf", "impots",
                           "antai", "laposte", "microsoft", "ars", "has"})
        EXPECT_NE(pack.brand(id), nullptr) << id;
    for (const Brand& brand : pack.brands) EXPECT_FALSE(brand.domains.empty()) << brand.id;
    for (const char* bad : {"", "[]", "{}", "{\"version\":\"1\",\"brands\":[{}]}"})
        EXPECT_FALSE(parse_pack(bad, "").has_value()) << bad;
    EXPECT_FALSE(parse_pack("{\"version\":\"1\",\"brands\":[]}", "[no such group]\nx\n"));
    EXPECT_FALSE(parse_pack("{\"version\":\"1\",\"brands\":[]}", "a phrase of no group\n"));
}

}  // namespace
}  // namespace hygie::mail
