#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "guards/mail/judge/test_senders.h"

/// Ways around those who would ask questions: the house's own passwords at other places, money
/// before anybody agrees, data to somebody in copy; and honest letters that look like them.
namespace hygie::mail {
namespace {

using enum event::Level;

TEST(MailAround, FirstNamesAloneAreNobodysData) {
    const std::string free = "Chorale Valmer <chorale.valmer@gmail.com>";
    expect_clean({{free,
                   "Pour les cartes de voeux, peux-tu nous envoyer la liste des résidents, les "
                   "prénoms seulement ?"},
                  {free, "For the cards, please send us the list of residents, first names only."},
                  {free,
                   "Für die Karten: senden Sie uns bitte die Liste der Bewohner, nur die "
                   "Vornamen."}});
    expect_flagged(
        {{free, "Pour les cartes de voeux, peux-tu nous envoyer la liste des résidents ?"}},
        "scheme.data_asked");
}

TEST(MailAround, AMailingThatTellsOfMovedAccountsMovesNone) {
    const auto mailing = [](const std::string& more) {
        return Letter{"Revue Valmer <revue@valmer-conseil.example>",
                      "This month: a clerk was sent new bank details and paid a thief. Our lawyers "
                      "answer. " +
                          more,
                      "Pay and pensions in December",
                      "List-Unsubscribe: <https://valmer-conseil.example/u>\n"};
    };
    EXPECT_FALSE(
        has(mailing("Unsubscribe: https://valmer-conseil.example/u"), "scheme.bank_change"));
    EXPECT_TRUE(has(mailing("Unsubscribe: https://valmer-conseil.example/u Pay to "
                            "FR76 3000 4000 0312 3456 7890 143"),
                    "scheme.bank_change"))
        << "it has an account of its own";
    EXPECT_TRUE(has({kStranger, "Please note our new bank details for your next payment."},
                    "scheme.bank_change"));
}

std::vector<Signal> from_the_site(const std::string& from, const std::string& text) {
    const Message message =
        *parse_message("From: " + from +
                       "\nTo: anne.roy@clinique-tilleuls.example\nReply-To: lea.petit@gmail.com\n"
                       "Subject: Nouveau message du site\n\n" +
                       text + "\n");
    return read_evidence(message,
                         *parse_envelope(R"({"rcpt_to":"anne.roy@clinique-tilleuls.example",)"
                                         R"("spf":"pass","dkim":"none","dmarc":"fail",)"
                                         R"("mail_from":"site7@medifournitures.example"})"),
                         *parse_history(kClinicMemory))
        .signals;
}

TEST(MailAround, AFormOfTheHousesOwnSiteForgesNobody) {
    const std::string form = "Formulaire <wordpress@clinique-tilleuls.example>";
    const std::string question =
        "De : Lea Petit\nE-mail : lea.petit@gmail.com\nMessage : avez-vous une chambre libre ?\n"
        "Envoyé depuis https://clinique-tilleuls.example";
    const auto accuses = [](const std::vector<Signal>& signals) {
        return std::ranges::any_of(signals, [](const Signal& one) {
            return one.id == "auth.own_forged" || one.id == "sender.reply_freemail";
        });
    };
    EXPECT_FALSE(accuses(from_the_site(form, question)));
    EXPECT_TRUE(accuses(from_the_site("Anne Roy <anne.roy@clinique-tilleuls.example>", question)))
        << "a person of the house";
    EXPECT_TRUE(accuses(from_the_site(form, "Avez-vous une chambre libre ?")))
        << "nobody says to whom answers go";
    EXPECT_TRUE(accuses(from_the_site(form, question + "\nhttps://valmer-conseil.example/x")))
        << "it leads elsewhere";
    EXPECT_TRUE(accuses(from_the_site(form, question + "\nVirement urgent à faire ce matin.")));
}

TEST(MailAround, BrandsWriteFromTheirOtherDomains) {
    for (const char* from :
         {"Correos <avisos@correos.com>", "Agencia Tributaria <noreply@correo.aeat.es>",
          "ViaTrajectoire <ne-pas-repondre@viatrajectoire.fr>",
          "Mijn Overheid <noreply@mijn.overheid.nl>"})
        EXPECT_FALSE(has({from, "Bonjour."}, "sender.brand_foreign")) << from;
    for (const char* name :
         {"ViaTrajectoire", "Mijn Overheid", "Zoom Recordings", "Ministerio de Sanidad"})
        EXPECT_TRUE(is_flagged({std::string(name) + " <info@valmer-conseil.example>",
                                "Bonjour : https://valmer-conseil.example/a"}))
            << name;
}

TEST(MailAround, WhatTheHousesOwnPasswordsOpen) {
    const std::vector<std::string> asked = {
        "Consultable sur https://valmer-conseil.example/d (compte Microsoft exigé).",
        "Pour consulter le bulletin : https://valmer-conseil.example/d Identifiants : ceux de "
        "votre "
        "messagerie habituelle.",
        "Pour ouvrir la pièce, votre identifiant Windows et le mot de passe de session : "
        "https://valmer-conseil.example/d",
        "To read the advice use the password of your mailbox: https://valmer-conseil.example/d",
        "To open the file, use your hospital credentials: https://valmer-conseil.example/d",
        "Zum Öffnen Ihr Windows-Kennwort: https://valmer-conseil.example/d",
        "Para abrir: credenciales del hospital, https://valmer-conseil.example/d",
        "Per aprire servono le credenziali aziendali: https://valmer-conseil.example/d",
        "Om het te lezen: inloggegevens van het ziekenhuis, https://valmer-conseil.example/d",
        "Para abrir: credenciais institucionais, https://valmer-conseil.example/d"};
    for (const std::string& text : asked)
        expect_flagged({{kStranger, text}}, "scheme.document_sign_in");
    expect_flagged({{kKnown,
                     "Pour y accéder, identifie-toi avec les codes de ton hôpital : "
                     "https://partage-x.example/f"}},
                   "scheme.taken_over");
    expect_flagged({{kStranger,
                     "anbei der Befund: https://partage-x.example/f (Anmeldung mit deiner "
                     "Praxis-Mail)"}},
                   "scheme.document_sign_in");
    const auto carried = [](const std::string& words) {
        return Letter{
            "Dropbox <no-reply@dropbox.com>",
            "Valmer shared a file with you: \"" + words + "\" https://www.dropbox.com/scl/fi/x"};
    };
    expect_flagged({carried("Use your company email login on the page inside.")},
                   "scheme.carried_lure");
    expect_flagged({carried("Use your company email login, it will not open otherwise.")},
                   "scheme.carried_lure");
    expect_clean({carried("Never use your company email login here."),
                  carried("Here are the minutes of Monday."),
                  {kStranger, "Pour ouvrir la pièce : https://valmer-conseil.example/d"},
                  {kKnown, "Les dossiers sont là : https://partage-x.example/f"}});
}

TEST(MailAround, WhoGoesAroundThoseWhoWouldAsk) {
    expect_flagged(
        {{kStranger,
          "Je vous mets en demeure de m'adresser par mail son dossier médical complet, sans passer "
          "par la direction."},
         {kStranger,
          "Please email me his full medical record, without going through the records office."}},
        "scheme.data_asked");
    expect_flagged(
        {{kStranger,
          "Versez le dépôt sur ce compte : FR76 3000 4000 0312 3456 7890 143. Nos "
          "échanges se feront par ce canal exclusivement."},
         {kStranger,
          "Peux-tu payer cette facture ce matin : FR76 3000 4000 0312 3456 7890 143 ? La "
          "directrice te signera le bon demain."},
         {kStranger,
          "Please pay this today: FR76 3000 4000 0312 3456 7890 143. The purchase order "
          "will follow tomorrow."}},
        "scheme.hushed_account");
    expect_flagged(
        {{kStranger,
          "Quels sont les soldes de vos comptes ? Merci de répondre depuis une adresse "
          "personnelle, sans en parler."},
         {kStranger, "Please reply from your personal email and keep this to yourself."}},
        "scheme.hushed_channel");
    expect_flagged({{"Iñaki Soler <inaki.soler@icloud.com>",
                     "Estoy con un proveedor. Pásame el número de la tarjeta y el código de "
                     "atrás."},
                    {"Ian Sole <ian.sole@icloud.com>",
                     "I am at the till: send me the card number and the code on the back."}},
                   "scheme.secret_asked");
    expect_clean({{kOwn, "Le bon de commande suivra demain, bonne journée."},
                  {kStranger, "Merci de répondre avant jeudi."},
                  {kStranger, "Commandez en ligne, sans passer par le standard."}});
}

TEST(MailAround, NobodyRefundsWhileTheReadersBankIsOpen) {
    expect_flagged(
        {{kStranger,
          "The support contract has renewed for EUR 349. Dial 04 65 71 14 07. You will be asked to "
          "open your online banking for the refund."},
         {kStranger,
          "Votre contrat est renouvelé. Appelez le 04 65 71 14 07 : il faudra ouvrir votre banque "
          "en ligne pour le remboursement."}},
        "scheme.remote_asked");
    expect_clean({{kStranger, "Dial 04 65 71 14 07 for a refund of your ticket."}});
}

TEST(MailAround, DataThatGoToAStrangerInCopy) {
    const std::string asked =
        "Envoyez-moi le fichier complet des résidents, avec adresses et comptes bancaires ; "
        "l'auditeur est en copie.";
    const auto copied = [&](const std::string& to) {
        return Letter{kOwn, asked, "Fichier", "Cc: " + to + "\n"};
    };
    expect_flagged({copied("auditeur@inspection-x.example")}, "scheme.data_led_away");
    expect_clean({copied("anne.roy@clinique-tilleuls.example"),
                  copied("marie@labo-curie.example"),
                  {kOwn, "Le planning est prêt.", "Planning", "Cc: a@inspection-x.example\n"}});
}

TEST(MailAround, PapersOfIdentityInABrandsName) {
    const auto letter = [](const char* from) {
        return Letter{from,
                      "You were selected for our board. Register with your bank details and a scan "
                      "of your passport: https://valmer-grants.example/a"};
    };
    expect_flagged({letter("Pfizer Medical Information <grants@pfizer-valmer.example>")},
                   "scheme.name_borrowed");
    expect_clean({letter("Congrès Valmer <grants@valmer-grants.example>")});
}

TEST(MailAround, AnotherAccountInsteadOfTheUsualOne) {
    const auto letter = [](const std::string& words) {
        return Letter{kStranger, words + " FR76 3000 4000 0312 3456 7890 143", "Invoice 22", "",
                      false};
    };
    expect_flagged(
        {letter("Could you hold the transfer? Our accountant has flagged a tax block. "
                "Please pay to our euro account instead:"),
         letter("Merci de suspendre le virement et de le faire sur notre autre compte :"),
         letter("Bitte die Überweisung stoppen und auf unser anderes Konto zahlen:")},
        "scheme.account_announced");
    expect_clean({letter("Please pay the invoice to our account:")});
}

TEST(MailAround, AnArticleThatMoneyKeepsBack) {
    const std::string account = " FR76 3000 4000 0312 3456 7890 143";
    expect_flagged({{kStranger,
                     "We hold photographs of your home. Our article will run on Friday. A payment "
                     "to our fund would lead us to reconsider:" +
                         account},
                    {kStranger,
                     "Nous détenons des photos de vos couloirs. Notre article paraîtra vendredi ; "
                     "un versement à notre fonds nous ferait renoncer :" +
                         account}},
                   "scheme.leak_threat");
    expect_clean({{kStranger,
                   "Our article will run on Friday. We hold interviews with three carers; contact "
                   "us with your comments."}});
}

TEST(MailAround, ThatNobodyIsToBeAskedRefusesNothing) {
    const auto asked = [](const char* more) {
        return Letter{kStranger,
                      "Please email me the full list of patients as a CSV" + std::string(more)};
    };
    expect_flagged({asked(", and do not call."), asked(", do not contact the records office.")},
                   "scheme.data_asked");
    expect_clean({asked(": we will not ask you for that.")});
}

TEST(MailAround, WhoTakesANameAndLeadsNowhere) {
    const auto strength = [](const std::string& more, const char* heads = "") {
        const Reading reading = read(
            {"Sparkasse Valmer <info@sparkasse-valmer.example>",
             "Zum 1. Februar passen wir die Bedingungen an. Sie finden sie im Postfach. " + more,
             "Neue AGB", heads});
        const auto found = std::ranges::find(reading.signals, "sender.brand_foreign", &Signal::id);
        return found == reading.signals.end() ? 0 : found->strength;
    };
    EXPECT_LT(strength(""), 0.5);
    EXPECT_GT(strength("https://sparkasse-valmer.example/x"), 0.5);
    EXPECT_GT(strength("Rufen Sie uns an: +49 30 1234567."), 0.5);
    EXPECT_GT(strength("Fragen: +49 30 1234567."), 0.5);
    EXPECT_GT(strength("Bestätigen Sie Ihr Passwort."), 0.5);
    EXPECT_GT(strength("", "Reply-To: a@valmer-x.example\n"), 0.5);
}

TEST(MailAround, AShareWhoseWordsWantNothing) {
    const auto share = [](const std::string& words, const char* answers = "ana@valmer-x.example") {
        return has({"Ana Rossi via Google Drive <drive-shares-dm-noreply@google.com>",
                    "Ana shared an item. \"" + words + "\" https://drive.google.com/file/d/1x/view",
                    "Item shared with you", "Reply-To: " + std::string(answers) + "\n"},
                   "sender.carrier");
    };
    EXPECT_FALSE(share("last draft, your talk is on page 3"));
    EXPECT_TRUE(share("sign in to read it"));
    EXPECT_TRUE(share("urgent, final reminder"));
    EXPECT_TRUE(share("last draft", "ana.rossi@yahoo.com"));
}

TEST(MailAround, WhatMakesAPrescriptionValid) {
    const std::string free = "Pharmacie du Pont <pharmacie.pont@outlook.fr>";
    expect_flagged({{free,
                     "Le tampon est illisible. Pouvez-vous nous envoyer par retour un modèle "
                     "d'ordonnance avec cachet et signature ?"},
                    {free, "Please send us a blank prescription with your stamp and signature."}},
                   "scheme.data_asked");
    expect_clean({{free, "Est-ce bien votre ordonnance ? Merci de nous rappeler."},
                  {free, "Votre cachet et signature figurent bien sur l'ordonnance, merci."}});
}

TEST(MailAround, AKnownPersonWhoseAnswersGoElsewhere) {
    const auto asks = [](const char* heads) {
        return Letter{kKnown, "J'ai besoin d'un service discret : 4 coupons PCS de 150 €.",
                      "Un service", heads};
    };
    EXPECT_TRUE(has(asks("Reply-To: marie@courrier-x.example\n"), "scheme.gift_card"));
    EXPECT_FALSE(has(asks(""), "scheme.gift_card"));
}

TEST(MailAround, WhatServicesCarryOfNumbersAndPasswords) {
    expect_flagged({{"service@paypal.com <service@paypal.com>",
                     "Seller note: your plan has been auto-renewed. If you did not authorize this, "
                     "call PayPal Support at +1 (808) 555-0142. https://www.paypal.com/invoice/p"}},
                   "scheme.carried");
    expect_flagged(
        {{"Ana via Google Forms <forms-receipts-noreply@google.com>",
          "La première page demande votre identifiant et votre mot de passe de session. "
          "https://docs.google.com/forms/d/1",
          "Enquête", "Reply-To: ana.enquetes@gmail.com\n"},
         {"Dropbox <no-reply@dropbox.com>",
          "Ana shared a file: \"Tender\", sign in with your hospital e-mail on page two. "
          "https://www.dropbox.com/scl/fi/x"}},
        "scheme.carried_lure");
}

TEST(MailAround, TheOldAccountIsClosedInAnExchange) {
    const auto letter = [](const std::string& words) {
        return Letter{kStranger, words + " GB33 BUKB 2020 1555 5555 55", "Re: statement", "",
                      false};
    };
    expect_flagged({letter("Our bank is closing the old account, money sent there will bounce. "
                           "Kindly use details below for all open invoices:"),
                    letter("Merci d'utiliser le compte ci-dessous et de supprimer nos anciennes "
                           "coordonnées :")},
                   "scheme.account_announced");
}

bool leaves_a_code_alone(const std::string& text, const std::string& payload) {
    const Message message = message_of({kStranger, text, "Cotisation"});
    AttachmentFacts files;
    files.qr.push_back({payload, "attachment:appel.pdf"});
    static const History memory = *parse_history(kClinicMemory);
    const Evidence seen = extract_evidence(
        message, *parse_envelope(R"({"spf":"pass","dkim":"pass","dmarc":"pass"})"), memory, files);
    const std::vector<Signal> signals = draw_signals(message, seen, memory);
    return std::ranges::find(signals, "scheme.code_alone", &Signal::id) != signals.end();
}

TEST(MailAround, ACodeIsTheOnlyWayToAStranger) {
    const std::string place = "https://valmer-conseil.example/pay";
    const std::string asks = "Merci de régler par carte : flashez le code de l'appel joint.";
    EXPECT_TRUE(leaves_a_code_alone(asks, place));
    EXPECT_TRUE(leaves_a_code_alone("Urgent: scan the code to read the notice.", place));
    EXPECT_FALSE(leaves_a_code_alone(asks + " " + place, place)) << "a link leads there as well";
    EXPECT_FALSE(leaves_a_code_alone(asks, "https://medifournitures.example/p")) << "a supplier's";
    EXPECT_FALSE(leaves_a_code_alone(asks, "BCD 002 1 SCT")) << "no place";
    EXPECT_FALSE(leaves_a_code_alone("Flashez le code pour voir le programme.", place));
    EXPECT_FALSE(leaves_a_code_alone("Présentez ce code à l'entrée.", place));
}

}  // namespace
}  // namespace hygie::mail
