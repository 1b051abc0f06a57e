#include <gtest/gtest.h>

#include <vector>

#include "guards/mail/facts/asks.h"
#include "guards/mail/judge/test_letter.h"

namespace hygie::mail {
namespace {

using enum event::Level;

const std::string kStranger = "Etude Nordal <contact@nordal-registre.example>";
const std::string kFree = "Dr Peter Holm <peter.holm88@gmail.com>";
const std::string kOwn = "Anne Roy <anne.roy@clinique-tilleuls.example>";
const std::string kKnown = "Marie Curie <marie@labo-curie.example>";
const std::string kSupplier = "MediFournitures <info@medifournitures.example>";

/// The attack and its honest twin: the same matter, asked as nobody honest would and as honest
/// people do.
struct Pair {
    Letter attack;
    Letter honest;
};

/// Judged by a model that finds everything honest: only facts speak.
void expect_told_apart(const std::vector<Pair>& pairs, std::string_view signal, Class kind) {
    for (const Pair& pair : pairs) {
        const Reading reading = read(pair.attack);
        const Judgement judged = judge(message_of(pair.attack), reading, trusting);
        EXPECT_NE(judged.level, Clean) << pair.attack.body;
        EXPECT_EQ(judged.kind, kind) << pair.attack.body;
        EXPECT_TRUE(has(pair.attack, signal)) << pair.attack.body;
        for (const Reason& reason : judged.reasons)
            EXPECT_FALSE(reason.evidence.empty()) << reason.id;
        EXPECT_EQ(level(pair.honest), Clean) << pair.honest.body;
    }
}

TEST(MailAsks, AStrangerWhoWantsTheDataOfPatients) {
    const std::vector<Pair> pairs = {
        {{kStranger,
          "Nous menons une enquête sur la fragilité. Merci de nous adresser par retour de mail la "
          "liste de vos patients avec leur numéro de sécurité sociale."},
         {kStranger,
          "Nous menons une enquête sur la fragilité. Merci de déposer vos données anonymisées "
          "sur le portail du registre, sans nom ni date de naissance."}},
        {{kStranger,
          "Pour notre travail, pourriez-vous nous transmettre le fichier patients complet au "
          "format CSV, en réponse à ce message ?"},
         {kStranger,
          "Pour notre travail, pourriez-vous nous dire par retour combien de lits compte votre "
          "service ?"}},
        {{kFree,
          "I treat Mrs Varga abroad. Please send me her full chart and a copy of her passport by "
          "email. I cannot take calls."},
         {"Dr Peter Holm <holm@praxis-holm.example>",
          "I treat Mrs Varga abroad. Please send me her discharge summary by secure mail, or call "
          "my office."}},
        {{"Inspection régionale <inspection@controle-sante.example>",
          "Contrôle en cours : veuillez nous communiquer par courriel, avant ce soir, la liste "
          "nominative des résidents, leur NIR et leurs traitements."},
         {"Inspection régionale <inspection@controle-sante.example>",
          "Une visite aura lieu mardi. Merci de préparer les registres, qui seront consultés sur "
          "place."}},
        {{"Mutuelle du Nord <adhesion@mutuelle-nord-gestion.example>",
          "Mise à jour : merci de nous renvoyer par mail les cartes Vitale, pièces d'identité et "
          "RIB de l'ensemble de vos résidents."},
         {"Mutuelle du Nord <adhesion@mutuelle-nord-gestion.example>",
          "Merci de nous adresser la facture de l'hospitalisation par courrier ou sur l'espace "
          "professionnel."}},
        {{"Lea Fontaine <lea.fontaine.famille@gmail.com>",
          "Maman est chez vous. Envoyez-moi son dossier médical complet, la copie de sa carte "
          "d'identité et les codes de sa carte par retour. Inutile de téléphoner."},
         {"Lea Fontaine <lea.fontaine.famille@gmail.com>",
          "Maman est chez vous. À quelle heure puis-je venir la voir dimanche ? Je lui apporte "
          "ses papiers."}},
        {{"Audit <audit@dpi-controle.example>",
          "We are auditing record systems. Please export the patient database and email us the "
          "dump as a CSV file."},
         {"Audit <audit@dpi-controle.example>",
          "We are auditing record systems. Our report on patient databases is on our site."}},
        {{"Research Unit <unit@cohort-lab.example>",
          "For our cohort we need a list of all your patients with their NHS numbers. Please reply "
          "to this email with the spreadsheet."},
         {"Research Unit <unit@cohort-lab.example>",
          "For our cohort we need aggregated counts. Please enter them on the registry website."}},
        {{kFree,
          "Pouvez-vous m'envoyer sur mon adresse la liste des patients suivis pour un diabète ?"},
         {kFree, "Pouvez-vous m'envoyer mes résultats de prise de sang par mail ?"}},
        {{"Assistance <aide@logiciel-soin.example>",
          "Migration du logiciel : merci de nous envoyer par mail une sauvegarde complète de la "
          "base patients avant vendredi."},
         {"Assistance <aide@logiciel-soin.example>",
          "Migration du logiciel : notre technicien fera la sauvegarde sur place. Ne nous envoyez "
          "jamais de données de patients par mail."}},
        {{kStranger,
          "Il suffit d'exporter la patientèle, non anonymisée, et de l'envoyer au secrétariat de "
          "l'étude par mail."},
         {kStranger,
          "Il suffit d'exporter la patientèle, anonymisée, et de l'envoyer au secrétariat de "
          "l'étude par mail."}},
        {{"Caisse <contrats@caisse-gestion.example>",
          "Merci de nous retourner par courriel, pour chaque patient, la carte Vitale et un RIB."},
         {"Caisse <contrats@caisse-gestion.example>",
          "Je vous envoie les résultats de l'appel d'offres par courriel."}},
    };
    expect_told_apart(pairs, "scheme.data_asked", Class::DataTheft);
}

TEST(MailAsks, WhoWantsNoNamesTakenOutWantsTheDataOfPatients) {
    const std::vector<Pair> pairs = {
        {{kStranger,
          "Could you just export residents' full names, dates of birth and diagnoses and mail it "
          "back? No need to pseudonymise, we do this centrally."},
         {kStranger,
          "Could you just export the number of residents by age and mail it back? The table is "
          "anonymised."}},
        {{kStranger,
          "Graag ontvangen wij per mail de lijst van alle bewoners met hun BSN. Anonimiseren is "
          "niet nodig."},
         {kStranger,
          "Graag ontvangen wij per mail uw openingstijden, de lijst met bewoners niet."}},
        {{kStranger,
          "Ci occorre entro domani l'elenco degli ospiti con i codici fiscali, per posta "
          "elettronica, senza anonimizzare."},
         {kStranger, "Ci occorre entro domani il numero degli ospiti, in forma anonimizzata."}},
    };
    expect_told_apart(pairs, "scheme.data_asked", Class::DataTheft);
}

TEST(MailAsks, ItIsReadInOtherLanguagesToo) {
    const std::vector<Pair> pairs = {
        {{"Kasse Nord <pruefung@kasse-nord.example>",
          "Bitte senden Sie uns die Patientenliste mit Versichertennummern per E-Mail."},
         {"Kasse Nord <pruefung@kasse-nord.example>",
          "Bitte senden Sie uns die Rechnung per Post."}},
        {{"Estudio <estudio@red-clinica.example>",
          "Necesitamos la lista de pacientes con sus historias clínicas por correo electrónico."},
         {"Estudio <estudio@red-clinica.example>",
          "Necesitamos confirmar su asistencia al congreso por correo electrónico."}},
        {{"Estudo <estudo@rede-clinica.example>",
          "Precisamos da lista de pacientes e dos processos clínicos por email."},
         {"Estudo <estudo@rede-clinica.example>", "Precisamos da sua ficha de inscrição."}},
        {{"Studio <studio@rete-clinica.example>",
          "Vi chiediamo di inviarci tramite email l'elenco dei pazienti e le cartelle cliniche."},
         {"Studio <studio@rete-clinica.example>", "Vi chiediamo di inviarci la fattura."}},
        {{"Onderzoek <info@zorg-studie.example>",
          "Stuur ons de patiëntenlijst met BSN-nummers per e-mail, als bijlage."},
         {"Onderzoek <info@zorg-studie.example>", "Stuur ons uw reactie per e-mail."}},
    };
    expect_told_apart(pairs, "scheme.data_asked", Class::DataTheft);
}

TEST(MailAsks, HonestCareAsksForDataEveryDay) {
    const std::vector<Letter> letters = {
        {"Lea Petit <lea.petit@gmail.com>",
         "Bonjour, pourriez-vous m'envoyer mon compte rendu et mes ordonnances par mail ? Merci."},
        {"Lea Petit <lea.petit@gmail.com>",
         "Pouvez-vous me transmettre par mail le certificat et le dossier médical de mon fils ?"},
        {"Tom Reed <tom.reed@gmail.com>", "Could you please send me a copy of my medical records?"},
        {"Dr Lou <lou@cabinet-lou.example>",
         "Merci de m'adresser le compte rendu opératoire de M. Noir par MSSanté."},
        {"Dr Lou <lou@cabinet-lou.example>",
         "Merci de m'adresser le compte rendu opératoire de M. Noir."},
        {kKnown, "Merci de nous envoyer les résultats de M. Noir et son traitement en cours."},
        {kKnown, "Pouvez-vous nous adresser la liste des patients de demain ?"},
        {kOwn, "Peux-tu m'envoyer la liste des patients de la tournée de demain ?"},
        {kOwn, "Merci d'envoyer le compte rendu à Mme Petit : lea.petit@gmail.com"},
        {kSupplier,
         "Pour le ticket, merci de nous envoyer une copie d'écran, sans données "
         "nominatives."},
        {"Assureur <sinistres@assureur.example>",
         "Merci de nous adresser le certificat médical sous pli confidentiel."},
        {"Editeur <news@logiciel.example>",
         "Exportez votre base patients en un clic et gardez la main sur vos dossiers médicaux."},
        {"Registre <registre@cohorte.example>",
         "Nous avons besoin de données de patients anonymisées : envoyez-nous le fichier par "
         "mail."},
        {"Recruteur <rh@emploi.example>",
         "Merci de nous envoyer votre CV et la copie de votre pièce d'identité par mail."},
        {"Congrès <info@congres.example>", "Please send us your abstract by email."},
    };
    for (const Letter& letter : letters) EXPECT_EQ(level(letter), Clean) << letter.body;
}

TEST(MailAsks, TheKnownDoNotHaveDataSentToAPrivateMailbox) {
    const std::vector<Pair> pairs = {
        {{kOwn,
          "Merci d'envoyer la liste nominative des patients avec leur NIR à "
          "anne.roy.travail@gmail.com, je travaille de chez moi."},
         {kOwn, "Merci d'envoyer la liste nominative des patients avec leur NIR par MSSanté."}},
        {{kOwn, "Envoie-moi l'export des dossiers sur mon adresse personnelle ce soir."},
         {kOwn, "Envoie-moi l'export des dossiers sur le partage du service ce soir."}},
        {{kKnown, "Please send me the patient list, to my private email."},
         {kKnown, "Please send me the patient list, through the lab portal."}},
        {{kKnown, "Merci de nous adresser le dossier médical de M. Noir.", "Dossier",
          "Reply-To: marie.curie.labo@gmail.com\n"},
         {kKnown, "Merci de nous adresser le dossier médical de M. Noir.", "Dossier",
          "Reply-To: accueil@labo-curie.example\n"}},
        {{kSupplier, "We need the database dump. Please send it to support.medif@outlook.com"},
         {kSupplier, "We need the log file. Please send it to support@medifournitures.example"}},
    };
    expect_told_apart(pairs, "scheme.data_led_away", Class::DataTheft);
}

TEST(MailAsks, NobodyHonestAsksForASecretByReturn) {
    const std::vector<Pair> pairs = {
        {{kStranger, "Pour garder votre boîte, répondez à ce message avec votre mot de passe."},
         {kStranger, "Ne répondez jamais à un message qui demande votre mot de passe."}},
        {{kStranger, "Reply with your username and password to keep your mailbox."},
         {kStranger, "We will never ask you to reply with your username and password."}},
        {{kStranger, "Send me the verification code you received."},
         {kStranger, "Your verification code is 123456. Do not share it with anyone."}},
        {{kStranger,
          "Merci de nous communiquer la clé de chiffrement et un compte "
          "administrateur."},
         {kStranger, "La clé de chiffrement reste chez vous ; personne ne vous la demandera."}},
        {{kStranger, "Répondez à ce mail en complétant :\n\nIdentifiant :\nMot de passe :\n"},
         {kStranger,
          "Répondez à ce mail pour confirmer. Le mot de passe vous sera remis sur "
          "place."}},
        {{kStranger, "Please provide us your login and your current password."},
         {kStranger, "Forgot your password? Reset your password on our site."}},
        {{kStranger, "Antworten Sie auf diese Nachricht und senden Sie uns Ihr Passwort."},
         {kStranger, "Geben Sie Ihr Passwort niemals weiter."}},
        {{kStranger, "Envíenos su contraseña por correo para conservar la cuenta."},
         {kStranger, "Nunca le pediremos su contraseña por correo."}},
        {{kStranger, "Responda com a sua senha para manter a caixa."},
         {kStranger, "Nunca envie a sua senha."}},
        {{kStranger, "Inviateci la vostra password per conservare la casella."},
         {kStranger, "Non comunicate mai la vostra password."}},
        {{kStranger, "Stuur ons uw wachtwoord om uw postvak te behouden."},
         {kStranger, "Deel nooit uw wachtwoord."}},
    };
    expect_told_apart(pairs, "scheme.secret_asked", Class::Phishing);
}

TEST(MailAsks, FamiliarityTalksNoSecretAway) {
    const std::vector<Pair> pairs = {
        {{kOwn,
          "Le service informatique renouvelle les comptes : répondez avec votre identifiant "
          "et mot de passe."},
         {kOwn,
          "Le service informatique renouvelle les comptes : changez votre mot de passe sur "
          "l'intranet, et ne le donnez jamais."}},
        {{kOwn,
          "J'ai oublié ma carte, peux-tu me donner ton code CPS et ton mot de passe "
          "amelipro ?"},
         {kOwn, "J'ai oublié ma carte, peux-tu me donner le code de la salle de garde ?"}},
        {{kKnown, "Please send me your password, I will look into it."},
         {kKnown, "I have reset your password, please choose a new one at the front desk."}},
        {{kSupplier, "Merci de nous transmettre le mot de passe administrateur du serveur."},
         {kSupplier, "Le mot de passe du fichier joint vous sera donné par téléphone."}},
        {{kKnown, "Envoie-moi le code reçu par SMS, vite."},
         {kKnown, "Je t'envoie le code par SMS, ne le transmets à personne."}},
        {{kOwn, "Merci de répondre par retour : identifiant et mot de passe de votre session."},
         {kOwn, "Merci de me renvoyer le mot de passe du fichier Excel des gardes."}},
    };
    expect_told_apart(pairs, "scheme.secret_of_known", Class::SpearPhishing);
}

TEST(MailAsks, TheKnownHaveNoPasswordTypedInElsewhere) {
    const std::string words = "Le courrier est ici, tape ton nom de session puis mot de passe : ";
    EXPECT_EQ(level({kKnown, words + "https://courrier-x.example/lire"}), Suspicious);
    EXPECT_EQ(level({kKnown, words + "https://labo-curie.example/lire"}), Clean);
    EXPECT_EQ(level({kOwn, words + "https://intranet.clinique-tilleuls.example/lire"}), Clean);
    EXPECT_EQ(level({kKnown, "Le courrier est ici : https://courrier-x.example/lire"}), Clean);
}

TEST(MailAsks, APartnersNameInsideAnothersDomain) {
    const auto from = [](const char* domain) {
        return "Support <support@" + std::string(domain) + ">";
    };
    const std::string dump = "Merci de nous communiquer les dossiers patients à contrôler.";
    for (const char* domain : {"medifournitures-cloud.example", "medifournitures-dpi-x.example",
                               "support-medifournitures.example", "medifourniture.example"})
        EXPECT_TRUE(has({from(domain), dump}, "scheme.name_borrowed")) << domain;
    EXPECT_EQ(level({from("medifournitures-cloud.example"), dump}), Malicious)
        << "a borrowed name and data of patients";
    EXPECT_EQ(level({from("club-medifournitures.example"), "Rendez-vous du club : le programme."}),
              Clean);
    EXPECT_EQ(level({from("medifournitures-distribution.example"), "Votre devis est prêt."}),
              Clean);
    EXPECT_FALSE(has({kSupplier, dump}, "scheme.name_borrowed"));
    EXPECT_TRUE(has({kStranger, "Identifiez-vous : https://medifournitures-acces.example/in"},
                    "scheme.name_borrowed"));
    EXPECT_FALSE(has({kStranger, "Identifiez-vous : https://medifournitures.example/in"},
                     "scheme.name_borrowed"));
}

TEST(MailAsks, ATheftIsThreatenedWithoutAWallet) {
    const std::vector<Pair> pairs = {
        {{kStranger,
          "Nous avons copié vos dossiers. Sans paiement sous trois jours, ils seront publiés. "
          "Contactez-nous sur Telegram."},
         {kStranger,
          "Vos résultats d'enquête seront publiés en juin. Contactez-nous pour un "
          "exemplaire."}},
        {{kStranger,
          "We have downloaded your server. Pay or everything will be published; get in touch "
          "within two days."},
         {kStranger, "The article will be published in May. The fee is paid by your library."}},
        {{kFree,
          "We were in your network and copied the files. The price is 5 BTC, or we publish."},
         {kFree, "We were in your town and liked it. The price of the room is 50 euros."}},
        {{kFree, "We have your records and will leak them. Write to us to negotiate."},
         {kFree, "We have your booking. Write to us to change the date."}},
    };
    expect_told_apart(pairs, "scheme.leak_threat", Class::Extortion);
}

TEST(MailAsks, AnAccountThatNobodyIsToBeAskedAbout) {
    const std::string iban = " IBAN FR1420041010050500013M02606";
    EXPECT_TRUE(
        has({"Me Fabre <fabre@etude-fabre.example>",
             "Succession : réglez les frais. Merci de ne pas contacter les héritiers." + iban},
            "scheme.hushed_account"));
    EXPECT_FALSE(
        has({"Me Fabre <fabre@etude-fabre.example>",
             "Succession : réglez les frais. Pour toute question, appelez l'étude." + iban},
            "scheme.hushed_account"));
}

TEST(MailAsks, WhatIsQuotedIsNotAsked) {
    EXPECT_EQ(level({kStranger,
                     "Vu, je vous appelle.\n\nLe 3 juin, Jean Noir a écrit :\n"
                     "> Envoyez-moi la liste des patients et leur NIR par mail.\n"}),
              Clean);
}

TEST(MailAsks, WithoutAMemoryNobodyIsStrangeByThatAlone) {
    Letter letter{kStranger, "Merci de nous envoyer la liste des patients par mail."};
    letter.is_to_clinic = false;
    EXPECT_EQ(level(letter), Clean);
    letter.from = kFree;
    EXPECT_NE(level(letter), Clean);
}

}  // namespace
}  // namespace hygie::mail
