#include "guards/mail/facts/numbers.h"

#include <gtest/gtest.h>

#include "guards/mail/message/phrases.h"

namespace hygie::mail {
namespace {

TEST(Iban, IsFoundAsPeopleWriteIt) {
    const auto found = find_ibans(
        "IBAN : FR76 3000 6000 0112 3456 7890 189, ou de89-3704-0044-0532-0130-00.", "text");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].value, "FR7630006000011234567890189");
    EXPECT_EQ(found[0].evidence, "FR76 3000 6000 0112 3456 7890 189");
    EXPECT_TRUE(found[0].is_valid);
    EXPECT_EQ(found[1].value, "DE89370400440532013000");
    EXPECT_TRUE(found[1].is_valid);
}

TEST(Iban, SeesAFalseChecksumAndNoIbanInWords) {
    const auto wrong = find_ibans("FR76 3000 6000 0112 3456 7890 188", "text");
    ASSERT_EQ(wrong.size(), 1U);
    EXPECT_FALSE(wrong[0].is_valid);
    EXPECT_TRUE(find_ibans("IT12 the quick brown fox jumps over", "text").empty());
    EXPECT_TRUE(find_ibans("FR7630006000011234567890189123", "text").empty()) << "too long";
    EXPECT_TRUE(find_ibans("FR76 3000", "text").empty());
}

TEST(Wallets, AreBelievedByChecksum) {
    const auto found = find_wallets(
        "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa or "
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq now",
        "text");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[0].is_valid);
    EXPECT_TRUE(found[1].is_valid);
    const auto shape = find_wallets("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "text");
    ASSERT_EQ(shape.size(), 1U);
    EXPECT_FALSE(shape[0].is_valid);
    EXPECT_EQ(find_wallets("USDT TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t.", "text").size(), 1U);
    EXPECT_TRUE(find_wallets("key TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", "text").empty());
    EXPECT_TRUE(find_wallets("commit 1234567890abcdef1234567890abcdef", "text").empty());
}

TEST(Phones, SpainAndPortugalDialNoZero) {
    const auto numbers_in = [](const std::string& text) {
        return find_phones(text, fold(text), {}, "text").size();
    };
    EXPECT_EQ(numbers_in("Llame al 910 75 81 40 hoy."), 1U);
    EXPECT_EQ(numbers_in("Ligue para o 212 345 678."), 1U);
    EXPECT_EQ(numbers_in("Expediente 910758140, 410 75 81 40."), 0U);
}

TEST(Phones, ADateWithItsHourIsNone) {
    for (const std::string text : {"Date : 25/11/2026 16:04", "2026-11-25 16:04:33",
                                   "le 25.11.2026 16 h", "25-11-2026 09 12"})
        EXPECT_TRUE(find_phones(text, fold(text), {}, "text").empty()) << text;
    ASSERT_EQ(find_phones("Tel. 01 23 45 67 89", fold("Tel. 01 23 45 67 89"), {}, "text").size(),
              1U);
    EXPECT_EQ(find_phones("25/11/2026, +33 1 23 45 67 89", fold("25/11/2026, +33 1 23 45 67 89"),
                          {}, "text")
                  .size(),
              1U);
}

TEST(Phones, AreFoundWithTheRequestToCall) {
    const std::string text =
        "Appelez le +33 1 23 45 67 89 vite. Tel (808) 555-1212. Le 12.03.2024.";
    const Folded seen = fold(text);
    const auto found = find_phones(text, seen, {seen.text.find("appelez")}, "text");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].value, "+33123456789");
    EXPECT_EQ(found[0].evidence, "+33 1 23 45 67 89");
    EXPECT_TRUE(found[0].call_asked);
    EXPECT_EQ(found[1].evidence, "(808) 555-1212");
}

TEST(Phrases, AreWholeWordsWithGapsAndOpenEnds) {
    const PhraseSet set({{"bank", 1}, {"your * account", 2}, {"expir~", 3}, {"account is", 4}});
    const auto ids = [&](std::string_view text) {
        std::vector<std::uint32_t> out;
        for (const PhraseSet::Hit& hit : set.find(folded(text))) out.push_back(hit.id);
        return out;
    };
    EXPECT_EQ(ids("the bank"), (std::vector<std::uint32_t>{1}));
    EXPECT_TRUE(ids("embankment banks").empty());
    EXPECT_EQ(ids("your big bank account is"), (std::vector<std::uint32_t>{1, 2, 4}));
    EXPECT_TRUE(ids("account of your").empty());
    EXPECT_EQ(ids("expired expiration"), (std::vector<std::uint32_t>{3, 3}));
    EXPECT_TRUE(ids("your letter went a very long way before anybody opened an account").empty());
}

}  // namespace
}  // namespace hygie::mail
