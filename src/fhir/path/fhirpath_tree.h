#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/path/fhirpath.h"

namespace re2 {
class RE2;
}

/// The compiled form of a FHIRPath expression.
namespace hygie::fhir {

struct PathFunction;

enum class PathOp : std::uint8_t {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Union,
    Add,
    Subtract,
    Concat,
    Multiply,
    Divide,
    Div,
    Mod
};

struct PathNode {
    enum class Kind : std::uint8_t {
        Literal,   ///< literal; the empty collection has none
        This,      ///< $this
        Index,     ///< $index
        Total,     ///< $total
        Resource,  ///< %resource
        Root,      ///< %rootResource
        Context,   ///< %context
        Type,      ///< a type at the start of a path: the focus, when it is of that type
        Member,    ///< children named `name` of the input, or of the focus
        Call,      ///< `function` on the input, or on the focus
        At,        ///< input[args[0]]
        Plus,      ///< +input
        Minus,     ///< -input
        Binary,    ///< args[0] op args[1]
        Is,        ///< input is type
        As         ///< input as type
    };
    Kind kind = Kind::Literal;
    PathOp op = PathOp::And;
    int depth = 1;
    std::string name;
    const TypeDef* type = nullptr;
    const PathFunction* function = nullptr;
    std::optional<PathItem> literal;
    std::unique_ptr<PathNode> input;
    std::vector<std::unique_ptr<PathNode>> args;
    std::shared_ptr<const re2::RE2> pattern;  ///< of a call whose pattern is a literal
};

/// Parses the text; literals are made in `literals`.
Result<std::unique_ptr<PathNode>> parse_path(std::string_view text, Arena& literals);

/// RE2 with the options and limits of this house; null when the pattern is not valid.
std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern);

}  // namespace hygie::fhir
