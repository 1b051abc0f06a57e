#include "guards/mail/model/model_features.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "guards/mail/judge/rules.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/model/model_structure.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kWordLettersMax = 24;
constexpr std::size_t kStemLetters = 6;
constexpr std::size_t kAmountBytesMax = 8'000;
constexpr float kSubjectShare = 1.5F;  ///< a word of the subject against one of the text

std::uint64_t hash_of(std::uint64_t seed, std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
    for (const char sign : text) {
        hash ^= static_cast<unsigned char>(sign);
        hash *= 0x100000001b3ULL;
    }
    return hash ^ (hash >> 29);
}

struct Word {
    std::string_view letters;  ///< "#" for anything with a digit
    std::uint32_t begin;
    std::uint32_t end;
};

std::vector<Word> words_of(const Folded& folded, std::size_t source_size) {
    std::vector<Word> words;
    const std::string_view text = folded.text;
    std::size_t at = 0;
    while (at < text.size() && words.size() < kModelWordsMax) {
        const std::size_t begin = text.find_first_not_of(' ', at);
        if (begin == std::string_view::npos) break;
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        at = end;
        std::string_view letters = text.substr(begin, end - begin);
        if (letters.size() > kWordLettersMax) continue;
        if (letters.find_first_of("0123456789") != std::string_view::npos) letters = "#";
        const std::uint32_t from = folded.origin[begin];
        const std::uint32_t to = end < folded.origin.size()
                                     ? folded.origin[end]
                                     : static_cast<std::uint32_t>(source_size);
        words.push_back({letters, from, std::max(from, to)});
    }
    return words;
}

class WordSink {
  public:
    WordSink(Features& out, bool trusted) : out_(out), salt_(trusted ? 0x74727573ULL : 0) {}

    void add(std::uint64_t hash, float value, std::uint32_t begin, std::uint32_t end) {
        hash += salt_ * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 31;
        out_.words.push_back(
            {static_cast<std::uint32_t>(hash) & (kWordSlots - 1), value, begin, end - begin});
    }

    void add_all(const std::vector<Word>& words, std::uint32_t shift, std::uint64_t seed,
                 float share) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            const Word& word = words[i];
            const std::uint32_t begin = word.begin + shift;
            const std::uint32_t end = word.end + shift;
            const std::uint64_t own = hash_of(seed, word.letters);
            if (word.letters != "#") add(own, share, begin, end);
            if (word.letters.size() > kStemLetters + 1)
                add(hash_of(seed ^ 0x7374656dULL, word.letters.substr(0, kStemLetters)), share,
                    begin, end);
            if (i + 1 < words.size())
                add(hash_of(own ^ 0x70616972ULL, words[i + 1].letters), share, begin,
                    words[i + 1].end + shift);
        }
    }

    /// One entry per slot, the whole of length one.
    void settle() {
        auto& words = out_.words;
        std::ranges::sort(words, {}, [](const WordFeature& word) {
            return std::tuple(word.slot, -word.value, word.begin, word.size);
        });
        words.erase(std::unique(words.begin(), words.end(),
                                [](const WordFeature& a, const WordFeature& b) {
                                    return a.slot == b.slot;
                                }),
                    words.end());
        double square = 0;
        for (const WordFeature& word : words)
            square += static_cast<double>(word.value) * word.value;
        const auto scale = static_cast<float>(1 / std::sqrt(std::max(square, 1.0)));
        for (WordFeature& word : words) word.value *= scale;
    }

  private:
    Features& out_;
    std::uint64_t salt_;
};

/// What a reader is asked to click, and whether that leads home: the words of a link weigh as such.
void add_anchors(WordSink& sink, const Evidence& evidence, std::string_view body,
                 std::uint32_t body_at) {
    constexpr std::size_t kAnchorsMax = 30;
    constexpr std::size_t kAnchorBytesMax = 60;
    constexpr std::array<std::uint64_t, 4> kSeeds = {0x686f6d65ULL, 0x6b6e6f77ULL, 0x61776179ULL,
                                                     0x68696465ULL};
    std::size_t seen = 0;
    for (const Link& link : evidence.links) {
        if ((link.scheme != "http" && link.scheme != "https") || link.shown.empty() ||
            link.kind == LinkKind::Text || ++seen > kAnchorsMax)
            continue;
        const std::string shown = without_addresses(cut(link.shown, kAnchorBytesMax));
        const Folded folded_shown = fold(shown);
        const auto way = static_cast<std::size_t>(direction_of(link, evidence));
        const std::size_t at = body.find(shown);
        const auto place =
            static_cast<std::uint32_t>(body_at + (at == std::string_view::npos ? body.size() : at));
        for (const Word& word : words_of(folded_shown, shown.size()))
            if (word.letters != "#")
                sink.add(hash_of(kSeeds[way], word.letters), 1, place + word.begin,
                         place + word.end);
    }
}

/// What the rules think of each class: the model learns how far to believe them.
void add_rules(Features& out, std::span<const Signal> signals) {
    constexpr double kHeld = 9;
    const std::array<double, kClasses> scores = rule_scores(signals);
    double best = -kHeld;
    for (std::size_t k = 1; k < kClasses; ++k) {
        const double held = std::clamp(scores[k] - kRuleBias, -kHeld, kHeld) / kRulesUnit;
        best = std::max(best, held);
        if (std::abs(held) > 0.01)
            out.named.push_back({"rules." + std::string(name_of(static_cast<Class>(k))),
                                 static_cast<float>(held),
                                 {}});
    }
    out.named.push_back({"rules.best", static_cast<float>(best), {}});
    if (best * kRulesUnit + kRuleBias > 0) out.named.push_back({"rules.decided", 1, {}});
}

/// A sum of money is named: a currency sign or code beside a digit.
bool names_amount(std::string_view text) {
    static constexpr auto kCurrencies =
        std::to_array<std::string_view>({"$", "€", "£", "EUR", "USD", "GBP", "R$", "euros"});
    const auto digit_at = [&](std::size_t at) {
        return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    for (const std::string_view sign : kCurrencies)
        for (std::size_t at = text.find(sign); at != std::string_view::npos;
             at = text.find(sign, at + 1)) {
            const std::size_t end = at + sign.size();
            if (digit_at(end) || digit_at(end + 1) || (at > 0 && digit_at(at - 1)) ||
                (at > 1 && digit_at(at - 2)))
                return true;
        }
    return false;
}

/// The name shown and the address are of one house or person: words of one stand in the other.
std::string_view name_against_address(const Message& message) {
    const Address& author = message.author();
    const std::string name = folded(author.name);
    if (name.size() <= 1) return "shape.name_none";
    if (shares_word(name, folded(registrable_domain(author.domain()))))
        return "shape.name_of_domain";
    const std::string box = folded(author.address.substr(0, author.address.rfind('@')));
    return shares_word(name, box) ? "shape.name_of_box" : "shape.name_foreign";
}

/// How a mailing is left, and whether that leads to the sender.
void add_leaving(Features& out, const Evidence& evidence) {
    static constexpr auto kWords = std::to_array<std::string_view>(
        {"unsubscribe", "desabonn", "desinscri", "abmelden", "abbestell", "afmeld", "uitschrijv",
         "darse de baja", "cancelar", "descadastr", "disiscri", "cancella", "opt out",
         "preferences"});
    for (const Link& link : evidence.links) {
        const std::string shown = folded(link.shown);
        if (std::ranges::none_of(kWords,
                                 [&](std::string_view word) { return contains(shown, word); }))
            continue;
        const bool home = link.final_domain == evidence.relations.from_domain;
        out.named.push_back({home ? "shape.left_at_home" : "shape.left_elsewhere", 1, {}});
        return;
    }
}

void add_places(Features& out, const Message& message, const Evidence& evidence) {
    constexpr std::size_t kManyPlaces = 4;
    constexpr std::size_t kThinWords = 40;
    std::vector<std::string_view> places;
    for (const Link& link : evidence.links)
        if (std::ranges::find(places, link.final_domain) == places.end())
            places.push_back(link.final_domain);
    const auto add = [&out](std::string_view name, bool is) {
        if (is) out.named.push_back({std::string(name), 1, {}});
    };
    add("shape.one_place", places.size() == 1);
    add("shape.many_places", places.size() >= kManyPlaces);
    const bool thin = evidence.words < kThinWords;
    add("shape.thin_with_link", thin && !evidence.links.empty());
    add("shape.thin_with_file", thin && !message.attachments.empty());
    add("shape.thin_with_picture", thin && message.images > message.tracking_images);
    add("shape.phone_alone", !evidence.phones.empty() && evidence.links.empty());
    // What is not there accuses nobody: there would be nothing to show.
    if (!message.author().address.empty())
        out.named.push_back({std::string(name_against_address(message)), 1, author_text(message)});
    add_leaving(out, evidence);
}

void add_shape(Features& out, const Message& message, const Evidence& evidence) {
    const auto add = [&out](std::string_view name, double value) {
        if (value > 0) out.named.push_back({std::string(name), static_cast<float>(value), {}});
    };
    std::size_t elsewhere = 0;
    bool free_host = false;
    for (const Link& link : evidence.links) {
        if (link.final_domain != evidence.relations.from_domain) ++elsewhere;
        free_host = free_host || link.is_free_host;
    }
    const std::size_t links = evidence.links.size();
    add("shape.no_link", links == 0);
    add("shape.one_link", links == 1);
    add("shape.some_links_home", links > 0 && elsewhere < links);
    add("shape.free_host", free_host);
    add("shape.freemail", evidence.relations.from_freemail);
    add("shape.thread", evidence.relations.claims_thread);
    add("shape.thread_known", evidence.relations.thread_known);
    add("shape.attachment", !message.attachments.empty());
    add("shape.phone_to_call", std::ranges::any_of(evidence.phones, &Phone::call_asked));
    const bool amount = names_amount(message.subject) ||
                        names_amount(cut(message.text, kAmountBytesMax)) ||
                        names_amount(cut(evidence.attachments.text, kAmountBytesMax));
    const bool trusted = is_trusted_sender(evidence);
    add("shape.amount", amount);
    // A bill that leaves nothing to do but call.
    add("shape.bill_by_phone", amount && links == 0 && !evidence.phones.empty() && !trusted);
    add("shape.wallet", !evidence.wallets.empty());
    add("shape.iban", !evidence.ibans.empty());
    add("shape.trusted", trusted);
    add("shape.forged", evidence.auth.is_forged);
}

/// The signals as they are. One odd place among the many of a newsletter says little: what a link
/// looks like weighs as the root of one over the places that the message leads to, beyond two.
void add_signals(Features& out, const Evidence& evidence, std::span<const Signal> signals) {
    constexpr double kFewPlaces = 2;
    constexpr std::string_view kLink = "link.";
    std::vector<std::string_view> places;
    for (const Link& link : evidence.links)
        if (std::ranges::find(places, link.final_domain) == places.end())
            places.push_back(link.final_domain);
    const double few =
        std::sqrt(kFewPlaces / std::max(kFewPlaces, static_cast<double>(places.size())));
    for (const Signal& signal : signals) {
        const bool whole = !signal.id.starts_with(kLink) || signal.id == "link.many" ||
                           signal.id == "link.none" || signal.id == "link.unrelated";
        out.named.push_back({std::string(signal.id),
                             static_cast<float>(signal.strength * (whole ? 1 : few)),
                             signal.evidence});
    }
}

bool has_any(std::span<const Signal> signals, std::span<const std::string_view> ids,
             double strength_min = 0) {
    return std::ranges::any_of(signals, [&](const Signal& signal) {
        return signal.strength >= strength_min && std::ranges::find(ids, signal.id) != ids.end();
    });
}

/// Who speaks, as far as the facts say.
std::string_view speaker_of(const Evidence& evidence, std::span<const Signal> signals) {
    static constexpr auto kPosing = std::to_array<std::string_view>(
        {"auth.own_forged", "sender.brand_foreign", "sender.correspondent_foreign", "sender.embeds",
         "sender.look_alike", "sender.name_is_address", "sender.names_us", "sender.staff_foreign"});
    if (is_trusted_sender(evidence)) return "trusted";
    constexpr double kPosingMin = 0.3;  // whom a brand hired is weaker
    if (has_any(signals, kPosing, kPosingMin)) return "posing";
    return evidence.relations.from_freemail ? "freemail" : "stranger";
}

/// Where the links lead.
std::string_view direction_of(std::span<const Signal> signals) {
    static constexpr auto kNone = std::to_array<std::string_view>({"link.none"});
    static constexpr auto kHidden = std::to_array<std::string_view>(
        {"link.brand_in_host", "link.data", "link.embeds", "link.free_host", "link.ip",
         "link.look_alike", "link.qr", "link.shortener", "link.user_info"});
    static constexpr auto kAway = std::to_array<std::string_view>({"link.unrelated"});
    if (has_any(signals, kNone)) return "nowhere";
    if (has_any(signals, kHidden)) return "hidden";
    return has_any(signals, kAway) ? "away" : "home";
}

/// What is said, by whom, and where it leads: the same words mean another thing from a bank on its
/// own pages than from a stranger on somebody else's.
void add_situations(Features& out, const Evidence& evidence, std::span<const Signal> signals) {
    constexpr std::string_view kLure = "lure.";
    const std::string situation =
        std::string(speaker_of(evidence, signals)) + "." + std::string(direction_of(signals));
    out.named.push_back({"at." + situation, 1, {}});
    for (const Signal& signal : signals)
        if (signal.id.starts_with(kLure))
            out.named.push_back(
                {"at." + situation + "." + std::string(signal.id.substr(kLure.size())),
                 static_cast<float>(signal.strength), signal.evidence});
}

}  // namespace

bool is_trusted_sender(const Evidence& evidence) {
    const Relations& relations = evidence.relations;
    if (relations.from_own_authenticated) return true;
    if (!evidence.auth.is_authentic || relations.is_carrier) return false;
    if (relations.known_correspondent || relations.known_domain) return true;
    return std::ranges::any_of(evidence.brands, &BrandMention::sender_is_brand);
}

Features features_of(const Message& message, const Evidence& evidence,
                     std::span<const Signal> signals) {
    Features out;
    const std::string subject = without_addresses(message.subject);
    const std::string body = without_addresses(cut(message.text, kTextBytesMax / 4));
    const std::string files = without_addresses(cut(evidence.attachments.text, kTextBytesMax / 16));
    out.text = message.subject + "\n" + std::string(cut(message.text, kTextBytesMax / 4)) + "\n" +
               std::string(cut(evidence.attachments.text, kTextBytesMax / 16));
    WordSink sink(out, is_trusted_sender(evidence));
    const Folded folded_subject = fold(subject);
    const Folded folded_body = fold(body);
    const Folded folded_files = fold(files);
    const auto body_at = static_cast<std::uint32_t>(subject.size() + 1);
    const auto files_at = static_cast<std::uint32_t>(body_at + body.size() + 1);
    out.body_at = body_at;
    out.files_at = files_at;
    sink.add_all(words_of(folded_subject, subject.size()), 0, 0x7375626aULL, kSubjectShare);
    sink.add_all(words_of(folded_subject, subject.size()), 0, 0, 1);
    sink.add_all(words_of(folded_body, body.size()), body_at, 0, 1);
    sink.add_all(words_of(folded_files, files.size()), files_at, 0, 1);
    add_anchors(sink, evidence, body, body_at);
    sink.settle();
    add_signals(out, evidence, signals);
    add_rules(out, signals);
    add_shape(out, message, evidence);
    add_places(out, message, evidence);
    add_situations(out, evidence, signals);
    add_structure(out, message, evidence);
    return out;
}

}  // namespace hygie::mail
