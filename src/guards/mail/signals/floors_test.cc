#include <gtest/gtest.h>

#include <algorithm>

#include "guards/mail/facts/pack.h"
#include "guards/mail/judge/rules.h"
#include "guards/mail/judge/test_letter.h"

namespace hygie::mail {
namespace {

using enum event::Level;

TEST(MailFloors, WhoImitatesTheHouseIsNeverClean) {
    for (const char* domain :
         {"clinique-ti1leuls.example", "cliniquetilleuls.example", "clinique-tilleuls-rh.example",
          "mon-clinique-tilleuls.example", "clinique-tilleuls.test", "clinique-tilleul.example",
          "clinique-tilleuls.example.portail.test"}) {
        const std::string host = domain;
        EXPECT_EQ(level({"Planning <info@" + host + ">", "Voir https://" + host + "/p"}),
                  Suspicious)
            << domain;
        EXPECT_EQ(level({"Service informatique <it@" + host + ">",
                         "Identifiez-vous : https://" + host + "/p"}),
                  Malicious)
            << domain;
        EXPECT_EQ(level({"Marc Petit <marc@petit.example>", "Voir https://" + host + "/p"}),
                  Suspicious)
            << domain;
    }
    for (const char* host : {"clinique-tilleuls.example", "intranet.clinique-tilleuls.example",
                             "clinique-ormes.example", "tilleuls-fleuris.example"})
        EXPECT_EQ(level({"Planning <info@" + std::string(host) + ">",
                         "Voir https://" + std::string(host) + "/p"}),
                  Clean)
            << host;
}

TEST(MailFloors, APartnersWholeDomainBeforeAnotherIsNamed) {
    const Letter letter{"Compta <c@medifournitures.example.cabinet.test>",
                        "Envoyez-moi la liste des fournisseurs aujourd'hui."};
    EXPECT_EQ(level(letter), Malicious);
    const Reading reading = read(letter);
    const auto found = std::ranges::find(reading.signals, "scheme.partner_imitated", &Signal::id);
    ASSERT_NE(found, reading.signals.end());
    EXPECT_EQ(found->detail, "medifournitures.example");
}

TEST(MailFloors, WhoTakesTheNameOfTheHouseIsNeverClean) {
    EXPECT_EQ(level({"Clinique des Tilleuls <info@news-x.example>", "https://news-x.example/a"}),
              Suspicious);
    EXPECT_EQ(level({"Clinique des Ormes <info@news-x.example>", "https://news-x.example/a"}),
              Clean);
}

TEST(MailFloors, AKnownMailboxThatSendsToSignInElsewhereIsNeverClean) {
    for (const char* ask :
         {"Log in with your Office account to read it", "Authenticate with your work account",
          "Enter your e-mail and password", "Identifiez-vous avec votre compte de messagerie",
          "Melden Sie sich mit Ihrem Microsoft-Konto an", "Inserisca la sua password",
          "Introduzca su contraseña", "Voer uw wachtwoord in", "Introduza a sua palavra-passe"})
        EXPECT_NE(level({"Marie Curie <marie@labo-curie.example>",
                         std::string(ask) + " : https://partage-x.example/f"}),
                  Clean)
            << ask;
    const auto letter = [](const char* host) {
        return Letter{"Marie Curie <marie@labo-curie.example>",
                      "Connectez-vous pour lire : https://" + std::string(host) + "/f"};
    };
    EXPECT_EQ(level(letter("labocurie-fichiers.depot.example")), Suspicious);
    EXPECT_EQ(level(letter("labo-curie.example")), Clean);
    EXPECT_EQ(level(letter("agenda-regional.example")), Clean);
}

TEST(MailFloors, AServiceThatCarriesStrangersVouchesForNone) {
    const Letter charge{"PayPal <service@paypal.com>",
                        "Note from the seller: 689.00 GBP has been charged. If you did not make "
                        "this, call us on 0330 555 0119. https://www.paypal.com/invoice/p"};
    EXPECT_EQ(level(charge), Suspicious);
    EXPECT_EQ(level({"PayPal <service@paypal.com>",
                     "You paid 12.00 GBP to Boutique. https://www.paypal.com/activity"}),
              Clean);
}

TEST(MailFloors, WhoHasNothingButABrandsNameIsNeverClean) {
    for (const char* name : {"Google", "amelipro", "CPAM 53", "Xero Billing", "UKHSA Notices",
                             "ARS Centre-Val de Loire", "Companies House", "Mondial Relay"})
        EXPECT_EQ(level({std::string(name) + " <n@x-notices.example>",
                         "Bonjour : https://x-notices.example/a"}),
                  Suspicious)
            << name;
    EXPECT_EQ(level({"MSSanté <a@mssante-webmail.example>",
                     "Confirmez votre mot de passe de messagerie : "
                     "https://mssante-webmail.example/v"}),
              Malicious);
    EXPECT_EQ(level({"MSSanté <a@x-notices.example>",
                     "<a href='https://x-notices.example/v'>https://www.mssante.fr/v</a>"}),
              Malicious);
    EXPECT_EQ(level({"Amazon Orders <orders.desk@gmail.com>",
                     "Order confirmed. Not your order? +44 29 2018 0199"}),
              Suspicious);
    for (const char* from :
         {"Google <no-reply@accounts.google.com>", "Chronopost <suivi@laposte.fr>",
          "Xero <messaging@post.xero.com>", "Club des utilisateurs Xero <club@x-notices.example>",
          "Anne de Google <anne@x-notices.example>"})
        EXPECT_EQ(level({from, "Bonjour : https://x-notices.example/a"}), Clean) << from;
}

TEST(MailFloors, AStrangerWhoWantsAnAccountIsNeverClean) {
    const auto letter = [](const char* from, const char* text) {
        return Letter{from, std::string(text) + " https://harlan-desk.example/in"};
    };
    const char* const stranger = "Harlan <info@harlan-desk.example>";
    EXPECT_EQ(level(letter(stranger, "Your account is locked. Sign in to unlock it.")), Suspicious);
    EXPECT_EQ(level(letter(stranger, "Votre compte est bloqué. Connectez-vous ici.")), Suspicious);
    EXPECT_EQ(level(letter(stranger, "Your account is locked: enter your password.")), Malicious);
    EXPECT_EQ(level(letter(stranger, "Your payment was declined. Log in to pay.")), Clean);
    EXPECT_EQ(level(letter(stranger, "Your basket is waiting. Sign in to see it.")), Clean);
    EXPECT_EQ(level(letter("MediFournitures <info@medifournitures.example>",
                           "Your account is locked. Sign in to unlock it.")),
              Clean);
}

TEST(MailFloors, AShopTellsHowToSignInToTheAccountJustOpened) {
    const auto letter = [](const char* more, const char* host) {
        return Letter{"Harlan <info@harlan-desk.example>",
                      "Your account has been created: log in with your email address and "
                      "password. " +
                          std::string(more) + " https://" + host + "/in"};
    };
    EXPECT_EQ(level(letter("", "harlan-desk.example")), Clean);
    EXPECT_EQ(level({"Harlan <info@harlan-desk.example>",
                     "Welcome to Harlan. To log in, enter your email address and password. "
                     "https://harlan-desk.example/in"}),
              Clean);
    EXPECT_EQ(level(letter("", "partage-x.example")), Suspicious) << "it leads elsewhere";
    EXPECT_EQ(level(letter("Microsoft", "harlan-desk.example")), Suspicious) << "for somebody else";
    EXPECT_EQ(level(letter("Your account is locked.", "harlan-desk.example")), Malicious);
    EXPECT_EQ(level(letter("Act within 24 hours.", "harlan-desk.example")), Malicious);
    EXPECT_EQ(level({"Harlan <info@harlan-desk.example>",
                     "Read it: log in with your email address and password. "
                     "https://harlan-desk.example/in"}),
              Suspicious)
        << "no account was opened";
}

TEST(MailFloors, AServiceSpeaksOfTheAccountsThatItKeeps) {
    const std::string long_tale =
        " There you see your orders, past and present, keep several addresses for family and "
        "friends, change what you told us of yourself, and follow a parcel on its way. Nothing of "
        "this is needed to buy from us, and whoever would rather not have an account may order as "
        "a guest, as ever, and pay by bank transfer or on delivery, as most of our customers do.";
    const auto letter = [](const std::string& from, const std::string& text,
                           const char* host = "harlan-desk.example") {
        return Letter{from, text + " https://" + host + "/in"};
    };
    const std::string harlan = "Harlan <info@harlan-desk.example>";
    const std::string signs_in = "To sign in, enter your email address and password." + long_tale;
    EXPECT_EQ(level(letter(harlan, signs_in)), Clean);
    EXPECT_EQ(level(letter(harlan, signs_in, "partage-x.example")), Suspicious);
    EXPECT_EQ(level(letter("Meridian <info@harlan-desk.example>", signs_in)), Suspicious);
    EXPECT_EQ(level(letter(harlan, signs_in + " Act within 24 hours.")), Malicious);
    EXPECT_EQ(level(letter(harlan, "Microsoft. " + signs_in)), Suspicious);
    const std::string locked = "Your account on Harlan is locked. Sign in to unlock it.";
    EXPECT_EQ(level(letter(harlan, locked)), Clean);
    EXPECT_EQ(level(letter(harlan, "Your account is locked. Sign in.")), Suspicious) << "whose?";
    EXPECT_EQ(level(letter(harlan, locked + " Act within 24 hours.")), Suspicious);
    EXPECT_EQ(level(letter(harlan, locked, "partage-x.example")), Suspicious);
    EXPECT_EQ(level(letter("Mail Desk <info@harlan-xy.example>",
                           "Your account on Mail Desk is locked. Sign in.", "harlan-xy.example")),
              Suspicious);
    EXPECT_FALSE(has({harlan, "Keep your master password safe. https://harlan-desk.example/a"},
                     "lure.credential"));
    EXPECT_TRUE(
        has({harlan, "Keep your old password: https://harlan-desk.example/a"}, "lure.credential"));
}

TEST(MailFloors, ANameThatNobodyKnowsHidesNothingOfTheSendersOwnPlace) {
    const auto page = [](const char* shown, const char* host, const char* more = "") {
        return Letter{"Harlan <info@harlan-desk.example>", "<p><a href='https://" +
                                                               std::string(host) + "/x'>https://" +
                                                               shown + "</a> " + more + "</p>"};
    };
    const char* const home = "news.harlan-desk.example";
    EXPECT_EQ(level(page("studio-ormes.example/notes", home)), Clean);
    EXPECT_EQ(level(page("studio-ormes.example/notes", "partage-x.example")), Suspicious);
    EXPECT_EQ(level(page("medifournitures.example/notes", home)), Suspicious) << "a supplier's";
    EXPECT_EQ(level(page("clinique-tilleuls.example", home)), Suspicious) << "the reader's own";
    EXPECT_NE(level(page("studio-ormes.example/notes", home, "Enter your password")), Clean);
    std::string many = "<p>Se connecter. Se désabonner.</p>";
    for (int i = 0; i < 30; ++i) many += "<a href='https://revue.example/x'>Lire</a>";
    const auto about = [&](const char* host) {
        return Letter{"Revue <liste@envois-x.example>",
                      many + "<a href='https://" + host + "/y'>https://studio-ormes.example</a>"};
    };
    EXPECT_FALSE(has(about("revue.example"), "scheme.disguised_link"));
    EXPECT_TRUE(has(about("partage-x.example"), "scheme.disguised_link"));
}

TEST(MailFloors, WhoSpeaksAsAServiceOfTheHouseWritesFromIt) {
    const std::string link = " https://partage-x.example/f";
    for (const char* text :
         {"The IT department has moved to a new antivirus. Click here to activate it:",
          "Human resources has a survey for you. Please fill it in:",
          "Le service informatique migre vos boîtes. Cliquez ici :",
          "Die IT-Abteilung hat das System erneuert. Klicken Sie hier:",
          "El departamento de informática lo necesita. Haga clic aquí:",
          "Il reparto IT ha aggiornato il sistema. Clicca qui:",
          "O departamento de TI atualizou o sistema. Clique aqui:",
          "De IT-afdeling heeft het systeem vernieuwd. Klik hier:"})
        for (const bool remembers : {true, false})
            EXPECT_EQ(
                level({"Support <s@mail-desk.example>", text + link, "Information", "", remembers}),
                Suspicious)
                << text;
    const std::string moved = "The IT department has moved. Click here:";
    for (const char* from : {"Anne Roy <anne.roy@clinique-tilleuls.example>",
                             "MediFournitures <info@medifournitures.example>"})
        EXPECT_FALSE(has({from, moved + link}, "scheme.house_voice")) << from;
    EXPECT_EQ(level({"Revue <r@revue.example>", moved + " https://revue.example Unsubscribe"}),
              Clean);
    EXPECT_EQ(level({"Jean <j@revue.example>", "The IT department has moved to Lyon."}), Clean);
}

TEST(MailFloors, ADeskThatWritesForTheFirstTimeSaysWhoseItIs) {
    const std::string asks = "Please click here: https://partage-x.example/f";
    for (const char* name : {"Help Desk", "IT Service", "Support", "Mail Administrator",
                             "Ressources humaines", "Equipe support", "Service Desk"}) {
        const std::string from = std::string(name) + " <info@harlan-desk.example>";
        EXPECT_TRUE(has({from, asks}, "scheme.nobodys_desk")) << name;
        EXPECT_FALSE(has({from, asks, "Information", "", false}, "scheme.nobodys_desk")) << name;
        EXPECT_FALSE(has({from, "We open at nine."}, "scheme.nobodys_desk")) << name;
        EXPECT_FALSE(has({from, asks + " Unsubscribe"}, "scheme.nobodys_desk")) << name;
    }
    for (const char* from :
         {"Harlan Support <info@harlan-desk.example>", "Support <info@medifournitures.example>",
          "<info@harlan-desk.example>", "Support <it@clinique-tilleuls.example>"})
        EXPECT_FALSE(has({from, asks}, "scheme.nobodys_desk")) << from;
}

TEST(MailFloors, WhoSendsABillSendsItsAccount) {
    const std::string from = "Paul Durand <paul.durand71@gmail.com>";
    const std::string order = "Can you process a wire transfer urgently? Tell me once it is done.";
    for (const bool remembers : {true, false})
        EXPECT_EQ(level({from, order, "Transfer", "", remembers}), Suspicious);
    EXPECT_EQ(level({from, "Pouvez-vous faire un virement ce jour ? C'est urgent."}), Suspicious);
    const auto drawn = [](const Letter& letter) { return has(letter, "scheme.bare_order"); };
    EXPECT_TRUE(drawn({from, order}));
    EXPECT_TRUE(drawn({from, "I urgently need you to process a fund transfer. Account 1134522."}));
    EXPECT_FALSE(drawn({from, "Can you make a payment when you find the time?"}));
    EXPECT_FALSE(drawn({from, order + " IBAN FR1420041010050500013M02606"}));
    EXPECT_FALSE(drawn({from, order + " https://harlan-desk.example/bill"}));
    EXPECT_FALSE(drawn({"Paul Durand <paul@harlan-desk.example>", order}));
    EXPECT_FALSE(drawn({"MediFournitures <a@medifournitures.example>", order}));
}

TEST(MailFloors, WhatACarrierCarriesLiesAtItsOwnPlace) {
    const std::string said = "A document was shared with you. View document: ";
    const std::string from = "Harlan <info@harlan-desk.example>";
    const auto letter = [&](const char* to, const char* subject, bool remembers = true) {
        return Letter{from, said + to, subject, "", remembers};
    };
    for (const bool remembers : {true, false})
        EXPECT_TRUE(has(letter("https://harlan-desk.example/f", "Dropbox", remembers),
                        "scheme.carrier_named"));
    EXPECT_FALSE(has(letter("https://www.dropbox.com/s/f", "Dropbox"), "scheme.carrier_named"));
    EXPECT_FALSE(has(letter("https://harlan-desk.example/f", "Minutes"), "scheme.carrier_named"));
    EXPECT_FALSE(has({"MediFournitures <a@medifournitures.example>",
                      said + "https://harlan-desk.example/f", "Dropbox"},
                     "scheme.carrier_named"));
}

TEST(MailFloors, AReportOfWhatManyWroteHidesNothing) {
    const auto report = [](const char* shown, std::size_t places) {
        std::string page = "<p>Account tokens are suspended; sign in to verify your account.</p>";
        for (std::size_t i = 0; i < 20; ++i)
            page += "<a href='https://lieu" + std::to_string(i % places) + ".example/a'>Lire</a>";
        return Letter{"Revue <liste@envois-x.example>",
                      page + "<a href='https://ailleurs.example/y'>" + shown + "</a>"};
    };
    EXPECT_FALSE(has(report("Amsterdam.pm", 9), "scheme.disguised_link"));
    EXPECT_FALSE(has(report("Amsterdam.pm", 9), "scheme.stranger_account"));
    EXPECT_TRUE(has(report("Amsterdam.pm", 2), "scheme.disguised_link"));
    EXPECT_TRUE(has(report("https://medifournitures.example", 9), "scheme.disguised_link"));
    EXPECT_TRUE(has(report("Amsterdam.pm", 2), "scheme.stranger_account"));
}

TEST(MailFloors, AStrangersLinkLeadsWhereItSays) {
    const auto page = [](const char* target) {
        return Letter{
            "Harlan <info@harlan-desk.example>",
            "<p><a href='https://" + std::string(target) + "/x'>https://in.xero.com/8Hq</a></p>"};
    };
    EXPECT_EQ(level(page("harlan-desk.example")), Suspicious);
    EXPECT_EQ(level(page("go.xero.com")), Clean);
    const std::string mailing =
        "<p><a href='https://clicks.harlan-desk.example/x'>https://www.has-sante.fr/avis</a></p>"
        "<p>Se désabonner</p>";
    EXPECT_EQ(level({"Harlan <info@harlan-desk.example>", mailing}), Clean);
}

TEST(MailFloors, AProofOfOnesOwnDomainSaysNothingOfAStranger) {
    EXPECT_FALSE(has({"a <a@harlan-desk.example>", "hello"}, "auth.authentic"));
    EXPECT_FALSE(has({"a <a@gmail.com>", "hello"}, "auth.authentic"));
    EXPECT_TRUE(has({"a <a@medifournitures.example>", "hello"}, "auth.authentic"));
}

TEST(MailFloors, GivingACodeIsNotAskingForOne) {
    EXPECT_FALSE(
        has({"Code <no@harlan-desk.example>", "Verification code: 220914"}, "lure.data_request"));
    EXPECT_TRUE(has({"Code <no@harlan-desk.example>", "Send me the verification code you get"},
                    "lure.data_request"));
}

TEST(MailFloors, NobodyHasAReaderStartAProgram) {
    const std::string from = "Verify <desk@harlan-desk.example>";
    EXPECT_EQ(level({from, "Press Windows + R, then Ctrl + V and Enter."}), Malicious);
    EXPECT_EQ(level({from, "Appuyez sur la touche Windows et R, puis Ctrl+V."}), Malicious);
    EXPECT_EQ(level({from, "Copy the text with Ctrl+C and paste it with Ctrl+V."}), Clean);
    EXPECT_EQ(level({from, "The Windows key opens the menu; hold the Ctrl key to choose."}), Clean);
    EXPECT_TRUE(
        has({from, "Lecteur : https://harlan-desk.example/pose.msi?v=2"}, "scheme.program_link"));
    EXPECT_EQ(level({from, "Urgent : https://harlan-desk.example/pose.EXE"}), Malicious);
    EXPECT_EQ(level({from, "Manuel : https://harlan-desk.example/pose.pdf"}), Clean);
    const std::string packed = "Les pièces : https://harlan-desk.example/pieces.zip. ";
    EXPECT_TRUE(
        has({from, packed + "Lancez « Pieces.exe » pour les lire."}, "scheme.program_link"));
    EXPECT_TRUE(has({from, packed + "Inside is viewer_2.SCR."}, "scheme.program_link"));
    EXPECT_FALSE(has({from, packed + "Dedans : lisez-moi.txt."}, "scheme.program_link"));
    EXPECT_FALSE(has({from, packed + "Un .exe n'y est pas."}, "scheme.program_link"));
    EXPECT_FALSE(has({from, packed + "Voir https://www.who.int/a.exe"}, "scheme.program_link"));
    EXPECT_EQ(level({"M <a@medifournitures.example>", "https://medifournitures.example/x.exe"}),
              Clean);
}

TEST(MailFloors, AnAccountIsAnnouncedOrUnchanged) {
    const std::string iban = " FR1420041010050500013M02606";
    const std::string from = "Compta <compta@harlan-desk.example>";
    EXPECT_TRUE(has({from,
                     "Voici nos nouvelles coordonnées bancaires ; notre ancien compte est "
                     "clôturé." +
                         iban,
                     "Changement de RIB"},
                    "scheme.account_announced"));
    EXPECT_FALSE(has({from,
                      "Pour rappel, nos coordonnées bancaires n'ont pas changé : nouveau RIB, "
                      "changement de RIB, c'est une fraude."},
                     "lure.payment_change"));
}

TEST(MailFloors, AServiceMayHaveItsCustomerAnswered) {
    const std::string head = "DocuSign <dse@docusign.net>\nReply-To: lea@petit.example";
    EXPECT_FALSE(has({head, "<a href='https://eu.docusign.net/s/1'>Signer</a>"}, "sender.carrier"));
    EXPECT_TRUE(has({head, "<a href='https://petit-pay.example/s'>Signer</a>"}, "sender.carrier"));
    EXPECT_TRUE(has({head, "Call +33 1 23 45 67 89 about the charge."}, "sender.carrier"));
}

TEST(MailFloors, WhereEverybodyPublishesNobodyIsNamed) {
    const std::string from = "Blog <a@harlan-desk.example>";
    EXPECT_FALSE(has({from, "https://anyone.github.io/x"}, "link.brand_in_host"));
    EXPECT_TRUE(has({from, "https://paypal-check.github.io/x"}, "link.brand_in_host"));
    EXPECT_FALSE(has({"Stephen Roy <sfr@harlan-desk.example>", "Hello"}, "sender.brand_foreign"));
    EXPECT_FALSE(has({"Daerl (Gmail) <daerl@gmail.com>", "Hello"}, "sender.brand_foreign"));
    EXPECT_TRUE(has({"Gmail Team <daerl@gmail.com>", "Hello"}, "sender.brand_foreign"));
}

TEST(MailFloors, AMailingMayBeAnsweredInAnotherHouse) {
    const auto strength = [](const Letter& letter) {
        const Reading reading = read(letter);
        const auto at = std::ranges::find(reading.signals, "sender.reply_elsewhere", &Signal::id);
        return at == reading.signals.end() ? 0.0 : at->strength;
    };
    const std::string from = "Harlan <news@harlan-desk.example>";
    EXPECT_EQ(strength({from, "Hello", "News", "Reply-To: <a@harlan-shop.example>\n"}), 1);
    EXPECT_LT(strength({from, "Hello. Unsubscribe", "News", "Reply-To: <a@harlan-shop.example>\n"}),
              0.5);
    EXPECT_EQ(strength({from, "Hello", "News", "Reply-To: <list@clinique-tilleuls.example>\n"}), 0);
}

TEST(MailFloors, CommonWordsInADomainBorrowNoName) {
    for (const char* domain : {"corex-services.example", "societe-medecine.example",
                               "propresante.example", "dupont-mutuelle.example"})
        EXPECT_FALSE(has({"Corex <news@" + std::string(domain) + ">", "Hello"}, "sender.embeds"))
            << domain;
    EXPECT_FALSE(has({"Aruba <comunicazioni@aruba.it>", "Ciao"}, "sender.look_alike"));
    EXPECT_TRUE(has({"Ameli <news@ameli-compte.example>", "Bonjour"}, "sender.embeds"));
}

TEST(MailFloors, AClickCounterShowsManyPlacesAThiefOne) {
    const auto strength = [](const std::string& body) {
        const Reading reading = read({"Harlan <info@harlan-desk.example>", body});
        const auto at = std::ranges::find(reading.signals, "link.shown_other_domain", &Signal::id);
        return at == reading.signals.end() ? 0.0 : at->strength;
    };
    const auto link = [](const std::string& shown) {
        return "<p><a href='https://counts.example/t/1'>https://" + shown + "</a></p>";
    };
    EXPECT_EQ(strength(link("one.example/a")), 1);
    EXPECT_LT(strength(link("one.example/a") + link("two.example") + link("three.example")), 0.5);
}

TEST(MailFloors, EachIsASignalWithASentence) {
    for (const Floor& floor : floors()) {
        ASSERT_NE(signal_kind(floor.signal), nullptr) << floor.signal;
        EXPECT_TRUE(signal_kind(floor.signal)->is_fact) << floor.signal;
        EXPECT_LE(floor.warns_from, floor.holds_from) << floor.signal;
    }
}

TEST(Pack, ABrandHasItsOwnNameAndDomains) {
    const Pack& pack = built_in_pack();
    for (const Brand& brand : pack.brands) {
        EXPECT_EQ(brand.name.find(" / "), std::string::npos) << brand.id;
        for (const std::string& name : brand.names)
            EXPECT_EQ(std::ranges::count_if(pack.brands,
                                            [&](const Brand& other) {
                                                return std::ranges::find(other.names, name) !=
                                                       other.names.end();
                                            }),
                      1)
                << name;
    }
    EXPECT_TRUE(pack.writes_from(*pack.brand("chronopost"), "mail.laposte.fr"));
    EXPECT_FALSE(pack.writes_from(*pack.brand("mondial-relay"), "laposte.fr"));
}

TEST(Pack, SetsProductsApart) {
    EXPECT_EQ(with_products_apart(" amelipro "), " ameli pro ");
    EXPECT_EQ(with_products_apart(" le webmail pro "), " le webmail pro ");
}

TEST(MailFloors, ADeskOfTheHouseDoesNotAskForPasswordsFromElsewhere) {
    const std::string from = "Clinique-Tilleuls Support <help@desk-mail.example>";
    EXPECT_TRUE(is_flagged({from, "Your password will expire today: keep your password."}));
    EXPECT_TRUE(has({from, "Your password will expire today."}, "scheme.house_desk"));
    EXPECT_FALSE(has({from, "Le réseau sera coupé mardi de 12 h à 13 h."}, "scheme.house_desk"));
    EXPECT_FALSE(has({"Clinique-Tilleuls Support <it@clinique-tilleuls.example>",
                      "Your password will expire today."},
                     "scheme.house_desk"));
}

TEST(MailFloors, AnAddressThatIsShownIsNoPlace) {
    const auto page = [](const std::string& shown) {
        return Letter{"Studio Nord <news@studio.example>",
                      "<p>Écrivez à <a href=\"https://compte.test/u\">" + shown + "</a></p>"};
    };
    EXPECT_TRUE(has(page("atelier.fr/contact"), "scheme.disguised_link"));
    EXPECT_FALSE(has(page("bonjour@atelier.fr"), "scheme.disguised_link"));
    Letter mailbox = page("anne@tilleuls.fr");
    mailbox.heads = "To: anne@tilleuls.fr\n";
    EXPECT_TRUE(has(mailbox, "scheme.disguised_link")) << "the reader's own is one to sign in to";
}

TEST(MailFloors, AWalletAndNothingElseToGoByWarns) {
    const std::string pay = "Send 900 USD in bitcoin to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";
    EXPECT_TRUE(is_flagged({"Sam Hill <sam@hill.example>", pay}));
    EXPECT_FALSE(has({"Marie Curie <marie@labo-curie.example>", pay}, "scheme.stranger_wallet"));
    EXPECT_FALSE(has({"Sam Hill <sam@hill.example>", pay + " https://hill.example/give"},
                     "scheme.stranger_wallet"));
}

TEST(MailFloors, OneShortenedAddressAndNothingElseToClickWarns) {
    const std::string from = "Sam Hill <sam@hill.example>";
    const std::string link = "<p>Look <a href=\"https://bit.ly/3Y5sooR\">here</a>";
    EXPECT_TRUE(is_flagged({from, link + "</p>"}));
    EXPECT_FALSE(has({from, link + " or <a href=\"https://hill.example/n\">there</a></p>"},
                     "scheme.shortened_away"));
    EXPECT_FALSE(
        has({"Marie Curie <marie@labo-curie.example>", link + "</p>"}, "scheme.shortened_away"));
    EXPECT_FALSE(
        has({.from = from, .body = link + "</p>", .is_to_clinic = false}, "scheme.shortened_away"))
        << "without a memory nothing is strange";
}

TEST(MailFloors, InitialsOfTheStateInAStrangersDomain) {
    const std::string ask = "Réponse attendue sous 72 heures : https://";
    const std::vector<Letter> borrowed = {
        {"Conventions PS <ps@cnam-indus-versements.example>",
         "L'Assurance Maladie relève un indu. " + ask + "cnam-indus-versements.example/connexion"},
        {"ARS – Cellule alerte <alerte@ars-vigilance-lots.example>",
         "Urgent : l'ANSM retire plusieurs lots d'héparine. " + ask +
             "ars-vigilance-lots.example/psc/auth"}};
    for (const Letter& letter : borrowed) {
        EXPECT_TRUE(has(letter, "scheme.brand_posing")) << letter.body;
        EXPECT_TRUE(is_flagged(letter)) << letter.body;
    }
    const std::vector<Letter> honest = {
        {"ARS Musica <salle@ars-musica.example>",
         "Urgent : dernières places pour le concert : https://ars-musica.example/places"},
        {"Cabinet Valmer <contact@valmer-conseil.example>",
         "L'Assurance Maladie demande une réponse sous 72 heures : "
         "https://valmer-conseil.example/aide"},
        {"Formations <contact@cnam-formations.example>",
         "Urgent : les inscriptions ferment sous 72 heures : "
         "https://cnam-formations.example/catalogue"}};
    for (const Letter& letter : honest) EXPECT_FALSE(has(letter, "scheme.brand_posing"));
}

}  // namespace
}  // namespace hygie::mail
