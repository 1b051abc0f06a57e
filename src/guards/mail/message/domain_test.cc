#include "guards/mail/message/domain.h"

#include <gtest/gtest.h>

#include "guards/mail/facts/links.h"
#include "guards/mail/message/lookalike.h"

namespace hygie::mail {
namespace {

using How = LookAlike::How;

TEST(Domain, FindsWhatSomebodyRegistered) {
    EXPECT_EQ(registrable_domain("assure.ameli.fr"), "ameli.fr");
    EXPECT_EQ(registrable_domain("a.b.impots.gouv.fr"), "impots.gouv.fr");
    EXPECT_EQ(registrable_domain("x.y.hopital.example"), "hopital.example");
    EXPECT_EQ(registrable_domain("192.0.2.7"), "192.0.2.7");
    EXPECT_EQ(registrable_domain("fr"), "fr");
}

TEST(Domain, SeesResemblance) {
    struct Row {
        const char* domain;
        const char* honest;
        How how;
    };
    const Row rows[] = {
        {"paypa1.com", "paypal.com", How::Confusable},
        {"xn--pypal-4ve.com", "paypal.com", How::Confusable},  // Cyrillic а
        {"rnicrosoft.com", "microsoft.com", How::Confusable},
        {"doctolb.fr", "doctolib.fr", How::Edit},
        {"dcotolib.fr", "doctolib.fr", How::Edit},
        {"doctolib.example", "doctolib.fr", How::OtherTld},
        {"ameli-remboursement.fr", "ameli.fr", How::Embeds},
        {"mon-compte-ameli.example", "ameli.fr", How::Embeds},
        {"who-int.example", "who.int", How::Confusable},
        {"amelifr.example", "ameli.fr", How::Confusable},
        {"who.example", "who.int", How::None},
        {"ameli.fr", "ameli.fr", How::None},
        {"camelia.fr", "ameli.fr", How::None},
        {"scaf.fr", "caf.fr", How::None},
        {"boulangerie.fr", "doctolib.fr", How::None},
        {"mail.mil", "maiia.com", How::None},
        {"jpost.com", "bpost.be", How::None},
    };
    for (const Row& row : rows)
        EXPECT_EQ(resemblance(display_host(row.domain), row.honest), row.how) << row.domain;
}

TEST(Domain, CountsEdits) {
    EXPECT_EQ(edit_distance("abc", "abc", 2), 0);
    EXPECT_EQ(edit_distance("abc", "acb", 2), 1);
    EXPECT_EQ(edit_distance("abc", "abcd", 2), 1);
    EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3) << "no more than limit + 1";
}

TEST(LookAlikes, HonestDomainsResembleNobody) {
    LookAlikeIndex index;
    index.add("medifournitures.fr", "Medi");
    index.add("medifournitures.com", "Medi");
    EXPECT_EQ(index.find("medifournitures.com").how, How::None);
    const LookAlike found = index.find("medifournltures.fr");
    EXPECT_EQ(found.how, How::Confusable);
    EXPECT_EQ(found.owner, "Medi");
}

TEST(Links, AreTakenApartLikeBrowsersDo) {
    struct Row {
        const char* written;
        const char* host;
        const char* scheme;
    };
    const Row rows[] = {
        {"https://www.ameli.fr@evil.example/x", "evil.example", "https"},
        {"https:\\\\evil.example\\x", "evil.example", "https"},
        {"HTTP://EVIL.example:8080/", "evil.example", "http"},
        {"ht\ntps://ev\til.example", "evil.example", "https"},
        {"//evil.example/x", "evil.example", "https"},
        {"www.evil.example", "www.evil.example", "http"},
        {"https://%65vil.example/", "evil.example", "https"},
        {"mailto:a@b.example", "", "mailto"},
        {"javascript:alert(1)", "", "javascript"},
        {"cid:part1", "", "cid"},
    };
    for (const Row& row : rows) {
        const Url url = parse_url(row.written);
        EXPECT_EQ(url.host, row.host) << row.written;
        EXPECT_EQ(url.scheme, row.scheme) << row.written;
    }
    EXPECT_TRUE(parse_url("https://www.ameli.fr@evil.example/x").has_user_info);
}

TEST(Links, ReadShownAddresses) {
    EXPECT_EQ(domain_shown("https://www.ameli.fr/compte"), "ameli.fr");
    EXPECT_EQ(domain_shown("impots.gouv.fr"), "impots.gouv.fr");
    EXPECT_EQ(domain_shown("Cliquez sur ameli.fr maintenant"), "");
    EXPECT_EQ(domain_shown("main.rs"), "");
    EXPECT_EQ(domain_shown("1.234,00"), "");
}

TEST(Links, DoNotBelieveAStrangerWhoClaimsToLeadToATrustedPlace) {
    const History none;
    const LinkReader reader(built_in_pack(), none, {});
    const auto read = [&](const char* target) {
        return reader.read({LinkKind::Anchor, target, ""}, "html");
    };
    for (const char* stranger : {"https://evil.example/?r=https://ameli.fr",
                                 "https://evil.example/login?next=https%3A%2F%2Fassure.ameli.fr%2F",
                                 "https://evil.web.app/?url=https://ameli.fr",
                                 "https://evilmimecast.com/s/x?url=https://ameli.fr"}) {
        const Link link = read(stranger);
        EXPECT_EQ(link.brand, "") << stranger;
        EXPECT_EQ(link.final_domain, link.domain) << stranger;
        EXPECT_TRUE(link.is_redirector) << stranger;
    }
    EXPECT_EQ(read("https://www.google.com/url?q=https://ameli.fr/a").brand, "ameli");
    EXPECT_EQ(read("https://eur02.safelinks.protection.outlook.com/?url=https://ameli.fr").brand,
              "ameli");
}

TEST(Links, FollowRedirectorsToTheirEnd) {
    const History none;
    const LinkReader reader(built_in_pack(), none, {"lea@clinique.example"});
    const auto read = [&](const char* target) {
        return reader.read({LinkKind::Anchor, target, ""}, "html");
    };
    const Link google = read("https://www.google.com/url?q=https%3A%2F%2Fevil.example%2Fa&sa=D");
    EXPECT_TRUE(google.is_redirector);
    EXPECT_EQ(google.final_domain, "evil.example");
    EXPECT_EQ(google.brand, "");
    const Link coded = read("https://t.example/c?u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUv");
    EXPECT_EQ(coded.final_domain, "evil.example");
    const Link checked =
        read("https://urldefense.proofpoint.com/v2/url?u=https-3A__git.example_a-2Db&d=DwMFaQ&c=x");
    EXPECT_EQ(checked.final_domain, "git.example");
    EXPECT_FALSE(checked.is_redirector);
    EXPECT_EQ(read("https://evil.example/v2/url?u=https-3A__git.example_a").final_domain,
              "evil.example");
    EXPECT_TRUE(read("https://x.example/#bGVhQGNsaW5pcXVlLmV4YW1wbGU=").has_recipient);
    EXPECT_TRUE(read("https://x.example/?e=lea%40clinique.example").has_recipient);
    EXPECT_FALSE(read("https://x.example/?e=other%40clinique.example").has_recipient);
    EXPECT_TRUE(read("https://bit.ly/abc").is_shortener);
    EXPECT_TRUE(read("https://x.web.app/").is_free_host);
    EXPECT_EQ(read("https://assure.ameli.fr/").brand, "ameli");
    EXPECT_EQ(read("https://arneli.fr/").look_alike.owner, "ameli");
}

}  // namespace
}  // namespace hygie::mail
