#include <gtest/gtest.h>

#include <algorithm>

#include "guards/mail/judge/test_letter.h"

/// What speaks for a sender, and what does not: a proof of who carried, small print, an envelope.
namespace hygie::mail {
namespace {

const std::string kGitHub = "Airdrop List <notifications@github.com>";

TEST(MailCarried, WhoKnowsTheServiceKnowsNobodyWhoSpeaksThroughIt) {
    const History memory = *parse_history(
        R"({"as_of":"2026-06-30","organisations":[{"id":"o1","name":"Clinique",
            "own_domains":["clinique-tilleuls.example"],"staff":[]}],
            "known_services":[{"name":"PayPal","domains":["paypal.com"]}]})");
    const Message message = message_of(
        {"PayPal <service@paypal.com>",
         "Seller note: your account was charged 689.00 for BTC. Did not make this purchase? Call "
         "our fraud team now: +44 20 3000 0019. https://www.paypal.com/invoice/p"});
    const Reading reading = read_evidence(
        message,
        *parse_envelope(R"({"rcpt_to":"anne.roy@clinique-tilleuls.example","dmarc":"pass"})"),
        memory);
    EXPECT_NE(judge(message, reading, trusting).level, event::Level::Clean);
}

TEST(MailCarried, MoneyInANameThatACustomerTook) {
    const std::string refund =
        "A new event has been scheduled. You have been charged 512.30: to cancel and take the "
        "refund, call (888) 000-0177. https://calendly.com/events/MB";
    EXPECT_TRUE(has({"Amazon <noreply@calendly.com>", refund}, "scheme.carried_lure"));
    EXPECT_FALSE(has({"Calendly <noreply@calendly.com>", refund}, "scheme.carried_lure"));
    EXPECT_FALSE(has({"Amazon <noreply@calendly.com>",
                      "A new event has been scheduled: (888) 000-0177. https://calendly.com/e/M"},
                     "scheme.carried_lure"));
}

TEST(MailCarried, AGainElsewhereAndAPlaceThatImitatesTheService) {
    const auto at = [](const char* place) {
        return Letter{kGitHub, "Congratulations! You have won. Claim your reward: https://" +
                                   std::string(place) + "/x Seen on https://github.com/a/b"};
    };
    EXPECT_TRUE(is_flagged(at("go.coins-x.example")));
    EXPECT_FALSE(has(at("github.com"), "scheme.carried_lure"));
    EXPECT_FALSE(has(at("medifournitures.example"), "scheme.carried_lure"));
    EXPECT_TRUE(is_flagged({"aprigel <notifications@github.com>",
                            "We found a weakness. See https://github-scanner.com"}));
    EXPECT_FALSE(is_flagged({"aprigel <notifications@github.com>",
                             "We found a weakness. See https://docs.coins-x.example"}));
}

TEST(MailCarried, ServicesOfOneHouseAreCalledByTheirOwnNames) {
    const Letter said{"LinkedIn <messages@linkedin.com>",
                      "Congratulations to Ann! See https://lnkd.in/x and https://revue.example/a"};
    EXPECT_FALSE(has(said, "scheme.carried_lure"));
    for (const char* from : {"TurboTax <news@intuit.com>", "Wise <noreply@wise.com>"})
        EXPECT_FALSE(has({from,
                          "Your refund and your reward: https://revue.example/a "
                          "https://turbotax.com/b https://wise.com/c"},
                         "scheme.carried_lure"))
            << from;
    EXPECT_FALSE(
        has({"Boutique <shop@shopifyemail.com>", "Claim your reward: https://boutique-x.example/a"},
            "scheme.carried_lure"));
    const Reading reading =
        read({kGitHub, "Claim your reward: https://go.coins-x.example/x https://github.com/a/b"});
    const auto lure = std::ranges::find(reading.signals, "scheme.carried_lure", &Signal::id);
    ASSERT_NE(lure, reading.signals.end());
    EXPECT_EQ(lure->detail, "GitHub");
}

bool excused(const char* from, const char* body, const char* proof) {
    const Message message = message_of({from, body});
    const Envelope envelope = *parse_envelope(
        R"({"rcpt_to":"anne.roy@clinique-tilleuls.example","spf":"none","dmarc":")" +
        std::string(proof) + "\"}");
    const Reading reading = read_evidence(message, envelope, *parse_history(kClinicMemory));
    return std::ranges::find(reading.signals, "lure.mailing", &Signal::id) != reading.signals.end();
}

TEST(MailCarried, SmallPrintSpeaksForWhoProvesOrLeadsHome) {
    const char* stranger = "Cloud <notice@cloud-x.example>";
    const char* away = "Update now: https://gains.example/a Unsubscribe: https://gains.example/u";
    EXPECT_FALSE(excused(stranger, away, "none"));
    EXPECT_TRUE(excused(stranger, away, "pass"));
    EXPECT_TRUE(excused(stranger, "News: https://www.cloud-x.example/a Unsubscribe", "none"));
    EXPECT_FALSE(excused("A <a@gmail.com>", "News: https://gmail.com/a Unsubscribe", "none"));
    EXPECT_TRUE(excused("News <news@medifournitures.example>", away, "none"));
}

bool nameless(const char* from, const char* mail_from, const char* proof = "none") {
    const Envelope envelope = *parse_envelope(
        R"({"rcpt_to":"anne.roy@clinique-tilleuls.example","spf":"pass","mail_from":")" +
        std::string(mail_from) + R"(","dmarc":")" + proof + "\"}");
    const Message message = message_of({from, "Claim your discount: https://gains.example/a"});
    const Reading reading = read_evidence(message, envelope, *parse_history(kClinicMemory));
    return judge(message, reading, trusting).level != event::Level::Clean;
}

TEST(MailCarried, ANamelessTenantInAnothersNameIsFlagged) {
    EXPECT_TRUE(nameless("Club <a@club-x.example>", "b7@lew19962.onmicrosoft.com"));
    EXPECT_FALSE(nameless("Club <a@club-x.example>", "b7@lew19962.onmicrosoft.com", "pass"));
    EXPECT_FALSE(nameless("Club <a@lew19962.onmicrosoft.com>", "b7@lew19962.onmicrosoft.com"));
    EXPECT_FALSE(nameless("Club <a@club-x.example>", "bounces+SRS=x=1@lew1.onmicrosoft.com"));
    EXPECT_FALSE(nameless("News <news@medifournitures.example>", "b7@lew19962.onmicrosoft.com"));
    EXPECT_FALSE(nameless("Club <a@club-x.example>", "b7@mailer-x.example"));
}

}  // namespace
}  // namespace hygie::mail
