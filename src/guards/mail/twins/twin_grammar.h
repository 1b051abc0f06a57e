#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The small grammar in which the twins are written: `{slot}`, `(one|another|)`, and what only one
/// side says: `(+attack)`, `(-legitimate)`. twins/FORMAT.md has it whole.
namespace hygie::mail {

inline constexpr std::size_t kTwinDepthMax = 24;             ///< slots inside slots
inline constexpr std::size_t kTwinTextBytesMax = 64 * 1024;  ///< of one expansion

/// Chance from a seed, the same on every machine (splitmix64).
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    /// Evenly in [0, bound); 0 when bound is 0.
    std::size_t below(std::size_t bound);
    /// True `percent` times in a hundred.
    bool chance(unsigned percent) { return below(100) < percent; }
    template <typename List>
    const typename List::value_type& pick(const List& list) {
        return list[below(list.size())];
    }

  private:
    std::uint64_t state_;
};

/// Which of two twins is being written: they differ in facts, seldom in words.
enum class Side { Attack, Legitimate };

/// Alternatives by name, and the message templates that use them.
struct TwinTemplate {
    std::string id;
    std::map<std::string, std::string, std::less<>> keys;  ///< author, lang, kind, side, …
    std::string from;     ///< grammar of the display name; empty: the sender's own
    std::string subject;  ///< grammar
    std::string body;     ///< grammar, lines
    std::string key(std::string_view name, std::string_view otherwise = "") const;
};

class TwinGrammar {
  public:
    /// Adds the symbols and templates of one text. Code::BadInput names the line that is wrong.
    Status add(std::string_view text, std::string_view name);

    const std::vector<TwinTemplate>& templates() const { return templates_; }
    /// The alternatives of `name`, most particular first: name.lang.author, name.lang, name.
    const std::vector<std::string>* find(std::string_view name, std::string_view lang,
                                         std::string_view author) const;

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> symbols_;
    std::vector<TwinTemplate> templates_;
};

/// What is needed to expand a text of one template.
struct Expansion {
    const TwinGrammar& grammar;
    std::string lang;
    std::string author;
    Side side;
    /// The facts: what `{slot}` says when it is not a symbol of the grammar.
    std::map<std::string, std::string, std::less<>> facts{};
    Dice dice;
    /// What the subject said for each symbol: a body that says it too says the same, once.
    std::map<std::string, std::string, std::less<>> said{};
};

/// The text with all choices made. A choice consumes chance alike on both sides, so that twins of
/// one seed share their words. Code::BadInput: an unknown slot or unbalanced brackets.
Result<std::string> expand(Expansion& expansion, std::string_view text);
/// The same of a subject: what its symbols said is kept for the body.
Result<std::string> expand_subject(Expansion& expansion, std::string_view text);

}  // namespace hygie::mail
