#include "guards/mail/message/phrases.h"

#include <algorithm>

#include "base/check.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kPhraseHitsMax = 2'000;
/// Bytes that "*" may stand for: three or four words.
constexpr std::size_t kGapBytesMax = 32;

std::size_t sign_of(char c) {
    if (c >= 'a' && c <= 'z') return static_cast<std::size_t>(c - 'a');
    if (c >= '0' && c <= '9') return static_cast<std::size_t>(c - '0') + 26;
    return c == ' ' ? 36 : 37;
}

}  // namespace

PhraseSet::PhraseSet(const std::vector<std::pair<std::string, std::uint32_t>>& phrases) {
    nodes_.emplace_back().next.fill(-1);
    for (const auto& [phrase, id] : phrases) {
        ids_.push_back(id);
        add(phrase, static_cast<std::uint32_t>(ids_.size() - 1));
    }
    link();
}

void PhraseSet::add(std::string_view phrase, std::uint32_t number) {
    std::int32_t before = -1;
    while (true) {
        const std::size_t gap = phrase.find(" * ");
        const bool last = gap == std::string_view::npos;
        const std::string_view words = phrase.substr(0, gap);
        // Whole words: a blank on both sides, but where "~" lets the word go on.
        std::string text = " " + std::string(words);
        if (text.ends_with('~'))
            text.pop_back();
        else
            text.push_back(' ');
        before = add_piece(text, number, before, last);
        if (last) return;
        phrase.remove_prefix(gap + 3);
    }
}

std::int32_t PhraseSet::add_piece(std::string_view text, std::uint32_t number, std::int32_t before,
                                  bool is_last) {
    std::size_t node = 0;
    for (const char c : text) {
        std::int32_t next = nodes_[node].next[sign_of(c)];
        if (next < 0) {
            next = static_cast<std::int32_t>(nodes_.size());
            nodes_[node].next[sign_of(c)] = next;
            nodes_.emplace_back().next.fill(-1);
        }
        node = static_cast<std::size_t>(next);
    }
    pieces_.push_back({.phrase = number,
                       .size = static_cast<std::uint32_t>(text.size()),
                       .next_here = nodes_[node].first_piece,
                       .before = before,
                       .is_last = is_last});
    nodes_[node].first_piece = static_cast<std::int32_t>(pieces_.size() - 1);
    return nodes_[node].first_piece;
}

/// Turns the tree into an automaton that never goes back.
void PhraseSet::link() {
    std::vector<std::int32_t> queue;
    for (std::int32_t& next : nodes_[0].next) {
        if (next < 0)
            next = 0;
        else
            queue.push_back(next);
    }
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const auto node = static_cast<std::size_t>(queue[i]);
        const auto fail = static_cast<std::size_t>(nodes_[node].fail);
        nodes_[node].report =
            nodes_[fail].first_piece >= 0 ? nodes_[node].fail : nodes_[fail].report;
        for (std::size_t sign = 0; sign < kSigns; ++sign) {
            std::int32_t& next = nodes_[node].next[sign];
            if (next < 0) {
                next = nodes_[fail].next[sign];
                continue;
            }
            nodes_[static_cast<std::size_t>(next)].fail = nodes_[fail].next[sign];
            queue.push_back(next);
        }
    }
}

std::vector<PhraseSet::Hit> PhraseSet::find(std::string_view text) const {
    std::vector<Hit> hits;
    if (nodes_.empty()) return hits;
    // Where each piece that others wait for was last seen: {start of its phrase, its end}.
    std::vector<std::pair<std::int32_t, std::pair<std::size_t, std::size_t>>> seen;
    const auto last_seen = [&](std::int32_t piece) {
        const auto it = std::ranges::find(seen, piece, [](const auto& one) { return one.first; });
        return it == seen.end() ? nullptr : &it->second;
    };
    std::int32_t state = 0;
    for (std::size_t i = 0; i < text.size() && hits.size() < kPhraseHitsMax; ++i) {
        state = nodes_[static_cast<std::size_t>(state)].next[sign_of(text[i])];
        for (std::int32_t node = state; node > 0;
             node = nodes_[static_cast<std::size_t>(node)].report) {
            for (std::int32_t p = nodes_[static_cast<std::size_t>(node)].first_piece; p >= 0;
                 p = pieces_[static_cast<std::size_t>(p)].next_here) {
                const Piece& piece = pieces_[static_cast<std::size_t>(p)];
                const std::size_t begin = i + 1 - piece.size;
                std::size_t start = begin;
                if (piece.before >= 0) {
                    const auto* prior = last_seen(piece.before);
                    // The blank between two pieces belongs to both.
                    if (!prior || begin + 1 < prior->second || begin > prior->second + kGapBytesMax)
                        continue;
                    start = prior->first;
                }
                if (piece.is_last) {
                    hits.push_back({ids_[piece.phrase], piece.phrase, start, i + 1 - start});
                } else if (auto* known =
                               const_cast<std::pair<std::size_t, std::size_t>*>(last_seen(p))) {
                    *known = {start, i + 1};
                } else {
                    seen.emplace_back(p, std::pair{start, i + 1});
                }
            }
        }
    }
    return hits;
}

}  // namespace hygie::mail
