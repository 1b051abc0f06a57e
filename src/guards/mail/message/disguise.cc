#include "guards/mail/message/disguise.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

/// How common it is that one letter follows another (rows: the first) in words of the eight
/// languages of our own texts: 9 + log2 of the share, at least 0. Counted once, by hand.
constexpr std::string_view kPairs =
    "14551242503646140656431031"  // a
    "62227011620631610543510020"  // b
    "60406006505410710426400020"  // c
    "61147221710321610542521030"  // d
    "43554331301546131765332313"  // e
    "61206510700410620534500030"  // f
    "61027135600425520642500010"  // g
    "71227000600433610525401030"  // h
    "43545441011547632456140203"  // i
    "60007020414223720242622002"  // j
    "52127232602424532365422031"  // k
    "61247120602610620044421050"  // l
    "74227100600251660042400010"  // m
    "51566361503214500057330020"  // n
    "23442331402557440655544120"  // o
    "60226114500611650645400010"  // p
    "12201100000400001232900000"  // q
    "61347230603344520455331040"  // r
    "51517214603231551167502030"  // s
    "60207105700321510554402041"  // t
    "44445241500556240666030200"  // u
    "60108000700020600400200000"  // v
    "70127115600325600451301110"  // w
    "50506303610230370217100330"  // x
    "54436121500455660365213003"  // y
    "73027001602321601204603043"  // z
    ;
static_assert(kPairs.size() == std::size_t{26} * 26);

constexpr std::size_t kRandomLettersMin = 9;
constexpr std::size_t kRandomMixMin = 8;
constexpr std::size_t kRandomSwitchesMin = 4;  ///< between letters and digits
constexpr std::size_t kRandomWordMax = 64;
/// Below this mean a word is chance: one real word of a thousand is, and seven of ten random ones.
constexpr double kRandomMean = 3.1;
constexpr std::size_t kSpacedMin = 5;  ///< letters set apart that make a word

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/// The letter that a digit or sign stands for inside a word, 0 for none.
char letter_for(char c) {
    static constexpr std::string_view kSigns = "0134578@$|!";
    static constexpr std::string_view kLetters = "oleastbasli";
    const std::size_t at = kSigns.find(c);
    return at == std::string_view::npos ? '\0' : kLetters[at];
}

/// One word as it is read: digits among letters, and I for l where no word has it.
std::string read_word(std::string_view word) {
    std::string out(word);
    const auto letters = std::ranges::count_if(word, is_letter);
    const auto uppers = std::ranges::count_if(word, is_upper);
    const bool mixed = letters >= 2 && std::ranges::all_of(word, [](char c) {
                           return is_letter(c) || letter_for(c) != '\0';
                       });
    const auto at = [&](std::size_t i) { return i < out.size() ? out[i] : ' '; };
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (mixed && !is_letter(out[i])) out[i] = letter_for(out[i]);
        const bool inside = i > 0 && is_letter(out[i - 1]);
        const bool vowel_next =
            std::string_view("aeiouy").find(at(i + 1)) != std::string_view::npos;
        if (out[i] == 'I' && is_lower(at(i + 1)) &&
            (inside ? i == 1 || is_lower(out[i - 1]) : vowel_next))
            out[i] = 'l';
        else if (out[i] == 'l' && inside && is_upper(at(i + 1)) && uppers * 2 > letters)
            out[i] = 'I';
    }
    return out;
}

/// Bytes from `at` that are letters set apart by one sign each: "C o i n b a s e", "P.a.y.P.a.l".
std::size_t spaced_size(std::string_view text, std::size_t at) {
    const auto letter_at = [&](std::size_t i) { return i < text.size() && is_letter(text[i]); };
    if (at > 0 && letter_at(at - 1)) return 0;
    std::size_t letters = 0;
    std::size_t end = at;
    for (std::size_t i = at; letter_at(i) && !letter_at(i + 1); i += 2) {
        ++letters;
        end = i + 1;
        if (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80) break;
    }
    return letters >= kSpacedMin ? end - at : 0;
}

double pair_mean(std::string_view word) {
    double sum = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i)
        sum += kPairs[static_cast<std::size_t>(word[i] - 'a') * 26 +
                      static_cast<std::size_t>(word[i + 1] - 'a')] -
               '0';
    return sum / static_cast<double>(word.size() - 1);
}

}  // namespace

std::string_view Undisguised::source(std::string_view original, std::size_t at,
                                     std::size_t size) const {
    if (size == 0 || at + size > origin.size()) return {};
    const std::size_t begin = origin[at];
    const std::size_t end = std::min<std::size_t>(origin[at + size - 1] + 1U, original.size());
    return begin < end ? trim(original.substr(begin, end - begin)) : std::string_view{};
}

Undisguised undisguise(std::string_view text) {
    Undisguised out;
    bool changed = false;
    const auto put = [&](char c, std::size_t at) {
        out.text.push_back(c);
        out.origin.push_back(static_cast<std::uint32_t>(at));
    };
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t size = spaced_size(text, at)) {
            for (std::size_t i = at; i < at + size; i += 2) put(text[i], i);
            at += size;
            changed = true;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && (is_letter(text[end]) || letter_for(text[end]) != '\0')) ++end;
        const std::string_view word = text.substr(at, end - at);
        if (word.empty()) {
            put(text[at], at);
            ++at;
            continue;
        }
        const std::string read = read_word(word);
        changed = changed || read != word;
        for (std::size_t i = 0; i < read.size(); ++i) put(read[i], at + i);
        at = end;
    }
    if (!changed) return {};
    return out;
}

bool looks_random(std::string_view word) {
    if (word.size() < kRandomMixMin || word.size() > kRandomWordMax) return false;
    std::string low;
    std::size_t switches = 0;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (!is_letter(word[i]) && !is_digit(word[i])) return false;
        low.push_back(is_upper(word[i]) ? static_cast<char>(word[i] + 32) : word[i]);
        if (i > 0 && is_digit(word[i]) != is_digit(word[i - 1])) ++switches;
    }
    if (switches > 0) return switches >= kRandomSwitchesMin;
    if (!std::ranges::all_of(low, is_lower) || low.size() < kRandomLettersMin) return false;
    return pair_mean(low) < kRandomMean;
}

namespace {

/// Blocks and blanks that change often: a row of a code. Bars of a chart go on, and are named.
bool is_row_of_code(std::string_view line) {
    constexpr std::size_t kBlocksMin = 8;
    constexpr std::size_t kChangesMin = 5;
    std::size_t blocks = 0;
    std::size_t changes = 0;
    std::string_view last;
    while (!line.empty()) {
        const bool no_break = line.starts_with("\xC2\xA0");
        const bool block = line.size() >= 3 && line.starts_with("\xE2\x96");
        if (!block && !no_break && !is_blank(line.front())) return false;
        const std::string_view sign = line.substr(0, block ? 3 : no_break ? 2 : 1);
        blocks += block ? 1 : 0;
        changes += sign != last ? 1 : 0;
        last = sign;
        line.remove_prefix(sign.size());
    }
    return blocks >= kBlocksMin && changes >= kChangesMin;
}

}  // namespace

std::string_view drawn_code_in(std::string_view text) {
    constexpr std::size_t kRowsMin = 8;
    std::size_t rows = 0;
    std::string_view first;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        const bool empty = line.find_first_not_of(" \t\r") == std::string_view::npos;
        if (empty) continue;  // pages put one between two rows
        const bool row = is_row_of_code(line);
        if (row && rows++ == 0) first = line;
        if (rows >= kRowsMin) return first;
        if (!row) rows = 0;
    }
    return {};
}

Noise noise_of(std::string_view text) {
    Noise out;
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && !is_blank(text[end])) ++end;
        std::string_view word = text.substr(at, end - at);
        at = end;
        ++out.words;
        if (word.find("://") != std::string_view::npos || word.find('@') != std::string_view::npos)
            continue;
        for (std::size_t i = 0, begin = 0; i < word.size(); ++i) {
            if (i == 0 || word[i] != word[i - 1]) begin = i;
            if (is_letter(word[i]) || is_digit(word[i]) || i - begin < out.wall) continue;
            out.wall = i - begin + 1;
            out.wall_evidence = word.substr(begin, std::min(i - begin + 1, kEvidenceBytesMax));
        }
        while (!word.empty() && !is_letter(word.front()) && !is_digit(word.front()))
            word.remove_prefix(1);
        while (!word.empty() && !is_letter(word.back()) && !is_digit(word.back()))
            word.remove_suffix(1);
        if (!looks_random(word)) continue;
        if (out.random++ == 0) out.random_evidence = word;
    }
    return out;
}

}  // namespace hygie::mail
