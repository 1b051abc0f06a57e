#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hygie::fhir {

struct PathToken {
    enum class Kind : std::uint8_t {
        End,
        Name,    ///< a word; may be an operator where one is expected
        Quoted,  ///< a name between backquotes: never an operator
        String,  ///< between apostrophes
        Number,
        Date,      ///< @2015-02-04
        DateTime,  ///< @2015-02-04T, @2015-02-04T14:34Z
        Time,      ///< @T14:34
        External,  ///< %name; the text is the name
        Special,   ///< $this, $index, $total; the text is the name
        Symbol
    };
    Kind kind = Kind::End;
    std::string text;          ///< decoded
    std::size_t position = 0;  ///< in the expression, in bytes
};

/// Cuts an expression into tokens (FHIRPath N1, appendix grammar).
class PathLexer {
  public:
    explicit PathLexer(std::string_view text) : text_(text) {}
    Result<PathToken> next();

  private:
    bool at_end() const { return position_ >= text_.size(); }
    char peek(std::size_t ahead = 0) const;
    Status skip_blanks();
    Result<std::string> quoted(char quote);
    Status escape(std::string& out);
    Result<char32_t> hex_unit();
    Result<PathToken> temporal();
    void digits_and(std::string_view also, std::string& out);
    std::string word();

    std::string_view text_;
    std::size_t position_ = 0;
};

/// Code::BadInput for an expression, with the place of what is wrong.
std::unexpected<Error> path_error(std::string fr, std::string en, std::size_t position);

}  // namespace hygie::fhir
