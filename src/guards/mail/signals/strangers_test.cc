#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "guards/mail/judge/test_senders.h"
#include "guards/mail/message/test_file.h"
#include "guards/mail/message/test_zip.h"

/// What somebody unknown asks of a house: ways in, data under other words, a hand on its machines.
namespace hygie::mail {
namespace {

using enum event::Level;

TEST(MailStrangers, WhoWantsTheMachineFromAfarWithAPassword) {
    expect_flagged(
        {{kStranger,
          "Un défaut touche vos plannings. Préparez une session TeamViewer et le mot de passe "
          "administrateur."},
         {kStranger,
          "Your backup fails. Please have AnyDesk and the administrator password ready for our "
          "engineer."},
         {kStranger,
          "Ihre Sicherung schlägt fehl. Halten Sie bitte AnyDesk und das Passwort des "
          "Administrators bereit."},
         {kStranger, "Su copia falla. Tenga a mano TeamViewer y la contraseña de administrador."},
         {kStranger,
          "A vossa cópia falha. Tenha à mão o AnyDesk e a palavra-passe de administrador."},
         {kStranger,
          "La copia non riesce. Tenga a portata di mano AnyDesk e la password di amministratore."},
         {kStranger, "Uw back-up mislukt. Houd AnyDesk en het beheerderswachtwoord bij de hand."}},
        "scheme.remote_asked");
    expect_flagged({{kStranger,
                     "Our engineer needs a remote session today. Do not use the usual number, it "
                     "is out of order."},
                    {kStranger,
                     "Notre technicien doit prendre la main sur le serveur. La ligne habituelle "
                     "est en panne."},
                    {kStranger, "Please start Quick Assist at three and read him the code."},
                    {kStranger, "Ouvrez l'assistance rapide et lisez-lui le code affiché."},
                    {kStranger, "Bitte Fernwartung starten und uns den angezeigten Code nennen."}},
                   "scheme.remote_asked");
    expect_clean({{kStranger, "Our product allows remote access to your files. See our site."},
                  {kStranger, "Prévoyez TeamViewer pour la démonstration de jeudi."},
                  {kSupplier, "Préparez une session TeamViewer pour jeudi 14 h, comme convenu."}});
}

TEST(MailStrangers, WhoSpeaksInTheNameOfAPartnerFromAnotherPlace) {
    expect_flagged(
        {{"Service client <aide@medifournitures-support.example>",
          "Votre commande est bloquée. La ligne habituelle est saturée : rappelez notre cellule."},
         {"Assistance MediFournitures <aide@cellule-aide.example>",
          "We must look at your ordering software. Please install AnyDesk before our call."},
         {"Technik <hilfe@medifournitures-technik.example>",
          "Bitte richten Sie uns ein Benutzerkonto auf Ihrem Server ein."}},
        "scheme.partner_voice");
    expect_clean({{"Club MediFournitures <club@medifournitures-amis.example>",
                   "Notre prochaine rencontre d'utilisateurs aura lieu à Lyon."},
                  {kSupplier, "La ligne habituelle est saturée : rappelez dans une heure."}});
}

TEST(MailStrangers, WhoWantsAccountsInTheHousesOwnNameUnderAnotherEnding) {
    const std::string twin = "Paul Noir <paul.noir@clinique-tilleuls.test>";
    expect_flagged({{twin,
                     "Two nurses start on Monday. Could you create the accounts today and send me "
                     "the logins by reply?"},
                    {twin,
                     "Deux infirmières arrivent lundi. Peux-tu créer les comptes et m'envoyer "
                     "leurs identifiants ?"}},
                   "scheme.name_borrowed");
    expect_clean({{twin, "Deux infirmières arrivent lundi, pouvez-vous prévoir deux blouses ?"}});
}

TEST(MailStrangers, AWarningOfChangedAccountsIsNoChange) {
    const std::string body =
        "Aucun changement de coordonnées bancaires n'est à communiquer par courriel : toute "
        "demande de cette nature est à nous signaler.";
    EXPECT_FALSE(has({kStranger, body}, "scheme.bank_change"));
    EXPECT_FALSE(has({kStranger, "No change of bank details is ever announced by e-mail."},
                     "scheme.bank_change"));
    EXPECT_TRUE(has({kStranger, "Veuillez noter notre changement de coordonnées bancaires."},
                    "scheme.bank_change"));
    EXPECT_TRUE(has({kStranger, body + "\nNouveau compte : FR14 2004 1010 0505 0001 3M02 606."},
                    "scheme.bank_change"))
        << "whoever gives an account does not only warn";
}

TEST(MailStrangers, WhoWantsAnAccountAndTheLogs) {
    expect_flagged(
        {{kStranger,
          "Pour l'expertise, remettez-nous les journaux d'accès et un compte de lecture du DPI."},
         {kStranger,
          "For the audit, please send us the server logs and create a read-only account."},
         {kStranger,
          "Für die Prüfung benötigen Sie nichts: senden Sie uns die Zugriffsprotokolle und einen "
          "VPN-Zugang."},
         {kStranger,
          "Para la auditoría, envíenos los registros de acceso y una cuenta de lectura."},
         {kStranger,
          "Para a auditoria, precisamos dos registos de acesso e de uma conta de leitura."},
         {kStranger,
          "Per la verifica, vi chiediamo di inviarci i registri di accesso e un'utenza di "
          "lettura."},
         {kStranger, "Voor de controle: stuur ons de toegangslogs en een leesaccount."}},
        "scheme.access_asked");
    expect_clean({{kStranger, "Pour l'expertise, merci de nous envoyer le procès-verbal signé."},
                  {kStranger, "Please send us the server logs of our own web site by Friday."},
                  {kKnown, "Merci de nous envoyer les journaux d'accès et un compte de lecture."},
                  {kStranger,
                   "Ne nous envoyez ni journaux d'accès ni compte de lecture : tout se fera sur "
                   "place."}});
}

TEST(MailStrangers, ATableOfPeopleIsTheirData) {
    expect_flagged(
        {{kStranger,
          "Il manque au tableau : nom, prénom, date de naissance, téléphone. Merci de le déposer "
          "sur notre site, une ligne par patient."},
         {kStranger,
          "The call centre needs surname, birth date, phone number. Please upload the table, one "
          "row per patient."},
         {kStranger,
          "Uns fehlen Nachname, Geburtsdatum, Telefonnummer. Laden Sie bitte die Tabelle hoch, "
          "eine Zeile pro Patient, mit Klarnamen."},
         {kStranger,
          "Faltan apellidos, fecha de nacimiento, teléfono. Envíenos la tabla, una línea por "
          "paciente."},
         {kStranger,
          "Faltam apelido, data de nascimento, telefone. Precisamos da tabela, uma linha por "
          "paciente."},
         {kStranger,
          "Mancano cognome, data di nascita, telefono. Abbiamo bisogno della tabella, una riga per "
          "paziente."},
         {kStranger,
          "Wij missen achternaam, geboortedatum, telefoonnummer. Stuur ons de tabel van alle "
          "bewoners."}},
        "scheme.data_asked");
    expect_clean(
        {{kStranger, "Pour votre badge, merci de nous envoyer votre nom, prénom et téléphone."},
         {kKnown,
          "Merci de nous envoyer nom, prénom, date de naissance et téléphone des patients "
          "de demain."},
         {kStranger,
          "Please upload the counts per patient group, without surname, birth date or "
          "phone number."}});
}

TEST(MailStrangers, ASurveyOfNamesIsATableOfPeople) {
    expect_flagged({{kStranger,
                     "Dans le cadre de l'enquête nationale, les établissements transmettent leur "
                     "file active : "
                     "nom, prénom, date de naissance, numéro de sécurité sociale, diagnostic. "
                     "Réponse attendue "
                     "à cette adresse."}},
                   "scheme.data_asked");
}

TEST(MailStrangers, ACodeThatTheReadersPhoneShows) {
    expect_flagged(
        {{kOwn, "Peux-tu m'envoyer les 6 chiffres qui arrivent sur ton téléphone ?"},
         {kOwn, "I am locked out, please send me the six digits that appear on your phone."},
         {kOwn, "Peux-tu valider la notification sur ton téléphone ? C'est pour le planning."},
         {kKnown, "Bitte senden Sie mir die sechs Ziffern, die gleich kommen."},
         {kOwn, "Envíame los 6 dígitos que te llegan, necesito entrar en el turno."},
         {kOwn, "Preciso dos seis dígitos que vais receber no telemóvel."},
         {kOwn, "Inviami le sei cifre che ricevi sul telefono."},
         {kOwn, "Stuur mij de zes cijfers die je ontvangt."}},
        "scheme.secret_of_known");
    expect_clean({{kOwn, "Un code à 6 chiffres vous sera envoyé par SMS ; ne le donnez jamais."},
                  {kOwn, "N'envoie jamais les 6 chiffres à personne."}});
}

TEST(MailStrangers, ADocumentOpensWithoutTheReadersMailbox) {
    const auto page = [](const std::string& words) {
        return "<p>" + words +
               "</p><p><a href='https://partage-nuage.example/v/1'>Document</a></p>";
    };
    expect_flagged(
        {{kStranger, page("Pour consulter l'avis, connectez-vous avec votre adresse e-mail.")},
         {kStranger, page("To view the report, sign in with your work e-mail.")},
         {kStranger, page("Um den Bericht zu öffnen, melden Sie sich mit Ihrer E-Mail an.")},
         {kStranger, page("Para ver el informe, inicie sesión con su correo.")},
         {kStranger, page("Para abrir o relatório, é preciso entrar com o seu e-mail.")},
         {kStranger, page("Per leggere il referto, acceda con la sua e-mail.")},
         {kStranger, page("Om het verslag te bekijken, logt u in met uw e-mail.")}},
        "scheme.document_sign_in");
    expect_clean({{kStranger, page("Pour consulter l'avis, suivez ce lien.")},
                  {kStranger,
                   "<p>To view your order, sign in with your email.</p><p><a "
                   "href='https://valmer-conseil.example/o/1'>Order</a></p>"}});
}

TEST(MailStrangers, AColleaguesMailboxInOtherHandsSendsToSignIn) {
    expect_flagged({{kOwn,
                     "J'ai mis le planning ici, connecte-toi avec ton adresse pro pour le voir : "
                     "https://planning-partage.example/x"},
                    {kKnown,
                     "The results are here, sign in with your email to view them: "
                     "https://planning-partage.example/x"}},
                   "scheme.taken_over");
    expect_clean(
        {{kOwn, "Le planning est en ligne, pour le voir : https://planning-partage.example/x"}});
}

TEST(MailStrangers, TheMailboxOfTheHouseOpensNothingElsewhere) {
    const auto page = [](const std::string& words) {
        return "<p>" + words + "</p><p><a href='https://valmer-conseil.example/d/1'>Ouvrir</a></p>";
    };
    expect_flagged({{kStranger, page("Pour lire le message, authentifiez votre boîte.")},
                    {kStranger, page("Descárguelo con su correo de trabajo antes del lunes.")},
                    {kStranger, page("Per la visualizzazione è richiesto l'accesso con la casella "
                                     "istituzionale.")}},
                   "scheme.document_sign_in");
    expect_clean({{kStranger, page("Pour lire le message, cliquez ci-dessous.")},
                  {kStranger, page("To view your order, sign in with your email.")}});
}

TEST(MailStrangers, WhoWantsAPrivateNumberAndSecrecy) {
    expect_flagged(
        {{kStranger,
          "Merci de me communiquer votre numéro WhatsApp personnel et de n'associer personne."},
         {kStranger, "Please send me your mobile number and keep this to yourself."},
         {kStranger, "Bitte senden Sie mir Ihre Handynummer, streng vertraulich."}},
        "scheme.hushed_channel");
    expect_clean({{kStranger, "Please send me your mobile number for the delivery on Monday."},
                  {kKnown, "Please send me your mobile number and keep this to yourself."}});
}

TEST(MailStrangers, ATableOfTheStaffIsAskedForByMail) {
    expect_flagged({{kStranger,
                     "For the audit we require the payroll extract: name, PPSN, gross, IBAN. "
                     "Please reply with the spreadsheet; the portal is unavailable."}},
                   "scheme.data_asked");
    expect_clean({{kStranger,
                   "We require your payroll figures for the portal by Friday: number of staff and "
                   "the total of salaries."}});
}

TEST(MailStrangers, AFineIsNotPaidAtAStrangersPlace) {
    const auto page = [](const std::string& words) {
        return "<p>" + words + "</p><p><a href='https://valmer-conseil.example/p'>Payer</a></p>";
    };
    expect_flagged({{"Préfecture du Nord <erp@valmer-conseil.example>",
                     page("Mise en demeure : amende de 300 €, à régler en ligne.")},
                    {"Ordnungsamt <info@valmer-conseil.example>",
                     page("Bußgeldbescheid: 90 €, jetzt bezahlen.")},
                    {"City Council <info@valmer-conseil.example>",
                     page("Penalty charge of £60: pay online today.")},
                    {"Péage Flux Libre <contact@valmer-conseil.example>",
                     page("Montant dû : 8,90 €. Payer mon passage."), "Passage non réglé"},
                    {"Gemeente Breda <info@valmer-conseil.example>",
                     page("Er staat een openstaande boete van 60 euro. Betaal de boete vandaag.")},
                    {"Comune di Bari <info@valmer-conseil.example>",
                     page("Risulta una multa non pagata. Paghi la sanzione entro oggi.")}},
                   "scheme.fine_to_pay");
    expect_clean({{kStranger, page("Votre facture est prête, vous pouvez la payer en ligne.")},
                  {"Parking Centre <info@valmer-conseil.example>",
                   page("Votre abonnement commence lundi, le règlement se fait en ligne.")},
                  {"Mairie de Lannion <accueil@valmer-conseil.example>",
                   page("Le conseil se réunit jeudi, l'ordre du jour est en ligne.")}});
}

TEST(MailStrangers, AFooterThatWarnsOfSuchFraudsAnnouncesNoAccount) {
    for (const char* footer :
         {"Valmer will never notify a change of bank details by email.",
          "Nous ne communiquons jamais de nouvelles coordonnées bancaires par courriel.",
          "Non comunichiamo mai nuove coordinate bancarie per posta elettronica.",
          "Wij sturen u nooit per mail een nieuw rekeningnummer."})
        EXPECT_FALSE(has({kStranger, "Urgent : réunion jeudi.\n\n" + std::string(footer)},
                         "scheme.bank_change"))
            << footer;
}

TEST(MailStrangers, WhoIsDebitedChangesTheirOwnBank) {
    const std::string patient = "Lea Petit <lea.petit@gmail.com>";
    expect_clean(
        {{patient,
          "Je change de banque : je vous apporte mon nouveau RIB pour le prélèvement du mois.",
          "Changement de banque"},
         {patient,
          "I changed banks, new bank details for the direct debit follow on paper. Which account "
          "is on your invoices?"},
         {patient, "Neue Bankverbindung für die Lastschrift: ich bringe sie Ihnen vorbei."},
         {patient, "Nueva cuenta bancaria: le llevo los datos para la domiciliación."},
         {patient, "Nova conta bancária: levo-lhe os dados para o débito direto."},
         {patient, "Nuove coordinate bancarie per l'addebito: gliele porto domani."},
         {patient, "Nieuw rekeningnummer voor de incasso: ik breng het langs."}});
    for (const Letter& fraud : std::vector<Letter>{
             {patient, "Nouveau RIB : merci de noter mon changement de banque pour mon salaire."},
             {kStranger,
              "Nouveau RIB, notre changement de banque concerne vos virements ; plus de "
              "prélèvement."},
             {kStranger,
              "New bank details, we changed banks: no direct debit, your payments go to the new "
              "account."}})
        EXPECT_TRUE(has(fraud, "lure.payment_change")) << fraud.body;
}

std::vector<Signal> relayed(const std::string& from, const std::string& path,
                            const std::string& heads, const std::string& memory = "{}") {
    const Message message =
        *parse_message("From: " + from + "\nTo: entraide@listes-soin.example\n" + heads +
                       "Subject: Re: reprise\n\nBonjour à tous.\n");
    return read_evidence(message,
                         *parse_envelope(R"({"rcpt_to":"anne.roy@clinique-tilleuls.example",)"
                                         R"("spf":"pass","dkim":"fail","dmarc":"fail",)"
                                         R"("mail_from":")" +
                                         path + "\"}"),
                         memory == "{}" ? *parse_history(kClinicMemory) : *parse_history(memory))
        .signals;
}

TEST(MailStrangers, AListBreaksAProofAndForgesNobody) {
    const std::string list = "List-Id: <entraide.listes-soin.example>\n";
    const std::string path = "entraide-owner@listes-soin.example";
    const auto forged = [](const std::vector<Signal>& signals) {
        return std::ranges::find(signals, "auth.forged", &Signal::id) != signals.end();
    };
    EXPECT_FALSE(forged(relayed("jo@hopital-nord.example", path, list)));
    EXPECT_TRUE(forged(relayed("jo@hopital-nord.example", path, ""))) << "no list speaks";
    EXPECT_TRUE(forged(relayed("jo@hopital-nord.example", "x@ailleurs.example", list)))
        << "another's envelope";
    // Of whom the house knows a list must be known too.
    EXPECT_TRUE(forged(relayed("info@medifournitures.example", path, list)));
    EXPECT_TRUE(forged(relayed("anne.roy@clinique-tilleuls.example", path, list)));
    const std::string knows =
        R"({"suppliers":[{"name":"M","domains":["medifournitures.example"],"ibans":[]}],)"
        R"("known_services":[{"name":"L","domains":["listes-soin.example"]}]})";
    EXPECT_FALSE(forged(relayed("info@medifournitures.example", path, list, knows)));
}

TEST(MailStrangers, AWordOfTheTradeInADomainBorrowsNoPartnersName) {
    const std::string knows = R"({"known_services":[{"name":"ARS","domains":["ars.sante.fr"]},)"
                              R"({"name":"Kermedic","domains":["kermedic.fr"]}]})";
    const auto imitates = [&](const std::string& from) {
        const std::vector<Signal> signals = relayed(from, "x@ailleurs.example", "", knows);
        return std::ranges::find(signals, "sender.look_alike", &Signal::id) != signals.end();
    };
    EXPECT_FALSE(imitates("jo@lutte-sante.example"));
    EXPECT_TRUE(imitates("jo@kermedic-aide.example"));
}

TEST(MailStrangers, AProgramElsewhereAndHowToOpenItFromAKnownMailbox) {
    const std::string elsewhere = " https://depot-chantier.example/get/Situation_7.iso ";
    expect_flagged({{kKnown, "La situation corrigée :" + elsewhere +
                                 "À ouvrir sur PC, double-clic puis le raccourci. Mdp 2026"},
                    {kSupplier, "The corrected statement:" + elsewhere +
                                    "Double-click it on a Windows computer, then the shortcut."},
                    {kKnown, "Die Abrechnung:" + elsewhere + "Mit Doppelklick öffnen."},
                    {kKnown, "La situazione:" + elsewhere + "Aprire con un doppio clic."},
                    {kKnown, "El documento:" + elsewhere + "Se abre con doble clic."},
                    {kKnown, "A situação:" + elsewhere + "Abre com duplo clique."},
                    {kKnown, "De staat:" + elsewhere + "Openen met dubbelklik."}},
                   "scheme.program_link");
    expect_clean(
        {{kKnown, "La situation corrigée :" + elsewhere + "Bien à vous, Marie"},
         {kSupplier, "Mise à jour : https://medifournitures.example/get/maj.exe puis double-clic."},
         {kSupplier,
          "Le pilote : https://pilotes.example/pilote.exe , double-cliquez pour "
          "l'installer."},
         {kKnown, "Le plan : https://depot-chantier.example/get/Situation_7.pdf (double-clic)."}});
}

Message with_locked_archive(const std::string& from, const std::string& body) {
    Message message = message_of({from, body});
    message.attachments = with_file("Acte.zip", packed({{"a.txt", "x"}}, "other")).attachments;
    return message;
}

bool is_locked_bait(const std::string& from, const std::string& body, bool remembers = true) {
    static const History memory = *parse_history(kClinicMemory);
    const Reading reading =
        read_evidence(with_locked_archive(from, body), Envelope{}, remembers ? memory : History{});
    return std::ranges::any_of(reading.signals,
                               [](const Signal& one) { return one.id == "scheme.locked_bait"; });
}

TEST(MailStrangers, ALockedArchiveWithItsPasswordAndHowToOpenIt) {
    for (const char* body :
         {"L'archive est protégée par le mot de passe : 1184\n\nIl convient de l'ouvrir sur un "
          "ordinateur Windows.",
          "Password: 1184\nPlease open it on a Windows computer.",
          "Passwort: 1184\nBitte auf einem Windows-Rechner öffnen.",
          "Wachtwoord: 1184\nOpenen op een Windows-computer."}) {
        EXPECT_TRUE(is_locked_bait(kStranger, body)) << body;
        EXPECT_FALSE(is_locked_bait(kKnown, body)) << body;
    }
    EXPECT_TRUE(is_locked_bait(kStranger,
                               "Injonction de payer. Mot de passe : 1184\nÀ ouvrir sur "
                               "un ordinateur Windows.",
                               false))
        << "no memory";
    EXPECT_FALSE(is_locked_bait(kStranger,
                                "Mot de passe : 1184\nÀ ouvrir sur un ordinateur "
                                "Windows.",
                                false))
        << "no memory";
    EXPECT_FALSE(is_locked_bait(kStranger, "Mot de passe : 1184\nBien à vous"));
    EXPECT_FALSE(is_locked_bait(kStranger,
                                "Le mot de passe vous sera donné au téléphone. À ouvrir sur un "
                                "ordinateur Windows."));
}

TEST(MailStrangers, WhatWillBePublishedUnlessPaidWithoutATrace) {
    expect_flagged(
        {{kStranger,
          "Quatorze avis à une étoile sont prêts à être publiés. Nous pouvons faire en sorte "
          "qu'ils ne paraissent pas : 890 €, payable par carte prépayée ou en crypto-monnaie."},
         {kStranger,
          "Twelve negative reviews are ready to be published. 900 EUR, payable in Bitcoin, and "
          "they go away."},
         {kStranger,
          "Zwölf Bewertungen werden veröffentlicht, außer Sie zahlen: Zahlung in Bitcoin."},
         {kStranger, "Le recensioni saranno pubblicate venerdì. Pagamento in Bitcoin: 900."},
         {kStranger, "Las reseñas se publicarán el viernes. Pago en Bitcoin: 900."},
         {kStranger, "As avaliações serão publicadas sexta. Pagamento em Bitcoin: 900."},
         {kStranger, "De recensies worden geplaatst. Betaling in Bitcoin: 900."}},
        "scheme.hush_money");
    expect_clean(
        {{kStranger,
          "Vos avis seront publiés vendredi. Notre forfait est de 890 €, payable par virement ou "
          "en crypto-monnaie."},
         {kStranger,
          "Quatorze avis sont prêts à être publiés par vos patients : voulez-vous y répondre ?"},
         {kKnown, "Deux avis sont prêts à être publiés. Ne payez jamais en Bitcoin."}});
}

TEST(MailStrangers, WaresThatAreOnlyPaidWithoutATrace) {
    expect_flagged({{kStranger,
                     "Nous vendons la base complète des médecins. Livraison après paiement en "
                     "crypto ou PCS."},
                    {kStranger, "Database of doctors for sale. Payment in Bitcoin."},
                    {kStranger, "E-Mail-Adressen von Ärzten. Zahlung in Bitcoin."}},
                   "scheme.untraced_pay");
    expect_clean({{kStranger,
                   "Base complète des médecins, mise à jour. Paiement en crypto ou par carte "
                   "bancaire, sur facture."},
                  {kStranger, "Nous vendons la base complète des médecins, sur facture."}});
}

TEST(MailStrangers, ACardAndAPassportInOneBreath) {
    const std::string form = " https://valmer-conseil.example/form";
    expect_flagged(
        {{kStranger,
          "Pour garantir l'hôtel, remplissez le formulaire avec les coordonnées de votre carte et "
          "de votre passeport :" +
              form},
         {kStranger, "Please fill in your card details and passport number:" + form},
         {kStranger, "Bitte tragen Sie Ihre Kreditkartendaten und den Reisepass ein:" + form},
         {kStranger, "Preencha hoje com os dados do seu cartão e do passaporte:" + form},
         {kStranger, "Rellene los datos de su tarjeta y del pasaporte:" + form},
         {kStranger, "Inserisca i dati della sua carta e del passaporto:" + form},
         {kStranger, "Vul de gegevens van uw kaart en uw paspoort in:" + form}},
        "scheme.card_asked");
    expect_clean(
        {{kStranger, "Réglez l'inscription par carte sur notre site :" + form},
         {kStranger,
          "Ne communiquez jamais les coordonnées de votre carte ni votre passeport :" + form},
         {kKnown, "Pour l'hôtel, les coordonnées de votre carte et du passeport :" + form},
         {kStranger, "Une pièce d'identité vous sera demandée à l'accueil. Plan :" + form}});
}

TEST(MailStrangers, WhoHasTheAccountOfAPartnersCustomerUsedElsewhere) {
    const std::string twin = "MediFournitures Cloud <info@medifournitures-portail.example>";
    const std::string there = " https://medifournitures-portail.example/login";
    expect_flagged(
        {{twin, "Pour prolonger l'accès, entrez avec votre compte administrateur :" + there},
         {twin, "To renew, continue with your administrator account:" + there},
         {twin, "Zur Verlängerung bitte mit Ihrem Administratorkonto anmelden:" + there},
         {twin, "Rinnovi con il suo account amministratore:" + there},
         {twin, "Renueve con su cuenta de administrador:" + there},
         {twin, "Renove com a sua conta de administrador:" + there},
         {twin, "Verleng met uw beheerdersaccount:" + there}},
        "scheme.partner_voice");
    expect_clean(
        {{kSupplier,
          "Pour prolonger l'accès, entrez avec votre compte administrateur : "
          "https://medifournitures.example/login"},
         {"Logisoin <info@logisoin.example>",
          "Nouveau portail : entrez avec votre compte administrateur : "
          "https://logisoin.example/portail"},
         {twin,
          "Notre catalogue d'hiver est paru : https://medifournitures-portail.example/hiver"}});
}

}  // namespace
}  // namespace hygie::mail
