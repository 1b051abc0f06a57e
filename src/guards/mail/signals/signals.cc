#include "guards/mail/signals/signals.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "guards/mail/facts/pack.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/signals/signal_list.h"

namespace hygie::mail {

namespace {

/// Without the blanks around it, those that do not break included: a quotation begins with a word.
std::string_view quoted(std::string_view evidence) {
    constexpr std::string_view kUnbroken = "\xC2\xA0";
    evidence = trim(evidence);
    while (evidence.starts_with(kUnbroken)) evidence = trim(evidence.substr(kUnbroken.size()));
    while (evidence.ends_with(kUnbroken))
        evidence = trim(evidence.substr(0, evidence.size() - kUnbroken.size()));
    return evidence;
}

}  // namespace

void SignalList::add(std::string_view id, double strength, std::string_view evidence,
                     std::string_view where, std::string_view detail) {
    if (strength <= 0) return;
    const SignalKind* kind = signal_kind(id);
    if (!kind) return;
    const auto it = std::ranges::find(signals_, id, &Signal::id);
    Signal made{.id = kind->id,
                .strength = std::min(strength, 1.0),
                .evidence = std::string(cut(quoted(evidence), kEvidenceBytesMax)),
                .detail = std::string(cut(trim(detail), kEvidenceBytesMax)),
                .where = std::string(where)};
    if (it == signals_.end())
        signals_.push_back(std::move(made));
    else if (made.strength > it->strength)
        *it = std::move(made);
}

const Signal* SignalList::find(std::string_view id) const {
    const auto it = std::ranges::find(signals_, id, &Signal::id);
    return it == signals_.end() ? nullptr : &*it;
}

std::vector<Signal> SignalList::finish() {
    std::vector<Signal> all(std::make_move_iterator(signals_.begin()),
                            std::make_move_iterator(signals_.end()));
    signals_.clear();
    std::ranges::sort(all, {}, &Signal::id);
    return all;
}

bool shares_word(std::string_view folded_words, std::string_view folded_text) {
    constexpr std::size_t kTellingLetters = 4;
    for (std::size_t at = 0; at < folded_words.size();) {
        const std::size_t end = std::min(folded_words.find(' ', at), folded_words.size());
        const std::string_view word = folded_words.substr(at, end - at);
        if (word.size() >= kTellingLetters && contains(folded_text, word)) return true;
        at = end + 1;
    }
    return false;
}

std::string without_addresses(std::string_view text) {
    std::string out(text);
    std::size_t begin = 0;
    while (begin < out.size()) {
        const std::size_t end = std::min(out.find_first_of(" \t\r\n<>()\"", begin), out.size());
        const std::string_view run = std::string_view(out).substr(begin, end - begin);
        if (run.find("://") != std::string_view::npos || run.find('@') != std::string_view::npos ||
            starts_with_any_case(run, "www."))
            std::fill(out.begin() + static_cast<std::ptrdiff_t>(begin),
                      out.begin() + static_cast<std::ptrdiff_t>(end), ' ');
        begin = end + 1;
    }
    return out;
}

std::string author_text(const Message& message) {
    const Address& author = message.author();
    return author.name.empty() ? author.address : author.name + " <" + author.address + ">";
}

bool is_followed(const Link& link) {
    return (link.scheme == "http" || link.scheme == "https") && !link.host.empty() &&
           contains(link.host, ".");
}

std::string_view site_of(const Link& link) {
    const std::string_view target = link.target;
    const std::size_t host = target.find("//");
    if (host == std::string_view::npos) return target;
    return target.substr(0, target.find_first_of("/?#\\", host + 2));
}

bool is_wrapped_program(std::string_view name) {
    static constexpr auto kWrapped = std::to_array<std::string_view>(
        {".scr", ".bat", ".cmd", ".ps1", ".vbs", ".hta", ".lnk", ".iso", ".vhd", ".vhdx", ".rdp"});
    return ends_in(name, kWrapped);
}

bool is_program_name(std::string_view name) {
    static constexpr auto kPrograms =
        std::to_array<std::string_view>({".exe", ".msi", ".msix", ".appinstaller", ".jar", ".apk"});
    return is_wrapped_program(name) || ends_in(name, kPrograms);
}

std::string file_of(const Link& link) {
    return lower(link.path.substr(0, link.path.find_first_of("?#")));
}

bool is_related(const Scene& scene, const Link& link) {
    const std::string& from = scene.evidence.relations.from_domain;
    // What a carrier brings leads where its unknown author wants.
    if (scene.evidence.relations.is_carrier && link.is_free_host) return false;
    if (link.final_domain == from || scene.history.is_known_domain(link.final_domain)) return true;
    if (link.brand.empty() || scene.evidence.relations.from_freemail) return false;
    const Brand* owner = built_in_pack().brand_of_domain(from);
    return owner && built_in_pack().same_house(owner->id, link.brand);
}

std::vector<Signal> draw_signals(const Message& message, const Evidence& evidence,
                                 const History& history) {
    const Scene scene{message, evidence, history};
    SignalList out;
    draw_sender(scene, out);
    draw_links(scene, out);
    draw_files(scene, out);
    draw_words(scene, out);
    draw_money(scene, out);
    draw_thread(scene, out);
    draw_tricks(scene, out);
    draw_schemes(scene, out);
    draw_floors(scene, out);
    draw_carried(scene, out);
    draw_asks(scene, out);
    return out.finish();
}

}  // namespace hygie::mail
