#include "guards/mail/facts/asks.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "base/check.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/phrases.h"

asm(".pushsection .rodata\n"
    ".global hygie_mail_asks\n"
    ".global hygie_mail_asks_end\n"
    "hygie_mail_asks: .incbin \"" HYGIE_MAIL_DATA
    "/asks.txt\"\n"
    "hygie_mail_asks_end: .byte 0\n"
    ".popsection\n");
extern "C" const char hygie_mail_asks[];
extern "C" const char hygie_mail_asks_end[];

namespace hygie::mail {
namespace {

constexpr std::size_t kReadBytes = 32U << 10;
constexpr std::size_t kSentencesMax = 400;

constexpr std::array<std::string_view, kAsks> kNames = {
    "ask",     "reply",      "by_mail",   "mass",    "record",     "identity", "mine",
    "refusal", "protected",  "anonymous", "private", "hush",       "secret",   "bare_secret",
    "given",   "leak",       "stolen",    "ransom",  "identified", "enter",    "prepare",
    "remote",  "usual_line", "account",   "logs",    "field",      "people",   "sign_mail",
    "view",    "fine",       "pay_now",   "approve", "grant",      "shown",    "unchanged",
    "channel", "work_mail",  "later",     "story",   "specimen",   "scan",     "bank_open",
    "opening", "untraced",   "usual_way", "card",    "admin",      "payers"};

const PhraseSet& phrases() {
    static const PhraseSet kSet = [] {
        std::vector<std::pair<std::string, std::uint32_t>> all;
        std::uint32_t group = 0;
        std::string_view text(hygie_mail_asks,
                              static_cast<std::size_t>(hygie_mail_asks_end - hygie_mail_asks));
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            const std::string_view line = trim(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.empty() || line.starts_with('#')) continue;
            Ask named{};
            if (!line.starts_with('['))
                all.emplace_back(line, group);
            else if (ask_named(line.substr(1, line.size() - 2), named))
                group = static_cast<std::uint32_t>(named);
            else
                HYGIE_CHECK(false, "data/asks.txt names a group that is not there");
        }
        return PhraseSet(all);
    }();
    return kSet;
}

/// "M. Petit", "Dr. Roy": the point of a title ends nothing. That of "your NIR." or "hun BSN."
/// does.
bool ends_title(std::string_view text, std::size_t point) {
    constexpr std::size_t kTitleLetters = 3;
    std::size_t letters = 0;
    while (letters < point && letters <= kTitleLetters &&
           std::isalpha(static_cast<unsigned char>(text[point - letters - 1])))
        ++letters;
    const auto is_capital = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
    const std::string_view word = text.substr(point - letters, letters);
    const bool initials = letters == kTitleLetters && std::ranges::all_of(word, is_capital);
    return letters > 0 && letters <= kTitleLetters && is_capital(word.front()) && !initials;
}

/// Where sentences end in the text. A list after a colon belongs to what announces it.
std::vector<std::size_t> ends_of_sentences(std::string_view text) {
    std::vector<std::size_t> ends;
    char last = ' ';
    for (std::size_t i = 0; i + 1 < text.size() && ends.size() < kSentencesMax; ++i) {
        const char c = text[i];
        const char next = text[i + 1];
        const bool blank_after = next == ' ' || next == '\n' || next == '\r' || next == '\t';
        const bool stop =
            (c == '!' || c == '?' || (c == '.' && !ends_title(text, i))) && blank_after;
        const bool gap = c == '\n' && (next == '\n' || next == '\r') && last != ':' && last != ',';
        if (stop || gap) ends.push_back(i);
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') last = c;
    }
    ends.push_back(text.size());
    return ends;
}

struct Hit {
    std::size_t begin = 0;  ///< in the folded text
    std::size_t end = 0;
};

/// One sentence: which groups speak in it, and where each does first.
struct Sentence {
    /// Where it first says that nobody is to be asked or told.
    std::size_t quiet_at = std::string_view::npos;
    std::bitset<kAsks> says;
    std::array<Hit, kAsks> first{};
    std::array<std::size_t, kAsks> count{};
    bool has(Ask one) const { return says[static_cast<std::size_t>(one)]; }
    std::size_t times(Ask one) const { return count[static_cast<std::size_t>(one)]; }
    const Hit& at(Ask one) const { return first[static_cast<std::size_t>(one)]; }
};

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text), folded_(fold(text)) {
        const std::vector<std::size_t> ends = ends_of_sentences(text);
        sentences_.resize(ends.size());
        const std::vector<PhraseSet::Hit> hits = phrases().find(folded_.text);
        const std::vector<bool> quiet = hushed(hits);
        for (const PhraseSet::Hit& hit : hits) {
            const std::size_t first = sentence_at(ends, hit.at + 1);
            if (first != sentence_at(ends, hit.at + hit.size - 1)) continue;
            Sentence& in = sentences_[first];
            if (hit.id == static_cast<std::uint32_t>(Ask::Refusal) && quiet[hit.at] &&
                quiet[hit.at + hit.size - 1]) {
                in.quiet_at = std::min(in.quiet_at, hit.at);
                continue;
            }
            if (!in.says[hit.id] || hit.at < in.first[hit.id].begin)
                in.first[hit.id] = {hit.at, hit.at + hit.size};
            in.says[hit.id] = true;
            ++in.count[hit.id];
        }
    }

    AsksFacts read() {
        for (std::size_t i = 0; i < sentences_.size(); ++i) {
            whole_letter(sentences_[i]);
            secret(i);
            data(i);
            access(i);
            columns(i);
            out_.requests = out_.requests || asks(i);
            if (asks(i)) note(out_.channel, sentences_[i], Ask::Channel);
            if (asks(i)) note(out_.specimen, sentences_[i], Ask::Specimen);
            if (asks(i)) note(out_.payers, sentences_[i], Ask::Payers);
        }
        if (out_.stolen == 0 || out_.ransom == 0) out_.leak = {};
        if (named_) out_.is_anonymous = false;
        return std::move(out_);
    }

  private:
    /// "Send me his record, and do not call": what is not to be done is to ask.
    std::vector<bool> hushed(const std::vector<PhraseSet::Hit>& hits) const {
        std::vector<bool> out(folded_.text.size() + 1);
        for (const PhraseSet::Hit& hit : hits)
            if (hit.id == static_cast<std::uint32_t>(Ask::Hush))
                std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(hit.at), hit.size, true);
        return out;
    }

    /// "Do not mention your password" asks for none; "send me the code and do not call" does.
    static bool keeps_secret(const Sentence& one) {
        const Ask what = one.has(Ask::Secret) ? Ask::Secret : Ask::BareSecret;
        return one.has(Ask::Refusal) || (one.has(what) && one.quiet_at < one.at(what).begin);
    }

    std::size_t sentence_at(const std::vector<std::size_t>& ends, std::size_t folded_at) const {
        const std::size_t at =
            folded_at < folded_.origin.size() ? folded_.origin[folded_at] : text_.size();
        return static_cast<std::size_t>(
            std::min(std::ranges::lower_bound(ends, at), ends.end() - 1) - ends.begin());
    }
    std::string words(const Hit& one) const {
        return std::string(folded_.source(text_, one.begin, one.end - one.begin));
    }
    /// From the one to the other, where that is a sentence's worth; else the more telling one.
    std::string span(const Hit& verb, const Hit& object) const {
        constexpr std::size_t kSpanMax = 160;
        const Hit both{std::min(verb.begin, object.begin), std::max(verb.end, object.end)};
        return words(both.end - both.begin <= kSpanMax ? both : object);
    }
    void note(Asked& to, const Sentence& in, Ask group) const {
        if (!in.has(group)) return;
        if (!to.any()) to.evidence = words(in.at(group));
        to.phrases += in.times(group);
    }

    /// What counts wherever it stands.
    void whole_letter(const Sentence& one) {
        out_.is_protected = out_.is_protected || one.has(Ask::Protected);
        out_.is_anonymous = out_.is_anonymous || one.has(Ask::Anonymous);
        named_ = named_ || one.has(Ask::Identified);
        note(out_.at_home, one, Ask::Private);
        note(out_.hush, one, Ask::Hush);
        note(out_.leak, one, Ask::Leak);
        if ((one.has(Ask::Secret) || one.has(Ask::BareSecret)) && !keeps_secret(one))
            note(out_.enter, one, Ask::Enter);
        note(out_.remote, one, Ask::Remote);
        note(out_.shown, one, Ask::Shown);
        note(out_.usual_line, one, Ask::UsualLine);
        if (!one.has(Ask::Refusal)) note(out_.sign_mail, one, Ask::SignMail);
        if (one.has(Ask::WorkMail) && (!one.has(Ask::Refusal) || is_only_way(one))) {
            note(out_.sign_mail, one, Ask::WorkMail);
            out_.work_mail = true;
        }
        out_.view = out_.view || one.has(Ask::View);
        note(out_.fine, one, Ask::Fine);
        note(out_.pay_now, one, Ask::PayNow);
        note(out_.later, one, Ask::Later);
        note(out_.story, one, Ask::Story);
        note(out_.bank_open, one, Ask::BankOpen);
        note(out_.scan, one, Ask::Scan);
        if (!one.has(Ask::Refusal)) note(out_.papers, one, Ask::Identity);
        note(out_.opening, one, Ask::Opening);
        if (!one.has(Ask::Refusal)) note(out_.admin, one, Ask::Admin);
        if (!one.has(Ask::Refusal)) note(out_.untraced, one, Ask::Untraced);
        out_.usual_way = out_.usual_way || one.has(Ask::UsualWay);
        if (!one.has(Ask::Refusal) && one.has(Ask::Identity)) note(out_.card, one, Ask::Card);
        out_.stolen += one.times(Ask::Stolen);
        out_.ransom += one.times(Ask::Ransom);
    }

    /// "… with the mailbox of the house, it will not open otherwise" refuses nothing; nor does what
    /// begins another line ("Do not share this e-mail").
    bool is_only_way(const Sentence& one) const {
        constexpr std::size_t kNear = 32;
        const Hit& refusal = one.at(Ask::Refusal);
        if (refusal.begin < one.at(Ask::WorkMail).begin) return false;
        const std::size_t at = folded_.origin[refusal.begin + 1];
        const bool new_line = at > 0 && text_[at - 1] == '\n' &&
                              std::isupper(static_cast<unsigned char>(text_[at])) != 0;
        return new_line || contains(std::string_view(folded_.text).substr(refusal.end - 1, kNear),
                                    " otherwise ");
    }

    /// "Mot de passe :" on a line of its own, to be filled in.
    bool is_field(const Hit& one) const {
        if (one.end >= folded_.origin.size() + 1) return false;
        std::size_t at = folded_.origin[one.end - 2] + 1;
        while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at;
        if (at >= text_.size() || text_[at] != ':') return false;
        ++at;
        while (at < text_.size() && contains(" \t._", text_.substr(at, 1))) ++at;
        return at >= text_.size() || text_[at] == '\n' || text_[at] == '\r';
    }

    /// Asked of the reader, to be written into an answer. That it is never to be given, or that it
    /// comes by another way, is what honest letters say.
    void secret(std::size_t i) {
        const Sentence& one = sentences_[i];
        const bool answers = one.has(Ask::Reply);
        const bool asked_before =
            i > 0 && sentences_[i - 1].has(Ask::Reply) && !sentences_[i - 1].has(Ask::Refusal);
        if (keeps_secret(one) || (one.has(Ask::Given) && !(answers && one.has(Ask::Secret))))
            return;
        // A password at hand, for a call in which somebody uses the machine from afar.
        const bool prepares = one.has(Ask::Prepare) && speaks_of(Ask::Remote);
        if (one.has(Ask::Approve)) return note(out_.secret, one, Ask::Approve);
        Ask what = Ask::Secret;
        if (one.has(Ask::BareSecret) && !one.has(Ask::Secret)) {
            const bool field = is_field(one.at(Ask::BareSecret)) && (answers || asked_before);
            if (!field && !answers) return;
            what = Ask::BareSecret;
        } else if (!one.has(Ask::Secret) || !(one.has(Ask::Ask) || prepares || answers)) {
            return;
        }
        const Ask verb = answers                 ? Ask::Reply
                         : one.has(Ask::Ask)     ? Ask::Ask
                         : one.has(Ask::Prepare) ? Ask::Prepare
                                                 : what;
        if (!out_.secret.any()) out_.secret.evidence = span(one.at(verb), one.at(what));
        ++out_.secret.phrases;
    }

    /// What is asked for and the asking stand in one sentence, or in two that follow each other.
    void data(std::size_t i) {
        const Sentence& one = sentences_[i];
        if (one.has(Ask::Refusal) || !(one.has(Ask::Ask) || one.has(Ask::Reply))) return;
        if (one.has(Ask::Given) && !one.has(Ask::Ask)) return;
        const Ask verb = one.has(Ask::Ask) ? Ask::Ask : Ask::Reply;
        const Sentence* about = nullptr;
        for (const Ask what : {Ask::Mass, Ask::Record})
            for (const std::size_t j : {i, i + 1, i - 1})
                if (!about && j < sentences_.size() && sentences_[j].has(what) &&
                    !sentences_[j].has(Ask::Refusal))
                    about = &sentences_[j];
        if (!about) return;
        const Ask what = about->has(Ask::Mass) ? Ask::Mass : Ask::Record;
        for (std::size_t j = i > 0 ? i - 1 : 0; j < std::min(i + 2, sentences_.size()); ++j) {
            out_.by_mail = out_.by_mail || sentences_[j].has(Ask::ByMail);
            out_.identity = out_.identity || sentences_[j].has(Ask::Identity);
            out_.is_mine = out_.is_mine || sentences_[j].has(Ask::Mine);
            out_.several = out_.several || sentences_[j].times(Ask::Mass) >= 2;
        }
        const bool more = what == Ask::Mass && !out_.mass;
        if (!out_.data.any() || more)
            out_.data.evidence =
                about == &one ? span(one.at(verb), one.at(what)) : words(about->at(what));
        out_.mass = out_.mass || what == Ask::Mass;
        ++out_.data.phrases;
    }

    bool speaks_of(Ask one) const {
        return std::ranges::any_of(sentences_,
                                   [&](const Sentence& other) { return other.has(one); });
    }

    /// Something to give is asked for in this sentence.
    bool asks(std::size_t i) const {
        return i < sentences_.size() && !sentences_[i].has(Ask::Refusal) &&
               (sentences_[i].has(Ask::Ask) || sentences_[i].has(Ask::Reply));
    }

    void access(std::size_t i) {
        const bool grants = sentences_[i].has(Ask::Grant) && !sentences_[i].has(Ask::Refusal);
        if (!asks(i) && !grants) return;
        for (std::size_t j = i > 0 ? i - 1 : 0; j < std::min(i + 2, sentences_.size()); ++j) {
            note(out_.account, sentences_[j], Ask::Account);
            note(out_.logs, sentences_[j], Ask::Logs);
        }
    }

    /// Three columns that identify, in a table about many that is asked for nearby, are the data of
    /// many, by whatever name the table goes.
    void columns(std::size_t i) {
        constexpr std::size_t kColumnsMin = 3;
        constexpr std::size_t kNear = 2;
        const Sentence& one = sentences_[i];
        if (one.times(Ask::Field) < kColumnsMin || one.has(Ask::Refusal)) return;
        bool asked = false;
        bool by_mail = false;
        for (std::size_t j = i > kNear ? i - kNear : 0; j <= i + kNear; ++j) {
            asked |= asks(j);
            by_mail |= j < sentences_.size() && sentences_[j].has(Ask::ByMail);
        }
        if (!asked || !speaks_of(Ask::People)) return;
        if (!out_.mass) out_.data.evidence = words(one.at(Ask::Field));
        ++out_.data.phrases;
        out_.mass = out_.several = true;
        out_.by_mail = out_.by_mail || by_mail;
    }

    std::string_view text_;
    Folded folded_;
    std::vector<Sentence> sentences_;
    AsksFacts out_;
    bool named_ = false;  ///< names are to be left in
};

}  // namespace

bool ask_named(std::string_view name, Ask& out) {
    const auto* const it = std::ranges::find(kNames, name);
    if (it == kNames.end()) return false;
    out = static_cast<Ask>(it - kNames.begin());
    return true;
}

bool says_unchanged(std::string_view text, std::string_view words) {
    const std::size_t at = text.find(words);
    if (words.empty() || at == std::string_view::npos) return false;
    std::size_t begin = 0;
    for (const std::size_t end : ends_of_sentences(text)) {
        if (at <= end) {
            const Folded sentence = fold(text.substr(begin, end - begin));
            return std::ranges::any_of(phrases().find(sentence.text), [](const auto& hit) {
                return hit.id == static_cast<std::uint32_t>(Ask::Unchanged);
            });
        }
        begin = end;
    }
    return false;
}

AsksFacts find_asks(const Message& message, std::size_t quoted_at) {
    return Reader(cut(message.text, std::min(quoted_at, kReadBytes))).read();
}

AsksFacts find_asks(std::string_view text) {
    return Reader(cut(text, kReadBytes)).read();
}

}  // namespace hygie::mail
