#include <gtest/gtest.h>

#include "guards/mail/facts/links.h"
#include "guards/mail/judge/test_letter.h"

namespace hygie::mail {
namespace {

Link link_to(const std::string& address) {
    const Reading reading =
        read({"Somebody <a@stranger.example>", "<p><a href=\"" + address + "\">voir</a></p>"});
    return reading.evidence.links.front();
}

TEST(MailTricks, AnAddressInTheNameOfAFormIsFlagged) {
    for (const char* body :
         {"Username: www.bgsehj.blogspot.kr - 148641 USD BINANCE\nTo set your password, visit",
          "Identifiant : gains.pages.dev - 1.3 BTC\nPour configurer votre mot de passe, visitez",
          "Hi \xE2\x9C\x85 +$1,733 \xE2\x9E\xA1 https://forms.example/cloud/65?x,\nThank you for "
          "subscribing"})
        EXPECT_TRUE(is_flagged({"Shop <noreply@shop.example>", body, "Login details"})) << body;
    for (const char* body :
         {"Username: anne.roy@clinique-tilleuls.example\nTo set your password, visit",
          "Username: aroy\nSite: www.shop.example", "Hi Anne,\nsee https://forms.example/x",
          "Hello all, I tried https://wiki.example/page and it works",
          "Username: www.shop.example\nTo set your password, visit"})
        EXPECT_FALSE(has({"Shop <noreply@shop.example>", body}, "scheme.smuggled_name")) << body;
}

TEST(MailTricks, ADetourLeadsWhereItEnds) {
    const Link bing = link_to(
        "https://www.bing.com/ck/a?!&&p=dead&u=a1aHR0cHM6Ly9ldmlsLmV4YW1wbGUvbG9naW4&ntb=1");
    EXPECT_TRUE(bing.is_detour);
    EXPECT_EQ(bing.final_domain, "evil.example");
    EXPECT_EQ(bing.brand, "");
    EXPECT_EQ(link_to("https://www.google.co.uk/amp/s/evil.example/a").final_domain,
              "evil.example");
    EXPECT_EQ(link_to("https://evil-example.translate.goog/x").final_domain, "evil.example");
    EXPECT_EQ(link_to("https://www.bing.com/ck/a?!&&p=dead&u=zz").brand, "");
    EXPECT_FALSE(link_to("https://www.bing.com/search?q=a1aHR0cHM6").is_detour);
    EXPECT_EQ(link_to("https://www.bing.com/search?q=x").brand, "microsoft");
    EXPECT_TRUE(
        has({"A <a@b.example>", "<a href=\"https://www.google.fr/amp/evil.example/a\">x</a>"},
            "link.detour"));
}

TEST(MailTricks, TheReadersAddressBehindAHashIsFlagged) {
    const auto page = [](const std::string& link) {
        return Letter{"Shop <a@shop.example>", "<p><a href=\"" + link + "\">voir</a></p>"};
    };
    const std::string mine = "anne.roy@clinique-tilleuls.example";
    EXPECT_TRUE(is_flagged(page("https://taken.example/wp-includes/x.html#" + mine)));
    EXPECT_TRUE(is_flagged(
        page("https://taken.example/x#YW5uZS5yb3lAY2xpbmlxdWUtdGlsbGV1bHMuZXhhbXBsZQ==")));
    EXPECT_FALSE(is_flagged(page("https://shop.example/basket#" + mine)));
    EXPECT_FALSE(is_flagged(page("https://news.example/leave?who=" + mine)));
    EXPECT_FALSE(is_flagged(page("https://news.example/page#part-2")));
}

TEST(MailTricks, ABrandsAddressShownOverAShortLinkIsFlagged) {
    const auto page = [](const std::string& link, const std::string& from) {
        return Letter{from, "<p><a href=\"" + link + "\">https://www.bitget.com/claim</a></p>"};
    };
    const std::string stranger = "Ninety <a@ninety.example>";
    EXPECT_TRUE(has(page("https://t.co/GDcJ5", stranger), "scheme.disguised_link"));
    EXPECT_TRUE(has(page("https://bit.ly/GDcJ5", stranger), "scheme.disguised_link"));
    EXPECT_FALSE(
        has(page("https://bit.ly/GDcJ5", "Bitget <a@bitget.com>"), "scheme.disguised_link"));
    EXPECT_FALSE(has(page("https://www.bitget.com/claim", stranger), "scheme.disguised_link"));
}

TEST(MailTricks, AnAddressToSignInAsIsFlaggedInAnyLanguage) {
    const auto account = [](const std::string& name) {
        return Letter{"WordPress <wordpress@shop.example>",
                      "https://shop.example/wp-login.php?login=" + name + "&key=x&action=rp"};
    };
    EXPECT_TRUE(is_flagged(account("www.utfjqz.blogspot.jp%20-%20TRADE")));
    EXPECT_FALSE(is_flagged(account("anne%20roy")));
    EXPECT_FALSE(is_flagged(account("aroy")));
}

TEST(MailTricks, AHostOfDrawnLettersIsFlagged) {
    EXPECT_TRUE(
        is_flagged({"DHL <a@b.example>",
                    "<a href=\"http://\xC3\xB0Hw8u&#159;Fz&#156;4oJe.shop.example/r\">x</a>"}));
    EXPECT_FALSE(has({"M <a@b.example>", "<a href=\"http://caf\xC3\xA9.shop.example/r\">x</a>"},
                     "link.strange_host"));
}

std::string newsletter(std::string_view lure, std::string_view style = {}) {
    std::string html = "<html><style>" + std::string(style) + "</style><body>" + std::string(lure);
    for (int i = 0; i < 9; ++i)
        html += "<p><a href=\"https://news.gazette.example/" + std::to_string(i) +
                "\">The Gazette reports</a></p>";
    return html + "</body></html>";
}

TEST(MailTricks, ALureOverSomebodyElsesNewsletterIsFlagged) {
    const std::string lure = "<a href=\"https://offers.evil.test/x\"><img src=\"a.png\"></a>";
    EXPECT_TRUE(is_flagged({"Eco <a@stranger.example>", newsletter(lure)}));
    EXPECT_FALSE(is_flagged({"The Gazette <news@gazette.example>", newsletter(lure)}));
    EXPECT_FALSE(is_flagged({"Eco <a@stranger.example>", newsletter("")}));
    EXPECT_FALSE(is_flagged({"Eco <a@evil.test>", newsletter(lure)}));
    EXPECT_TRUE(is_flagged(
        {"Eco <a@stranger.example>", newsletter("", ".belowView { height: 470500px; }")}));
    EXPECT_FALSE(has({"Eco <a@stranger.example>",
                      newsletter("", "p{max-height:9999px;height:600px;line-height:5000px}")},
                     "html.pushed_away"));
}

TEST(MailTricks, ASenderThatCannotExistAndANameThatIsASite) {
    EXPECT_TRUE(has({"<Promotions@Douglas>", "x"}, "sender.no_domain"));
    EXPECT_TRUE(has({"Taxa <t@%atendimento.com>", "x"}, "sender.no_domain"));
    EXPECT_FALSE(has({"Ann <ann@b.example>", "x"}, "sender.no_domain"));
    EXPECT_TRUE(has({"\"ethereum.org\" <somebody@icloud.com>", "x"}, "sender.name_is_domain"));
    EXPECT_FALSE(has({"\"amazon.fr\" <a@amazon.de>", "x"}, "sender.name_is_domain"));
    EXPECT_FALSE(has({"Dr. Roy <a@b.example>", "x"}, "sender.name_is_domain"));
}

TEST(MailTricks, ACustomerOfAServiceIsNotTheService) {
    const Letter tenant{"Tether.to <support@pqqjd.zendesk.com>",
                        "Claim your reward: https://claims.example/x"};
    EXPECT_FALSE(has(tenant, "brand.authentic"));
    EXPECT_TRUE(has(tenant, "sender.name_is_domain"));
    EXPECT_TRUE(has({"Zendesk <support@zendesk.com>", "Your invoice"}, "brand.authentic"));
}

TEST(MailTricks, WhatAServiceCarriesForAThrowAwayAddressIsFlagged) {
    const std::string body = "Hello, your payment is ready: https://claims.example/x";
    const std::string from = "\"Ann (via Google Slides)\" <drive-shares-noreply@google.com>";
    EXPECT_TRUE(is_flagged({from, body, "Shared with you", "Reply-To: ann@qzx.quest\n"}));
    EXPECT_FALSE(is_flagged({from, body, "Shared with you", "Reply-To: ann@labo.example\n"}));
    EXPECT_FALSE(is_flagged({from, body, "Shared with you"}));
}

constexpr std::string_view kQuoted =
    "\n\nLe 3 mars 2026, Marc Petit <marc.petit@fournitures-ouest.example> a écrit :\n"
    "> Votre commande est prête.\n> IBAN FR76 3000 6000 0112 3456 7890 189\n";

TEST(MailThread, WhoImitatesTheQuotedSenderIsHeldAndTheTwinIsNot) {
    const std::string body =
        "Bonjour, pour le règlement de la facture : FR14 2004 1010 0505 0001 "
        "3M02 606" +
        std::string(kQuoted);
    for (const bool remembers : {true, false}) {
        const Letter attack{"Marc Petit <marc.petit@fournitures-0uest.example>", body, "Re: F1", "",
                            remembers};
        EXPECT_TRUE(has(attack, "thread.imitated"));
        EXPECT_EQ(level(attack), event::Level::Malicious);
    }
    const std::string same =
        "Bonjour, pour le règlement : FR76 3000 6000 0112 3456 7890 189" + std::string(kQuoted);
    const Letter twin{"Marc Petit <marc.petit@fournitures-ouest.example>", same, "Re: F1", "",
                      false};
    EXPECT_FALSE(is_flagged(twin));
}

TEST(MailThread, AnAccountOtherThanTheQuotedOneIsFlaggedFromTheTrueAddressToo) {
    const std::string other = "Bonjour, voici l'IBAN : FR14 2004 1010 0505 0001 3M02 606";
    const std::string from = "Marc Petit <marc.petit@fournitures-ouest.example>";
    const Letter attack{from, other + std::string(kQuoted), "Re: F1", "", false};
    EXPECT_TRUE(has(attack, "money.quote_differs"));
    EXPECT_TRUE(is_flagged(attack));
    EXPECT_FALSE(has({from, other, "Re: F1", "", false}, "money.quote_differs"));
}

TEST(MailThread, TheIdsOfAnExchangeTellWhoLedIt) {
    const std::string heads = "References: <a1@fournitures-ouest.example> <b2@x.example>\n";
    const std::string body = "Merci de régler la facture aujourd'hui sur le compte habituel.";
    EXPECT_TRUE(has({"M <m@fournitures-0uest.example>", body, "Re: F1", heads}, "thread.imitated"));
    EXPECT_FALSE(
        has({"M <m@fournitures-ouest.example>", body, "Re: F1", heads}, "thread.imitated"));
    EXPECT_FALSE(has({"M <m@menuiserie.example>", body, "Re: F1", heads}, "thread.imitated"));
}

TEST(MailThread, AColleagueOrAnotherGuestIsNoImpostor) {
    const std::string body = "Bien reçu, merci." + std::string(kQuoted);
    EXPECT_FALSE(is_flagged({"Lea <lea@fournitures-ouest.example>", body, "Re: F1"}));
    EXPECT_FALSE(is_flagged({"Paul <paul@menuiserie.example>", body, "Re: F1"}));
    EXPECT_FALSE(has({"Marie Curie <marie@labo-curie.example>", body}, "thread.imitated"));
}

/// A letter may be signed with a shortened address; it may not send anybody there.
TEST(MailTricks, AShortenedAddressBelowTheSignatureIsTheWritersOwn) {
    const std::string from = "Daniel Roche <daniel@labo-roche.example>";
    const std::string signed_with = "\n-- \nDaniel Roche\nhttps://bit.ly/pol4vc\n";
    EXPECT_FALSE(has({from, "How do I update the values of a column?" + signed_with},
                     "scheme.shortened_away"));
    EXPECT_TRUE(
        has({from, "Look: https://bit.ly/pol4vc\n-- \nDaniel Roche\n"}, "scheme.shortened_away"));
    EXPECT_TRUE(has({from, "Please sign in below to keep your account." + signed_with},
                    "scheme.shortened_away"));
}

}  // namespace
}  // namespace hygie::mail
