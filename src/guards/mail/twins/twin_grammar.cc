#include "guards/mail/twins/twin_grammar.h"

#include <fmt/format.h>

namespace hygie::mail {
namespace {

std::unexpected<Error> wrong(std::string_view where, std::string_view what_fr,
                             std::string_view what_en) {
    return fail(Code::BadInput,
                {fmt::format("modèles de messages, {} : {}", where, what_fr),
                 fmt::format("message templates, {}: {}", where, what_en)},
                {"corrigez le fichier de modèles (twins/FORMAT.md)",
                 "mend the template file (twins/FORMAT.md)"});
}

/// Walks one text and writes its expansion. Skipped text is walked too, so that both twins draw
/// the same chances.
class Walk {
  public:
    Walk(Expansion& expansion, std::string& out, bool subject)
        : expansion_(expansion), out_(out), subject_(subject) {}

    Status text(std::string_view input, std::size_t depth) {
        if (depth > kTwinDepthMax) return wrong(short_of(input), "trop profond", "too deep");
        for (std::size_t at = 0; at < input.size();) {
            const char sign = input[at];
            if (sign == '\\' && at + 1 < input.size()) {
                put(input[at + 1]);
                at += 2;
            } else if (sign == '{' || sign == '(') {
                const std::size_t end = closing(input, at);
                if (end == std::string_view::npos)
                    return wrong(short_of(input), "parenthèse ouverte", "unclosed bracket");
                const std::string_view inside = input.substr(at + 1, end - at - 1);
                TRY_STATUS(sign == '{' ? slot(inside, depth) : choice(inside, depth));
                at = end + 1;
            } else {
                put(sign);
                ++at;
            }
        }
        return {};
    }

  private:
    static std::string_view short_of(std::string_view input) { return input.substr(0, 40); }

    void put(char sign) {
        if (out_.size() < kTwinTextBytesMax) out_.push_back(sign);
    }

    static std::size_t closing(std::string_view input, std::size_t open) {
        std::size_t depth = 0;
        for (std::size_t at = open; at < input.size(); ++at) {
            if (input[at] == '\\') {
                ++at;
            } else if (input[at] == '{' || input[at] == '(') {
                ++depth;
            } else if ((input[at] == '}' || input[at] == ')') && --depth == 0) {
                return at;
            }
        }
        return std::string_view::npos;
    }

    static std::vector<std::string_view> alternatives(std::string_view inside) {
        std::vector<std::string_view> all;
        std::size_t begin = 0;
        std::size_t depth = 0;
        for (std::size_t at = 0; at < inside.size(); ++at) {
            const char sign = inside[at];
            if (sign == '\\') {
                ++at;
            } else if (sign == '{' || sign == '(') {
                ++depth;
            } else if (sign == '}' || sign == ')') {
                --depth;
            } else if (sign == '|' && depth == 0) {
                all.push_back(inside.substr(begin, at - begin));
                begin = at + 1;
            }
        }
        all.push_back(inside.substr(begin));
        return all;
    }

    /// What the side may say: "+" before an alternative gives it, and those after it, to the
    /// attack,
    /// "-" to the honest one.
    std::vector<std::string_view> own_alternatives(std::string_view inside) const {
        std::vector<std::string_view> own;
        Side speaker = Side::Attack;
        for (std::string_view one : alternatives(inside)) {
            if (one.starts_with('+') || one.starts_with('-')) {
                speaker = one.front() == '+' ? Side::Attack : Side::Legitimate;
                one.remove_prefix(1);
            }
            if (speaker == expansion_.side) own.push_back(one);
        }
        return own;
    }

    Status choice(std::string_view inside, std::size_t depth) {
        const bool one_sided = inside.starts_with('+') || inside.starts_with('-');
        if (!one_sided) return text(expansion_.dice.pick(alternatives(inside)), depth + 1);
        // Its chances are its own: what follows is drawn alike whether this is said or not.
        Dice apart(expansion_.dice.next());
        const std::vector<std::string_view> own = own_alternatives(inside);
        if (own.empty()) return {};
        std::swap(apart, expansion_.dice);
        ++one_sided_;
        const Status said = text(expansion_.dice.pick(own), depth + 1);
        --one_sided_;
        std::swap(apart, expansion_.dice);
        return said;
    }

    Status slot(std::string_view name, std::size_t depth) {
        if (name.starts_with("link:")) {
            put('\x01');
            TRY_STATUS(text(name.substr(5), depth + 1));
            put('\x02');
            return {};
        }
        const auto fact = expansion_.facts.find(name);
        if (fact != expansion_.facts.end()) {
            for (const char sign : fact->second) put(sign);
            return {};
        }
        const std::vector<std::string>* found =
            expansion_.grammar.find(name, expansion_.lang, expansion_.author);
        if (!found) return wrong(name, "emplacement inconnu", "unknown slot");
        const std::size_t begin = out_.size();
        TRY_STATUS(text(expansion_.dice.pick(*found), depth + 1));
        agree(name, begin);
        return {};
    }

    /// What a symbol says in the subject it says again where the body first speaks of it: a letter
    /// about a parcel bears no subject about a fax. Drawn all the same, so that chance goes on
    /// alike; what one side alone says uses nothing up.
    void agree(std::string_view name, std::size_t begin) {
        if (subject_) {
            expansion_.said.emplace(name, out_.substr(begin));
            return;
        }
        const auto said = expansion_.said.find(name);
        if (said == expansion_.said.end()) return;
        out_.resize(begin);
        for (const char sign : said->second) put(sign);
        if (one_sided_ == 0) expansion_.said.erase(said);
    }

    Expansion& expansion_;
    std::string& out_;
    bool subject_;
    std::size_t one_sided_ = 0;  // how deep inside what one side alone says
};

Status add_keys(TwinTemplate& made, std::string_view rest, std::string_view where) {
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        const std::string_view word = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (word.empty()) continue;
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            if (!made.id.empty()) return wrong(where, "mot sans « = »", "a word without '='");
            made.id = word;
        } else {
            made.keys.emplace(word.substr(0, equals), word.substr(equals + 1));
        }
    }
    if (made.id.empty()) return wrong(where, "modèle sans nom", "a template without a name");
    return {};
}

void append_line(std::string& to, std::string_view line) {
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (!to.empty()) to.push_back('\n');
    to += line;
}

/// The part of the template that the line went to; null when its first sign is none of ours.
std::string* add_part(TwinTemplate& to, std::string_view line) {
    std::string* part = line.front() == '~'   ? &to.subject
                        : line.front() == '>' ? &to.from
                        : line.front() == '|' ? &to.body
                                              : nullptr;
    if (!part) return nullptr;
    if (line.size() == 1) {
        if (!part->empty()) part->push_back('\n');
    } else {
        append_line(*part, line.substr(1));
    }
    return part;
}

}  // namespace

std::uint64_t Dice::next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
}

std::size_t Dice::below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(next() % bound);
}

std::string TwinTemplate::key(std::string_view name, std::string_view otherwise) const {
    const auto found = keys.find(name);
    return std::string(found == keys.end() ? otherwise : std::string_view(found->second));
}

Status TwinGrammar::add(std::string_view text, std::string_view name) {
    std::vector<std::string>* symbol = nullptr;
    TwinTemplate* current = nullptr;
    std::string* last = nullptr;  // what a continued line goes on with
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string where = fmt::format("{}:{}", name, ++number);
        if (line.empty() || line.starts_with('#')) continue;
        if (line.starts_with("  ") && last) {
            *last += line.substr(1);
        } else if (line.starts_with("  ") && current) {
            TRY_STATUS(add_keys(*current, line, where));
        } else if (line.front() == '[' && line.ends_with(']')) {
            symbol = &symbols_[std::string(line.substr(1, line.size() - 2))];
            current = nullptr;
            last = nullptr;
        } else if (line.front() == '@') {
            symbol = nullptr;
            last = nullptr;
            current = &templates_.emplace_back();
            TRY_STATUS(add_keys(*current, line.substr(1), where));
        } else if (symbol) {
            last = &symbol->emplace_back(line);
        } else {
            last = current ? add_part(*current, line) : nullptr;
            if (!last) return wrong(where, "ligne sans place", "a line out of place");
        }
    }
    return {};
}

const std::vector<std::string>* TwinGrammar::find(std::string_view name, std::string_view lang,
                                                  std::string_view author) const {
    for (const std::string& spelled : {fmt::format("{}.{}.{}", name, lang, author),
                                       fmt::format("{}.{}", name, lang), std::string(name)}) {
        const auto found = symbols_.find(spelled);
        if (found != symbols_.end() && !found->second.empty()) return &found->second;
    }
    return nullptr;
}

Result<std::string> expand(Expansion& expansion, std::string_view text) {
    std::string out;
    Walk walk(expansion, out, false);
    TRY_STATUS(walk.text(text, 0));
    return out;
}

Result<std::string> expand_subject(Expansion& expansion, std::string_view text) {
    std::string out;
    Walk walk(expansion, out, true);
    TRY_STATUS(walk.text(text, 0));
    return out;
}

}  // namespace hygie::mail
