#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "fhir/path/fhirpath_lexer.h"
#include "fhir/path/fhirpath_machine.h"
#include "fhir/path/fhirpath_tree.h"
#include "fhir/path/fhirpath_unit.h"
#include "fhir/path/fhirpath_value.h"

namespace hygie::fhir {
namespace {

using Kind = PathNode::Kind;
using Node = std::unique_ptr<PathNode>;

constexpr std::size_t kTextMax = 65'536;
constexpr int kNestingMax = 100;  ///< parentheses and arguments inside each other
constexpr int kDepthMax = 250;    ///< of the tree; evaluation recurses that deep
constexpr std::int64_t kPatternMemory = 1 << 20;

struct Infix {
    std::string_view text;
    int level;  ///< a higher one binds tighter
    PathOp op;
};
constexpr int kTypeLevel = 8;  // "is" and "as"
constexpr int kLowest = 1;
constexpr Infix kInfixes[] = {
    {"implies", kLowest, PathOp::Implies},
    {"or", 2, PathOp::Or},
    {"xor", 2, PathOp::Xor},
    {"and", 3, PathOp::And},
    {"in", 4, PathOp::In},
    {"contains", 4, PathOp::Contains},
    {"=", 5, PathOp::Equal},
    {"!=", 5, PathOp::NotEqual},
    {"~", 5, PathOp::Equivalent},
    {"!~", 5, PathOp::NotEquivalent},
    {"<", 6, PathOp::Less},
    {"<=", 6, PathOp::LessEqual},
    {">", 6, PathOp::Greater},
    {">=", 6, PathOp::GreaterEqual},
    {"|", 7, PathOp::Union},
    {"+", 9, PathOp::Add},
    {"-", 9, PathOp::Subtract},
    {"&", 9, PathOp::Concat},
    {"*", 10, PathOp::Multiply},
    {"/", 10, PathOp::Divide},
    {"div", 10, PathOp::Div},
    {"mod", 10, PathOp::Mod},
};

bool is_upper(std::string_view name) {
    return !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
}

class Parser {
  public:
    Parser(std::string_view text, Arena& literals) : lexer_(text), literals_(literals) {}

    Result<Node> whole() {
        TRY_STATUS(advance());
        auto node = TRY(expression(kLowest));
        if (token_.kind != PathToken::Kind::End) return unexpected();
        return node;
    }

  private:
    Status advance() {
        token_ = TRY(lexer_.next());
        return {};
    }
    bool symbol(std::string_view text) const {
        return token_.kind == PathToken::Kind::Symbol && token_.text == text;
    }
    bool word(std::string_view text) const {
        return token_.kind == PathToken::Kind::Name && token_.text == text;
    }
    Status expect(std::string_view text) {
        if (!symbol(text)) {
            return path_error(fmt::format("« {} » attendu", text),
                              fmt::format("\"{}\" expected", text), token_.position);
        }
        return advance();
    }
    std::unexpected<Error> unexpected() const {
        return token_.kind == PathToken::Kind::End
                   ? path_error("l'expression s'arrête trop tôt", "the expression stops too early",
                                token_.position)
                   : path_error("élément inattendu", "an unexpected element", token_.position);
    }

    Result<Node> make(Kind kind, Node input = nullptr, std::vector<Node> args = {}) {
        auto node = std::make_unique<PathNode>();
        node->kind = kind;
        for (const auto& arg : args) node->depth = std::max(node->depth, arg->depth + 1);
        if (input) node->depth = std::max(node->depth, input->depth + 1);
        node->input = std::move(input);
        node->args = std::move(args);
        if (node->depth > kDepthMax) {
            return path_error("expression trop longue ou trop imbriquée",
                              "the expression is too long or too nested", token_.position);
        }
        return node;
    }

    const Infix* infix() const {
        if (token_.kind != PathToken::Kind::Symbol && token_.kind != PathToken::Kind::Name) {
            return nullptr;
        }
        const auto* found = std::ranges::find(kInfixes, token_.text, &Infix::text);
        return found == std::end(kInfixes) ? nullptr : found;
    }

    Result<Node> expression(int level_min) {
        if (++nesting_ > kNestingMax) {
            return path_error("expression trop imbriquée", "the expression is too nested",
                              token_.position);
        }
        auto left = TRY(prefixed());
        for (;;) {
            if (level_min <= kTypeLevel && (word("is") || word("as"))) {
                const auto kind = word("is") ? Kind::Is : Kind::As;
                TRY_STATUS(advance());
                left = TRY(make(kind, std::move(left)));
                left->type = TRY(type_name());
                continue;
            }
            const auto* op = infix();
            if (op == nullptr || op->level < level_min) break;
            TRY_STATUS(advance());
            std::vector<Node> operands;
            operands.push_back(std::move(left));
            operands.push_back(TRY(expression(op->level + 1)));
            left = TRY(make(Kind::Binary, nullptr, std::move(operands)));
            left->op = op->op;
        }
        --nesting_;
        return left;
    }

    Result<Node> prefixed() {
        int count = 0;
        bool minus = false;
        for (; symbol("+") || symbol("-"); ++count) {
            minus ^= symbol("-");
            TRY_STATUS(advance());
        }
        auto node = TRY(path());
        if (count == 0) return node;
        return make(minus ? Kind::Minus : Kind::Plus, std::move(node));
    }

    /// A term and what follows it: ".name", ".call()", "[index]".
    Result<Node> path() {
        auto node = TRY(term());
        for (;;) {
            if (symbol(".")) {
                TRY_STATUS(advance());
                node = TRY(invocation(std::move(node)));
            } else if (symbol("[")) {
                TRY_STATUS(advance());
                std::vector<Node> index;
                index.push_back(TRY(expression(kLowest)));
                TRY_STATUS(expect("]"));
                node = TRY(make(Kind::At, std::move(node), std::move(index)));
            } else {
                return node;
            }
        }
    }

    Result<Node> term() {
        using Token = PathToken::Kind;
        switch (token_.kind) {
            case Token::Name:
                if (token_.text == "true" || token_.text == "false") {
                    return literal(make_boolean(literals_, token_.text == "true"));
                }
                return invocation(nullptr);
            case Token::Quoted:
            case Token::Special:
                return invocation(nullptr);
            case Token::String:
                return literal(make_string(literals_, token_.text));
            case Token::Number:
                return number();
            case Token::Date:
            case Token::DateTime:
            case Token::Time:
                return temporal();
            case Token::External:
                return external();
            case Token::Symbol:
                break;
            case Token::End:
                return unexpected();
        }
        if (symbol("{")) {
            TRY_STATUS(advance());
            TRY_STATUS(expect("}"));
            return make(Kind::Literal);
        }
        if (!symbol("(")) return unexpected();
        TRY_STATUS(advance());
        auto inner = TRY(expression(kLowest));
        TRY_STATUS(expect(")"));
        return inner;
    }

    Result<Node> literal(const PathItem& item) {
        auto node = TRY(make(Kind::Literal));
        node->literal = item;
        TRY_STATUS(advance());
        return node;
    }

    Result<Node> number() {
        const auto value = Decimal::parse(token_.text);
        const bool decimal = token_.text.contains('.');
        const auto whole = value ? value->integer().value_or(INT64_MAX) : INT64_MAX;
        const auto start = token_.position;
        TRY_STATUS(advance());
        const bool quoted = token_.kind == PathToken::Kind::String;
        const auto calendar = token_.kind == PathToken::Kind::Name || quoted
                                  ? calendar_word(token_.text)
                                  : std::string_view{};
        if (value && (quoted || !calendar.empty())) {
            return literal(make_quantity(
                literals_, *value, calendar.empty() ? std::string_view(token_.text) : calendar));
        }
        if (!value || (!decimal && whole > INT32_MAX)) {
            return path_error("nombre trop grand", "the number is too large", start);
        }
        auto node = TRY(make(Kind::Literal));
        node->literal = decimal ? make_decimal(literals_, *value) : make_integer(literals_, whole);
        return node;
    }

    /// Only the words: the code "d" between quotes stays as it was written.
    static std::string_view calendar_word(std::string_view text) {
        const auto unit = calendar_unit(text);
        return text.starts_with(unit) ? unit : std::string_view{};
    }

    Result<Node> temporal() {
        const auto value = token_.kind == PathToken::Kind::Date ? Temporal::parse_date(token_.text)
                           : token_.kind == PathToken::Kind::Time
                               ? Temporal::parse_time(token_.text)
                               : Temporal::parse_date_time(token_.text);
        if (!value) {
            return path_error("cette date ou heure n'existe pas",
                              "this date or time does not exist", token_.position);
        }
        return literal(make_temporal(literals_, *value));
    }

    Result<Node> external() {
        const std::string_view name = token_.text;
        if (name == "resource" || name == "rootResource" || name == "context") {
            const auto kind = name == "resource"       ? Kind::Resource
                              : name == "rootResource" ? Kind::Root
                                                       : Kind::Context;
            TRY_STATUS(advance());
            return make(kind);
        }
        const auto text = [&]() -> std::string {
            if (name == "sct") return "http://snomed.info/sct";
            if (name == "loinc") return "http://loinc.org";
            if (name == "ucum") return "http://unitsofmeasure.org";
            if (name.starts_with("vs-")) {
                return fmt::format("http://hl7.org/fhir/ValueSet/{}", name.substr(3));
            }
            if (name.starts_with("ext-")) {
                return fmt::format("http://hl7.org/fhir/StructureDefinition/{}", name.substr(4));
            }
            return {};
        }();
        if (text.empty()) {
            return path_error("variable inconnue", "an unknown variable", token_.position);
        }
        return literal(make_string(literals_, text));
    }

    /// A name, a call, or $this, $index and $total; at the start of a path when `input` is null.
    Result<Node> invocation(Node input) {
        const auto token = token_;
        if (token.kind == PathToken::Kind::Special) return special(std::move(input));
        if (token.kind != PathToken::Kind::Name && token.kind != PathToken::Kind::Quoted) {
            return unexpected();
        }
        TRY_STATUS(advance());
        if (symbol("(")) return call(token, std::move(input));
        const auto* type = !input && is_upper(token.text) ? find_type(token.text) : nullptr;
        auto node = TRY(make(type != nullptr ? Kind::Type : Kind::Member, std::move(input)));
        node->name = token.text;
        node->type = type;
        return node;
    }

    Result<Node> special(Node input) {
        const auto kind = token_.text == "this"    ? Kind::This
                          : token_.text == "index" ? Kind::Index
                                                   : Kind::Total;
        if (input || (kind == Kind::Total && token_.text != "total")) return unexpected();
        TRY_STATUS(advance());
        return make(kind);
    }

    Result<Node> call(const PathToken& token, Node input) {
        const auto* function = find_path_function(token.text);
        if (function == nullptr) {
            return path_error("fonction inconnue ou non prise en charge",
                              "an unknown or unsupported function", token.position);
        }
        TRY_STATUS(advance());
        std::vector<Node> args;
        const TypeDef* type = nullptr;
        if (function->arguments == PathFunction::Arguments::Type) {
            type = TRY(type_name());
        } else if (!symbol(")")) {
            args.push_back(TRY(expression(kLowest)));
            while (symbol(",")) {
                TRY_STATUS(advance());
                args.push_back(TRY(expression(kLowest)));
            }
        }
        TRY_STATUS(expect(")"));
        if (args.size() < function->args_min || args.size() > function->args_max) {
            return path_error("nombre d'arguments inattendu", "an unexpected number of arguments",
                              token.position);
        }
        auto node = TRY(make(Kind::Call, std::move(input), std::move(args)));
        node->function = function;
        node->type = type;
        TRY_STATUS(prepare_pattern(*node, token.position));
        return node;
    }

    /// A pattern that is a literal is compiled once.
    static Status prepare_pattern(PathNode& node, std::size_t position) {
        if (node.function->arguments != PathFunction::Arguments::Pattern) return {};
        const auto& pattern = *node.args[0];
        if (pattern.kind != Kind::Literal || !pattern.literal) return {};
        if (system_of(*pattern.literal) != System::String) return {};
        node.pattern = compile_pattern(pattern.literal->value.text());
        if (node.pattern) return {};
        return path_error("expression rationnelle non valide", "an invalid regular expression",
                          position);
    }

    Result<const TypeDef*> type_name() {
        const auto start = token_.position;
        std::string name;
        for (;;) {
            if (token_.kind != PathToken::Kind::Name && token_.kind != PathToken::Kind::Quoted) {
                return unexpected();
            }
            name += token_.text;
            TRY_STATUS(advance());
            // A dot behind a namespace goes on; behind a type it would begin a path.
            if (!symbol(".") || (name != "System" && name != "FHIR")) break;
            TRY_STATUS(advance());
            name += '.';
        }
        // A type that does not exist is one that nothing has, in the namespaces that we know.
        const auto* type = path_type(name);
        if (type == nullptr && name.starts_with("System.")) return system_type(System::None);
        if (type == nullptr) return path_error("type inconnu", "an unknown type", start);
        return type;
    }

    PathLexer lexer_;
    Arena& literals_;
    PathToken token_;
    int nesting_ = 0;
};

}  // namespace

std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern) {
    // RE2 names a group with "(?P<name>", others with "(?<name>".
    std::string text(pattern);
    for (auto at = text.find("(?<"); at != std::string::npos; at = text.find("(?<", at + 3)) {
        const char next = at + 3 < text.size() ? text[at + 3] : '=';
        if (next != '=' && next != '!') text.insert(at + 2, 1, 'P');
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(kPatternMemory);
    auto compiled = std::make_shared<const RE2>(text, options);
    return compiled->ok() ? compiled : nullptr;
}

Result<Node> parse_path(std::string_view text, Arena& literals) {
    if (text.size() > kTextMax) {
        return path_error("expression trop longue", "the expression is too long", kTextMax);
    }
    return Parser(text, literals).whole();
}

}  // namespace hygie::fhir
