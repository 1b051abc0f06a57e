#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "guards/mail/facts/links.h"
#include "guards/mail/facts/pack.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kGreetingBytesMax = 160;
constexpr std::size_t kGreetedLinesMax = 60;
/// A sheet of paper is about a thousand pixels high; a screen is 100 vh.
constexpr double kPixelsPushed = 4'000;
constexpr double kScreensPushed = 300;
/// A letter that leads so often to one place is that place's.
constexpr std::size_t kGraftLinksMin = 6;
constexpr std::size_t kGraftNameMin = 4;
constexpr std::size_t kLureLinksMax = 2;

/// Ways to get past a filter that honest mail has no use for: one slips an address into a name, one
/// hangs a lure over somebody else's newsletter, one scrambles the host of a link.
class Tricks {
  public:
    Tricks(const Scene& scene, SignalList& out)
        : scene_(scene), seen_(scene.evidence), who_(scene.evidence.relations), out_(out) {
        known_ = who_.known_correspondent || who_.from_own_authenticated || out.has("thread.known");
        for (const Link& link : seen_.links)
            if (is_followed(link) && !link.from_qr) followed_.push_back(&link);
    }

    void draw() {
        senders_address();
        senders_name();
        hosts();
        pushed_away();
        grafted();
        page_lure();
        runs_command();
        if (known_) return;
        smuggled_name();
        if (who_.by_nameless_tenant && !who_.known_domain)
            out_.add("scheme.nameless_tenant", kWarns, who_.from_address, "header:From");
    }

  private:
    bool is_unknown(const Link& link) const {
        return (link.brand.empty() || link.is_free_host) && link.final_domain != who_.from_domain &&
               !scene_.history.is_known_domain(link.final_domain);
    }
    std::string_view body() const { return scene_.message.html.empty() ? "text" : "html"; }

    /// "Promotions@Shop", "tax@%service.com": no letter could ever be answered there.
    void senders_address() {
        const std::string& address = scene_.message.author().address;
        if (address.empty() || scene_.message.is_report) return;
        const std::string_view domain = domain_of(address);
        const std::size_t dot = domain.rfind('.');
        const bool spelled = std::ranges::all_of(domain, [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                   c == '_' || static_cast<unsigned char>(c) >= 0x80;
        });
        const bool ends = dot != std::string_view::npos && dot + 2 < domain.size() &&
                          !std::isdigit(static_cast<unsigned char>(domain.back()));
        if (!(spelled && ends) && domain != "localhost" && !is_ip_address(domain))
            out_.add("sender.no_domain", 1, author_text(scene_.message), "header:From");
    }

    /// "ethereum.org" <somebody@free.example>
    void senders_name() {
        if (who_.display_name_is_address || known_ || who_.known_domain) return;
        std::string_view name = trim(scene_.message.author().name);
        while (!name.empty() && (name.front() == '"' || name.front() == '\''))
            name.remove_prefix(1);
        const std::string_view first = name.substr(0, name.find_first_of(" \"'(<,;:"));
        if (contains(first, "@")) return;
        const std::string shown = domain_shown(first);
        if (shown.empty() || shown == who_.from_domain ||
            main_label(shown) == main_label(who_.from_domain))
            return;
        out_.add("sender.name_is_domain", who_.from_freemail || who_.is_tenant ? 1 : 0.6,
                 author_text(scene_.message), "header:From", shown);
    }

    /// "ðHw8uŸFzœ4oJe.shop.example": drawn letters of many alphabets in front of a domain.
    static bool is_scrambled(const Link& link) {
        if (link.host.size() <= link.domain.size()) return false;
        const std::string_view before =
            std::string_view(link.host).substr(0, link.host.size() - link.domain.size());
        for (std::size_t at = 0; at < before.size();) {
            const std::size_t end = std::min(before.find('.', at), before.size());
            const std::string_view label = before.substr(at, end - at);
            const auto foreign = std::ranges::count_if(
                label, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0xC0U; });
            const bool mixed =
                std::ranges::any_of(label, [](char c) { return c >= 'a' && c <= 'z'; });
            if (foreign >= 2 && mixed && !is_word(label)) return true;
            at = end + 1;
        }
        return false;
    }

    /// Letters of one alphabet that follow each other as in words: no digit, few foreign ones.
    static bool is_word(std::string_view label) {
        const bool digits = std::ranges::any_of(label, [](char c) { return c >= '0' && c <= '9'; });
        const auto foreign = std::ranges::count_if(
            label, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0xC0U; });
        return !digits && static_cast<std::size_t>(foreign) * 4 < label.size();
    }

    void hosts() {
        for (const Link* link : followed_) {
            if (is_scrambled(*link))
                out_.add("link.strange_host", 1, site_of(*link), link->where, link->domain);
            if (link->has_recipient_after_hash && is_unknown(*link) && !known_)
                out_.add("link.recipient_after_hash", 1, link->target, link->where);
            masked_brand(*link);
            // Somebody who copies what a search engine found shows the address itself.
            const bool pasted = link->kind == LinkKind::Text || !link->shown_domain.empty();
            if (link->is_detour && is_unknown(*link) && !known_)
                out_.add("link.detour", pasted ? 0.4 : 1, link->target, link->where,
                         link->final_domain == link->domain ? "?" : link->final_domain);
        }
    }

    /// The address of a brand is shown, and what stands behind it is a shortened link or a page
    /// that anybody may publish. Click counters of mailings are neither.
    void masked_brand(const Link& link) {
        const Brand* shown = built_in_pack().brand(link.shown_brand);
        const bool hides = link.is_shortener || link.is_free_host;
        if (!shown || !hides || known_ || link.shown_domain == link.domain ||
            link.shown_domain == link.final_domain || shown->category == "social" ||
            shown->id == "google" || built_in_pack().same_house(link.shown_brand, link.brand))
            return;
        const Brand* sender = built_in_pack().brand_of_domain(who_.from_domain);
        if (!sender || !built_in_pack().same_house(sender->id, shown->id))
            out_.add("scheme.disguised_link", kWarns, link.shown, link.where, link.final_domain);
    }

    /// `height: 470500px`: what stands below was not meant to be read.
    void pushed_away() {
        const std::string& html = scene_.message.html;
        for (const std::string_view property : {"height", "margin-top", "padding-top"})
            for (std::size_t at = html.find(property); at != std::string::npos;
                 at = html.find(property, at + 1)) {
                const bool part =
                    at > 0 &&
                    (html[at - 1] == '-' || std::isalnum(static_cast<unsigned char>(html[at - 1])));
                if (part) continue;
                const std::string_view rest = std::string_view(html).substr(at, 48);
                const std::size_t begin = rest.find_first_of("0123456789;}\"'>");
                if (begin == std::string_view::npos || rest.find(':') > begin) continue;
                double size = 0;
                const auto [end, error] =
                    std::from_chars(rest.data() + begin, rest.data() + rest.size(), size);
                if (error != std::errc()) continue;
                const std::string_view unit =
                    rest.substr(static_cast<std::size_t>(end - rest.data()), 2);
                if ((unit == "px" && size >= kPixelsPushed) ||
                    (unit == "vh" && size >= kScreensPushed)) {
                    out_.add("html.pushed_away", 1,
                             rest.substr(0, static_cast<std::size_t>(end - rest.data()) + 2),
                             "html");
                    return;
                }
            }
    }

    /// One picture of a stranger's that leads away on top, and below it a whole newsletter that is
    /// neither the sender's nor the link's.
    void grafted() {
        if (known_ || followed_.size() <= kGraftLinksMin) return;
        std::map<std::string_view, std::size_t> places;
        for (const Link* link : followed_) ++places[link->domain];
        const auto most =
            std::ranges::max_element(places, {}, [](const auto& one) { return one.second; });
        const std::string_view other = most->first;
        if (most->second < kGraftLinksMin || most->second * 2 < followed_.size()) return;
        const Link& lure = *followed_.front();
        const auto is_senders = [&](std::string_view domain) {
            return domain == who_.from_domain || main_label(domain) == main_label(who_.from_domain);
        };
        const bool picture = lure.kind == LinkKind::Image || trim(lure.shown).empty();
        if (lure.domain == other || is_senders(other) || is_senders(lure.domain) || !picture ||
            places[lure.domain] > kLureLinksMax || !is_unknown(lure))
            return;
        const std::string words = folded(cut(scene_.message.text, kTextBytesMax));
        std::string letters = words;
        std::erase(letters, ' ');
        std::string label(main_label(other));
        std::erase(label, '-');
        std::string sender(main_label(who_.from_domain));
        std::erase(sender, '-');
        const bool names_other = label.size() >= kGraftNameMin ? contains(letters, label)
                                                               : contains(words, " " + label + " ");
        if (names_other && !contains(letters, sender))
            out_.add("scheme.grafted", kWarns, site_of(lure), lure.where, other);
    }

    /// "Press Windows + R, then Ctrl + V": whoever writes it wants a program started. Both stand in
    /// one instruction; a guide to a keyboard names keys too.
    void runs_command() {
        static constexpr auto kOpens = std::to_array<std::string_view>(
            {" windows r ", " win r ", " windows et r ", " windows and r ", " windows und r ",
             " windows key r ", " windows key and r ", " windows taste r ", " windows y r ",
             " windows e r "});
        static constexpr auto kPastes =
            std::to_array<std::string_view>({" ctrl v ", " control v ", " strg v "});
        constexpr std::size_t kInstructionBytes = 400;
        if (!contains(lower(scene_.message.text), "win")) return;
        const Folded words = fold(scene_.message.text);
        for (const std::string_view open : kOpens) {
            const std::size_t at = words.text.find(open);
            if (at == std::string::npos) continue;
            const std::string_view rest =
                std::string_view(words.text).substr(at, kInstructionBytes);
            for (const std::string_view paste : kPastes)
                if (const std::size_t then = rest.find(paste); then != std::string_view::npos)
                    out_.add("scheme.runs_command", kHolds,
                             words.source(scene_.message.text, at, then + paste.size()), body());
        }
    }

    /// A stranger's free mailbox, and a file that is a button: nobody writes letters so.
    void page_lure() {
        const Signal* page = out_.find("file.page_is_link");
        if (!page || known_ || !who_.from_freemail) return;
        out_.add("scheme.page_lure", kWarns, page->evidence, page->where);
    }

    /// "Hi ✅ +$1,733 ➡️ forms.example/x, thanks for subscribing": who filled in a form on an honest
    /// site gave an advertisement for a name.
    void smuggled_name() {
        for (const Link* link : followed_) {
            const std::string_view name = name_in_query(link->path);
            if (name.empty() || address_in_name(name).empty()) continue;
            out_.add("scheme.smuggled_name", kWarns, name, link->where);
            return;
        }
        std::string_view rest = scene_.message.text;
        for (std::size_t lines = 0; lines < kGreetedLinesMax && !rest.empty(); ++lines) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = cut(trim(rest.substr(0, end)), kGreetingBytesMax);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (std::string_view name = name_slot(line); !name.empty()) {
                name = address_in_name(name);
                if (!name.empty()) {
                    out_.add("scheme.smuggled_name", kWarns, name, body());
                    return;
                }
            }
        }
    }

    /// "/wp-login.php?login=www.gains.example%20-%20TRADE": the first word of the name to sign in
    /// as, and the mark of the blank that follows it.
    static std::string_view name_in_query(std::string_view path) {
        constexpr std::string_view kName = "?login=";
        constexpr std::string_view kBlank = "%20";
        const std::size_t at = path.find(kName);
        if (at == std::string_view::npos) return {};
        const std::string_view name = path.substr(at + kName.size());
        const std::size_t blank = name.substr(0, name.find('&')).find(kBlank);
        return blank == std::string_view::npos ? std::string_view() : name.substr(0, blank);
    }

    /// What stands where a form's name would: after "Username:", after "Hi".
    static std::string_view name_slot(std::string_view line) {
        static constexpr auto kLabels = std::to_array<std::string_view>(
            {" benutzername ", " gebruikersnaam ", " identifiant ", " nom d utilisateur ",
             " nombre de usuario ", " nome de usuario ", " nome utente ", " username ",
             " user name "});
        static constexpr auto kGreetings = std::to_array<std::string_view>(
            {"bonjour ", "caro ", "cher ", "ciao ", "dear ", "estimado ", "hallo ", "hello ",
             "hey ", "hi ", "hola ", "liebe ", "lieber ", "prezado ", "salut ", "welcome "});
        if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
            const std::string label = folded(line.substr(0, colon));
            if (std::ranges::find(kLabels, label) != kLabels.end())
                return trim(line.substr(colon + 1));
        }
        for (const std::string_view greeting : kGreetings)
            if (starts_with_any_case(line, greeting) && has_sum(line))
                return trim(line.substr(greeting.size()));
        return {};
    }

    /// The web address that a name begins with, signs and sums apart; empty for a name.
    std::string_view address_in_name(std::string_view name) const {
        for (std::string_view rest = name; !rest.empty();) {
            const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
            std::string_view word = rest.substr(0, end);
            rest = trim(rest.substr(end));
            while (!word.empty() && contains(",.;:!?)", word.substr(word.size() - 1)))
                word.remove_suffix(1);
            if (contains(word, "@")) return {};
            const std::string domain = domain_shown(word);
            if (domain.empty()) {
                const bool letters = std::ranges::any_of(
                    word, [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
                if (letters && !is_money(word)) return {};
                continue;
            }
            const Url url = parse_url(word);
            const Pack& pack = built_in_pack();
            const bool published = pack.is_free_host(url.host) || pack.is_shortener(url.host) ||
                                   url.path.size() > 1 || has_sum(name);
            const bool own = domain == who_.from_domain || pack.brand_of_domain(domain) != nullptr;
            return published && (!own || pack.is_free_host(url.host)) ? word : std::string_view();
        }
        return {};
    }
    static bool is_money(std::string_view word) {
        static constexpr auto kMoney = std::to_array<std::string_view>(
            {"btc", "eth", "eur", "euro", "gbp", "usd", "usdt", "xrp"});
        return std::ranges::find(kMoney, lower(word)) != kMoney.end();
    }
    static bool has_sum(std::string_view text) {
        const std::string words = folded(text);
        return contains(text, "$") || contains(text, "€") || contains(words, " btc ") ||
               contains(words, " usd ") || contains(words, " usdt ") || contains(words, " eth ") ||
               contains(words, " euro ");
    }

    const Scene& scene_;
    const Evidence& seen_;
    const Relations& who_;
    SignalList& out_;
    std::vector<const Link*> followed_;
    bool known_ = false;
};

}  // namespace

void draw_tricks(const Scene& scene, SignalList& out) {
    Tricks(scene, out).draw();
}

}  // namespace hygie::mail
