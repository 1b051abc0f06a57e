#include <gtest/gtest.h>

#include <algorithm>

#include "guards/mail/attachments/read_files.h"
#include "guards/mail/judge/test_senders.h"
#include "guards/mail/message/test_zip.h"

/// Bait laid where filters do not look: an address in the words of a document, a code drawn with
/// letters, an archive behind a link.
namespace hygie::mail {
namespace {

bool says(const Message& message, std::string_view signal) {
    static const History memory = *parse_history(kClinicMemory);
    const Reading reading = read_evidence(
        message, *parse_envelope(R"({"spf":"pass","dkim":"pass","dmarc":"pass"})"), memory);
    return std::ranges::find(reading.signals, signal, &Signal::id) != reading.signals.end();
}

bool document_says(const std::string& words, std::string_view signal,
                   const std::string& from = kStranger) {
    Message message = message_of({from, "Le courrier est dans le document joint."});
    message.attachments.push_back(
        {.name = "courrier.docx",
         .type = "application/octet-stream",
         .bytes = packed({{"[Content_Types].xml", "<Types/>"},
                          {"word/document.xml", "<w:p><w:t>" + words + "</w:t></w:p>"}}),
         .is_inline = false,
         .is_truncated = false,
         .content_id = {}});
    return says(message, signal);
}

TEST(MailBait, ADocumentSendsItsReaderToSignInElsewhere) {
    const std::string asks = "Pour l’ouvrir, connectez-vous avec votre messagerie : ";
    EXPECT_TRUE(document_says(asks + "https://onedrive.depot-docs.example/login",
                              "scheme.document_sign_in"));
    EXPECT_FALSE(
        document_says(asks + "https://medifournitures.example/p", "scheme.document_sign_in"))
        << "a supplier's";
    EXPECT_FALSE(document_says("Le programme est sur https://congres-valmer.example/2026.",
                               "scheme.document_sign_in"));
    EXPECT_FALSE(document_says(asks + "https://onedrive.depot-docs.example/login",
                               "scheme.document_sign_in", kKnown));
}

/// The rows of a code as programs of a terminal draw it, two to a line.
std::string drawn_code() {
    std::string rows;
    for (int row = 0; row < 13; ++row) {
        for (int at = 0; at < 25; ++at)
            rows += (row * 7 + at * 5) % 4 == 0   ? "\u2588"
                    : (row * 3 + at * 7) % 5 == 0 ? "\u2580"
                    : (row + at) % 3 == 0         ? "\u2584"
                                                  : " ";
        rows += "\n";
    }
    return rows;
}

TEST(MailBait, ACodeDrawnWithLettersIsACode) {
    const std::string asks = "Pour consulter le bulletin scannez ce code avec votre téléphone :\n";
    const auto letter = [](const std::string& from, const std::string& body) {
        return message_of({from, body, "Bulletin de paie"});
    };
    EXPECT_TRUE(says(letter(kStranger, asks + drawn_code()), "scheme.code_alone"));
    EXPECT_FALSE(says(letter(kStranger, asks), "scheme.code_alone")) << "no code";
    EXPECT_FALSE(says(letter(kKnown, asks + drawn_code()), "scheme.code_alone"));
    EXPECT_FALSE(
        says(letter(kStranger, "Le terminal montre ceci :\n" + drawn_code()), "scheme.code_alone"))
        << "nobody is to scan it";
    std::string bars = asks;
    for (int month = 0; month < 12; ++month)
        bars += "mois : \u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\n";
    EXPECT_FALSE(says(letter(kStranger, bars), "scheme.code_alone")) << "a bar chart";
}

TEST(MailBait, AStrangersArchiveBehindALinkAndItsPassword) {
    const std::string link = "https://www.dropbox.com/scl/fi/a8/Acte.zip?rlkey=77&dl=1";
    expect_flagged(
        {{kStranger, "L'acte est à télécharger : " + link + "\nMot de passe de l'archive : 8841"},
         {kStranger, "Your files: https://files-valmer.example/d/scan.7z Password: Tilleul7"}},
        "scheme.locked_bait");
    const auto baits = [](const std::string& from, const std::string& body) {
        return has({from, body}, "scheme.locked_bait");
    };
    EXPECT_FALSE(baits(kStranger, "L'acte est à télécharger : " + link));
    EXPECT_FALSE(baits(kStranger, link + "\nLe mot de passe vous sera donné au téléphone."));
    EXPECT_FALSE(baits(
        kStranger, link + " https://revue-x.example/a https://portail-y.example/b Password: Ete7"))
        << "who speaks of programs";
    EXPECT_FALSE(baits(kStranger, "Votre compte : https://portail.example/x\nMot de passe : Ete7"));
    EXPECT_FALSE(baits(kKnown, link + "\nMot de passe de l'archive : 8841"));
}

TEST(MailBait, WhoWantsToKnowWhoMayPay) {
    expect_flagged(
        {{kStranger,
          "Pourriez-vous nous transmettre la liste des personnes habilitées à valider les "
          "virements et leurs remplaçants ?"},
         {kStranger,
          "Please send us the names of those who are authorised to approve payments and of who "
          "stands in for them."},
         {kStranger,
          "Bitte senden Sie uns die Namen der Personen, die Zahlungen freigeben dürfen."},
         {kStranger, "Merci de nous adresser la signature scannée de l'ordonnateur."}},
        "scheme.payers_asked");
    expect_clean({{kStranger, "Seules les personnes habilitées à valider les virements signent."},
                  {kStranger, "Merci de nous envoyer l'organigramme du service d'imagerie."},
                  {kKnown,
                   "Peux-tu m'envoyer la liste des personnes habilitées à valider les "
                   "virements ?"}});
}

TEST(MailBait, NothingIsToBeSaidInTheHouse) {
    expect_flagged(
        {{kStranger,
          "Vous comprendrez que rien ne doit être évoqué en interne, y compris au téléphone. Merci "
          "de m'indiquer votre ligne directe."},
         {kStranger,
          "Nothing may be discussed internally until the closing. Please send me your direct "
          "line."}},
        "scheme.hushed_channel");
    expect_clean({{kStranger, "Merci de m'indiquer votre ligne directe pour fixer le rendez-vous."},
                  {kStranger, "Rien ne doit être laissé dans le couloir pendant les travaux."}});
}

TEST(MailBait, APartnersDomainInLettersThatLookTheSame) {
    const std::string twin = "MediFournitures <info@medifoumitures.example>";
    expect_flagged({{twin, "Merci d'utiliser notre nouveau RIB pour la facture F26."},
                    {twin, "Please call me about the open invoice, it is urgent."}},
                   "scheme.partner_imitated");
    EXPECT_FALSE(has({kSupplier, "Merci d'utiliser le RIB joint."}, "scheme.partner_imitated"));
}

TEST(MailBait, AServiceNeedsNoPasswordOfTheMailbox) {
    const std::string sign = "Dropbox Sign <noreply@mail.hellosign.com>";
    EXPECT_TRUE(has({sign,
                     "IT Desk has requested your signature: sign in with your mail password, "
                     "otherwise the mailbox will be closed. https://app.hellosign.com/t/8841",
                     "Signature requested by IT Desk"},
                    "scheme.carried_lure"));
    EXPECT_FALSE(has({sign,
                      "Valmer has requested your signature on \"Convention\". "
                      "https://app.hellosign.com/t/8841",
                      "Signature requested by Valmer"},
                     "scheme.carried_lure"));
}

TEST(MailBait, WhoThreatensToPublishExtorts) {
    const Letter leak{kStranger,
                      "We have been inside your network for 19 days, 340 GB copied: patient "
                      "records, HR. If you do not contact us in 72 h the data will be published "
                      "and your patients informed. Price today: 12 BTC.",
                      "Your patient records"};
    const auto data_theft = [](const Message&, const Evidence&, std::span<const Signal>) {
        Opinion opinion;
        opinion.log_odds.fill(-9);
        opinion.log_odds[static_cast<std::size_t>(Class::DataTheft)] = 4;
        return opinion;
    };
    EXPECT_EQ(judge(message_of(leak), read(leak), data_theft).kind, Class::Extortion);
}

}  // namespace
}  // namespace hygie::mail
