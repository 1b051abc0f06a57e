#include "guards/mail/model/model_structure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/disguise.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {
namespace {

/// Names of shapes, each once, how often each was seen, and the bytes on which it stands first.
class Shapes {
  public:
    void stand_on(std::string_view evidence) { evidence_ = cut(trim(evidence), kEvidenceBytesMax); }
    void add(std::string name, bool is) {
        if (is) ++found_.try_emplace(std::move(name), evidence_, 0).first->second.second;
    }
    /// Each weighs as the root of its share among `of`: one odd link among forty says little.
    void settle(Features& out, std::size_t of) const {
        for (const auto& [name, seen] : found_)
            out.named.push_back({name, share_of(seen.second, of), seen.first});
    }

  private:
    static float share_of(std::size_t hits, std::size_t of) {
        return static_cast<float>(
            std::sqrt(static_cast<double>(hits) / static_cast<double>(std::max(hits, of))));
    }
    std::string evidence_;
    std::map<std::string, std::pair<std::string, std::size_t>> found_;
};

std::size_t digits_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }));
}

/// Some label of the host, or a piece of one, was written by chance.
bool has_random_label(std::string_view host) {
    for (std::size_t at = 0; at < host.size();) {
        const std::size_t end = std::min(host.find_first_of(".-_", at), host.size());
        if (looks_random(host.substr(at, end - at))) return true;
        at = end + 1;
    }
    return false;
}

/// Countries whose top-level domain says where a sender is at home, and the languages there.
bool is_at_home(std::string_view language, std::string_view country) {
    struct Home {
        std::string_view language;
        std::string_view countries;
    };
    static constexpr std::array<Home, 6> kHomes = {
        {{"fr", " fr be ch lu ca mc re gp mq nc pf ma tn sn ci eu io tv me co "},
         {"de", " de at ch li lu be it eu io tv me co "},
         {"es", " es mx ar co cl pe ve uy ec bo py cr gt do pa sv hn ni cu eu io tv me us "},
         {"pt", " pt br ao mz eu io tv me co "},
         {"nl", " nl be eu io tv me co nu "},
         {"it", " it ch sm va eu io tv me co "}}};
    for (const Home& home : kHomes)
        if (home.language == language)
            return contains(home.countries, " " + std::string(country) + " ");
    return true;
}

/// What an address on the web looks like from outside: the same for a sender's domain.
void add_host(Shapes& out, const std::string& what, std::string_view host,
              std::string_view registrable) {
    constexpr std::size_t kLongLabel = 18;
    const std::string_view label = main_label(registrable);
    out.add(what + "cheap", built_in_pack().is_cheap_zone(registrable));
    out.add(what + "random", has_random_label(host));
    out.add(what + "deep", std::ranges::count(host, '.') >= 3);
    out.add(what + "hyphens", std::ranges::count(label, '-') >= 2);
    out.add(what + "digits", digits_of(label) >= 3);
    out.add(what + "long", label.size() >= kLongLabel);
}

bool has_word(std::string_view path, std::span<const std::string_view> words) {
    const std::string low = lower(path);
    return std::ranges::any_of(words, [&](std::string_view word) { return contains(low, word); });
}

/// Somebody else's site that was broken into, a page to sign in, data carried behind a #.
void add_path(Shapes& out, const Link& link) {
    static constexpr auto kTaken = std::to_array<std::string_view>(
        {"/wp-content/", "/wp-includes/", "/wp-admin/", "/.well-known/", "/cgi-bin/", "/cgi/",
         "/components/com_", "/modules/", "/plugins/", "/uploads/", "/tmp/", "/css/", "/js/"});
    static constexpr auto kSignIn = std::to_array<std::string_view>(
        {"login", "logon", "signin", "sign-in", "verif", "secure", "webmail", "auth", "account",
         "connexion", "anmeld", "acceso", "acesso", "update", "validat", "confirm", "owa/"});
    const std::string_view path = link.path;
    const std::size_t hash = path.find('#');
    out.add("path.taken", has_word(path.substr(0, path.find('?')), kTaken));
    out.add("path.sign_in", has_word(path, kSignIn) ||
                                (link.host != link.domain &&
                                 has_word(link.host.substr(0, link.host.rfind('.')), kSignIn)));
    out.add("path.script", contains(lower(path), ".php") || contains(lower(path), ".html") ||
                               contains(lower(path), ".aspx"));
    out.add("path.after_hash", hash != std::string_view::npos && path.size() - hash > 8);
    out.add("path.bare", path.size() <= 1);
    out.add("path.long", path.size() > 120);
}

void add_links(Features& features, const Evidence& evidence) {
    constexpr std::size_t kLinksMax = 40;
    Shapes out;
    std::size_t seen = 0;
    for (const Link& link : evidence.links) {
        if ((link.scheme != "http" && link.scheme != "https") || ++seen > kLinksMax) continue;
        const Direction way = direction_of(link, evidence);
        if (way == Direction::Home || way == Direction::Known) continue;
        out.stand_on(site_of(link));
        if (way == Direction::Away) add_host(out, "to.", link.host, link.final_domain);
        add_path(out, link);
        out.add("path.picture", link.kind == LinkKind::Image || link.kind == LinkKind::Area);
        out.add("path.bare_address", link.kind == LinkKind::Text);
    }
    out.settle(features, std::min(seen, kLinksMax));
}

std::string_view mailbox_role(std::string_view mailbox) {
    static constexpr auto kMachines = std::to_array<std::string_view>(
        {"noreply", "no-reply", "donotreply", "do-not-reply", "ne-pas-repondre", "nepasrepondre",
         "notif", "mailer", "alert", "system", "auto", "daemon", "bounce"});
    static constexpr auto kOffices = std::to_array<std::string_view>(
        {"info", "contact", "support", "service", "admin", "office", "sales", "account", "billing",
         "security", "help", "mail", "webmaster", "team", "hello", "news", "marketing", "order"});
    if (has_word(mailbox, kMachines)) return "machine";
    if (has_word(mailbox, kOffices)) return "office";
    return digits_of(mailbox) >= 3 ? "numbered" : "other";
}

void add_sender(Shapes& out, const Message& message, const Evidence& evidence) {
    const Address& author = message.author();
    const std::string_view mailbox =
        std::string_view(author.address).substr(0, author.address.rfind('@'));
    out.stand_on(author_text(message));
    if (!evidence.relations.from_freemail)
        add_host(out, "by.", author.domain(), evidence.relations.from_domain);
    out.add("by.box_" + std::string(mailbox_role(mailbox)), !author.address.empty());
    const std::string_view domain = evidence.relations.from_domain;
    const std::string_view country = domain.substr(std::min(domain.rfind('.') + 1, domain.size()));
    const std::string_view language = language_of(folded(cut(message.text, 4000)));
    out.add("by.foreigner", country.size() == 2 && !language.empty() && language != "en" &&
                                !is_at_home(language, country));
}

void add_heads(Shapes& out, const Message& message) {
    const auto upper = [](std::string_view text) {
        return std::ranges::count_if(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    };
    const auto small = [](std::string_view text) {
        return std::ranges::count_if(text, [](char c) { return c >= 'a' && c <= 'z'; });
    };
    const std::string_view subject = message.subject;
    out.stand_on(subject);
    out.add("head.shouts", upper(subject) >= 8 && upper(subject) > 2 * small(subject));
    out.add("head.number", digits_of(subject) >= 5);
    out.add("head.marks", std::ranges::count(subject, '!') >= 1);
    out.add("head.picture", contains(subject, "\xF0\x9F") || contains(subject, "\xE2\x9A") ||
                                contains(subject, "\xE2\x9C"));
    out.add("head.name_shouts",
            upper(message.author().name) >= 6 &&
                upper(message.author().name) > 2 * small(message.author().name));
}

}  // namespace

Direction direction_of(const Link& link, const Evidence& evidence) {
    if (link.is_free_host || link.is_shortener || link.is_ip || link.from_qr ||
        link.has_user_info || link.look_alike.how != LookAlike::How::None)
        return Direction::Hidden;
    if (link.final_domain == evidence.relations.from_domain) return Direction::Home;
    return link.brand.empty() ? Direction::Away : Direction::Known;
}

std::string_view language_of(std::string_view folded) {
    struct Language {
        std::string_view name;
        std::string_view words;
    };
    static constexpr std::array<Language, 7> kLanguages = {{
        {"fr", " les des est vous votre vos pour dans une nous avec sur cette ou et le du au "},
        {"en", " the and you your for this that with are have from will our can please of to "},
        {"de", " der die das und ist sie ihre ihr nicht mit fur auf eine wir zu den von bitte "},
        {"es", " el los las que en su sus por para una con del usted se como mas y la "},
        {"pt", " os as que em seu sua por para uma com do da voce nao se mais o e "},
        {"nl", " het een en van uw voor met op niet dat wij te naar aan bij deze de je "},
        {"it", " il gli di che per una con del della suo sua non si sono questo e la i "},
    }};
    constexpr std::size_t kWordsMax = 300;
    constexpr std::size_t kTellingMin = 4;
    std::array<std::size_t, kLanguages.size()> hits{};
    std::size_t seen = 0;
    for (std::size_t at = 0; at + 1 < folded.size() && seen < kWordsMax; ++seen) {
        const std::size_t end = std::min(folded.find(' ', at + 1), folded.size() - 1);
        const std::string_view word = folded.substr(at, end - at + 1);
        for (std::size_t i = 0; i < kLanguages.size(); ++i)
            hits[i] += word.size() > 2 && contains(kLanguages[i].words, word);
        at = end;
    }
    const auto best = std::ranges::max_element(hits);
    if (*best < std::max(kTellingMin, seen / 12)) return {};
    return kLanguages[static_cast<std::size_t>(best - hits.begin())].name;
}

void add_structure(Features& out, const Message& message, const Evidence& evidence) {
    add_links(out, evidence);
    Shapes shapes;
    add_sender(shapes, message, evidence);
    add_heads(shapes, message);
    shapes.settle(out, 1);
}

}  // namespace hygie::mail
