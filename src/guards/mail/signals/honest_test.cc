#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "guards/mail/judge/test_senders.h"

/// Honest letters that have a word or a way in common with those of thieves, and the thieves that
/// must not gain by it.
namespace hygie::mail {
namespace {

const std::string kFree = "Lea Petit <lea.petit@gmail.com>";
const std::string kAccount = " FR76 3000 4000 0312 3456 7890 143";

TEST(MailHonest, ACodeThatCameIsAskedByNobody) {
    expect_clean({{kStranger, "Dame de 84 ans, confuse, a reçu un code à 6 chiffres."},
                  {kStranger, "Le code de sécurité du portail est attendu par SMS."},
                  {kStranger, "Le mot de passe du portail ne nous est pas parvenu."}});
}

TEST(MailHonest, ASecretThatIsRefusedIsNotAsked) {
    expect_clean(
        {{kStranger, "When you reply to this message, please do not mention your password."},
         {kStranger,
          "Please do not inform anybody of your password, and send us the ticket number."},
         {kStranger, "You may send us files without telling us your password."}});
}

TEST(MailHonest, TheAddressOfTheHospitalIsAPlace) {
    const std::string at = " https://congres-x.example/a";
    expect_clean(
        {{kKnown, "Le congrès :" + at + " L'adresse de l'hôpital : 12 rue des Lilas."},
         {kKnown, "Mon mail de l'hôpital est en panne, les photos sont là :" + at},
         {kKnown, "Inscription à la formation, identifiant professionnel (RPPS) à prévoir :" + at},
         {kKnown, "Meine neue Dienst-Mail folgt, das Programm:" + at},
         {kKnown, "N'y entrez pas avec votre boîte professionnelle :" + at},
         {kKnown, "Ouvrez-le avec votre boîte professionnelle, jamais avec un mot de passe."}});
    expect_flagged({{kKnown, "Le dossier s'ouvre avec le mail de l'hôpital :" + at}},
                   "scheme.taken_over");
}

TEST(MailHonest, AServiceSpeaksOfItsOwnSignIn) {
    const auto carried = [](const std::string& from, const std::string& words) {
        return has({from, words}, "scheme.carried_lure");
    };
    EXPECT_FALSE(carried("Dropbox <no-reply@dropbox.com>",
                         "Your team now signs in with your work email. https://www.dropbox.com/s"));
    EXPECT_FALSE(carried("Ana via DocuSign <dse@docusign.net>",
                         "Signing order: Ana, l'adresse de l'hôpital. https://www.docusign.net/x"));
    EXPECT_FALSE(carried("Ana Rossi <no-reply@dropbox.com>", "Sign in with your work email."))
        << "there is nowhere to go";
    EXPECT_TRUE(carried("Ana Rossi <no-reply@dropbox.com>",
                        "Sign in with your work email. https://www.dropbox.com/scl/fi/x"));
    EXPECT_TRUE(carried("Ana Rossi <no-reply@dropbox.com>",
                        "https://www.dropbox.com/s Sign in with your work email at x.example/a\n"
                        "Do not share this e-mail"))
        << "another line";
    EXPECT_FALSE(carried("Ana Rossi <no-reply@dropbox.com>",
                         "https://www.dropbox.com/s Sign in with your work email, but\n"
                         "never with its password"));
}

TEST(MailHonest, AStampIsAskedForByWhoPays) {
    expect_clean({{kStranger,
                   "Merci de nous retourner le certificat médical avec cachet et signature du "
                   "médecin."},
                  {kStranger, "Merci de nous renvoyer le formulaire MDPH avec votre cachet."},
                  {kStranger, "Pour l'inscription, merci de nous communiquer votre numéro RPPS."},
                  {kStranger, "Please return the form with your stamp and signature."}});
}

TEST(MailHonest, OneWordOfAMailingExcusesNoStranger) {
    const std::string change = "Veuillez noter nos nouvelles coordonnées bancaires. ";
    const auto flags = [&](const std::string& from, const std::string& words, const char* heads) {
        return has({from, words, "Facture", heads}, "scheme.bank_change");
    };
    constexpr const char* kList = "List-Unsubscribe: <https://valmer-conseil.example/u>\n";
    EXPECT_TRUE(flags(kFree, change + "Se désinscrire", ""));
    EXPECT_TRUE(flags(kFree, change + "Se désinscrire", kList)) << "a free mailbox";
    EXPECT_TRUE(flags(kStranger, change + "Se désinscrire", "")) << "no list";
    EXPECT_TRUE(flags(kStranger, change + "Répondez à ce message. Se désinscrire", kList))
        << "an answer is wanted";
    EXPECT_FALSE(flags(kStranger, change + "Se désinscrire", kList));
}

std::vector<Signal> from_the_site(const std::string& more, const std::string& path) {
    const Message message = *parse_message(
        "From: noreply@clinique-tilleuls.example\nTo: anne.roy@clinique-tilleuls.example\n"
        "Reply-To: lea.petit@gmail.com\nSubject: Nouveau message du site\n\n"
        "E-mail : lea.petit@gmail.com\n" +
        more + "\n");
    return read_evidence(message,
                         *parse_envelope(R"({"rcpt_to":"anne.roy@clinique-tilleuls.example",)"
                                         R"("spf":"pass","dkim":"none","dmarc":"fail",)"
                                         R"("mail_from":"site@)" +
                                         path + "\"}"),
                         *parse_history(kClinicMemory))
        .signals;
}

TEST(MailHonest, AFormComesTheWayThatTheHouseKnows) {
    const auto accuses = [](const std::string& more, const std::string& path) {
        return std::ranges::any_of(from_the_site(more, path),
                                   [](const Signal& one) { return one.id == "auth.own_forged"; });
    };
    const std::string ours = "medifournitures.example";
    const std::string question = "Message : avez-vous une chambre libre ?";
    EXPECT_FALSE(accuses(question, ours));
    EXPECT_TRUE(accuses(question, "valmer-x.example")) << "anybody's path is proven";
    EXPECT_TRUE(accuses("Poste infecté, appelez le 01 23 45 67 89.", ours));
    EXPECT_TRUE(accuses("Urgent : répondez avant ce soir.", ours));
}

TEST(MailHonest, AnAnswerLeadsSomewhere) {
    const auto strength = [](const std::string& more) {
        const Reading reading =
            read({"Sparkasse Valmer <info@sparkasse-valmer.example>", more, "Information"});
        const auto found = std::ranges::find(reading.signals, "sender.brand_foreign", &Signal::id);
        return found == reading.signals.end() ? 0 : found->strength;
    };
    EXPECT_LT(strength("Les conditions changent le 1er février."), 0.5);
    EXPECT_GT(strength("Vous avez droit à un remboursement, répondez à ce message."), 0.5);
}

TEST(MailHonest, OnePhraseIsOneFact) {
    expect_clean({{kStranger, "Merci de nous répondre depuis votre adresse personnelle."}});
    expect_flagged(
        {{kStranger, "Merci de nous répondre depuis votre adresse personnelle, sans en parler."}},
        "scheme.hushed_channel");
}

TEST(MailHonest, APaperThatFollowsHushesNothing) {
    for (const char* words : {"Le justificatif suivra par courrier.", "La signature suivra.",
                              "The paperwork will follow.", "Der Nachweis wird nachgereicht."})
        EXPECT_FALSE(
            has({kStranger, "Notre facture :" + kAccount + ". " + words}, "scheme.hushed_account"))
            << words;
    EXPECT_TRUE(has({kStranger, "A payer :" + kAccount + ". La directrice signera demain."},
                    "scheme.hushed_account"));
}

TEST(MailHonest, AnAccountOfAPatientIsNoBank) {
    EXPECT_FALSE(has({kFree, "My patient account is being closed, can I keep the letters?"},
                     "scheme.bank_change"));
    EXPECT_TRUE(has({kFree, "Our old account is being closed." + kAccount}, "scheme.bank_change"));
}

}  // namespace
}  // namespace hygie::mail
