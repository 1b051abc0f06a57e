#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hygie::mail {

/// Many phrases looked for in one pass over folded text (Aho and Corasick, 1975). Phrases are
/// folded words; "*" stands for at most a few words, a final "~" lets the last word go on.
class PhraseSet {
  public:
    PhraseSet() = default;
    /// Each phrase with the number that find() reports.
    explicit PhraseSet(const std::vector<std::pair<std::string, std::uint32_t>>& phrases);

    struct Hit {
        std::uint32_t id;      ///< number given with the phrase
        std::uint32_t phrase;  ///< which phrase it was
        std::size_t at;        ///< in the folded text
        std::size_t size;
    };
    /// In order of their ends, at most kPhraseHitsMax.
    std::vector<Hit> find(std::string_view folded) const;

  private:
    static constexpr std::size_t kSigns = 38;  // a-z 0-9 blank, and all the rest
    struct Node {
        std::array<std::int32_t, kSigns> next;
        std::int32_t fail = 0;
        std::int32_t first_piece = -1;  ///< pieces that end here
        std::int32_t report = 0;        ///< next node on the failure path with pieces
    };
    /// A phrase is one piece, or several with gaps between them.
    struct Piece {
        std::uint32_t phrase;
        std::uint32_t size;
        std::int32_t next_here;  ///< another piece that ends at the same node
        std::int32_t before;     ///< the piece that must stand before it, -1 for none
        bool is_last;
    };
    void add(std::string_view phrase, std::uint32_t number);
    void link();
    std::int32_t add_piece(std::string_view text, std::uint32_t number, std::int32_t before,
                           bool is_last);

    std::vector<Node> nodes_;
    std::vector<Piece> pieces_;
    std::vector<std::uint32_t> ids_;
};

}  // namespace hygie::mail
