#include "guards/mail/twins/twin_rough.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/ascii.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kMaskedLettersMin = 5;

std::string random_word(Dice& dice, std::string_view signs, std::size_t least, std::size_t more) {
    std::string out;
    for (std::size_t i = least + dice.below(more); i > 0; --i)
        out.push_back(signs[dice.below(signs.size())]);
    return out;
}

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kMixed = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789";

/// One way of writing a word so that only a person reads it.
std::string masked(std::string_view word, Dice& dice) {
    static constexpr std::string_view kFrom = "oOlIeEaAsS";
    static constexpr std::string_view kTo = "001l3344$5";
    std::string out;
    const std::size_t way = dice.below(4);
    const std::size_t cut = 1 + dice.below(word.size() - 1);
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = word[i];
        if (way == 0 && i > 0) out.push_back(' ');
        if (way == 1 && (i == cut || dice.chance(30)) && i > 0) out += "\xE2\x80\x8B";
        const std::size_t at = way == 2 ? kFrom.find(c) : std::string_view::npos;
        if (way == 3 && c == 'o')
            out += "\xD0\xBE";  // Cyrillic
        else if (way == 3 && c == 'a')
            out += "\xD0\xB0";
        else
            out.push_back(at == std::string_view::npos ? c : kTo[at]);
    }
    return out;
}

/// Masks one long word of the text; links are left alone.
void mask_a_word(std::string& text, Dice& dice) {
    std::vector<std::pair<std::size_t, std::size_t>> words;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_letter(text[end])) ++end;
        if (end - at >= kMaskedLettersMin) words.emplace_back(at, end - at);
        at = end + 1;
    }
    if (words.empty()) return;
    const auto [at, size] = dice.pick(words);
    text.replace(at, size, masked(std::string_view(text).substr(at, size), dice));
}

std::string noise_block(Dice& dice) {
    std::string out = "\n" + std::string(160 + dice.below(200), dice.chance(60) ? '_' : '.') + "\n";
    for (std::size_t i = 20 + dice.below(60); i > 0; --i)
        out += random_word(dice, kMixed, 8, 14) + (dice.chance(15) ? "\n" : " ");
    return out;
}

void borrow_a_sender(TwinScene& scene, Dice& dice) {
    static constexpr std::array<std::string_view, 6> kCarriers = {
        "drive-shares-noreply@google.com",
        "calendar-notification@google.com",
        "no-reply@dropbox.com",
        "dse@docusign.net",
        "quickbooks@notification.intuit.com",
        "messages-noreply@linkedin.com"};
    if (dice.chance(45)) {
        scene.from_address = scene.recipient.email;
        scene.from_name = dice.chance(50) ? scene.recipient.name() : "";
        scene.spf = scene.dkim = scene.dmarc = "none";
    } else {
        scene.reply_to =
            fmt::format("{}@{}", random_word(dice, kLower, 6, 8), stranger_domain(dice));
        scene.from_address = dice.pick(kCarriers);
        scene.from_name += " (via a shared file)";
        scene.spf = scene.dkim = scene.dmarc = "pass";
    }
    scene.mail_from = scene.from_address;
}

void roughen_attack(TwinScene& scene, TwinLetter& letter, Dice& dice) {
    const bool thrown_away = scene.dmarc != "fail" && scene.in_reply_to.empty();
    switch (dice.below(9)) {
        case 0:
            letter.subject += dice.chance(50) ? "  ." + random_word(dice, kUpper, 4, 8)
                                              : "   " + random_word(dice, kLower, 9, 12);
            break;
        case 1:
            mask_a_word(scene.from_name, dice);
            break;
        case 2:
            for (int i = 0; i < 3; ++i) mask_a_word(letter.body, dice);
            break;
        case 3:
            mask_a_word(letter.subject, dice);
            break;
        case 4:
            letter.body += noise_block(dice);
            break;
        case 5:
            scene.from_name = fmt::format(fmt::runtime(dice.pick(std::array{
                                              "--- {} ---", "[{}!]", "{}/../Notice", "*_{}_*"})),
                                          scene.from_name);
            break;
        case 6:
            if (thrown_away)
                scene.from_address = random_word(dice, kLower, 9, 8) +
                                     scene.from_address.substr(std::min(
                                         scene.from_address.find('@'), scene.from_address.size()));
            break;
        case 7:
            if (thrown_away) borrow_a_sender(scene, dice);
            break;
        default:
            letter.subject = fmt::format("{} {}", letter.subject, scene.recipient.email);
    }
}

void roughen_honest(TwinScene& scene, TwinLetter& letter, Dice& dice) {
    switch (dice.below(5)) {
        case 0:
            letter.subject += fmt::format(" [{}]", random_word(dice, kMixed, 6, 8));
            break;
        case 1:
            letter.body += "\n" + std::string(50 + dice.below(60), dice.chance(60) ? '-' : '_');
            break;
        case 2:
            letter.body += fmt::format("\nRef. {} / {}", random_word(dice, kMixed, 8, 12),
                                       random_word(dice, kMixed, 8, 12));
            break;
        case 3:
            scene.from_name = fmt::format("{} - {}", scene.from_name, scene.facts.at("city"));
            break;
        default:
            if (scene.reply_to.empty() && !scene.mail_from.empty())
                scene.reply_to =
                    fmt::format("reply-{}@{}", random_word(dice, kMixed, 10, 12),
                                scene.from_address.substr(scene.from_address.find('@') + 1));
    }
}

}  // namespace

void roughen(TwinScene& scene, TwinLetter& letter, Dice& dice) {
    constexpr unsigned kAttackPercent = 28;
    constexpr unsigned kHonestPercent = 18;
    if (scene.side == Side::Attack && dice.chance(kAttackPercent))
        roughen_attack(scene, letter, dice);
    if (scene.side == Side::Legitimate && dice.chance(kHonestPercent))
        roughen_honest(scene, letter, dice);
}

}  // namespace hygie::mail
