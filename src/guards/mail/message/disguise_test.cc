#include "guards/mail/message/disguise.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "guards/mail/facts/evidence.h"
#include "guards/mail/facts/history.h"
#include "guards/mail/signals/signals.h"

namespace hygie::mail {
namespace {

TEST(Disguise, ReadsAsAHurriedReaderDoes) {
    EXPECT_EQ(undisguise("PayPa1 acc0unt").text, "PayPal account");
    EXPECT_EQ(undisguise("C o i n b a s e team").text, "Coinbase team");
    EXPECT_EQ(undisguise("AIert: Iog in").text, "Alert: log in");
    EXPECT_EQ(undisguise("CONFlRM NOW").text, "CONFIRM NOW");
    EXPECT_EQ(undisguise("Italy, In time, WiFi, a b c").text, "") << "nothing to read otherwise";
}

TEST(Disguise, GivesBackTheBytesThatStand) {
    const std::string text = "From C o i n b a s e now";
    const Undisguised plain = undisguise(text);
    EXPECT_EQ(plain.source(text, plain.text.find("Coinbase"), 8), "C o i n b a s e");
}

TEST(Disguise, KnowsChanceFromWords) {
    for (const char* random : {"hyjoqxpfwkzd", "2j69hqc07ujd", "lmnxebwvlmatkswgkwlsm"})
        EXPECT_TRUE(looks_random(random)) << random;
    for (const char* word :
         {"Krankenversicherung", "anticonstitutionnellement", "responsabilidade", "gezondheidszorg",
          "2024", "FA20394857", "deadbeefcafe", "Covid19", "A4"})
        EXPECT_FALSE(looks_random(word)) << word;
}

TEST(Disguise, MeasuresNoiseOutsideLinks) {
    const std::string text =
        "see https://x.example/xkqjzvbwqpxz now " + std::string(200, '_') + " xkqjzvbwqpxz";
    const Noise noise = noise_of(text);
    EXPECT_EQ(noise.random, 1U);
    EXPECT_EQ(noise.random_evidence, "xkqjzvbwqpxz");
    EXPECT_EQ(noise.wall, 200U);
}

RC_GTEST_PROP(Disguise, TakesAnyBytes, (const std::string& bytes)) {
    const Undisguised plain = undisguise(bytes);
    RC_ASSERT(plain.text.size() <= bytes.size());
    RC_ASSERT(plain.origin.size() == plain.text.size() || plain.text.empty());
    RC_ASSERT(noise_of(bytes).random <= noise_of(bytes).words);
}

std::vector<Signal> signals_of(std::string_view bytes, std::string_view envelope) {
    const Result<Message> message = parse_message(bytes);
    const Evidence evidence =
        extract_evidence(*message, *parse_envelope(envelope), History{}, AttachmentFacts{});
    return draw_signals(*message, evidence, History{});
}

const Signal* among(const std::vector<Signal>& signals, std::string_view id) {
    const auto it = std::ranges::find(signals, id, &Signal::id);
    return it == signals.end() ? nullptr : &*it;
}

TEST(Disguise, AMaskedBrandIsTheBrand) {
    const auto signals = signals_of(
        "From: P a y P a l <a@b.example>\nTo: c@d.example\nSubject: hello\n\nhello there\n",
        R"({"rcpt_to":"c@d.example"})");
    ASSERT_NE(among(signals, "text.masked"), nullptr);
    EXPECT_EQ(among(signals, "text.masked")->evidence, "P a y P a l");
    EXPECT_NE(among(signals, "sender.brand_foreign"), nullptr);
}

TEST(Disguise, ALetterFromOneselfThatNobodyProved) {
    const std::string_view letter =
        "From: c@d.example\nTo: c@d.example\nSubject: hello\n\nI recorded you\n";
    EXPECT_NE(
        among(signals_of(letter, R"({"rcpt_to":"c@d.example","spf":"fail"})"), "sender.yourself"),
        nullptr);
    EXPECT_EQ(among(signals_of(letter, R"({"rcpt_to":"c@d.example","dmarc":"pass","spf":"pass"})"),
                    "sender.yourself"),
              nullptr);
}

TEST(Disguise, AServiceThatCarriesAStrangerProvesNothing) {
    const std::string head =
        "From: A. Stranger (via Drive) <drive-shares-noreply@google.com>\nTo: c@d.example\n"
        "Subject: shared with you\nReply-To: ";
    const std::string body =
        "\nContent-Type: text/html\n\n<a href='https://docs.google.com/x'>Open</a> Sign in to "
        "read\n";
    const std::string_view proven =
        R"({"rcpt_to":"c@d.example","spf":"pass","dkim":"pass","dmarc":"pass"})";
    EXPECT_NE(among(signals_of(head + "x@qwe.example" + body, proven), "sender.carrier"), nullptr);
    EXPECT_EQ(among(signals_of(head + "boss@d.example" + body, proven), "sender.carrier"), nullptr);
}

TEST(Disguise, InvisibleSignsCountInsideWordsOnly) {
    const auto of = [](std::string_view subject) {
        return among(
            signals_of("From: a@b.example\nSubject: " + std::string(subject) + "\n\nx\n", "{}"),
            "text.invisible");
    };
    EXPECT_NE(of("Micro\xE2\x80\x8Bsoft"), nullptr);
    EXPECT_EQ(of("News \xE2\x80\x8C \xE2\x80\x8C of May"), nullptr) << "padding of a preview";
}

}  // namespace
}  // namespace hygie::mail
