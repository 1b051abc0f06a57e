#include "guards/mail/facts/quoted.h"

#include <algorithm>
#include <array>

#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kLinesRead = 400;
constexpr std::size_t kLineBytes = 400;
constexpr std::size_t kMailboxLettersMin = 5;

/// One line and where it stands.
struct Line {
    std::string_view text;
    std::size_t at = 0;
};

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> out;
    for (std::size_t at = 0; at < text.size() && out.size() < kLinesRead;) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out.push_back({trim(cut(text.substr(at, end - at), kLineBytes)), at});
        at = end + 1;
    }
    return out;
}

/// Without the signs that mail programs put before what they quote.
std::string_view unquoted(std::string_view line) {
    while (line.starts_with('>') || line.starts_with(' ')) line.remove_prefix(1);
    return line;
}

/// "Le 3 mars, Marie <m@x.example> a écrit :", in the languages of our houses.
bool is_attribution(std::string_view line) {
    static constexpr auto kWrote =
        std::to_array<std::string_view>({" a ecrit ", " wrote ", " schrieb ", " escribio ",
                                         " ha scritto ", " schreef ", " escreveu "});
    if (!line.ends_with(':')) return false;
    const std::string words = folded(line);
    return ends_in(words, kWrote);
}

/// "De : Marie <m@x.example>", the first line of the head that Outlook quotes.
bool is_quoted_from(std::string_view line) {
    static constexpr auto kFrom = std::to_array<std::string_view>(
        {" de ", " from ", " von ", " da ", " van ", " expediteur "});
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !contains(line, "@")) return false;
    return std::ranges::find(kFrom, folded(line.substr(0, colon))) != kFrom.end();
}

/// "Envoyé : …", "Date: …" or "To: …" in one of the three lines below tells a head from a sentence.
bool is_head(const std::vector<Line>& lines, std::size_t first) {
    static constexpr auto kNext = std::to_array<std::string_view>(
        {" a ", " an ", " aan ", " date ", " datum ", " enviado ", " envoye ", " fecha ",
         " gesendet ", " inviato ", " para ", " sent ", " to ", " verzonden "});
    constexpr std::size_t kBelow = 4;
    for (std::size_t i = first + 1; i < std::min(first + kBelow, lines.size()); ++i) {
        const std::string_view line = unquoted(lines[i].text);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos &&
            std::ranges::find(kNext, folded(line.substr(0, colon))) != kNext.end())
            return true;
    }
    return false;
}

/// The address in a line, as it stands; empty when there is none.
std::string_view address_in(std::string_view line) {
    const auto part = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' ||
               c == '+' || static_cast<unsigned char>(c) >= 0x80;
    };
    const std::size_t at = line.find('@');
    if (at == std::string_view::npos) return {};
    std::size_t begin = at;
    std::size_t end = at + 1;
    while (begin > 0 && part(line[begin - 1])) --begin;
    while (end < line.size() && part(line[end])) ++end;
    std::string_view found = line.substr(begin, end - begin);
    while (found.ends_with('.')) found.remove_suffix(1);
    return begin < at && contains(line.substr(at, end - at), ".") ? found : std::string_view();
}

/// The person's name in front of the address.
std::string_view name_in(std::string_view line, std::string_view address) {
    std::string_view before = line.substr(0, line.find(address));
    for (const std::string_view edge : {",", ":"})
        if (const std::size_t at = before.rfind(edge); at != std::string_view::npos)
            before.remove_prefix(at + 1);
    return trim(before.substr(0, before.find_last_not_of("<(\"' ") + 1));
}

LookAlike::How imitation(std::string_view from, std::string_view other) {
    if (from.empty() || other.empty() || from == other) return LookAlike::How::None;
    return resemblance(from, other);
}

bool is_same_person(const Message& message, const QuotedFacts& quoted) {
    static constexpr auto kDesks = std::to_array<std::string_view>(
        {"accounting", "accounts", "admin", "billing", "compta", "comptabilite", "contact",
         "direction", "facturation", "facture", "finance", "hello", "info", "office", "sales",
         "secretariat", "support"});
    const Address& author = message.author();
    const std::string name = folded(author.name);
    if (std::ranges::count(name, ' ') >= 3 && name == folded(quoted.author_name)) return true;
    const std::string mine = author.address.substr(0, author.address.rfind('@'));
    const std::string theirs = quoted.author.substr(0, quoted.author.rfind('@'));
    return mine == theirs && mine.size() >= kMailboxLettersMin &&
           std::ranges::find(kDesks, mine) == kDesks.end();
}

class Reader {
  public:
    Reader(const Message& message, const History& history, const Relations& who)
        : message_(message), history_(history), who_(who) {}

    QuotedFacts run() {
        read_lines();
        if (!out_.author.empty()) compare(registrable_domain(domain_of(out_.author)));
        for (const std::vector<std::string>* ids : {&message_.in_reply_to, &message_.references})
            for (const std::string& id : *ids) compare_id(id);
        return std::move(out_);
    }

  private:
    void read_lines() {
        const std::vector<Line> lines = lines_of(message_.text);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            std::string_view line = unquoted(lines[i].text);
            const bool head = is_quoted_from(line) && is_head(lines, i);
            const bool attribution = !head && is_attribution(line);
            if (!head && !attribution && !lines[i].text.starts_with('>')) continue;
            if (!out_.any) {
                out_.any = true;
                out_.at = lines[i].at;
            }
            if (!head && !attribution) continue;
            std::string_view address = address_in(line);
            // A long attribution is broken before its last words.
            if (address.empty() && attribution && i > 0) {
                line = unquoted(lines[i - 1].text);
                address = address_in(line);
            }
            if (address.empty() || is_ours(lower(address))) continue;
            out_.author = lower(address);
            out_.author_name = name_in(line, address);
            out_.evidence = address;
            return;
        }
    }

    bool is_ours(std::string_view address) const {
        if (history_.is_own_domain(domain_of(address))) return true;
        const auto same = [&](const Address& one) { return one.address == address; };
        return std::ranges::any_of(message_.to, same) || std::ranges::any_of(message_.cc, same);
    }

    bool may_differ(std::string_view domain) const {
        return domain.empty() || domain == who_.from_domain ||
               (history_.is_freemail(domain) && who_.from_freemail);
    }

    void compare(const std::string& domain) {
        if (may_differ(domain)) return;
        out_.imitated = imitation(who_.from_domain, domain);
        out_.other_domain = is_same_person(message_, out_);
    }

    /// The id of a letter ends with the domain of who sent it: an intruder copies it unchanged.
    void compare_id(const std::string& id) {
        const std::string domain = registrable_domain(lower(domain_of(id)));
        if (out_.imitated != LookAlike::How::None || may_differ(domain) ||
            history_.is_own_domain(domain))
            return;
        const LookAlike::How how = imitation(who_.from_domain, domain);
        if (how == LookAlike::How::None || how == LookAlike::How::Embeds) return;
        out_.any = true;
        if (out_.at == 0) out_.at = message_.text.size();
        out_.imitated = how;
        out_.author = "@" + domain;
        out_.evidence = id;
    }

    const Message& message_;
    const History& history_;
    const Relations& who_;
    QuotedFacts out_;
};

}  // namespace

QuotedFacts find_quoted(const Message& message, const History& history,
                        const Relations& relations) {
    // A report of a mail server quotes whoever it could not reach.
    return message.is_report ? QuotedFacts{} : Reader(message, history, relations).run();
}

}  // namespace hygie::mail
