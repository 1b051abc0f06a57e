#include <gtest/gtest.h>

#include "guards/mail/judge/test_letter.h"

namespace hygie::mail {
namespace {

/// Whatever the words resemble, a class is what the letter wants of its reader.
TEST(Class, IsNamedByWhatIsAskedOfTheReader) {
    const auto named = [](const Letter& letter, Class thought) {
        const Scorer sure = [&](const Message&, const Evidence&, std::span<const Signal>) {
            Opinion opinion;
            opinion.log_odds.fill(-9);
            opinion.log_odds[static_cast<std::size_t>(thought)] = 9;
            return opinion;
        };
        return judge(message_of(letter), read(letter), sure).kind;
    };
    const Letter call{.from = "Paid Customer <daud76642@gmail.com>",
                      .body =
                          "<p>McAfee: thank you for your order, USD 503.00 will appear on your "
                          "statement. To cancel, call us at +1 833 317 4505. "
                          "<a href=\"https://csinvoice.example/\">unsubscribe</a></p>",
                      .subject = "Your order"};
    EXPECT_EQ(named(call, Class::Phishing), Class::TechSupport);
    const std::string_view away = "<a href=\"https://x7kq.example/c\">here</a></p>";
    const auto from_stranger = [&](std::string_view words) {
        return Letter{.from = "News <a@b.example>",
                      .body = "<p>" + std::string(words) + std::string(away)};
    };
    EXPECT_EQ(named(from_stranger("Casino: 50 free spins, "), Class::Phishing), Class::Spam);
    EXPECT_EQ(named(from_stranger("Casino: your account will be suspended, confirm your password "),
                    Class::Phishing),
              Class::Phishing);
    EXPECT_EQ(
        named(from_stranger("Crypto airdrop: congratulations, you have won, claim your reward "),
              Class::Spam),
        Class::Phishing);
    const Letter detour{.from = "News <a@b.example>",
                        .body =
                            "<p>Viagra, cheap pills <a href=\"https://www.google.com/url?q="
                            "https://x7kq.example/\">here</a></p>"};
    EXPECT_EQ(named(detour, Class::Spam), Class::Spam);
}

}  // namespace
}  // namespace hygie::mail
